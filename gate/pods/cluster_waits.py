"""Waits for objects of the cluster: `kubectl wait`, `kubectl rollout status`, k8s-wait-for."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.shell import Command

_KUBECTL = {"kubectl", "oc", "k3s"}
_K8S_WAIT_FOR = {"k8s-wait-for", "wait_for.sh"}
KINDS = {
    **dict.fromkeys(("job", "jobs", "job.batch", "jobs.batch", "job-wr", "job-we"), "job"),
    **dict.fromkeys(("deploy", "deployment", "deployments", "deployment.apps"), "deployment"),
    **dict.fromkeys(("sts", "statefulset", "statefulsets", "statefulset.apps"), "statefulset"),
    **dict.fromkeys(("ds", "daemonset", "daemonsets", "daemonset.apps"), "daemonset"),
    **dict.fromkeys(("svc", "service", "services"), "service"),
    **dict.fromkeys(("pod", "pods", "po", "pod-wr", "pod-we"), "pod"),
}
"""What people write for the kinds that can be waited for."""


def is_wait(command: Command) -> bool:
    """Whether *command* by itself waits for an object."""
    if command.program in _K8S_WAIT_FOR:
        return True
    return command.program in _KUBECTL and command.words[1:2] in (("wait",), ("rollout",))


def is_probing(command: Command) -> bool:
    """Whether *command*, in a loop, waits for an object."""
    return command.program in _KUBECTL and command.words[1:2] == ("get",)


def objects(command: Command) -> Iterator[str]:
    """Return the objects that *command* names, as `job/migrate`; none that is chosen by label."""
    if not (is_wait(command) or is_probing(command)):
        return
    for word in command.words[1:]:
        kind, slash, name = word.partition("/")
        if slash and kind in KINDS and _is_name(name):
            yield f"{KINDS[kind]}/{name}"
    for kind, name in pairwise(command.words[1:]):
        if kind in KINDS and _is_name(name):
            yield f"{KINDS[kind]}/{name}"


def _is_name(text: str) -> bool:
    return bool(text) and text.replace("-", "").replace(".", "").isalnum() and text[0] != "-"
