"""The player: `async with Pod(manifest, node) as pod`."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.pod.describe import describe
from tests.pod.events import Event
from tests.pod.instance import Instance, Record
from tests.pod.manifest import load, parse
from tests.pod.model import PodSpec, ProbeKind
from tests.pod.node import Node
from tests.pod.sandbox import Sandbox
from tests.pod.state import Listener, Moment, PodState
from tests.pod.sync import PodWorker
from tests.pod.worker import Worker

_NO_ERROR = (None, None, None)

Manifest = PodSpec | Mapping[str, Any] | Path | str


def _spec(manifest: Manifest) -> PodSpec:
    if isinstance(manifest, PodSpec):
        return manifest
    return parse(manifest) if isinstance(manifest, Mapping) else load(manifest)


class Pod:
    """A pod being played from `async with` to its end; nothing of it is left afterwards."""

    def __init__(
        self,
        manifest: Manifest,
        node: Node | None = None,
        *,
        listener: Listener = lambda _news: None,
    ) -> None:
        self.spec = _spec(manifest)
        self._node = node or Node()
        self._listener = listener
        self._tasks = asyncio.TaskGroup()
        self._workers: dict[tuple[str, ProbeKind], asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        """Add the pod: its probe workers exist before any container does (fact 2.1)."""
        sandbox = Sandbox(self.spec, self._node)
        self._state = PodState(self.spec, self._node, sandbox, self._listener)
        await self._tasks.__aenter__()
        self._begin()
        return self

    def _begin(self) -> None:
        for record in self._state.records.values():
            for kind in record.container.probes:
                worker = Worker(self._state, record, kind)
                task = self._tasks.create_task(worker.run())
                self._workers[record.container.name, kind] = task
        self._sync = self._tasks.create_task(self._play())

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill whatever is left, at once and without any order."""
        try:
            await self._cancel(self._sync, *self._workers.values())
            await self._kill_all()
            # Only a cancellation is the group's business: a failed assertion must reach the
            # test as it is, not inside a group.
            is_cancelled = isinstance(error, asyncio.CancelledError)
            await self._tasks.__aexit__(*((kind, error, trace) if is_cancelled else _NO_ERROR))
        finally:
            self._state.sandbox.close()

    async def _play(self) -> None:
        await PodWorker(self._state, self._tasks).run()
        await self._cancel(*self._workers.values())

    async def _cancel(self, *tasks: asyncio.Task[None]) -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _kill_all(self) -> None:
        instances = [each for record in self.containers.values() for each in record.instances]
        for instance in instances:
            if instance.process is not None and instance.is_running:
                instance.process.kill()
                await instance.ended.wait()

    @property
    def containers(self) -> dict[str, Record]:
        """All containers by name: state, instances, restarts, log."""
        return self._state.records

    @property
    def timeline(self) -> list[Moment]:
        """What happened, in order."""
        return self._state.timeline

    @property
    def events(self) -> list[Event]:
        """The pod's events as the API would show them."""
        return self._state.recorder.events

    @property
    def dropped_events(self) -> int:
        """How many events the spam rule kept back (fact 3.13)."""
        return self._state.recorder.dropped

    @property
    def added_at(self) -> float:
        """When the pod was added (monotonic seconds): where the timeline begins."""
        return self._state.added_at

    @property
    def phase(self) -> str:
        """Pending, Running, Succeeded or Failed."""
        return self._state.phase

    @property
    def is_ready(self) -> bool:
        """The pod's Ready condition; sidecars count (fact 7.2)."""
        return all(record.is_ready for record in self.containers.values())

    def instance(self, name: str) -> Instance:
        """Return a container's newest instance, of which there must be one."""
        return self.containers[name].instances[-1]

    def crash(self, name: str) -> None:
        """Kill a container from outside, as the kernel does when memory runs out."""
        if process := self.instance(name).process:
            process.kill()

    @property
    def ip(self) -> str:
        """What the API shows as `status.podIP`; empty until a status has been written."""
        return self._node.pod_ip if self._state.has_ip else ""

    async def restart_kubelet(self) -> None:
        """Restart the kubelet: containers run on, what it knew of probes and hooks is gone.

        Seen on 1.36.2 with default features, and by the upstream texts so from 1.35 on: it builds
        the pod's status before it adds the probe workers, takes each container that has run for
        10 s for started, and seeds its startup result with Success (kubernetes#142305). A hook
        that was running is not known to it: the container is simply running.
        """
        await self._cancel(self._sync, *self._workers.values())
        for record in self.containers.values():
            instance = record.current
            if instance is not None and instance.is_running:
                instance.is_visible = True
                self._take_for_started(record, instance)
        self._begin()
        self._state.wake.set()

    def _take_for_started(self, record: Record, instance: Instance) -> None:
        has_settled = time.monotonic() - instance.started_at >= self._node.settled
        is_waiting = record.container.startup_probe is not None and not instance.is_started
        if is_waiting and has_settled and not self._node.keeps_status_on_kubelet_restart:
            instance.verdicts[ProbeKind.STARTUP] = True
            self._state.note(record.container, "started=true")

    def restart_in_place(self, name: str) -> None:
        """Restart a container alone, as a resize with `RestartContainer` does (fact 13.9)."""
        if process := self.instance(name).process:
            process.terminate()

    async def lose_sandbox(self) -> None:
        """Lose the sandbox, as by a reboot: everything begins anew, volumes stay (fact 1.15)."""
        await self._cancel(self._sync)
        await self._kill_all()
        for record in self.containers.values():
            record.forget()
        self._sync = self._tasks.create_task(self._play())
        self._state.wake.set()

    def logs(self, name: str) -> str:
        """Return all output of a container, all its instances."""
        return "".join(f"{line.text}\n" for line in self.containers[name].log)

    def moments(self, name: str, what: str) -> list[float]:
        """Return when *what* happened to a container; "exited" finds every "exited 1" too."""
        begins = (f"{what} ", f"{what}:")
        found = (each for each in self.timeline if each.container == name)
        return [each.at for each in found if each.what == what or each.what.startswith(begins)]

    def describe(self) -> str:
        """Return the parts of `kubectl describe pod` that tell about start order."""
        return describe(self._state)

    async def until(self, condition: "Callable[[Pod], object]", timeout: float = 60) -> None:  # noqa: ASYNC109 -- what tests write
        """Wait until *condition* holds; TimeoutError, with the pod described, if it never does."""
        try:
            async with asyncio.timeout(timeout):
                while not condition(self):
                    await self._state.change()
        except TimeoutError as exc:
            text = f"not within {timeout:g}s:\n{self.describe()}"
            raise TimeoutError(text) from exc

    async def container_running(self, name: str, timeout: float = 60) -> float:  # noqa: ASYNC109
        """Wait until a container's process was started; return when."""
        await self.until(lambda pod: pod.moments(name, "started"), timeout)
        return self.moments(name, "started")[0]

    async def container_started(self, name: str, timeout: float = 60) -> float:  # noqa: ASYNC109
        """Wait until a container is `started`, its startup probe passed; return when."""
        await self.until(lambda pod: pod.containers[name].is_started, timeout)
        return self.moments(name, "started=true")[-1]

    async def container_ended(self, name: str, timeout: float = 60) -> int:  # noqa: ASYNC109
        """Wait until an instance of a container has ended; return the newest exit code."""
        await self.until(lambda pod: pod.moments(name, "exited"), timeout)
        codes = [each.exit_code for each in self.containers[name].instances]
        return [code for code in codes if code is not None][-1]

    async def ended(self, timeout: float = 60) -> str:  # noqa: ASYNC109
        """Wait until the pod has come to its end by itself or by `stop`; return the phase."""
        await self.until(lambda pod: pod.has_ended, timeout)
        return self.phase

    @property
    def has_ended(self) -> bool:
        """True when no container runs and none will be started again."""
        return self._state.has_ended.is_set()

    async def stop(self, timeout: float = 60) -> None:  # noqa: ASYNC109
        """Delete the pod: ordered termination, which has to wait for a running hook (5.11)."""
        self._state.is_deleting = True
        # Fact 6.7: only main containers' probes stop now; a sidecar is probed on.
        for container in self.spec.main_containers:
            for kind in (ProbeKind.LIVENESS, ProbeKind.STARTUP):
                if worker := self._workers.get((container.name, kind)):
                    worker.cancel()
        self._state.wake.set()
        await self.ended(timeout)
