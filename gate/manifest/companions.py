"""The small plain init containers around a gate that serves; each uses gate's own image.

In front: one that makes gate forget. It runs anew exactly when all containers of the pod restart,
and then gate must wait again. It costs nothing, and it gives the pod its IP address: while a
postStart hook blocks in the first container of a pod, the kubelet publishes none, and network
policies and meshes that go by the address may keep gate from reaching anything.

Behind: one that holds. From Kubernetes 1.35 on, a kubelet that restarts takes a sidecar that is
still being probed for started, and starts the app though gate waits (kubernetes#142305). No probe
can prevent that; a plain init container holds through it, and exits at once where gate is open.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from gate.core.durations import show
from gate.pods.editing.emitter import Commented

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.config import Settings
    from gate.manifest.container import ManifestOptions

SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
_RESOURCES = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}}


def in_front(wish: ManifestOptions, settings: Settings) -> Iterator[Commented]:
    """Yield the container that makes gate forget, where there is something to be forgotten."""
    if not (wish.does_serve and settings.state_file):
        return
    container = {
        "name": f"{wish.name}-forget",
        "image": wish.image,
        "args": ["forget"],
        "env": [{"name": "GATE_STATE_FILE", "value": settings.state_file}],
        "volumeMounts": [{"name": wish.name, "mountPath": folder(settings.state_file)}],
        "resources": _RESOURCES,
        "securityContext": SECURITY,
    }
    notes = ["Runs anew when all containers of the pod restart: gate then waits again."]
    if wish.mode == "poststart":
        notes.append(
            "Without a container in front, the pod has no IP address while the hook blocks."
        )
    yield Commented(container, tuple(notes))


def behind(wish: ManifestOptions, settings: Settings, *, patience: float) -> Iterator[Commented]:
    """Yield the container that holds through a restart of the kubelet; *patience* in seconds."""
    if not (wish.does_serve and wish.is_durable):
        return
    notes = (
        "Holds the app should the kubelet restart while gate waits: 1.35 and 1.36 then start it.",
        "Costs about half a second at the opening; --durable off leaves it out.",
    )
    host, port = settings.listen
    listen = [{"name": "GATE_LISTEN", "value": f"{host}:{port}"}] if port != _PORT else []
    yield Commented(_hold(wish, f"{wish.name}-hold", ["--timeout", show(patience)], listen), notes)


def in_between(
    wish: ManifestOptions, part: str, patience: str, env: list[dict[str, str]]
) -> Commented:
    """Return the container that holds those behind it until the *part* of gate's opens."""
    name = f"{wish.name}-hold-{part}"[:_LONGEST_LABEL].rstrip("-")
    note = f"Holds {part} until what it needs is ready."
    return Commented(_hold(wish, name, [part, "--timeout", patience], env), (note,))


def _hold(
    wish: ManifestOptions, name: str, words: list[str], env: list[dict[str, str]]
) -> dict[str, object]:
    return {
        "name": name,
        "image": wish.image,
        "args": ["hold", *words],
        **({"env": env} if env else {}),
        "resources": _RESOURCES,
        "securityContext": SECURITY,
    }


def folder(path: str) -> str:
    """Return the folder of *path*, in which a volume can stand in."""
    return posixpath.dirname(posixpath.normpath(path)).replace("//", "/")


_PORT = 4283
_LONGEST_LABEL = 63
