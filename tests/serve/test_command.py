"""`gate serve` as a real process: probes, signals, exits."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.process import GATE, GateProcess, environment, listening, run_gate

KUBELET = {"User_Agent": "kube-probe/1.36"}


def waiting_for(port: int, options: str = "") -> dict[str, str]:
    return {"GATE_DEPENDENCIES": f"db tcp://127.0.0.1:{port} {options}"}


def test_a_gate_that_waits_answers_503_and_says_what_for() -> None:
    with GateProcess("serve", env=waiting_for(free_port())) as gate:
        gate.event("dependency.waiting")
        answer = gate.ask("/startupz")

    assert answer.status == 503
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.body.startswith("[-]db waiting: connection refused (")
    assert answer.body.endswith("gate is waiting\n")


def test_a_held_probe_is_answered_the_moment_the_last_dependency_is_ready() -> None:
    port = free_port()
    with GateProcess("serve", env=waiting_for(port)) as gate:
        gate.event("dependency.waiting")
        answers = []
        probe = threading.Thread(target=lambda: answers.append(gate.ask("/startupz?hold=15s")))
        probe.start()
        with listening(port):
            gate.event("gate.opened")
            probe.join(5)

    assert [answer.status for answer in answers] == [200]


def test_a_hold_that_is_over_is_answered_503() -> None:
    with GateProcess("serve", env=waiting_for(free_port())) as gate:
        gate.event("gate.started")
        began = time.monotonic()
        answer = gate.ask("/startupz?hold=300ms")
        took = time.monotonic() - began

    assert answer.status == 503
    assert took >= 0.3


def test_open_stays_open_when_the_dependency_goes_away() -> None:
    with GateProcess("serve", env=waiting_for(port := free_port())) as gate:
        with listening(port):
            gate.event("gate.opened")
        answer = gate.ask("/startupz")

    assert answer.status == 200
    assert answer.body.splitlines()[-1] == "gate is open"


def test_head_answers_as_get_without_a_body() -> None:
    with GateProcess("serve", env=waiting_for(free_port())) as gate:
        gate.event("gate.started")
        answer = gate.ask("/startupz", "HEAD")

    assert (answer.status, answer.body) == (503, "")


@pytest.mark.parametrize("path", ["/startupz/", "/nothing", "//startupz"])
def test_other_paths_are_404_and_never_redirect(path: str) -> None:
    with GateProcess("serve", env=waiting_for(free_port())) as gate:
        gate.event("gate.started")
        answer = gate.ask(path)

    assert answer.status == 404
    assert "location" not in answer.headers


@pytest.mark.parametrize("path", ["/startupz", "/status", "/metrics", "/"])
def test_what_is_only_to_be_read_takes_no_other_method(path: str) -> None:
    with GateProcess("serve", env=waiting_for(free_port())) as gate:
        gate.event("gate.started")
        answer = gate.ask(path, "POST")
        head = gate.ask(path, "HEAD")

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.body == "only GET and HEAD\n"
    assert (head.status, head.body) == (503 if path == "/startupz" else 200, "")


def test_a_hold_that_is_no_duration_is_400_and_says_so() -> None:
    with GateProcess("serve", env=waiting_for(free_port())) as gate:
        gate.event("gate.started")
        answer = gate.ask("/startupz?hold=soon")

    assert answer.status == 400
    assert answer.body.startswith("hold: 'soon' is not a duration")


def test_liveness_and_readiness_while_waiting() -> None:
    with GateProcess("serve", env=waiting_for(free_port())) as gate:
        gate.event("gate.started")
        statuses = [gate.ask(path).status for path in ("/livez", "/healthz", "/readyz")]

    assert statuses == [200, 200, 503]


def test_overdue_is_424() -> None:
    with GateProcess("serve", env=waiting_for(free_port(), "deadline=300ms")) as gate:
        gate.event("gate.overdue")
        answer = gate.ask("/startupz?brief")

    assert answer.status == 424
    assert answer.body == "overdue, waiting for db: connection refused\n"


def test_a_degraded_opening_is_300_for_the_kubelet_and_200_for_others() -> None:
    env = waiting_for(free_port(), "optional deadline=300ms")
    with GateProcess("serve", env=env) as gate:
        gate.event("gate.opened")
        kubelet, other = gate.ask("/startupz", **KUBELET), gate.ask("/startupz")

    assert (kubelet.status, other.status) == (300, 200)
    assert "location" not in kubelet.headers
    assert kubelet.body == "opened without db: connection refused\n"


def test_the_degraded_event_can_be_turned_off() -> None:
    env = {**waiting_for(free_port(), "optional deadline=300ms"), "GATE_DEGRADED_EVENT": "off"}
    with GateProcess("serve", env=env) as gate:
        gate.event("gate.opened")

        assert gate.ask("/startupz", **KUBELET).status == 200


def test_on_timeout_open_opens_degraded_with_a_warning() -> None:
    env = {**waiting_for(free_port()), "GATE_TIMEOUT": "300ms", "GATE_ON_TIMEOUT": "open"}
    with GateProcess("serve", env=env) as gate:
        opened = gate.event("gate.opened")

    assert opened["level"] == "warning"
    assert opened["degraded"] == "opened without db: connection refused"


def test_on_timeout_exit_exits_1() -> None:
    env = {**waiting_for(free_port()), "GATE_TIMEOUT": "300ms", "GATE_ON_TIMEOUT": "exit"}
    with GateProcess("serve", env=env) as gate:
        assert gate.end() == 1


def test_a_disabled_gate_opens_at_once_and_logs_the_reason() -> None:
    env = {**waiting_for(free_port()), "GATE_DISABLED": "INC-42"}
    with GateProcess("serve", env=env) as gate:
        opened = gate.event("gate.opened")
        status = gate.ask("/startupz", **KUBELET).status

    assert opened["degraded"] == "opened without checking: disabled: INC-42"
    assert status == 300


def test_a_disabled_gate_opens_even_if_the_configuration_is_wrong() -> None:
    env = {"GATE_DEPENDENCIES": "db nosuch://x", "GATE_DISABLED": "INC-42"}
    with GateProcess("serve", env=env) as gate:
        gate.until("unknown scheme")
        gate.event("gate.opened")


def test_a_monitored_dependency_makes_unready_after_three_failures_and_ready_after_one() -> None:
    env = waiting_for(port := free_port(), "monitor interval=50ms")
    with GateProcess("serve", env=env) as gate:
        with listening(port):
            gate.event("gate.opened")
            before = gate.ask("/readyz").status
        gate.event("dependency.unfit")
        down, startup = gate.ask("/readyz"), gate.ask("/startupz").status
        with listening(port):
            gate.event("dependency.fit")
            after = gate.ask("/readyz").status

    assert (before, down.status, after) == (200, 503, 200)
    assert "[-]db unfit: connection refused" in down.body
    assert startup == 200


def test_a_restarted_gate_opens_at_once_with_a_state_file(tmp_path: Path) -> None:
    env = {**waiting_for(port := free_port()), "GATE_STATE_FILE": str(tmp_path / "opened")}
    with GateProcess("serve", env=env) as gate, listening(port):
        gate.event("gate.opened")

    with GateProcess("serve", env=env) as gate:
        gate.event("gate.restored")

        assert gate.ask("/startupz").status == 200


def test_a_mark_of_another_sandbox_does_not_open(tmp_path: Path) -> None:
    mark = tmp_path / "opened"
    mark.write_text("0000 net:[1]\n")
    env = {**waiting_for(free_port()), "GATE_STATE_FILE": str(mark)}
    with GateProcess("serve", env=env) as gate:
        gate.event("dependency.waiting")

        assert gate.ask("/startupz").status == 503


def test_the_termination_message_names_what_is_waited_for_and_is_emptied(tmp_path: Path) -> None:
    message = tmp_path / "log"
    message.touch()
    inode = message.stat().st_ino
    env = {**waiting_for(port := free_port()), "GATE_TERMINATION_LOG": str(message)}
    with GateProcess("serve", env=env) as gate:
        gate.event("dependency.waiting")
        waiting = message.read_text()
        with listening(port):
            gate.event("gate.opened")
            gate.ask("/startupz")
        opened = message.read_text()

    assert waiting == "waiting for db: connection refused"
    assert opened == ""
    assert message.stat().st_ino == inode


def test_the_termination_message_survives_sigkill(tmp_path: Path) -> None:
    message = tmp_path / "log"
    env = {**waiting_for(free_port()), "GATE_TERMINATION_LOG": str(message)}
    with GateProcess("serve", env=env) as gate:
        gate.event("dependency.waiting")
        gate.signal(signal.SIGKILL)
        gate.end()

    assert message.read_text() == "waiting for db: connection refused"


def test_sigterm_answers_held_requests_503_and_exits_0() -> None:
    with GateProcess("serve", env=waiting_for(free_port())) as gate:
        gate.event("dependency.waiting")
        with held(gate) as sock:
            # Answered after the request before it has been read.
            gate.ask("/livez")
            gate.signal(signal.SIGTERM)
            code = gate.end()
            answer = sock.recv(4096).decode()

    assert code == 0
    assert answer.startswith("HTTP/1.1 503 ")
    assert answer.endswith("\r\n\r\ngate is stopping\n")


def held(gate: GateProcess) -> socket.socket:
    """Return the connection of a request that gate holds."""
    sock = socket.create_connection(("127.0.0.1", gate.port))
    sock.sendall(b"GET /startupz?hold=30s HTTP/1.1\r\nHost: gate\r\n\r\n")
    return sock


def test_a_log_whose_reader_went_away_ends_nothing() -> None:
    port = free_port()
    served = free_port()
    with subprocess.Popen(
        [*GATE, "serve"], env=environment(served, waiting_for(port)), stderr=subprocess.PIPE
    ) as gate:
        assert gate.stderr is not None
        assert b"gate.started" in gate.stderr.readline()
        gate.stderr.close()
        connection = HTTPConnection("127.0.0.1", served, timeout=20)
        with listening(port):
            connection.request("GET", "/startupz?hold=20s")
            status = connection.getresponse().status
        connection.close()
        gate.terminate()

        assert (status, gate.wait(20)) == (200, 0)


SLOW_REPORTS = """
import sys, time
from gate.__main__ import main

