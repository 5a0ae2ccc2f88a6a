"""gate beside what one would otherwise take: one table, all figures of one run.

Each waits for one TCP port of this machine, as its documentation says; none is tuned.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial

from tests.bench.measuring import (
    GATE,
    PYTHON,
    cpu_of,
    cpu_until_it_answers,
    end,
    held,
    memory,
    serving,
    share_of_a_core,
    spawned,
    until_it_answers,
    with_packages,
)
from tests.conftest import free_port

ROUNDS = 15
_HELLO = """
import os
from aiohttp import web
async def hello(_):
    return web.Response(text="ok")
app = web.Application()
app.router.add_get("/livez", hello)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
"""
_LOOP = "until nc -z 127.0.0.1 {port}; do sleep 1; done"


@dataclass
class Row:
    """What is known of one contender; None: it has no such thing."""

    name: str
    command: Callable[[int], list[str]] | None = None
    """Waits for a port and exits; None: a server, which is measured by its own functions."""
    start: float | None = None
    """CPU seconds of a start: until it exits where all is ready, or until a server answers."""
    waiting: tuple[float, float] | None = None
    """Resident and own memory, in MB."""
    opened: tuple[float, float] | None = None
    delays: list[float] = field(default_factory=list)
    """Seconds from the moment in which the port listens until that is known."""
    share: float | None = None
    """Of a core, while waiting."""


def contenders() -> list[Row]:
    """Return those that this machine has; tell of the others."""
    found = [Row("gate serve"), Row("gate wait", _gate_wait)]
    programs: list[tuple[str, str, Callable[[int], list[str]]]] = [
        (
            "wait-for-it",
            "wait-for-it",
            lambda port: ["wait-for-it", "-q", "-t", "0", f"127.0.0.1:{port}"],
        ),
        ("nc loop", "nc", lambda port: ["sh", "-c", _LOOP.format(port=port)]),
        ("wait-on", "wait-on", lambda port: ["wait-on", f"tcp:127.0.0.1:{port}"]),
    ]
    for name, program, command in programs:
        if shutil.which(program):
            found.append(Row(name, command))
        else:
            print(f"({name} is left out: there is no {program} here)")
    return [*found, Row("python -c 'import socket'"), Row("aiohttp hello-world")]


def _gate_wait(port: int) -> list[str]:
    return [*GATE, "wait", "--timeout", "1h", f"tcp://127.0.0.1:{port}"]


def table() -> list[Row]:
    """Measure all and print the table; return what was measured."""
    rows = contenders()
    for row in rows:
        if row.command:
            _measure_waiter(row, row.command)
    serve, hello, sockets = rows[0], rows[-1], rows[-2]
    _measure_serve(serve)
    _measure_hello(hello)
    sockets.start = _median(lambda: cpu_of([*PYTHON, "-c", "import socket"]))
    for _ in range(ROUNDS):
        _delays(rows)
    _print(rows)
    return rows


def _measure_waiter(row: Row, command: Callable[[int], list[str]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        row.start = _median(partial(cpu_of, command(server.getsockname()[1])))
    waiting = command(free_port())
    pid = spawned(waiting)
    time.sleep(3.0)
    row.waiting = memory(pid)
    row.share = share_of_a_core(pid, 10.0)
    end(pid)


def _measure_serve(row: Row) -> None:
    port = free_port()
    with serving(f"db tcp://127.0.0.1:{port}") as (_, process):
        time.sleep(3.0)
        row.waiting = memory(process.pid)
        row.share = share_of_a_core(process.pid, 10.0)
        with socket.create_server(("127.0.0.1", port)):
            time.sleep(2.0)
            row.opened = memory(process.pid)
    env = {"GATE_DEPENDENCIES": f"db tcp://127.0.0.1:{port}"}
    row.start = _median(lambda: cpu_until_it_answers([*GATE, "serve"], "GATE_LISTEN", env))


def _measure_hello(row: Row) -> None:
    row.start = _median(lambda: cpu_until_it_answers(with_packages(_HELLO), "PORT", {}))
    port = free_port()
    pid = spawned(with_packages(_HELLO), {"PORT": str(port)})
    until_it_answers(port)
    row.waiting = row.opened = memory(pid)
    end(pid)


def _delays(rows: list[Row]) -> None:
    """Have all wait beside each other, each for a port of its own; end one wait after the other."""
    with ExitStack() as stack:
        port = free_port()
        gate_port, _ = stack.enter_context(serving(f"db tcp://127.0.0.1:{port}"))
        answer = stack.enter_context(closing(held(gate_port)))
        waiting: list[tuple[Row, int, Callable[[], object]]] = [(rows[0], port, answer.getresponse)]
        for row in rows:
            if row.command:
                port = free_port()
                pid = spawned(row.command(port))
                waiting.append((row, port, partial(os.waitpid, pid, 0)))
        time.sleep(2.0)
        for row, port, wait in waiting:
            # Spread over the pauses of those that try once a second.
            time.sleep(random.random())
            with socket.create_server(("127.0.0.1", port), backlog=64):
                began = time.monotonic()
                wait()
                row.delays.append(time.monotonic() - began)


def _median(run: Callable[[], float]) -> float:
    return statistics.median([run() for _ in range(ROUNDS + 1)][1:])


def _print(rows: list[Row]) -> None:
    head = (
        "",
        "CPU of a start",
        "waiting: MB, own",
        "open: MB, own",
        "noticed after",
        "CPU waiting",
    )
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print("  ".join(map(str.ljust, line, widths)).rstrip())


def _cells(row: Row) -> tuple[str, ...]:
    noticed = (
        f"{statistics.median(row.delays) * 1000:.0f} ms, at most {max(row.delays) * 1000:.0f}"
        if row.delays
        else "-"
    )
    return (
        row.name,
        "-" if row.start is None else f"{row.start * 1000:.0f} ms",
        _megabytes(row.waiting),
        _megabytes(row.opened),
        noticed,
        "-" if row.share is None else f"{row.share:.2%}",
    )


def _megabytes(figures: tuple[float, float] | None) -> str:
    return "-" if figures is None else f"{figures[0]:.1f}, {figures[1]:.1f}"
