"""What each rule claims, as a question to a pod that is played: does the trouble show?

Nothing here depends on how fast a machine is: what must happen is waited for with patience, and
only what must not happen is given no more than a while.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tests.lint.corpus import rule_of
from tests.lint.playing import SLOW, Stage
from tests.pod import ManifestError, Pod
from tests.stand_ins import dependency

Trouble = Callable[[Stage, str, str], Awaitable[bool]]

A_WHILE = 1.5
"""Seconds after which what has not happened is taken never to happen."""
PATIENCE = 60.0
"""Seconds that what must happen may take on a busy machine."""


def _for_success(folder: str) -> float:
    """Return how long to wait for what happens in a good manifest only."""
    return A_WHILE if folder == "bad" else PATIENCE


def _for_trouble(folder: str) -> float:
    """Return how long to wait for what happens in a bad manifest only."""
    return PATIENCE if folder == "bad" else A_WHILE


def _slow(folder: str) -> float:
    """Return the seconds of what is slow where a bad manifest does not wait for it: no race."""
    return PATIENCE if folder == "bad" else SLOW


async def _happens(pod: Pod, condition: Callable[[Pod], object], seconds: float) -> bool:
    try:
        await pod.until(condition, seconds)
    except TimeoutError:
        return False
    return True


def _runs(pod: Pod) -> bool:
    return bool(pod.moments("app", "started"))


def _said(pod: Pod, name: str, text: str) -> bool:
    return text in pod.logs(name)


def _waits(pod: Pod) -> bool:
    return _said(pod, "gate", "dependency.waiting")


@asynccontextmanager
async def _with_database(stage: Stage, folder: str, name: str) -> AsyncIterator[Pod]:
    with dependency(stage.ports["db"]):
        async with stage.play(folder, name) as pod:
            yield pod


async def refused(stage: Stage, folder: str, name: str) -> bool:
    """The API server refuses the pod."""
    try:
        stage.play(folder, name)
    except ManifestError:
        return True
    return False


async def stuck(stage: Stage, folder: str, name: str) -> bool:
    """The app does not start although everything outside the pod is there."""
    async with _with_database(stage, folder, name) as pod:
        return not await _happens(pod, _runs, _for_success(folder))


async def too_early(stage: Stage, folder: str, name: str) -> bool:
    """The app starts before the sidecar serves."""
    async with stage.play(folder, name, slow=_slow(folder)) as pod:
        await pod.until(_runs, PATIENCE)
        return not _said(pod, "agent", "serving")


async def before_it_works(stage: Stage, folder: str, name: str) -> bool:
    """The app starts before the sidecar, which answers already, has done any work."""
    async with stage.play(folder, name) as pod:
        await pod.until(_runs, PATIENCE)
        return not _said(pod, "agent", "working")


async def not_held(stage: Stage, folder: str, name: str) -> bool:
    """The app starts although the database is down."""
    async with stage.play(folder, name) as pod:
        await pod.until(_waits, PATIENCE)
        return await _happens(pod, _runs, _for_trouble(folder))


async def starts_without_the_database(stage: Stage, folder: str, name: str) -> bool:
    """The app starts although the database is down, and gate may not even know of it."""
    async with stage.play(folder, name) as pod:
        return await _happens(pod, _runs, _for_trouble(folder))


async def killed_while_it_starts(stage: Stage, folder: str, name: str) -> bool:
    """The kubelet kills the sidecar before it serves."""
    async with stage.play(folder, name, slow=_slow(folder)) as pod:
        agent = pod.containers["agent"]
        await pod.until(lambda _: agent.restarts or _said(pod, "agent", "serving"), PATIENCE)
        return bool(agent.restarts) and not _said(pod, "agent", "serving")


async def killed_while_it_waits(stage: Stage, folder: str, name: str) -> bool:
    """The kubelet kills the gate that waits."""
    async with stage.play(folder, name) as pod:
        gate = pod.containers["gate"]
        await pod.until(lambda pod: gate.restarts or _waits(pod), PATIENCE)
        return await _happens(pod, lambda _: gate.restarts, 2 * _for_trouble(folder))


async def killed_in_mid_wait(stage: Stage, folder: str, name: str) -> bool:
    """The kubelet kills the app that waits by itself."""
    async with stage.play(folder, name) as pod:
        await pod.until(lambda pod: any(pod.moments(each, "started") for each in pod.containers))
        app = pod.containers["app"]
        return await _happens(pod, lambda _: app.restarts, _for_trouble(folder))


async def never_ready(stage: Stage, folder: str, name: str) -> bool:
    """The pod is not ready although everything runs and is there."""
    async with _with_database(stage, folder, name) as pod:
        await pod.until(_runs, PATIENCE)
        return not await _happens(pod, lambda pod: pod.is_ready, _for_success(folder))


async def killed_although_it_is_well(stage: Stage, folder: str, name: str) -> bool:
    """The kubelet kills the gate that has opened."""
    async with _with_database(stage, folder, name) as pod:
        await pod.until(_runs, PATIENCE)
        gate = pod.containers["gate"]
        return await _happens(pod, lambda _: gate.restarts, _for_trouble(folder))


async def killed_before_its_timeout(stage: Stage, folder: str, name: str) -> bool:
    """The kubelet kills the gate before GATE_ON_TIMEOUT comes to bear."""
    async with stage.play(folder, name) as pod:
        gate = pod.containers["gate"]
        await pod.until(lambda _: gate.restarts or _runs(pod), PATIENCE)
        return bool(gate.restarts)


def _hook_runs(pod: Pod) -> bool:
    return bool(pod.moments("agent", "post-start begun"))


def _hook_has_failed(pod: Pod) -> bool:
    return any(pod.moments(each, "post-start failed") for each in pod.containers)


def _hooks_are_done(pod: Pod) -> bool:
    hooked = [each.name for each in pod.spec.containers if each.post_start]
    return all(pod.moments(each, "post-start done") for each in hooked)


async def hook_fails(stage: Stage, folder: str, name: str) -> bool:
    """The hook fails, and its container is killed."""
    async with stage.play(folder, name, slow=_slow(folder)) as pod:
        await pod.until(
            lambda pod: _hook_has_failed(pod) or (_runs(pod) and _hooks_are_done(pod)), PATIENCE
        )
        return _hook_has_failed(pod)


async def cannot_be_deleted(stage: Stage, folder: str, name: str) -> bool:
    """The pod is still there long after it was deleted."""
    async with stage.play(folder, name) as pod:
        await pod.until(_hook_runs, PATIENCE)
        try:
            await pod.stop(_for_success(folder))
        except TimeoutError:
            return True
        return False


async def fails_open(stage: Stage, folder: str, name: str) -> bool:
    """The app starts although the hook that should hold it has failed."""
    async with stage.play(folder, name) as pod:
        await pod.until(lambda pod: pod.moments("agent", "post-start failed"), PATIENCE)
        return await _happens(pod, _runs, _for_trouble(folder))


def _has_event(pod: Pod, texts: tuple[str, ...]) -> bool:
    return any(text in event.message for event in pod.events for text in texts)


async def tells_of_a_deadline(stage: Stage, folder: str, name: str) -> bool:
    """The events tell of a time-out instead of a status or a reason."""
    late, told = ("deadline exceeded", "command timed out"), ("statuscode", "waiting for")
    wanted = late if folder == "bad" else (*late, *told)
    # A burst would be used up by refusals before gate listens.
    slow = PATIENCE if folder == "bad" else A_WHILE
    async with stage.play(folder, name, slow=slow, event_burst=None) as pod:
        await pod.until(lambda pod: _runs(pod) or _has_event(pod, wanted), PATIENCE)
        return _has_event(pod, late)


def _asked(pod: Pod) -> int:
    return len(pod.moments("gate", "startup probing"))


def _answered(pod: Pod) -> int:
    return len(pod.moments("gate", "startup probe"))


async def late(stage: Stage, folder: str, name: str) -> bool:
    """The probe that finds gate waiting is over when gate opens: the app needs another one."""
    async with stage.play(folder, name) as pod:
        await pod.until(lambda pod: _waits(pod) and _asked(pod) > _answered(pod), PATIENCE)
        asked = _asked(pod)
        await _happens(pod, lambda pod: _answered(pod) >= asked, _for_trouble(folder))
        with dependency(stage.ports["db"]):
            await pod.until(_runs, PATIENCE)
        return _asked(pod) > asked


async def unready_after_a_restart(stage: Stage, folder: str, name: str) -> bool:
    """The pod leaves its Services when gate restarts while the database is down."""
    async with stage.play(folder, name) as pod:
        with dependency(stage.ports["db"]):
            await pod.until(lambda pod: _runs(pod) and pod.is_ready, PATIENCE)
        pod.crash("gate")
        await pod.until(lambda pod: pod.containers["gate"].restarts, PATIENCE)
        return not await _happens(pod, lambda pod: pod.is_ready, _for_success(folder))


async def starts_by_a_restart_of_the_kubelet(stage: Stage, folder: str, name: str) -> bool:
    """The app starts although the database is down, when the kubelet restarts during the hook."""
    async with stage.play(folder, name) as pod:
        await pod.until(_hook_runs, PATIENCE)
        await pod.restart_kubelet()
        return await _happens(pod, _runs, _for_trouble(folder))


async def opened_by_a_restart_of_the_kubelet(stage: Stage, folder: str, name: str) -> bool:
    """The app starts although gate waits, when the kubelet restarts."""
    async with stage.play(folder, name, settled=0) as pod:
        await pod.until(_waits, PATIENCE)
        await pod.restart_kubelet()
        await pod.until(lambda pod: _runs(pod) or pod.moments("gate-hold", "started"), PATIENCE)
        return _runs(pod)


async def has_no_address(stage: Stage, folder: str, name: str) -> bool:
    """The pod has no address while its hook waits."""
    async with stage.play(folder, name) as pod:
        await pod.until(_hook_runs, PATIENCE)
        return not pod.ip


async def cannot_listen(stage: Stage, folder: str, name: str) -> bool:
    """The second gate ends, as the first one has the port."""
    async with _with_database(stage, folder, name) as pod:
        second = pod.containers.get("gate-cache")
        await pod.until(lambda pod: second.restarts if second else _runs(pod), PATIENCE)
        return second is not None and bool(pod.moments("gate-cache", "exited 1"))


async def starts_into_an_outage(stage: Stage, folder: str, name: str) -> bool:
    """The app starts although the database is down, when all containers have restarted."""
    async with stage.play(folder, name) as pod:
        with dependency(stage.ports["db"]):
            await pod.until(_runs, PATIENCE)
        pod.crash("app")
        await pod.until(lambda pod: len(pod.moments("gate", "started")) > 1, PATIENCE)
        return await _happens(
            pod, lambda pod: len(pod.moments("app", "started")) > 1, _for_trouble(folder)
        )


async def unready_with_the_database(stage: Stage, folder: str, name: str) -> bool:
    """The pod leaves its Services when the database fails."""
    async with stage.play(folder, name) as pod:
        with dependency(stage.ports["db"]):
            await pod.until(lambda pod: _runs(pod) and pod.is_ready, PATIENCE)
        return await _happens(pod, lambda pod: not pod.is_ready, _for_trouble(folder))


async def gate_refuses(stage: Stage, folder: str, name: str) -> bool:
    """Gate ends with 2 instead of waiting or opening."""
    async with _with_database(stage, folder, name) as pod:
        await pod.until(lambda pod: _runs(pod) or pod.moments("gate", "exited 2"), PATIENCE)
        return bool(pod.moments("gate", "exited 2"))


async def a_dollar_is_lost(stage: Stage, folder: str, name: str) -> bool:
    """The wait is given one `$` where two are meant."""
    async with stage.play(folder, name) as pod:
        await pod.until(lambda pod: _said(pod, "wait", "got"), PATIENCE)
        return not _said(pod, "wait", "a$$b")


async def a_number_is_lost(stage: Stage, folder: str, name: str) -> bool:
    """The shell prints a `$` where its own number is meant."""
    async with stage.play(folder, name) as pod:
        await pod.until(lambda pod: _said(pod, "wait", "got"), PATIENCE)
        return _said(pod, "wait", "got $")


async def has_injected_names(stage: Stage, folder: str, name: str) -> bool:
    """The app has GATE_PORT=tcp://… in its environment."""
    async with _with_database(stage, folder, name) as pod:
        await pod.until(lambda pod: _said(pod, "app", "that was all"), PATIENCE)
        return _said(pod, "app", "GATE_PORT=tcp://")