class Slow:
    def find_spec(self, name, path, target=None):
        if name == "gate.report.pod_events":
            print("loading", file=sys.stderr, flush=True)
            time.sleep(60)

sys.meta_path.insert(0, Slow())
sys.exit(main(["serve"]))
"""


def test_what_reports_need_is_loaded_beside_probes_and_signals() -> None:
    served = free_port()
    env = {**waiting_for(free_port()), "GATE_EVENTS": "on", "GATE_LOG_LEVEL": "error"}
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_REPORTS],
        env=environment(served, env),
        stderr=subprocess.PIPE,
    ) as gate:
        assert gate.stderr is not None
        assert gate.stderr.readline() == b"loading\n"
        connection = HTTPConnection("127.0.0.1", served, timeout=20)
        connection.request("GET", "/livez")
        status = connection.getresponse().status
        connection.close()
        gate.terminate()

        assert (status, gate.wait(20)) == (200, 0)


def test_sigterm_during_a_hanging_check_exits_at_once() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        env = {"GATE_DEPENDENCIES": f"web http://127.0.0.1:{port}/ timeout=60s"}
        with GateProcess("serve", env=env) as gate:
            accepted, _ = silent.accept()
            gate.event("gate.started")
            began = time.monotonic()
            gate.signal(signal.SIGTERM)
            code = gate.end()
            took = time.monotonic() - began
            accepted.close()

    # That it takes 200 ms at most is tested with the image, where it is PID 1.
    assert (code, took < 5) == (0, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_the_imports_exits_0_without_a_traceback(number: signal.Signals) -> None:
    env = waiting_for(free_port())
    with GateProcess("serve", env=env) as gate:
        # It listens before it imports: a connection is accepted by the backlog.
        while True:
            try:
                socket.create_connection(("127.0.0.1", gate.port), timeout=1).close()
                break
            except ConnectionRefusedError:
                continue
        gate.signal(number)
        code = gate.end()

    assert code == 0
    assert not any("Traceback" in line for line in gate.lines)


def test_a_port_that_is_taken_is_fatal_and_says_which() -> None:
    with listening() as port:
        code, _, stderr = run_gate(
            "serve", "--listen", f"127.0.0.1:{port}", env=waiting_for(free_port())
        )

    assert code == 1
    assert f"cannot listen on 127.0.0.1, port {port}: address already in use; another" in stderr


def test_status_tells_everything_and_waits_for_a_change() -> None:
    with GateProcess("serve", env=waiting_for(port := free_port())) as gate:
        gate.event("dependency.waiting")
        first = json.loads(gate.ask("/status").body)
        answers = []
        path = f"/status?hold=15s&seen={first['revision']}"
        watcher = threading.Thread(target=lambda: answers.append(json.loads(gate.ask(path).body)))
        watcher.start()
        with listening(port):
            watcher.join(10)

    assert first["pending"] == ["db"]
    assert first["dependencies"][0]["reason"] == "connection refused"
    assert answers[0]["revision"] > first["revision"]


def test_one_request_more_than_can_be_held_is_answered_at_once() -> None:
    with GateProcess("serve", env=waiting_for(free_port())) as gate:
        gate.event("dependency.waiting")
        held_ones = [held(gate) for _ in range(100)]
        # Answered after all of the requests before it have been read.
        gate.ask("/livez")
        answer = gate.ask("/startupz?hold=30s")
        for sock in held_ones:
            sock.close()

    assert answer.status == 503


def test_a_client_that_goes_away_frees_its_place() -> None:
    with GateProcess("serve", env=waiting_for(port := free_port())) as gate:
        gate.event("dependency.waiting")
        for _ in range(150):
            held(gate).close()
        with held(gate) as sock, listening(port):
            answer = sock.recv(4096)

    assert answer.startswith(b"HTTP/1.1 200 ")


IN_CLUSTER = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "POD_NAME": "web-0"}


@pytest.mark.parametrize(
    ("env", "place"),
    [
        ({**IN_CLUSTER, "POD_NAMESPACE": "shop"}, "namespaces/shop/pods/web-0"),
        (IN_CLUSTER, "namespaces/NAMESPACE/pods/web-0"),
        ({**IN_CLUSTER, "GATE_STATUS": "off"}, None),
        ({}, None),
    ],
)
def test_in_a_cluster_the_first_line_says_how_to_ask(
    env: dict[str, str], place: str | None
) -> None:
    with GateProcess("serve", env={**waiting_for(free_port()), **env}) as gate:
        asked = gate.event("gate.started").get("ask")

    wanted = f"kubectl get --raw /api/v1/{place}:{gate.port}/proxy/status"
    assert asked == (wanted if place else None)
