"""`python -m tests.docs.timelines`: draw the timelines of docs/concepts.md anew.

Each scene is a pod that the player of pods plays as the kubelet would, with real processes, in
real time. What the app needs comes three seconds late, and in two scenes the kubelet restarts
before. The pictures show what was measured; their texts say it in words.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from string import Template
from xml.sax.saxutils import escape

import yaml

from tests.docs.pages import DOCS
from tests.pod import Image, Node, Pod
from tests.pod.state import Moment
from tests.stand_ins import Ports, dependency, node

FOLDER = DOCS / "timelines"
READY = 3.0
"""Seconds after which what the app needs is there."""
RESTART = 1.5
"""Seconds after which the kubelet restarts, where it does."""
SECONDS = 5.0

_WEB = "httpGet: {path: /, port: $WEB}, periodSeconds: 1"
_GATE = """\
    image: gate
    env: [{name: GATE_DEPENDENCIES, value: 'db tcp://127.0.0.1:$DB'}]
"""
_PROBE = """\
    startupProbe: {httpGet: {path: "/startupz?hold=25s", port: $GATE}, periodSeconds: 1,
                   timeoutSeconds: 30, failureThreshold: 60}
"""
_APP = "containers:\n  - {name: app, image: app}\n"
_MAIN_HOOK = """\
containers:
  - name: proxy
    image: proxy
    lifecycle: {postStart: {exec: {command: [sh, -c, sleep 1; exit 1]}}}
  - {name: app, image: app}
"""


def _sidecar(probe: str) -> str:
    proxy = f"  - {{name: proxy, image: proxy, restartPolicy: Always, {probe}}}\n"
    return f"initContainers:\n{proxy}{_APP}"


def _gate(more: str, behind: str = "") -> str:
    head = f"initContainers:\n  - name: gate\n    restartPolicy: Always\n{_GATE}{more}"
    return f"{head}{behind}{_APP}"


@dataclass(frozen=True, slots=True)
class Scene:
    """A pod, and whether its app is to be held until all is ready."""

    spec: str
    is_held: bool
    has_restart: bool = False

    @property
    def needed(self) -> str:
        """What comes late: `proxy` serves, or `db` listens."""
        return "db" if "$DB" in self.spec else "proxy"


SCENES = {
    "readiness-probe": Scene(_sidecar(f"readinessProbe: {{{_WEB}}}"), is_held=False),
    "liveness-probe": Scene(
        _sidecar(f"livenessProbe: {{{_WEB}, failureThreshold: 2}}"), is_held=False
    ),
    "startup-probe": Scene(
        _sidecar(f"startupProbe: {{{_WEB}, failureThreshold: 30}}"), is_held=True
    ),
    "main-hook": Scene(_MAIN_HOOK, is_held=False),
    "init-container": Scene(
        f"initContainers:\n  - name: wait\n    args: [wait]\n{_GATE}{_APP}", is_held=True
    ),
    "gate-hook": Scene(
        _gate("    lifecycle: {postStart: {exec: {command: [gate, hold, --listen, ':$GATE']}}}\n"),
        is_held=True,
    ),
    "gate": Scene(_gate(_PROBE), is_held=True),
    "kubelet-restart": Scene(_gate(_PROBE), is_held=False, has_restart=True),
    "kubelet-restart-held": Scene(
        _gate(_PROBE, "  - {name: gate-hold, image: gate, args: [hold, --timeout, 5m]}\n"),
        is_held=True,
        has_restart=True,
    ),
}
"""File in docs/timelines, without its suffix, to what it shows."""


@dataclass(frozen=True, slots=True)
class Played:
    """What was seen, in seconds since the pod was added."""

    needed: str
    ready: float | None
    """None: never."""
    moments: tuple[Moment, ...]
    restart: float | None = None

    def at(self, container: str, what: str) -> float:
        """Return when *what* first happened to *container*."""
        return next(
            each.at for each in self.moments if (each.container, each.what) == (container, what)
        )


async def play(scene: Scene) -> Played:
    """Play *scene* and return what was seen."""
    ports = Ports()
    values = {"WEB": ports["proxy"], "GATE": ports["gate"], "DB": ports["db"]}
    text = Template(scene.spec).substitute(values)
    whole = {"kind": "Pod", "metadata": {"name": "shop"}, "spec": yaml.safe_load(text)}
    async with Pod(whole, _node(ports)) as pod, asyncio.timeout(4 * SECONDS):
        watch = asyncio.create_task(_served(ports[scene.needed]))
        restart = None
        if scene.has_restart:
            await _until(pod, RESTART)
            restart = _now(pod)
            await pod.restart_kubelet()
        await _until(pod, READY)
        with dependency(ports["db"]):
            await _until(pod, SECONDS)
        ready = watch.result() - pod.added_at if watch.done() else None
        watch.cancel()
        moments = tuple(replace(each, at=each.at - pod.added_at) for each in pod.timeline)
    return Played(scene.needed, ready, moments, restart)


async def _served(port: int) -> float:
    """Return when something first accepts a connection on *port*."""
    while True:
        with suppress(OSError):
            (await asyncio.open_connection("127.0.0.1", port))[1].close()
            return asyncio.get_running_loop().time()
        await asyncio.sleep(0.02)


def _node(ports: Ports) -> Node:
    serve = f"sleep {READY}; exec {sys.executable} -m http.server {ports['proxy']}"
    images = {"proxy": Image(entrypoint=("sh", "-c", serve))}
    # A tenth of a second is what a real kubelet takes from one container to the next.
    return replace(node(ports["gate"], images), settled=0, hop_delay=0.1, backoff=1)


def _now(pod: Pod) -> float:
    return asyncio.get_running_loop().time() - pod.added_at


async def _until(pod: Pod, seconds: float) -> None:
    await asyncio.sleep(max(0.0, seconds - _now(pod)))


_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 {height}" width="700" \
font-family="sans-serif" font-size="13">"""
LEFT, SCALE, ROW, TOP = 110, 112.0, 30, 14
COLOURS = {"absent": "#d9d9d9", "ready": "#5b9f6b", "starting": "#e8b84a", "running": "#4a7fb5"}
WORDS = {"absent": "not there", "ready": "ready", "starting": "kubelet waits", "running": "runs"}
Span = tuple[float, float, str]


