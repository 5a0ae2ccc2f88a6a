"""Regular init containers: they have to end, and have neither probes nor hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods import gates, servers
from gate.pods.hit import Hit

if TYPE_CHECKING:
    from gate.pods.pod import Container, Pod

_SIDECAR = "add restartPolicy: Always to make it a sidecar"


@rule("init-never-ends", Severity.ERROR, "9.1")
def never_ends(pod: Pod) -> Hits:
    """An init container never ends, so that the app never starts.

    Kubelet fact 9.1: a regular init container is done when it exits 0, and nothing behind it is
    started before. A server, `tail -f`, `sleep infinity` or `gate serve` never does: the pod
    stays in Init for ever, without an error. Remedy: `restartPolicy: Always` makes it a native
    sidecar; a gate that shall end is `gate wait`.
    """
    for container in pod.init:
        if container.is_sidecar:
            continue
        if gates.is_gate(container):
            if gates.of(container, pod).mode == "serve":
                text = "gate serve never ends, so the kubelet starts nothing behind it"
                yield Hit(container.line, text, f"{_SIDECAR}, or args: [wait]", container.name)
        elif servers.ends_never(container.command, container.args, container.image_name):
            text = "this runs until it is killed, so the kubelet starts nothing behind it"
            remedy = f"{_SIDECAR}, or let it end"
            yield Hit(_place(container), text, remedy, container.name)


@rule("probe-on-init-container", Severity.ERROR, "9.2, 10.1")
def probe_on_init_container(pod: Pod) -> Hits:
    """An init container without `restartPolicy: Always` has a probe or a hook.

    Kubelet facts 9.2 and 10.1: the API server refuses the whole pod ("may not be set for init
    containers without restartPolicy=Always"). The same is said by a cluster too old to know
    native sidecars. Remedy: `restartPolicy: Always`, or remove probe and hook.
    """
    for container in pod.init:
        if container.is_sidecar:
            continue
        for field in (*container.probes, *(["lifecycle"] if container.hooks else [])):
            text = f"the API server refuses {field} on an init container that is no sidecar"
            yield Hit(container.line_of(field), text, f"{_SIDECAR}, or remove it", container.name)


def _place(container: Container) -> int:
    return container.line_of("command" if container.command else "args")


RULES = (never_ends, probe_on_init_container)