def trouble_of(name: str) -> Trouble:
    """Return what the manifest *name* shows: of its own, or that of its rule."""
    return TROUBLES.get(name) or TROUBLES[rule_of(name)]


TROUBLES: dict[str, Trouble] = {
    "sidecar-probe-does-not-hold": too_early,
    "sidecar-without-startup-probe": too_early,
    "sidecar-among-main-containers": too_early,
    "liveness-kills-start": killed_while_it_starts,
    "init-never-ends": stuck,
    "probe-on-init-container": refused,
    "waits-for-later": stuck,
    "waits-for-own-service": stuck,
    "poststart-http": hook_fails,
    "poststart-without-end": cannot_be_deleted,
    "poststart-in-main-container": fails_open,
    "poststart-not-durable": starts_by_a_restart_of_the_kubelet,
    "hook-variable": hook_fails,
    "probe-port-name": stuck,
    "probe-host": stuck,
    "probe-redirect": before_it_works,
    "probe-exec-timeout": tells_of_a_deadline,
    "gate-holds-nothing": not_held,
    "gate-probe-path": not_held,
    "gate-probe-path.readiness": never_ready,
    "gate-probe-path.liveness": killed_although_it_is_well,
    "gate-probe-port": stuck,
    "hold-not-below-timeout": tells_of_a_deadline,
    "slow-probe": late,
    "startup-budget-below-wait": killed_in_mid_wait,
    "liveness-on-dependency": killed_in_mid_wait,
    "short-probe-budget": killed_while_it_waits,
    "probe-budget-below-timeout": killed_before_its_timeout,
    "hook-budget-below-timeout": hook_fails,
    "poststart-without-pod-ip": has_no_address,
    "gates-on-one-port": cannot_listen,
    "gate-not-durable": opened_by_a_restart_of_the_kubelet,
    "no-state-file": unready_after_a_restart,
    "state-file-volume": gate_refuses,
    "state-file-outlives-restart": starts_into_an_outage,
    "readiness-on-shared-dependency": unready_with_the_database,
    "wait-fails-open": starts_without_the_database,
    "duplicate-variable": starts_without_the_database,
    "gate-config": gate_refuses,
    "gate-config.probe": stuck,
    "undefined-reference": stuck,
    "dollar-dollar": a_dollar_is_lost,
    "dollar-dollar.command": a_number_is_lost,
    "service-named-gate": has_injected_names,
}
