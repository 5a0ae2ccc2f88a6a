"""The port that a gate listens on: who else may have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods import gates
from gate.pods.hit import Hit

if TYPE_CHECKING:
    from gate.pods.gates import Gate
    from gate.pods.pod import Pod


def _listening(pod: Pod) -> list[Gate]:
    """Return the gates that run beside each other, as far as their ports are known."""
    serving = (gate for gate in gates.all_of(pod) if gate.mode == "serve")
    return [g for g in serving if not g.container.is_plain_init and not g.has_unknown_listen]


@rule("gates-on-one-port", Severity.ERROR, "13.4")
def one_port(pod: Pod) -> Hits:
    """Two gates of a pod listen on one port.

    The containers of a pod share its addresses, so the second one cannot listen: it ends with
    code 1, again and again. Kubelet fact 13.4: while it runs, its probe is answered by the first
    one, so the app may start without what the second was to wait for. Remedy: one gate for all
    dependencies, or a GATE_LISTEN, and the probe's port with it, of its own for one of them.
    """
    first: dict[int, str] = {}
    for gate in _listening(pod):
        number = gate.settings.listen[1]
        name = gate.container.name
        if number in first:
            text = (
                f"{first[number]} listens on port {number} already: this gate ends, and its probe "
                "is answered by the other one"
            )
            remedy = "let one gate wait for everything, or give this one a GATE_LISTEN of its own"
            yield Hit(gate.container.line, text, remedy, name)
        first.setdefault(number, name)


@rule("host-network-port", Severity.WARNING, "13.4")
def host_port(pod: Pod) -> Hits:
    """A gate in the node's network does not declare its port.

    Kubelet fact 13.4: with hostNetwork the port is the node's. A declared port keeps the
    scheduler from putting two such pods on one node; an undeclared one does not, and the gate of
    the second pod ends, again and again, as the port is taken. Remedy: `ports` with its
    containerPort, which becomes the hostPort.
    """
    if not pod.has_host_network:
        return
    for gate in _listening(pod):
        number = gate.settings.listen[1]
        if number not in {declared for _, declared in gate.container.ports}:
            text = (
                f"port {number} is the node's here, and undeclared: a second pod on the node "
                "cannot have it, and its gate ends again and again"
            )
            remedy = f"declare it: ports: [{{containerPort: {number}}}]"
            yield Hit(gate.container.line, text, remedy, gate.container.name)


RULES = (one_port, host_port)
