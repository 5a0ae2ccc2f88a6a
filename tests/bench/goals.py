"""What gate is to cost, and what it costs: a line for each goal."""

from __future__ import annotations

import random
import socket
import statistics
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from gate.core import backoff
from tests.bench.measuring import (
    GATE,
    PYTHON,
    cpu_of,
    cpu_until_it_answers,
    held,
    instructions,
    memory,
    quantile,
    serving,
    share_of_a_core,
    side_by_side,
    with_packages,
)
from tests.conftest import free_port
from tests.stand_ins import get

_BASE = "import aiohttp.web, httpx, structlog"
_NO_CERTIFICATES = {"SSL_CERT_FILE": "/dev/null", "SSL_CERT_DIR": "/nonexistent"}
_SCHEMES = (
    "tcp",
    "http",
    "redis",
    "postgresql",
    "tls",
    "nats",
    "memcached",
    "amqp",
    "mqtt",
    "mysql",
)


def light() -> None:
    """Print the goals of start and memory."""
    _memory()
    _starting()


def goals() -> None:
    """Print each goal with what this machine shows now."""
    light()
    _loopback()
    _waiting()
    _probe()
    _asleep()
    _restarted()
    _crowded()


def show(goal: str, figure: str) -> None:
    print(f"{goal:<78} {figure}")


def mixed(count: int) -> str:
    """Return the lines of *count* dependencies of ten schemes, on ports where nobody listens."""
    return "\n".join(
        f"d{number} {_SCHEMES[number % len(_SCHEMES)]}://127.0.0.1:{free_port()}"
        for number in range(count)
    )


def _memory() -> None:
    resident, own = _medians(_while_waiting)
    show("20 mixed dependencies: own <= 20 MB, resident <= 33 MB", f"{own:.1f}, {resident:.1f}")
    resident, own = _medians(_after_opening)
    show("after opening: own <= 4 MB, resident <= 10 MB", f"{own:.1f}, {resident:.1f}")


def _medians(measured: Callable[[], tuple[float, float]]) -> tuple[float, float]:
    """Return the medians of resident and own memory, of ten gates."""
    resident, own = zip(*(measured() for _ in range(10)), strict=True)
    return statistics.median(resident), statistics.median(own)


def _while_waiting() -> tuple[float, float]:
    with serving(mixed(20)) as (_, process):
        time.sleep(3.0)
        return memory(process.pid)


def _after_opening() -> tuple[float, float]:
    with serving("", "--allow-empty", "on") as (port, process):
        _until_small(process.pid)
        get(port, "/startupz")
        return memory(process.pid)


def _until_small(pid: int) -> None:
    while b"responder" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        time.sleep(0.01)


def _starting() -> None:
    for scheme, limit in (("http", 0.80), ("tcp", 0.65)):
        env = {"GATE_DEPENDENCIES": f"a {scheme}://127.0.0.1:1"}
        base, ours, unit = _counted(env) or _timed(env)
        goal = f"start to first answer, {scheme}: <= {limit:.2f} x {_BASE!r}"
        show(goal, f"{ours / base:.2f} ({ours:.0f}, {base:.0f} {unit})")


def _counted(env: dict[str, str]) -> tuple[float, float, str] | None:
    """Return the millions of instructions of the imports and of a start, where they can be had."""
    port = free_port()
    base = instructions(with_packages(_BASE), _NO_CERTIFICATES)
    ours = instructions([*GATE, "serve"], {**env, "GATE_LISTEN": f":{port}"}, port=port)
    return None if base is None or ours is None else (base, ours, "M instructions")


def _timed(env: dict[str, str]) -> tuple[float, float, str]:
    """Return the CPU milliseconds of both."""
    base, ours = side_by_side(
        lambda: cpu_of(with_packages(_BASE), _NO_CERTIFICATES),
        lambda: cpu_until_it_answers([*GATE, "serve"], "GATE_LISTEN", env),
    )
    return base * 1000, ours * 1000, "ms of CPU"


def _loopback() -> None:
    delays: list[float] = []
    for number in range(100):
        target = free_port()
        with serving(f"db tcp://127.0.0.1:{target}") as (port, _), closing(held(port)) as answer:
            # Spread over the time between two looks.
            time.sleep(0.6 + 0.05 * number / 100)
            with socket.create_server(("127.0.0.1", target)):
                began = time.monotonic()
                status = answer.getresponse().status
                delays.append((time.monotonic() - began) * 1000)
            assert status == 200
    median, late = statistics.median(delays), quantile(delays, 0.99)
    show("tcp listens -> held 200: median <= 30 ms, p99 <= 60 ms", f"{median:.0f}, {late:.0f}")


def _waiting() -> None:
    for count, limit in ((10, "0.3"), (200, "5")):
        lines = "\n".join(f"d{n} tcp://127.0.0.1:{free_port()}" for n in range(count))
        with serving(lines if count == 10 else mixed(count)) as (_, process):
            time.sleep(3.0)
            early, late = (share_of_a_core(process.pid, 18.0) for _ in range(2))
        what = "refused loopback" if count == 10 else "mixed"
        goal = f"waiting on {count} {what} dependencies: <= {limit} % of a core"
        show(goal, f"{early:.2%} from 3 s on, {late:.2%} from 21 s on")


def _probe() -> None:
    with serving("", "--allow-empty", "on") as (port, process):
        _until_small(process.pid)
        env = {"GATE_LISTEN": f":{port}"}
        sockets, asked = side_by_side(
            lambda: cpu_of([*PYTHON, "-c", "import socket"]), lambda: cpu_of([*GATE, "probe"], env)
        )
    show("gate probe: <= 0.8 x python -c 'import socket'", f"{asked / sockets:.2f}")


def _asleep() -> None:
    with serving("", "--allow-empty", "on") as (_, process):
        _until_small(process.pid)
        time.sleep(1.0)
        before = _wake_ups(process.pid)
        time.sleep(10.0)
        woken = _wake_ups(process.pid) - before
    show("after opening, when nobody asks: 0 wake-ups a second", f"{woken / 10:g}")


def _wake_ups(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("voluntary_ctxt")))


def _restarted() -> None:
    """Simulate 5,000 gates that wait for the same dependency, which stays down."""
    attempts: Counter[int] = Counter()
    for _ in range(5000):
        at, failures = random.random() / 10, 0
        pace = backoff.pace(chance=random.random())
        while at < 30:
            attempts[int(at * 20)] += 1
            failures += 1
            at += backoff.pause(failures, pace=pace, limit=1.0, chance=random.random())
    seconds = [sum(attempts[each] for each in range(now, now + 20)) for now in range(20, 29 * 20)]
    first, rest = (max(part) / statistics.mean(seconds) for part in (seconds, seconds[20:]))
    goal = "5,000 gates restarted at once: peak <= 1.5 x mean after the first second"
    show(goal, f"{first:.2f} in the second that follows it, {rest:.2f} later")


def _crowded() -> None:
    with serving("db tcp://127.0.0.1:1") as (port, _), ExitStack() as stack:
        for _ in range(1000):
            stack.enter_context(closing(held(port)))
        for _ in range(1000):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        delays = []
        for _ in range(200):
            began = time.monotonic()
            get(port, "/livez")
            delays.append((time.monotonic() - began) * 1000)
    goal = "probe answers under 1,000 held and 1,000 idle connections: p99 <= 20 ms"
    show(goal, f"{quantile(delays, 0.99):.0f}")
