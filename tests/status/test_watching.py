"""`gate status --watch`: what is new, and what can no longer be seen."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gate.config import flags
from gate.core.errors import ClusterError, UsageError
from gate.status import command, watching
from gate.status.report import Report
from tests.checks.servers.kubernetes import Kubernetes
from tests.conftest import run
from tests.status.world import gate_status, pod, sidecar, write_kubeconfig

Step = Callable[[Kubernetes], None]


def nothing(_: Kubernetes) -> None:
    """What is the same is told again on a screen alone."""


@pytest.fixture
def watch(
    server_tls: ssl.SSLContext,
    ca_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., list[str]]:
    """Return what puts a cluster up and gives what is told before each of some steps.

    The reader goes away after the last one.
    """
    for name in ("PAUSE", "PAUSE_EVERYWHERE"):
        monkeypatch.setattr(f"gate.status.watching.{name}", 0.02)

    def going(
        *steps: Step,
        arguments: tuple[str, ...] = (),
        is_screen: bool = False,
        before: Step = nothing,
    ) -> list[str]:
        async def whole() -> list[str]:
            told: list[str] = []
            async with Kubernetes(server_tls) as server:
                server.put("pods", "shop-1", **pod(sidecar("db tcp://db:1")))

                before(server)

                def put(text: str) -> int:
                    told.append(text)
                    if len(told) > len(steps):
                        return 1
                    steps[len(told) - 1](server)
                    return 0

                cluster = {"server": server.url, "certificate-authority": str(ca_file)}
                path = write_kubeconfig(tmp_path / "config", cluster, {"token": "t"})
                words = ["status", "--watch", "--kubeconfig", str(path), *arguments]
                assert await command.run(flags.parse(words), put, is_screen=is_screen) == 1
            return told

        found: list[str] = run(whole())
        return found

    return going


def opened(server: Kubernetes) -> None:
    server.put("pods", "shop-1", **pod(sidecar("db tcp://db:1"), gate_status(started=True)))


def test_what_changes_is_told_once(watch: Callable[..., list[str]]) -> None:
    lines = watch(opened, arguments=("-o", "json"))

    assert [len(json.loads(line)["held"]) for line in lines] == [1, 0]


def test_a_screen_is_drawn_again_each_time(watch: Callable[..., list[str]]) -> None:
    first, second, third = watch(nothing, opened, arguments=("-A",), is_screen=True)

    assert first.startswith("\x1b[H\x1b[2Jprod  deployment/shop\n")
    assert second.startswith("\x1b[H\x1b[2Jprod  deployment/shop\n")
    assert third == "\x1b[H\x1b[2Jthe cluster: none of 1 pod with gate is held\n"


def test_a_cluster_that_is_away_for_a_while_is_told_of_once_and_asked_again() -> None:
    away, slow = ClusterError("away"), ClusterError("slow")
    looks: Iterator[Report | ClusterError] = iter(
        [report(0), away, away, slow, report(1), away, report(2)]
    )
    told: list[str] = []

    async def look() -> Report:
        found = next(looks)
        if isinstance(found, ClusterError):
            raise found
        return found

    def show(one: Report) -> bool:
        told.append(str(one.gated))
        return one.gated < 2

    run(watching.watch(look, show, told.append, 0.0))

    assert told == ["0", "away", "slow", "1", "away", "2"]


def test_a_cluster_that_is_back_is_seen_again(
    watch: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def away(server: Kubernetes) -> None:
        def complain(text: str) -> None:
            told.append(text)
            server.failure = None
            opened(server)

        monkeypatch.setattr("gate.report.output.print_error", complain)
        server.failure = (500, "etcd is away")

    first, second = watch(away)

    assert "1 of 1 pod with gate is held" in first
    assert "none of 1 pod with gate is held" in second
    assert told == ["gate: API server: status 500: etcd is away"]


def test_what_is_the_same_is_told_once() -> None:
    told: list[str] = []

    def put(text: str) -> int:
        told.append(text)
        return 0

    show = watching.shown(lambda one: str(one.gated), put, is_screen=False)

    assert all(show(report(gated)) for gated in (1, 1, 2, 1))
    assert told == ["1", "2", "1"]


def report(gated: int) -> Report:
    empty: tuple[()] = ()
    return Report(
        where="the cluster",
        at=datetime.now(UTC),
        gated=gated,
        held=empty,
        notes=empty,
        counts={},
        edges=empty,
        cycles=empty,
        missing=empty,
    )


def test_a_cluster_that_cannot_be_asked_at_first_ends_it(watch: Callable[..., list[str]]) -> None:
    def never(server: Kubernetes) -> None:
        server.failure = (500, "etcd is away")

    with pytest.raises(ClusterError, match="status 500: etcd is away"):
        watch(before=never)


@pytest.mark.parametrize("name", ["../x", "a b", "A", "-"])
def test_what_can_be_no_namespace_is_not_asked_for(
    watch: Callable[..., list[str]], name: str
) -> None:
    with pytest.raises(UsageError, match="is not the name of a namespace"):
        watch(arguments=(f"--namespace={name}",))


def test_a_drawing_is_not_watched(watch: Callable[..., list[str]]) -> None:
    with pytest.raises(UsageError, match="--watch goes with --output text and json"):
        watch(arguments=("-o", "dot"))
