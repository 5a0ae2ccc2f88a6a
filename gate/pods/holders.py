"""Plain init containers that hold what is behind them until a gate in front is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.pods import commands, gates

if TYPE_CHECKING:
    from gate.pods.pod import Container, Pod


def is_held_behind(container: Container, pod: Pod) -> bool:
    """Whether a plain init container behind *container* waits, by `gate hold` or otherwise.

    It holds through a restart of the kubelet, as no probe does from Kubernetes 1.35 on
    (kubernetes#142305).
    """
    behind = [each for each in pod.containers if each.index > container.index]
    return any(each.is_plain_init and _holds(each, pod) for each in behind)


def _holds(container: Container, pod: Pod) -> bool:
    if gates.is_gate(container):
        return gates.of(container, pod).mode == "hold"
    return commands.is_wait(container.words)
