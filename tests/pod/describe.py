"""The parts of `kubectl describe pod` and `kubectl get pod` that tell about start order."""

import time
from collections.abc import Iterator

from tests.pod.events import Event
from tests.pod.instance import Instance, Record
from tests.pod.state import PodState


def describe(state: PodState) -> str:
    """Return the text."""
    return "\n".join(_lines(state))


def _lines(state: PodState) -> Iterator[str]:
    yield f"Name:       {state.spec.name}"
    yield f"Namespace:  {state.spec.namespace}"
    yield f"Status:     {state.phase}"
    yield f"Shown as:   {shown_status(state)}"
    yield f"IP:         {state.node.pod_ip if state.has_ip else ''}"
    yield from _section(state, "Init Containers:", is_init=True)
    yield from _section(state, "Containers:", is_init=False)
    yield from _conditions(state)
    yield from _events(state.recorder.events)


def _section(state: PodState, title: str, *, is_init: bool) -> Iterator[str]:
    records = [each for each in state.records.values() if each.container.is_init is is_init]
    if records:
        yield title
    for record in records:
        yield f"  {record.container.name}:"
        yield from (f"    {line}" for line in _container(record, has_init=_has_init(state)))


def _has_init(state: PodState) -> bool:
    return bool(state.spec.init_containers)


def _container(record: Record, *, has_init: bool) -> Iterator[str]:
    current, last = _state_and_last(record)
    if current is None:
        yield from _waiting(record, has_init=has_init)
    else:
        yield from _instance("State", current)
    if last is not None:
        yield from _instance("Last State", last)
    yield f"Ready:          {record.is_ready}"
    yield f"Restart Count:  {record.restarts}"


def _state_and_last(record: Record) -> tuple[Instance | None, Instance | None]:
    """Return the instances shown as state and last state; no state means Waiting.

    A sidecar that exits 0 stays shown as Terminated, even while it waits (fact 7.7); one whose
    postStart hook runs is shown as Waiting still (fact 5.12).
    """
    previous: list[Instance | None] = [None, *record.instances]
    current = record.current
    if current is None or (record.waiting and current.exit_code):
        return None, previous[-1]
    if current.exit_code is None and not current.is_visible:
        return None, previous[-2]
    return current, previous[-2]


def _waiting(record: Record, *, has_init: bool) -> Iterator[str]:
    default = "PodInitializing" if has_init else "ContainerCreating"
    reason, message = record.waiting or (default, "")
    yield f"{'State:':<16}Waiting"
    yield f"  Reason:       {reason}"
    if message:
        yield f"  Message:      {message}"


def _instance(title: str, instance: Instance) -> Iterator[str]:
    title = f"{title}:"
    if instance.exit_code is None:
        yield f"{title:<16}Running"
        return
    yield f"{title:<16}Terminated"
    yield f"  Reason:       {instance.reason}"
    if instance.message:
        yield f"  Message:      {instance.message.rstrip()}"
    yield f"  Exit Code:    {instance.exit_code}"


def _is_initialised(record: Record) -> bool:
    if record.container.is_sidecar:
        return record.is_started
    return record.is_ready


def _conditions(state: PodState) -> Iterator[str]:
    """Initialized stays true once a main container was created (facts 1.14, 7.3)."""
    init = [each for each in state.records.values() if each.container.is_init]
    main = [each for each in state.records.values() if not each.container.is_init]
    initialised = any(each.current for each in main) or all(_is_initialised(each) for each in init)
    ready = all(each.is_ready for each in state.records.values())
    yield "Conditions:"
    yield "  Type              Status"
    yield f"  Initialized       {initialised}"
    yield f"  Ready             {ready}"
    yield f"  ContainersReady   {ready}"


def _events(events: list[Event]) -> Iterator[str]:
    yield "Events:"
    yield "  Type     Reason               Age    Message"
    now = time.monotonic()
    for event in events:
        age = f"{now - event.last:.0f}s" + (f" (x{event.count})" if event.count > 1 else "")
        yield f"  {event.type:<8} {event.reason:<20} {age:<6} {event.container}: {event.message}"


def shown_status(state: PodState) -> str:
    """Return the STATUS column of `kubectl get pod` (fact 1.14)."""
    init = [each for each in state.records.values() if each.container.is_init]
    main = [each for each in state.records.values() if not each.container.is_init]
    done = sum(_is_initialised(each) for each in init)
    if done < len(init) and not any(each.current for each in main):
        blocked = next(each for each in init if not _is_initialised(each))
        return f"Init:{_waiting_reason(blocked) or f'{done}/{len(init)}'}"
    return next(filter(None, map(_waiting_reason, main)), state.phase)


def _waiting_reason(record: Record) -> str:
    current, _ = _state_and_last(record)
    return record.waiting[0] if record.waiting and current is None else ""
