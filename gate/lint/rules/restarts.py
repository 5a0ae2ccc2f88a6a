"""What happens when a gate or the kubelet restarts, or a dependency fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods import gates, holders
from gate.pods.hit import Hit

if TYPE_CHECKING:
    from gate.pods.gates import Gate
    from gate.pods.pod import Mount, Pod

_STATE = "GATE_STATE_FILE"
_FORGETFUL = (1, 35)


def _sidecars(pod: Pod) -> list[Gate]:
    return [g for g in gates.all_of(pod) if g.mode == "serve" and g.container.is_sidecar]


@rule("gate-not-durable", Severity.INFO, "2.19")
def not_durable(pod: Pod) -> Hits:
    """A gate's startup probe holds, and nothing holds behind it should the kubelet restart.

    Kubelet fact 2.19, as it was seen since: kubelets of 1.35 (those with the change #137885) and
    of 1.36, until the fix #142303 is in them, take a sidecar that is still being probed for
    started when they restart (kubernetes#142305), and start the app though gate waits. Not said
    with a --kubernetes-version below 1.35. Advice, as it needs a restart of the kubelet while gate
    waits. Remedy: a plain init container behind gate, of gate's own image, with
    `args: [hold, --timeout, 25m]`; `gate manifest` prints it.
    """
    if pod.version is not None and pod.version < _FORGETFUL:
        return
    for gate in _sidecars(pod):
        if gate.container.startup and not holders.is_held_behind(gate.container, pod):
            text = (
                "a kubelet of 1.35 or 1.36 that restarts while gate waits takes gate for started, "
                "and starts the app"
            )
            remedy = "put a plain init container behind it that runs `gate hold`"
            yield Hit(gate.container.startup.line, text, remedy, gate.container.name)


@rule("no-state-file", Severity.WARNING, "7.2")
def no_state_file(pod: Pod) -> Hits:
    """A gate in a workload that runs on does not remember that it has opened.

    Kubelet facts 7.1 and 7.2: when a gate restarts (memory, a new image) its startup probe runs
    again, and until it passes the pod is not ready: while a dependency is down, a healthy app
    leaves its Services. Remedy: GATE_STATE_FILE in an emptyDir; a gate that has opened once in
    this pod then opens at once.
    """
    for gate in _sidecars(pod):
        is_set = any(variable.name == _STATE for variable in gate.container.env)
        if not pod.runs_on or is_set or gate.settings.state_file or gate.container.has_env_from:
            continue
        if gate.container.startup:
            text = (
                "a gate that restarts while a dependency is down takes this pod out of its "
                "Services, however healthy the app is"
            )
            remedy = f"set {_STATE} to a file in an emptyDir"
            yield Hit(gate.container.line, text, remedy, gate.container.name)


@rule("state-file-volume", Severity.ERROR, "7.2, 1.15")
def state_file_volume(pod: Pod) -> Hits:
    """GATE_STATE_FILE is in no volume of the pod that it can write.

    What a container writes outside a volume is gone when it restarts, which is when the mark is
    needed (kubelet fact 7.2); where the folder does not exist or cannot be written, gate ends
    with a configuration error. Remedy: an emptyDir, and a volumeMount of it above the file. A
    volume that outlives the pod does no harm: the mark counts in its own sandbox only (1.15).
    """
    for gate in _sidecars(pod):
        path = gate.settings.state_file
        if path is None:
            continue
        mount = _mount_of(path, gate.container.mounts)
        if mount and not mount.is_read_only and _is_writable(mount.volume, pod):
            continue
        text = (
            "no volume that can be written is mounted there: the mark is lost when the container "
            "restarts, or gate ends at once because it cannot write it"
        )
        remedy = "mount an emptyDir at its folder"
        yield Hit(gate.line_of_setting(_STATE), text, remedy, gate.container.name)


@rule("state-file-outlives-restart", Severity.WARNING, "9.5")
def outlives(pod: Pod) -> Hits:
    """A gate remembers its opening through a restart of all containers.

    Kubelet fact 9.5: the action RestartAllContainers (on from Kubernetes 1.36) runs all
    containers anew in the same sandbox, with the same emptyDirs. A gate with GATE_STATE_FILE
    then opens at once, and the app starts though a dependency may be down. Remedy: a plain init
    container in front of gate that runs `gate forget`: it runs exactly when all restart.
    """
    if not any("RestartAllContainers" in (each.restart_actions or ()) for each in pod.containers):
        return
    for gate in _sidecars(pod):
        if gate.settings.state_file is None or _is_forgotten(gate, pod):
            continue
        text = (
            "when all containers restart, gate opens at once as it has opened before, and the app "
            "starts though a dependency is down"
        )
        remedy = "put a plain init container in front that runs `gate forget`"
        yield Hit(gate.line_of_setting(_STATE), text, remedy, gate.container.name)


def _is_forgotten(gate: Gate, pod: Pod) -> bool:
    """Whether a plain init container in front makes *gate* forget."""
    in_front = [each for each in pod.containers if each.index < gate.container.index]
    return any(
        each.is_plain_init and gates.is_gate(each) and "forget" in each.words for each in in_front
    )


def _is_writable(volume: str, pod: Pod) -> bool:
    return pod.volumes.get(volume, "none") not in {"none", "configMap", "secret", "projected"}


def _mount_of(path: str, mounts: tuple[Mount, ...]) -> Mount | None:
    found = [each for each in mounts if path.startswith(each.path.rstrip("/") + "/")]
    return max(found, key=lambda each: len(each.path), default=None)


@rule("readiness-on-shared-dependency", Severity.WARNING, "7.4")
def readiness(pod: Pod) -> Hits:
    """A gate's readiness probe follows dependencies that all replicas share.

    Kubelet fact 7.4: a sidecar's readiness counts for the pod's, all the time. /readyz follows
    the dependencies marked `monitor`: when one that all replicas use fails, all of them leave
    the Service at the same moment, and nobody is left to say so. Remedy: monitor only what
    belongs to this pod (localhost), or remove the readinessProbe and let the app answer.
    """
    for gate in _sidecars(pod):
        probe = gate.container.probes.get("readinessProbe")
        if probe is None or not _asks_ready(probe.action.path, probe.action.command):
            continue
        shared = [
            w for w in gate.dependencies if w.dependency.monitor and not w.dependency.is_local
        ]
        if shared:
            names = ", ".join(wanted.dependency.name for wanted in shared)
            text = f"when {names} fails, every replica becomes unready at the same moment"
            remedy = "monitor only what is in this pod, or remove this probe"
            yield Hit(probe.line, text, remedy, gate.container.name)


def _asks_ready(path: str, command: tuple[str, ...]) -> bool:
    return path.partition("?")[0] == "/readyz" or "--ready" in command


RULES = (not_durable, no_state_file, state_file_volume, outlives, readiness)