def spans(played: Played, container: str) -> Iterator[Span]:
    """Yield from when to when *container* was starting or running."""
    kind = "starting" if _is_starting(played, container) else "running"
    begun: tuple[float, str] | None = None
    for each in (one for one in played.moments if one.container == container):
        if each.what == "started":
            begun = (each.at, kind)
        elif begun and each.what in ("started=true", "post-start done"):
            yield (begun[0], each.at, begun[1])
            begun = (each.at, "running")
        elif begun and each.what.startswith("exited"):
            yield (begun[0], each.at, begun[1])
            begun = None
    if begun:
        yield (begun[0], SECONDS, begun[1])


def _is_starting(played: Played, container: str) -> bool:
    """Whether the kubelet waits for *container* once it runs: it is probed, or hooked."""
    own = [each.what for each in played.moments if each.container == container]
    return any(what.startswith(("startup", "post-start")) for what in own)


def draw(title: str, played: Played) -> str:
    """Return the picture of *played*."""
    names = list(dict.fromkeys(each.container for each in played.moments))
    ready = SECONDS if played.ready is None else played.ready
    first = [(0.0, ready, "absent"), (ready, SECONDS, "ready")][: 1 if ready == SECONDS else 2]
    rows = [(f"needs: {played.needed}", first)]
    rows += [(name, list(spans(played, name))) for name in names]
    height = TOP + ROW * len(rows) + 46
    parts = [part for number, row in enumerate(rows) for part in _row(number, *row)]
    return "\n".join(
        [
            _HEAD.format(height=height),
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(told(played))}</desc>",
            f'<rect width="700" height="{height}" rx="6" fill="#ffffff"/>',
            *parts,
            *_axis(TOP + ROW * len(rows)),
            *_restart(played, TOP + ROW * len(rows)),
            "</svg>\n",
        ]
    )


def told(played: Played) -> str:
    """Return in words what is seen: what test and reader go by."""
    restart = f"the kubelet restarts at {played.restart:.2f}s; " if played.restart else ""
    app = played.at("app", "started")
    ready = "never ready" if played.ready is None else f"ready at {played.ready:.2f}s"
    return f"{restart}{played.needed} {ready}; app started at {app:.2f}s"


def _row(number: int, name: str, found: list[Span]) -> Iterator[str]:
    y = TOP + ROW * number
    yield _text(LEFT - 8, y + 17, escape(name), "end")
    for begin, end, kind in found:
        x, width = LEFT + begin * SCALE, max(1.5, (end - begin) * SCALE)
        yield (
            f'<rect x="{x:.1f}" y="{y + 3}" width="{width:.1f}" height="{ROW - 9}" rx="2" '
            f'fill="{COLOURS[kind]}"/>'
        )
        if width > 8 * len(WORDS[kind]):
            yield _text(x + 6, y + 17, WORDS[kind], "start")


def _axis(y: int) -> Iterator[str]:
    for second in range(int(SECONDS) + 1):
        x = LEFT + second * SCALE
        yield f'<path d="M{x:.0f} {TOP - 4}V{y + 4}" stroke="#00000022"/>'
        yield _text(x, y + 20, f"{second} s")


def _restart(played: Played, y: int) -> Iterator[str]:
    if played.restart is None:
        return
    x = LEFT + played.restart * SCALE
    yield f'<path d="M{x:.1f} {TOP - 8}V{y + 6}" stroke="#b03030" stroke-dasharray="4 3"/>'
    yield _text(x, y + 38, "kubelet restarts")


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" fill="#222222">{text}</text>'


def write(name: str, picture: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.svg").write_text(picture)


async def main() -> None:
    # One after the other: the machine's load would show.
    for name, scene in SCENES.items():
        played = await play(scene)
        title = name.replace("-", " ")
        write(name, draw(title, played))
        sys.stdout.write(f"{name:24} {told(played)}\n")


if __name__ == "__main__":
    asyncio.run(main())
