"""Parts of the bench, each of which prints what one thing costs.

Machines are shared and noisy, so nothing here is a test: A and B run in turn, CPU seconds are
the operating system's own account of each process, and medians are printed.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.bench.measuring import (
    GATE,
    PYTHON,
    cpu_of,
    held,
    serving,
    share_of_a_core,
    side_by_side,
    with_packages,
)
from tests.checks.servers import mariadb, memcached, mosquitto, nats, postgresql, rabbitmq, redis
from tests.checks.servers.cold_start import Comparison
from tests.conftest import free_port
from tests.pod import Pod
from tests.stand_ins import EXAMPLES, Ports, dependency, manifest, node

UNTIL_IT_LISTENS = """
import os, sys
from gate.serve import listener
early = listener.early
listener.early = lambda *given: os._exit(not hasattr(early(*given), "getsockname"))
sys.argv = ["gate", "serve"]
from gate.__main__ import run
run()
"""
"""`gate serve`, ended right after its socket listens: to catch it from outside is too late."""


def probe() -> None:
    """`gate probe` of an open gate, against Python that imports socket."""
    with serving("", "--allow-empty", "on") as (port, _):
        env = {"GATE_LISTEN": f":{port}"}
        sockets, asked = side_by_side(
            lambda: cpu_of([*PYTHON, "-c", "import socket"]),
            lambda: cpu_of([*GATE, "probe"], env),
        )
    show("gate probe", asked, "python -c 'import socket'", sockets)


def listening() -> None:
    """`gate serve` until it listens, against Python that imports socket."""
    bare, sockets, served = side_by_side(
        lambda: cpu_of([*PYTHON, "-c", "pass"]),
        lambda: cpu_of([*PYTHON, "-c", "import socket"]),
        lambda: cpu_of(with_packages(UNTIL_IT_LISTENS), {"GATE_LISTEN": f":{free_port()}"}),
    )
    show("gate serve, until it listens", served, "python -c 'import socket'", sockets)
    print(f"  (python -c pass: {bare * 1000:.1f} ms)")


def starting() -> None:
    """From gate's opening to the app's process, in the pod player, with and without hold."""
    held = [asyncio.run(app_after_opening(hold=True, phase=n / 11)) for n in range(11)]
    asked = [asyncio.run(app_after_opening(hold=False, phase=n / 11)) for n in range(11)]
    print(
        f"gate open -> app's process runs: held probe {statistics.median(held) * 1000:.0f} ms, "
        f"probe each second {statistics.median(asked) * 1000:.0f} ms (medians of 11)"
    )


async def app_after_opening(*, hold: bool, phase: float) -> float:
    """Return the seconds from the opening, by gate's log, until the app runs."""
    ports = Ports()
    replaced = {"db.example.com:5432": f"127.0.0.1:{ports['db']}"}
    if not hold:
        replaced["?hold=25s"] = ""
    text = manifest("job.yaml", ports["gate"], replaced)
    async with Pod(text, node(ports["gate"], {})) as pod:
        await pod.until(lambda pod: "dependency.waiting" in pod.logs("gate"), timeout=20)
        # Spread over the period of the probe, and past the growth of the pause.
        await asyncio.sleep(0.5 + phase)
        with dependency(ports["db"]):
            await pod.container_running("migrate", timeout=20)
        log = pod.containers["gate"].log
        opened = next(line.at for line in log if "gate.opened" in line.text)
        return pod.moments("migrate", "started")[0] - opened


def cold() -> None:
    """Servers that come up: gate's first success after that of the server's own client."""
    for name, (start, times, is_kept) in STARTS.items():
        with tempfile.TemporaryDirectory() as folder:
            # The data are made once where that takes seconds; a server's user has to get there.
            Path(folder).chmod(0o755)
            places = [Path(folder, "data" if is_kept else str(n)) for n in range(times)]
            for place in places:
                place.mkdir(exist_ok=True)
            seen = [start(place) for place in places]
        gaps = sorted(one.gap * 1000 for one in seen)
        listed = " ".join(f"{gap:.0f}" for gap in gaps)
        print(
            f"{name} starts: gate after the client by {statistics.median(gaps):.0f} ms ({listed}), "
            f"too early {sum(one.was_early for one in seen)} times"
        )


STARTS: dict[str, tuple[Callable[[Path], Comparison], int, bool]] = {
    "postgresql": (postgresql.cold_start, 5, True),
    "postgresql (login)": (postgresql.cold_start_with_login, 5, True),
    "mariadb": (mariadb.cold_start, 5, True),
    "mariadb (login)": (mariadb.cold_start_with_login, 5, True),
    "redis": (redis.cold_start, 5, False),
    "nats": (nats.cold_start, 5, False),
    "mosquitto": (mosquitto.cold_start, 5, False),
    "memcached": (memcached.cold_start, 5, False),
    "rabbitmq": (rabbitmq.cold_start, 3, False),
}
"""How to start each, how often, and whether it can start again in the same folder."""


