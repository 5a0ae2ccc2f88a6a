"""Plots for the documentation, written as SVG by hand: `make bench` with `plots` in B.

Series are points; a chart has two linear axes and a legend. Colours hold on light and dark pages.
"""

from __future__ import annotations

import html
import math
import socket
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tests.bench.measuring import ROOT, held, memory, serving, share_of_a_core
from tests.bench.peers import Row
from tests.conftest import free_port

FOLDER = ROOT / "docs" / "plots"
Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 320, 60, 50, 30
_RIGHT = 150
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d1f", "#56b4e9")
_STYLE = "font: 12px sans-serif; fill: #777"


def plots(rows: Sequence[Row]) -> None:
    """Draw memory, latency and CPU into `docs/plots`; *rows* are those of the table."""
    FOLDER.mkdir(exist_ok=True)
    latency = {row.name: _distribution(row.delays) for row in rows if row.delays}
    title = "% of runs in which it is known that a port listens"
    _write("latency", chart(title, "milliseconds after it does", latency))
    title = "Memory of gate serve in MB: it waits, opens, and becomes the small responder"
    _write("memory", chart(title, "seconds", _memory()))
    title = "CPU of waiting, in % of a core"
    _write("waiting", chart(title, "loopback dependencies where nobody listens", _waiting()))


def chart(title: str, axis: str, series: dict[str, Points]) -> str:
    """Return an SVG with a line for each of *series*; *title* tells of y, *axis* of x."""
    most_x = _round_up(max(x for points in series.values() for x, _ in points))
    most_y = _round_up(max(y for points in series.values() for _, y in points))
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        return _LEFT + wide * x / most_x, _TOP + high * (1 - y / most_y)

    parts = [_text(_LEFT, 18, title), _text(_LEFT + wide / 2, _HEIGHT - 8, axis, "middle")]
    for step in range(6):
        x, y = place(most_x * step / 5, most_y * step / 5)
        parts.append(f'<path d="M{_LEFT} {y:.1f}h{wide}" stroke="#7773"/>')
        parts.append(_text(_LEFT - 6, y + 4, f"{most_y * step / 5:.4g}", "end"))
        parts.append(_text(x, _HEIGHT - _BOTTOM + 18, f"{most_x * step / 5:.4g}", "middle"))
    for number, (name, points) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        at = _TOP + 14 + 18 * number
        parts.append(
            f'<path d="M{_WIDTH - _RIGHT + 10} {at}h16" stroke="{colour}" stroke-width="3"/>'
        )
        parts.append(_text(_WIDTH - _RIGHT + 32, at + 4, name))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">\n'
        f"<title>{html.escape(title)}</title>\n{body}\n</svg>\n"
    )


def _round_up(most: float) -> float:
    """Return the end of an axis of five round steps that *most* is on."""
    power = 10.0 ** math.floor(math.log10(most / 5))
    steps = (step * power for step in (1, 2, 3, 4, 5, 6, 8, 10))
    return next(5 * step for step in steps if 5 * step >= most)


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    told = html.escape(text)
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="{_STYLE}">{told}</text>'


def _write(name: str, svg: str) -> None:
    path = Path(FOLDER, f"{name}.svg")
    path.write_text(svg)
    print(f"{path.relative_to(ROOT)} is written")


def _distribution(delays: Sequence[float]) -> Points:
    """Return for each delay, in ms, the share of those that are no longer."""
    ordered = sorted(delays)
    return [
        (0.0, 0.0),
        *((delay * 1000, 100 * (n + 1) / len(ordered)) for n, delay in enumerate(ordered)),
    ]


def _memory() -> dict[str, Points]:
    """Return resident and own memory over time, through the opening."""
    target = free_port()
    resident: list[tuple[float, float]] = []
    own: list[tuple[float, float]] = []
    with serving(f"db http://127.0.0.1:{target}/") as (port, process):
        began = time.monotonic()
        _sample(process.pid, began, 3.0, resident, own)
        with closing(held(port)), socket.create_server(("127.0.0.1", target)) as server:
            server.accept()[0].sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            _sample(process.pid, began, 6.0, resident, own)
    return {"resident": resident, "own": own}


def _sample(
    pid: int,
    began: float,
    until: float,
    resident: list[tuple[float, float]],
    own: list[tuple[float, float]],
) -> None:
    while (now := time.monotonic() - began) < until:
        found = memory(pid)
        resident.append((now, found[0]))
        own.append((now, found[1]))
        time.sleep(0.02)


def _waiting() -> dict[str, Points]:
    points = []
    for count in (1, 10, 50, 100, 200, 350, 500):
        lines = "\n".join(f"d{n} tcp://127.0.0.1:{free_port()}" for n in range(count))
        with serving(lines) as (_, process):
            time.sleep(3.0)
            points.append((float(count), share_of_a_core(process.pid, 10.0) * 100))
    return {"gate serve": points}
