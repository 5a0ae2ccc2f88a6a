"""The pod worker: one pass of the sync after the other, never two at a time (fact 1.12)."""

import asyncio
import time

from tests.pod.hooks import HookError, run_hook
from tests.pod.instance import Instance, Record
from tests.pod.model import Container, PodSpec, ProbeKind, RestartPolicy
from tests.pod.plan import Plan, compute
from tests.pod.process import Process
from tests.pod.state import PodState
from tests.pod.stopping import Kill, kill_container, kill_pod

_CANNOT_START = 128


class PodWorker:
    """Brings the containers to where the manifest wants them."""

    def __init__(self, state: PodState, exits: asyncio.TaskGroup) -> None:
        self._state = state
        self._exits = exits
        self._retry_at: float | None = None

    async def run(self) -> None:
        """Sync at every change until the pod has ended or was deleted."""
        while not self._state.has_ended.is_set():
            self._state.wake.clear()
            if self._state.node.hop_delay:
                await asyncio.sleep(self._state.node.hop_delay)
            await self._sync()
            self._publish_ip()
            await self._wait()
        self._state.notify()

    async def _wait(self) -> None:
        """Wait for a change or the end of a back-off."""
        if self._state.has_ended.is_set():
            return
        try:
            async with asyncio.timeout(self._seconds_to_retry()):
                await self._state.wake.wait()
        except TimeoutError:
            return

    def _seconds_to_retry(self) -> float | None:
        limit = self._state.spec.active_deadline
        end = None if limit is None else self._state.added_at + limit
        moments = [moment for moment in (self._retry_at, end) if moment is not None]
        return max(0, min(moments) - time.monotonic()) if moments else None

    def _publish_ip(self) -> None:
        """The status goes out between two passes, so a hook of the first pass keeps it back.

        Seen on 1.36.2: `status.podIP` is empty until a postStart hook of the first container ends.
        """
        if not self._state.has_ip:
            self._state.has_ip = True
            self._state.notify()

    def _is_past_deadline(self) -> bool:
        limit = self._state.spec.active_deadline
        return limit is not None and time.monotonic() >= self._state.added_at + limit

    async def _restart_all(self) -> None:
        """Begin anew in the same sandbox: volumes stay, init containers run again (1.36)."""
        await kill_pod(self._state)
        for record in self._state.records.values():
            record.forget()
        self._state.is_to_restart_all = False

    async def _sync(self) -> None:
        """One pass: kill, then the next init containers, then main containers (fact 1.1)."""
        state, self._retry_at = self._state, None
        if state.is_to_restart_all:
            await self._restart_all()
        if self._is_past_deadline():
            # Fact 6.11: the pod fails with DeadlineExceeded; at pod level its messages stay.
            await kill_pod(state)
            state.is_past_deadline = True
        plan = compute(state.spec, state.views)
        if state.is_deleting or plan.kill_pod or state.phase in {"Succeeded", "Failed"}:
            await kill_pod(state)
            state.has_ended.set()
            return
        # Fact 2.17: back-off looks at the exits known now, before this pass kills anything.
        exits = {name: _newest_exit(record) for name, record in state.records.items()}
        await self._kill(plan)
        for container in (*plan.start_init, *plan.start_main):
            await self._start(state.records[container.name], exits[container.name])

    async def _kill(self, plan: Plan) -> None:
        for name, kind in plan.kill.items():
            instance = self._state.records[name].current
            if instance is not None:
                kill = _kill_for(self._state.spec, instance.container, kind)
                await kill_container(self._state, instance, kill)

    async def _start(self, record: Record, newest_exit: Instance | None) -> None:
        if newest_exit is not None and self._is_in_backoff(record, newest_exit):
            return
        instance = self._create(record)
        await self._launch(instance)
        if instance.is_running and await self._post_start(record, instance):
            record.waiting = None
            instance.is_visible = True
            if record.container.startup_probe is None:
                # Fact 1.3: running is enough.
                self._state.note(record.container, "started=true")
        self._state.wake.set()

    def _is_in_backoff(self, record: Record, newest_exit: Instance) -> bool:
        """True while CrashLoopBackOff holds the container (fact 2.16)."""
        now, finished = time.monotonic(), newest_exit.finished_at
        remaining = record.backoff.remaining(finished, now)
        if not remaining:
            record.backoff.note_restart(finished, now)
            return False
        self._note_backoff(record, now + remaining)
        return True

    def _note_backoff(self, record: Record, until: float) -> None:
        name, spec = record.container.name, self._state.spec
        pod = f"{spec.name}_{spec.namespace}"
        delay = f"{record.backoff.delay or 0:g}s"
        text = f"back-off {delay} restarting failed container={name} pod={pod}"
        record.waiting = ("CrashLoopBackOff", text)
        self._retry_at = min(until, self._retry_at or until)
        message = f"Back-off restarting failed container {name} in pod {pod}"
        self._state.warn(record.container, "BackOff", message)

    def _create(self, record: Record) -> Instance:
        container = record.container
        path = self._state.sandbox.message_file(container, len(record.instances))
        instance = Instance(container=container, message_file=path)
        record.instances.append(instance)
        self._state.tell(container, "Created", "Container created")
        self._state.note(container, "created")
        return instance

    async def _launch(self, instance: Instance) -> None:
        container, state = instance.container, self._state
        launch = state.sandbox.main(container, instance.message_file)
        try:
            process = await Process.spawn(launch, lambda text: state.add_line(instance, text))
        except OSError as exc:
            self._cannot_start(instance, f"{launch.argv[0]}: {exc.strerror}")
            return
        instance.process, instance.started_at = process, time.monotonic()
        self._exits.create_task(self._watch(instance, process))
        state.tell(container, "Started", "Container started")
        state.note(container, "started")

    def _cannot_start(self, instance: Instance, text: str) -> None:
        instance.reason, instance.message = "StartError", text
        instance.end(_CANNOT_START, time.monotonic(), containers=1)
        self._state.warn(instance.container, "Failed", f"Error: {text}")
        self._state.note(instance.container, f"exited {_CANNOT_START}")

    async def _watch(self, instance: Instance, process: Process) -> None:
        """Read the output until the process ends, then let the sync know."""
        code = await process.wait()
        instance.end(code, time.monotonic(), containers=len(self._state.records))
        if instance.container.rule_for(code) == "RestartAllContainers":
            self._state.is_to_restart_all = True
        self._state.wake.set()
        self._state.note(instance.container, f"exited {code}")

    async def _post_start(self, record: Record, instance: Instance) -> bool:
        """Run the hook in the way of everything else (5.1); False if the container was killed.

        The pass goes on even so: for main containers that is how the hook fails open (5.8); for
        a sidecar nothing else was planned in this pass, so it holds (5.9).
        """
        container, state = record.container, self._state
        if container.post_start is None:
            return True
        state.note(container, "post-start begun")
        try:
            await run_hook(state, instance, container.post_start)
        except HookError as exc:
            await self._fail_hook(record, instance, str(exc))
            return False
        state.note(container, "post-start done")
        return True

    async def _fail_hook(self, record: Record, instance: Instance, text: str) -> None:
        """A fixed text goes to the events; the details only to the status (fact 5.7)."""
        self._state.note(record.container, "post-start failed")
        self._state.warn(record.container, "FailedPostStartHook", "PostStartHook failed")
        record.waiting = ("PostStartHookError", text)
        kill = Kill(message="FailedPostStartHook", grace=self._state.spec.grace)
        await kill_container(self._state, instance, kill)


def _newest_exit(record: Record) -> Instance | None:
    ended = (each for each in reversed(record.instances) if each.exit_code is not None)
    return next(ended, None)


def _kill_for(spec: PodSpec, container: Container, kind: ProbeKind) -> Kill:
    """Return the text and grace of a kill by a probe; its own grace goes first (fact 2.14)."""
    what = "Init container" if container.is_init else "Container"
    message = f"{what} {container.name} failed {kind.value.lower()} probe"
    if not container.is_init and spec.restart_policy is not RestartPolicy.NEVER:
        message += ", will be restarted"
    grace = container.probes[kind].grace
    return Kill(message=message, grace=spec.grace if grace is None else grace)