def paths() -> None:
    """Unix sockets and files that come late: how soon they are noticed, and what waiting costs."""
    with tempfile.TemporaryDirectory() as folder:
        for scheme, appears in (("unix", _listens), ("file", _is_written)):
            delays = [_noticed(scheme, f"{folder}/{scheme}{n}", appears, n) for n in range(20)]
            lines = "\n".join(f"d{number} {scheme}://{folder}/none{number}" for number in range(5))
            with serving(lines) as (_, process):
                time.sleep(3.0)
                share = share_of_a_core(process.pid, 15.0)
            print(
                f"{scheme}: noticed after {statistics.median(delays) * 1000:.1f} ms, "
                f"at most {max(delays) * 1000:.1f}; 5 that are not there: {share:.2%} of a core"
            )


def _noticed(scheme: str, path: str, appears: Callable[[str], object], number: int) -> float:
    """Return the seconds from the moment in which *path* is there to the held 200."""
    with serving(f"it {scheme}://{path}") as (port, _), closing(held(port)) as answer:
        # The kernel is asked to tell of a socket after a second; spread over what is between looks.
        time.sleep(1.5 + number / 20)
        kept = appears(path)
        began = time.monotonic()
        assert answer.getresponse().status == 200
        took = time.monotonic() - began
    del kept
    return took


def _listens(path: str) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()
    return server


def _is_written(path: str) -> None:
    Path(path).write_text("now", encoding="ascii")


DRIVERS = {
    "http": "gate.checks.http.check",
    "http2": "gate.checks.http.http2",
    "grpc": "gate.checks.grpc.call",
    "dns (with type or server)": "gate.checks.dns.resolver",
    "postgresql (login)": "gate.checks.postgresql.driver",
    "mongodb (login)": "gate.checks.mongodb.driver",
    "mysql": "gate.checks.mysql.check",
    "redis": "gate.checks.redis.check",
    "k8s": "gate.checks.k8s.check",
}


def drivers() -> None:
    """What each driver adds to a gate that checks tcp: CPU and memory of its import."""
    base = "import gate.runtime.runner, gate.checks.tcp"
    for name, module in DRIVERS.items():
        without, having = import_cost(base), import_cost(f"{base}, {module}")
        cpu, memory = (b - a for a, b in zip(without, having, strict=True))
        print(
            f"import {module}: +{cpu * 1000:.0f} ms CPU, +{memory / 1024:.1f} MiB "
            f"({having[0] / without[0]:.2f} x, {having[1] / without[1]:.2f} x)   {name}"
        )


TELL = """
import time
print(time.process_time(), next(
    line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")
))
"""


def import_cost(statement: str) -> tuple[float, float]:
    """Return the CPU seconds and the KiB of memory that *statement* costs, medians of 7."""
    command = with_packages(statement + TELL)
    told = [subprocess.check_output(command, text=True).split() for _ in range(8)][1:]
    cpu, memory = zip(*told, strict=True)
    return statistics.median(map(float, cpu)), statistics.median(map(float, memory))


SERVICE = """apiVersion: v1
kind: Service
metadata: {{name: s{0}}}
spec: {{selector: {{app: a{0}}}, ports: [{{port: 80}}]}}
"""
WAITING = """apiVersion: v1
kind: Pod
metadata: {{name: p{0}, labels: {{app: a{0}}}}}
spec:
  initContainers:
    - {{name: w, image: t, command: [sh, -c, "until pg_isready -h s{1}; do sleep 1; done"]}}
  containers: [{{name: app, image: app}}]
"""


def linting() -> None:
    """`gate lint` of a megabyte of manifests, against the YAML parser alone."""
    one = (EXAMPLES / "state-file.yaml").read_text()
    _lint("gate lint of 1 MB", [one] * (1_000_000 // len(one)))
    services = [SERVICE.format(number) for number in range(3000)]
    pods = [WAITING.format(number, number + 1) for number in range(2500)]
    _lint("of 3,000 Services beside 2,500 pods", services + pods)


def _lint(name: str, documents: list[str]) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("---\n".join(documents))
        file.flush()
        parse = f"import yaml; list(yaml.compose_all(open({file.name!r}), yaml.CSafeLoader))"
        parsed, linted = side_by_side(
            lambda: cpu_of(with_packages(parse)),
            lambda: cpu_of([*GATE, "lint", file.name]),
            rounds=5,
        )
    show(name, linted, "parsing it", parsed)


def show(name: str, ours: float, other: str, theirs: float) -> None:
    print(
        f"{name}: {ours * 1000:.1f} ms CPU = {ours / theirs:.2f} x {other} ({theirs * 1000:.1f} ms)"
    )
