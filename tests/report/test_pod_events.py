"""Events and the pod's condition: what the API server is told, how often, and when it may not."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import ssl
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate.checks.k8s.service_account import Account
from gate.checks.wire.tls_options import Tls
from gate.config import Settings
from gate.core import attempt, url
from gate.core.errors import CheckFailed
from gate.core.latch import Latch
from gate.core.model import Dependency, Result
from gate.report import log, pod_events, pod_identity
from gate.report.api_server import Cluster
from gate.report.pod_events import Pace
from gate.runtime.board import Board
from tests.cluster_api import ClusterApi, cluster_api
from tests.conftest import free_port, run
from tests.process import GATE, environment, listening
from tests.stand_ins import EXAMPLES
from tests.test_architecture import loaded_by

TYPE = "example.com/dependencies-ready"
QUICK = Pace(grace=0.0, events=0.05, condition=0.05, retry=0.02)
NEVER = Pace(grace=3600.0)
DB = Dependency(name="db", url="tcp://db:5432")


@pytest.fixture
def api(server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClusterApi]:
    for name, value in (("POD_NAME", "shop-1"), ("POD_NAMESPACE", "prod"), ("POD_UID", "u-1")):
        monkeypatch.setenv(name, value)
    with cluster_api(server_tls) as running:
        yield running


@pytest.fixture
def cluster(api: ClusterApi, ca_file: Path, tmp_path: Path) -> Cluster:
    token = tmp_path / "token"
    token.write_text(api.token)
    server = url.parse(f"https://localhost:{api.port}")
    return Cluster(Account(server=server, token_file=str(token), tls=Tls(ca=str(ca_file))))


Happen = Callable[[Board], Awaitable[None]]


def reported(
    cluster: Cluster, happen: Happen, *, pace: Pace = QUICK, db: Dependency = DB, **settings: Any
) -> str:
    """Return the log of a gate that reports to *cluster* while *happen* happens."""
    stream = io.StringIO()
    logger = log.set_up(level="info", form="json", stream=stream)

    async def main() -> None:
        board = Board(Latch([db], now=asyncio.get_running_loop().time()))
        follower = asyncio.ensure_future(
            pod_events.follow(Settings(**settings), board, logger, cluster, pace)
        )
        await happen(board)
        follower.cancel()
        (result,) = await asyncio.gather(follower, return_exceptions=True)
        assert result is None or isinstance(result, asyncio.CancelledError)

    run(main())
    return stream.getvalue()


def attempted(board: Board, reason: str = "") -> None:
    now = board.now()
    board.record(Result(name="db", ok=not reason, reason=reason, started=now, finished=now))


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 -- it happens in the server's thread
            await asyncio.sleep(0.01)


def test_while_it_waits_an_event_says_what_for_and_is_counted_up(
    api: ClusterApi, cluster: Cluster
) -> None:
    async def happen(board: Board) -> None:
        attempted(board, "connection refused")
        await until(lambda: any(event["count"] >= 3 for event in api.events.values()))

    reported(cluster, happen, events=True)
    (event,) = api.events.values()

    assert (event["type"], event["reason"]) == ("Warning", "DependencyNotReady")
    assert event["message"] == "db: connection refused"
    assert event["lastTimestamp"] >= event["firstTimestamp"]
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": "shop-1",
        "namespace": "prod",
        "uid": "u-1",
    }


def test_another_reason_is_another_event(api: ClusterApi, cluster: Cluster) -> None:
    async def happen(board: Board) -> None:
        for reason in ("connection refused", "starting up"):
            attempted(board, reason)
            await until(lambda: reason in str(api.events))  # noqa: B023 -- awaited here

    reported(cluster, happen, events=True)

    messages = [event["message"] for event in api.events.values()]
    assert messages == ["db: connection refused", "db: starting up"]


def test_an_event_that_has_expired_is_written_anew(api: ClusterApi, cluster: Cluster) -> None:
    async def happen(board: Board) -> None:
        attempted(board, "connection refused")
        await until(lambda: bool(api.events))
        with api.changed:
            (first,) = api.events
            api.events.clear()
        await until(lambda: bool(api.events) and first not in api.events)

    reported(cluster, happen, events=True)

    assert next(iter(api.events.values()))["message"] == "db: connection refused"


def test_there_is_at_most_one_event_a_minute(api: ClusterApi, cluster: Cluster) -> None:
    async def happen(board: Board) -> None:
        attempted(board, "connection refused")
        await until(lambda: bool(api.told))
        for number in range(200):
            attempted(board, f"reason {number}")
            await asyncio.sleep(0.001)

    reported(cluster, happen, pace=replace(QUICK, events=60.0), events=True)

    assert len(api.told) == 1


def test_a_quick_start_has_only_the_event_of_the_opening(api: ClusterApi, cluster: Cluster) -> None:
    async def happen(board: Board) -> None:
        attempted(board, "connection refused")
        attempted(board)
        await until(lambda: bool(api.events))

    reported(cluster, happen, pace=NEVER, events=True)
    (event,) = api.events.values()

    assert (event["type"], event["reason"]) == ("Normal", "GateOpened")
    assert event["message"].startswith("open after ")
    assert event["message"].endswith(", slowest: db")


def test_a_degraded_opening_is_a_warning(api: ClusterApi, cluster: Cluster) -> None:
    async def happen(board: Board) -> None:
        board.open("opened without db: connection refused")
        await until(lambda: bool(api.events))

    reported(cluster, happen, events=True)
    (event,) = api.events.values()

    assert (event["type"], event["reason"]) == ("Warning", "GateOpened")
    assert event["message"].startswith("opened without db: connection refused (open after ")


def test_the_condition_is_false_with_the_reason_and_then_true(
    api: ClusterApi, cluster: Cluster
) -> None:
    async def happen(board: Board) -> None:
        attempted(board, "connection refused")
        await until(lambda: TYPE in api.conditions)
        attempted(board)
        await until(lambda: api.conditions[TYPE]["status"] == "True")

    reported(cluster, happen, pod_condition=TYPE)

    assert api.statuses == ["False: waiting for db: connection refused", "True: "]
    assert api.conditions[TYPE]["reason"] == "DependenciesReady"
    assert api.conditions["Ready"] == {"type": "Ready", "status": "False"}


def test_the_condition_turns_false_when_a_monitored_dependency_goes_away(
    api: ClusterApi, cluster: Cluster
) -> None:
    async def happen(board: Board) -> None:
        attempted(board)
        await until(lambda: api.statuses == ["True: "])
        for _ in range(3):
            attempted(board, "connection refused")
        await until(lambda: len(api.statuses) == 2)
        attempted(board)
        await until(lambda: len(api.statuses) == 3)

    monitored = replace(DB, monitor=True)
    reported(cluster, happen, db=monitored, pod_condition=TYPE)

    assert api.statuses == ["True: ", "False: db: connection refused", "True: "]


def test_the_time_of_the_transition_changes_with_the_status_only(
    api: ClusterApi, cluster: Cluster
) -> None:
    times = []

    async def happen(board: Board) -> None:
        for reason in ("connection refused", "starting up"):
            attempted(board, reason)
            await until(lambda: api.conditions.get(TYPE, {}).get("message", "").endswith(reason))  # noqa: B023 -- awaited here
            times.append(api.conditions[TYPE]["lastTransitionTime"])
            await asyncio.sleep(1.1)  # The API's times are whole seconds.

    reported(cluster, happen, pod_condition=TYPE)

    assert times[0] == times[1]


@pytest.mark.parametrize(
    ("settings", "denied", "event", "lacks"),
    [
        ({"events": True}, ("create", "events"), "events.not_written", "create events"),
        (
            {"pod_condition": TYPE},
            ("patch", "pods/status"),
            "condition.not_written",
            "patch pods/status",
        ),
    ],
)
def test_a_lack_of_rights_is_one_warning_and_is_made_good_when_they_come(
    api: ClusterApi,
    cluster: Cluster,
    settings: dict[str, Any],
    denied: tuple[str, str],
    event: str,
    lacks: str,
) -> None:
    api.denied.add(denied)

    async def happen(board: Board) -> None:
        attempted(board, "connection refused")
        await until(lambda: len(api.told) >= 3)
        api.denied.clear()
        await until(lambda: bool(api.events or TYPE in api.conditions))

    (line,) = reported(cluster, happen, **settings).splitlines()
    warning = json.loads(line)

    assert (warning["event"], warning["level"]) == (event, "warning")
    assert warning["reason"].startswith(f"may not {lacks} in namespace prod: RBAC lacks verb ")


def test_the_event_of_the_opening_is_tried_again(api: ClusterApi, cluster: Cluster) -> None:
    api.denied.add(("create", "events"))

    async def happen(board: Board) -> None:
        attempted(board)
        await until(lambda: len(api.told) >= 2)
        api.denied.clear()
        await until(lambda: bool(api.events))

    log = reported(cluster, happen, events=True)

    assert len(log.splitlines()) == 1
    assert next(iter(api.events.values()))["reason"] == "GateOpened"


def test_a_fault_of_gates_own_in_telling_is_a_warning_and_ends_nothing() -> None:
    class Broken(Cluster):
        tries = 0

        async def write(self, _: Any) -> bool:
            self.tries += 1
            raise LookupError

    broken = Broken()

    async def happen(board: Board) -> None:
        await until(lambda: broken.tries > 2)  # Of more than the first nothing may be heard.
        attempted(board)

    (line,) = reported(broken, happen, pod_condition=TYPE).splitlines()

    assert json.loads(line)["reason"] == "LookupError: "


def test_a_warning_holds_no_token() -> None:
    class Echoing(Cluster):
        tries = 0

        async def write(self, _: Any) -> bool:
            self.tries += 1
            attempt.begin()
            attempt.keep_secret("tok3n")
            msg = "unknown token tok3n"
            raise CheckFailed(msg)

    echoing = Echoing()

    async def happen(_: Board) -> None:
        await until(lambda: echoing.tries > 1)

    (line,) = reported(echoing, happen, pod_condition=TYPE).splitlines()

    assert json.loads(line)["reason"] == "unknown token ***"


def test_an_api_server_that_is_not_there_is_one_warning(
    cluster: Cluster, tmp_path: Path, ca_file: Path
) -> None:
    (tmp_path / "token").write_text("t")
    server = url.parse(f"https://localhost:{free_port()}")

    class Gone(Cluster):
        tries = 0

        async def write(self, change_of: Any) -> bool:
            self.tries += 1
            return await super().write(change_of)

    gone = Gone(
        Account(server=server, token_file=str(tmp_path / "token"), tls=Tls(ca=str(ca_file)))
    )

    async def happen(board: Board) -> None:
        attempted(board, "connection refused")
        await until(lambda: gone.tries > 2)  # Of more than the first nothing may be heard.

    (line,) = reported(gone, happen, events=True).splitlines()

    assert json.loads(line)["reason"] == "API server: connection refused"


def test_a_pod_that_the_api_server_does_not_know_is_a_warning_with_the_remedy(
    api: ClusterApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POD_NAME", "somebody")

    async def happen(board: Board) -> None:
        await until(lambda: len(api.told) >= 3)

    (line,) = reported(cluster, happen, pod_condition=TYPE).splitlines()

    assert "set POD_NAME from metadata.name" in line


def test_the_token_says_which_pod_this_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POD_NAME", "POD_NAMESPACE", "POD_UID"):
        monkeypatch.delenv(name, raising=False)
    own = {"namespace": "prod", "pod": {"name": "shop-1", "uid": "u-1"}}
    payload = base64.urlsafe_b64encode(json.dumps({"kubernetes.io": own}).encode()).decode()

    found = pod_identity.own(f"head.{payload.rstrip('=')}.signature", "other")

    assert found == pod_identity.Pod(namespace="prod", name="shop-1", uid="u-1")


ODD = [
    base64.urlsafe_b64encode(odd).decode()
    for odd in (b'{"kubernetes.io": {"pod": ["x"]}}', b"[" * 99_999)
]


@pytest.mark.parametrize(
    "token", ["", "opaque", *(f"a.{payload}.c" for payload in ("b", "e30", "W10", *ODD))]
)
def test_a_token_that_says_nothing_leaves_the_host_name(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("POD_NAME", "POD_NAMESPACE", "POD_UID"):
        monkeypatch.delenv(name, raising=False)

    found = pod_identity.own(token, "prod")

    assert (found.namespace, found.name, found.uid) == ("prod", os.uname().nodename, "")


def test_nothing_of_it_is_loaded_unasked() -> None:
    found = loaded_by("import gate.serve.command")

    assert not found & {"gate.report.pod_events", "gate.report.api_server", "httpx"}


def test_a_gate_in_a_pod_tells_its_api_server_and_ends_at_once(
    api: ClusterApi, ca_file: Path, tmp_path: Path
) -> None:
    """In a mount namespace with a service account where the kubelet mounts it."""
    if os.geteuid() != 0:
        pytest.skip("needs root for a mount namespace")
    account = tmp_path / "account"
    account.mkdir()
    (account / "ca.crt").write_bytes(ca_file.read_bytes())
    (account / "token").write_text(api.token)
    (account / "namespace").write_text("prod")
    folder = "/run/secrets/kubernetes.io/serviceaccount"
    script = f"mount -t tmpfs none /run && mkdir -p {folder} && cp {account}/* {folder}/ && "
    port = free_port()
    env = {
        "GATE_DEPENDENCIES": f"db tcp://127.0.0.1:{port}",
        "GATE_EVENTS": "on",
        "GATE_POD_CONDITION": TYPE,
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(api.port),
    }
    with subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", script + "exec " + " ".join([*GATE, "serve"])],
        env=environment(free_port(), env),
        stderr=subprocess.PIPE,
    ) as gate:
        try:
            api.until(lambda: "False: waiting for db: connection refused" in api.statuses)
            with listening(port):
                api.until(lambda: api.statuses[-1:] == ["True: "])
                api.until(lambda: bool(api.events))
        finally:
            gate.terminate()
            _, errors = gate.communicate(timeout=20)

    assert gate.returncode == 0
    assert b"not_written" not in errors


def test_an_api_server_that_is_silent_delays_neither_opening_nor_end(
    ca_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("t")
    opened = []

    async def happen(board: Board) -> None:
        await asyncio.sleep(0.1)  # The request is under way.
        attempted(board)
        opened.append(board.latch.is_open)

    began = time.monotonic()
    with listening() as port:
        account = Account(
            server=url.parse(f"https://localhost:{port}"),
            token_file=str(tmp_path / "token"),
            tls=Tls(ca=str(ca_file)),
        )
        log = reported(Cluster(account), happen, events=True, pod_condition=TYPE)

    assert opened == [True]
    assert log == ""
    assert time.monotonic() - began < 9.0, "as long as the API server may take to answer"


def test_the_example_gives_the_rights_that_it_takes_and_no_more() -> None:
    documents = list(yaml.safe_load_all((EXAMPLES / "rbac-events.yaml").read_text()))
    (role,) = [one for one in documents if one["kind"] == "Role"]
    (shop,) = [one for one in documents if one["kind"] == "Pod"]
    rights = {
        (verb, resource)
        for rule in role["rules"]
        for verb in rule["verbs"]
        for resource in rule["resources"]
    }
    gate, _ = shop["spec"]["initContainers"]
    env = {each["name"]: each.get("value") for each in gate["env"]}

    assert rights == {("create", "events"), ("patch", "events"), ("patch", "pods/status")}
    assert env["GATE_EVENTS"] == "on"
    assert shop["spec"]["readinessGates"] == [{"conditionType": env["GATE_POD_CONDITION"]}]
