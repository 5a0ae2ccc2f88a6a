"""Waits for a Service at which nobody can answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods import listening, services, waits
from gate.pods.hit import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.around import Service
    from gate.pods.pod import Pod
    from gate.pods.waits import Wait


@rule("waits-for-closed-port", Severity.ERROR)
def closed_port(pod: Pod) -> Hits:
    """Something waits for a port that the Service does not have.

    A Service forwards the ports under its `ports` and no other: a connection to another port of
    its address is refused, or dropped, for ever. A headless Service forwards nothing: its name
    leads to the pods themselves, so that its `port` is of no use where `targetPort` is another
    one. Said of Services of the input whose ports are written. Remedy: the Service's `port`; of
    a headless one the port on which its pods listen.
    """
    for wait, service, port in _asked(pod):
        if why := _why_closed(service, port, pod):
            text = f"{wait.what} waits for port {port} of the Service {service.name}, {why}"
            yield Hit(wait.line, text, "ask a port that answers", wait.container.name)


@rule("waits-for-empty-service", Severity.INFO)
def empty(pod: Pod) -> Hits:
    """Something waits for a Service that selects no pod of the input.

    A Service without a pod has no endpoint, and a wait for it does not end. Most often a label
    is misspelt, or the Service is what is left of a workload that is gone. Advice, as its pods
    may be made by an operator, or stand in another input. Remedy: the labels of the pods in the
    Service's `selector`.
    """
    told = set()
    for wait, service in services.awaited(pod):
        is_empty = bool(service.selector) and not service.is_elsewhere
        if (
            is_empty
            and not pod.around.selected_by(service)
            and (wait.line, service.name) not in told
        ):
            told.add((wait.line, service.name))
            labels = ", ".join(f"{name}: {value}" for name, value in service.selector.items())
            text = (
                f"{wait.what} waits for the Service {service.name}, and no pod here has its "
                f"labels ({labels})"
            )
            yield Hit(wait.line, text, "compare selector and labels", wait.container.name)


def _asked(pod: Pod) -> Iterator[tuple[Wait, Service, int]]:
    """Return the Services that *pod* waits for, each with the port that it asks."""
    for wait in waits.every(pod):
        alone = (need[0] for need in wait.needs if len(need) == 1)
        for place in alone:
            name, namespace = services.of_host(place.host)
            service = services.meant(pod, name, namespace) if name else None
            if service and service.ports and place.port is not None:
                yield wait, service, place.port


def _why_closed(service: Service, port: int, pod: Pod) -> str:
    """Return why nobody answers on *port*, empty if somebody may."""
    if service.is_elsewhere:
        return ""
    if not service.is_headless:
        numbers = sorted({number for number, _ in service.ports})
        return "" if port in numbers else f"which has only {', '.join(map(str, numbers))}"
    targets = [target for number, target in service.ports if number == port]
    is_sure = bool(targets) and all(isinstance(target, int) for target in targets)
    if not is_sure or port in {*targets, *listening.ports_of(pod.around.group_of(service))}:
        return ""
    target = targets[0]
    return f"which is headless: its name leads to the pods, and they listen on {target}"


RULES = (closed_port, empty)
