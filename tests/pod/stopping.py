"""How containers are ended: one by one, or the whole pod in order (fact 6)."""

import asyncio
import time
from dataclasses import dataclass

from tests.pod.hooks import HookError, run_hook
from tests.pod.instance import Instance
from tests.pod.state import PodState


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """Why and how a container is killed; *predecessors* are to end before it gets SIGTERM."""

    message: str = ""
    grace: float
    predecessors: tuple[Instance, ...] = ()


async def kill_container(state: PodState, instance: Instance, kill: Kill) -> None:
    """Killing event, preStop, the wait for its turn, SIGTERM, grace, SIGKILL (fact 6.1)."""
    if not instance.is_running or instance.process is None:
        return
    name = instance.container.name
    state.tell(instance.container, "Killing", kill.message or f"Stopping container {name}")
    deadline = time.monotonic() + kill.grace
    await _pre_stop(state, instance, deadline)
    await _turn(kill.predecessors, deadline)
    state.note(instance.container, "SIGTERM")
    instance.process.terminate()
    # Fact 6.4: who waited too long for others still gets a moment.
    left = max(state.node.minimum_grace, deadline - time.monotonic())
    if not await _has_ended(instance, left):
        state.note(instance.container, "SIGKILL")
        instance.process.kill()
        await instance.ended.wait()


async def _has_ended(instance: Instance, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await instance.ended.wait()
    except TimeoutError:
        return False
    return True


async def _pre_stop(state: PodState, instance: Instance, deadline: float) -> None:
    """Runs within the grace period and is not ordered among containers (fact 6.3)."""
    action = instance.container.pre_stop
    if action is None:
        return
    try:
        async with asyncio.timeout(deadline - time.monotonic()):
            await run_hook(state, instance, action)
    except HookError:
        state.warn(instance.container, "FailedPreStopHook", "PreStopHook failed")
    except TimeoutError:
        return


async def _turn(predecessors: tuple[Instance, ...], deadline: float) -> None:
    """Wait until all *predecessors* ended, at most until the grace is used up (fact 6.2)."""
    for each in predecessors:
        await _has_ended(each, max(0, deadline - time.monotonic()))


async def kill_pod(state: PodState) -> None:
    """End every running container: mains at once, sidecars after them in reverse order (6.2)."""
    async with asyncio.TaskGroup() as group:
        for instance in _running(state):
            kill = Kill(grace=state.spec.grace, predecessors=_predecessors(state, instance))
            group.create_task(kill_container(state, instance, kill))


def _running(state: PodState) -> list[Instance]:
    currents = [record.current for record in state.records.values()]
    return [each for each in currents if each is not None and each.is_running]


def _predecessors(state: PodState, instance: Instance) -> tuple[Instance, ...]:
    """Those that do not run are not waited for (fact 6.5), nor are regular init containers."""
    if not instance.container.is_sidecar:
        return ()
    running = _running(state)
    mains = [each for each in running if not each.container.is_init]
    sidecars = [each for each in running if each.container.is_sidecar]
    later = sidecars[sidecars.index(instance) + 1 :][:1]
    return (*mains, *later)
