"""The pod player, playing: real processes started, probed and restarted in the kubelet's order."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.pod import Event, Node, Pod
from tests.pod.building import (
    Lifeline,
    Server,
    command,
    http,
    init,
    main,
    pod,
    python,
    reply,
    serving,
    sidecar,
)

pytestmark = pytest.mark.anyio

QUICK = Node(backoff=0.1, minimum_grace=0.1, event_burst=None)
STRICT = Node(backoff=3600)
"""Where what has to wait for a back-off never happens."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def order(played: Pod, *wanted: tuple[str, str]) -> None:
    """Assert that the first of each of *wanted* happened in this order."""
    times = [played.moments(name, what)[0] for name, what in wanted]
    assert times == sorted(times), played.timeline


def messages(played: Pod, reason: str) -> Sequence[str]:
    return [event.message for event in played.events if event.reason == reason]


def probed(server: Server, **fields: Any) -> dict[str, Any]:
    return {"startupProbe": http(server.port, "/startup", **fields)}


class TestInitContainers:
    async def test_each_waits_for_the_one_before_to_exit_0(self) -> None:
        """Fact 1.8."""
        async with Pod(
            pod(init("a", "sleep 0.1"), init("b", "true"), main("app")), QUICK
        ) as played:
            await played.container_started("app")

            order(
                played, ("a", "exited 0"), ("b", "created"), ("b", "exited 0"), ("app", "created")
            )

    async def test_one_that_fails_is_tried_again_at_once_and_then_with_backoff(self) -> None:
        """Facts 2.16, 9.1."""
        async with Pod(pod(init("migrate", "exit 1"), main("app")), STRICT) as played:
            await played.until(lambda _: messages(played, "BackOff"))

            assert played.containers["migrate"].restarts == 1
            assert messages(played, "BackOff") == [
                "Back-off restarting failed container migrate in pod demo_default"
            ]

    async def test_one_that_is_in_backoff_is_tried_again_when_that_is_over(self) -> None:
        """Facts 2.16, 9.1."""
        volume = {"volumes": [{"name": "v", "emptyDir": {}}]}
        script = "echo x >> /v/tries; test $(wc -l < /v/tries) = 3"
        migrate = init("migrate", script, volumeMounts=[{"name": "v", "mountPath": "/v"}])
        async with Pod(pod(migrate, main("app"), **volume), QUICK) as played:
            await played.container_started("app")

            _, second, third = played.containers["migrate"].instances
            assert third.started_at - second.finished_at > 0.09

    async def test_one_that_fails_ends_a_never_pod_with_its_sidecars(self) -> None:
        """Facts 6.10, 9.1."""
        wanted = pod(sidecar("log"), init("x", "exit 1"), main("app"), restartPolicy="Never")
        async with Pod(wanted, QUICK) as played:
            assert await played.ended() == "Failed"

            assert played.instance("log").exit_code == 143
            assert not played.moments("app", "created")


class TestSidecar:
    async def test_without_startup_probe_it_gates_nothing(self) -> None:
        """Fact 1.3."""
        async with Pod(pod(sidecar("gate"), main("app")), QUICK) as played:
            await played.container_running("app")

            order(played, ("gate", "started=true"), ("app", "created"))

    async def test_the_next_container_waits_for_its_startup_probe(self) -> None:
        """Facts 1.2, 1.8, 1.9, 3.8."""
        async with serving(reply(503, "why")) as server:
            gate = sidecar("gate", **probed(server, failureThreshold=1000))
            async with Pod(pod(gate, init("mid", "true"), main("app")), QUICK) as played:
                await played.until(lambda pod: len(pod.moments("gate", "startup probe")) > 3)
                assert not played.moments("mid", "created")
                assert "Shown as:   Init:0/2" in played.describe()
                server.answer = reply(200)
                await played.container_started("app")

                order(played, ("gate", "started=true"), ("mid", "created"), ("app", "created"))
                (event,) = [each for each in played.events if each.reason == "Unhealthy"]
                assert event.message == (
                    "Startup probe failed: HTTP probe failed with statuscode: 503"
                )
                assert event.count >= 4

    async def test_after_success_only_the_other_probes_are_sent(self) -> None:
        """Facts 2.9, 2.10."""
        async with serving(reply(200)) as server:
            others: dict[str, Any] = {
                "readinessProbe": http(server.port, "/ready"),
                "livenessProbe": http(server.port, "/live"),
            }
            gate = sidecar("gate", **probed(server), **others)
            async with Pod(pod(gate, main("app")), QUICK) as played:
                await played.until(lambda pod: len(pod.moments("gate", "liveness probe")) >= 3)
                await played.until(lambda pod: pod.is_ready)

        assert server.paths.count("/startup") == 1
        assert server.paths[0] == "/startup"
        assert {"/ready", "/live"} <= set(server.paths)

    async def test_a_held_probe_never_overlaps(self) -> None:
        """Fact 2.2; that the next follows at once is told of the ticker."""

        async def hold(_request: str) -> bytes:
            await asyncio.sleep(0.12)
            return reply(503)

        async with serving(hold) as server:
            gate = sidecar("gate", **probed(server, failureThreshold=4))
            async with Pod(pod(gate, main("app")), QUICK) as played:
                await played.until(lambda pod: len(pod.moments("gate", "startup probe")) == 3)

        assert server.most_open == 1
        assert len(server.requests) >= 3

    async def test_used_up_failures_kill_it_and_restart_it(self) -> None:
        """Facts 2.14, 2.17: three rounds, and no back-off as each lasts longer than that."""
        gate = sidecar("gate", startupProbe=command("exit 1", failureThreshold=4))
        async with Pod(pod(gate, main("app")), QUICK) as played:
            await played.until(lambda pod: pod.containers["gate"].restarts == 3)

            assert len(played.moments("gate", "started=false")) == 3
            killing = "Init container gate failed startup probe"
            assert messages(played, "Killing") == [killing]
            assert not messages(played, "BackOff")
            assert not played.moments("app", "created")

    async def test_short_rounds_end_in_backoff_after_the_second(self) -> None:
        """Facts 2.14, 2.17: the first restart is in the same pass, which knows of no exit yet."""
        gate = sidecar("gate", startupProbe=command("exit 1", failureThreshold=1))
        async with Pod(pod(gate, main("app")), STRICT) as played:
            await played.until(lambda _: messages(played, "BackOff"))

            assert played.containers["gate"].restarts == 2
            assert "Shown as:   Init:CrashLoopBackOff" in played.describe()
            assert "back-off 3600s restarting failed container=gate" in played.describe()

    async def test_the_probe_may_have_a_grace_of_its_own(self, tmp_path: Path) -> None:
        """Fact 2.14."""
        deaf = tmp_path / "deaf"
        script = f"until test -e {deaf}; do sleep 0.01; done; exit 1"
        probe = command(script, failureThreshold=1, terminationGracePeriodSeconds=0.2)
        ignoring = f"trap '' TERM; touch {deaf}; while :; do sleep 0.05; done"
        gate = sidecar("gate", ignoring, startupProbe=probe)
        wanted = pod(gate, main("app"), terminationGracePeriodSeconds=3600)
        async with Pod(wanted, QUICK) as played:
            assert await played.container_ended("gate") == 137

            (asked, *_), (killed, *_) = (
                played.moments("gate", what) for what in ("SIGTERM", "SIGKILL")
            )
            assert killed - asked > 0.1

    async def test_its_restart_leaves_the_app_alone_but_takes_readiness(self) -> None:
        """Facts 1.5, 7.1, 7.2."""
        async with serving(reply(200)) as server:
            gate = sidecar("gate", **probed(server))
            async with Pod(pod(gate, main("app")), QUICK) as played:
                await played.until(lambda pod: pod.is_ready)
                server.answer = reply(503)
                played.crash("gate")
                await played.until(lambda pod: len(pod.moments("gate", "started")) == 2)
                await played.until(lambda pod: pod.moments("gate", "startup probe failure"))

                assert not played.is_ready
                assert played.phase == "Running"
                server.answer = reply(200)
                await played.until(lambda pod: pod.is_ready)
                assert played.containers["app"].restarts == 0

    async def test_a_lone_app_that_ends_waits_for_a_gate_not_passed(self) -> None:
        """Fact 1.6."""
        async with serving(reply(200)) as server:
            gate = sidecar("gate", **probed(server, failureThreshold=1000))
            async with Pod(pod(gate, main("app")), QUICK) as played:
                await played.container_started("app")
                server.answer = reply(503)
                played.crash("gate")
                await played.until(lambda pod: len(pod.moments("gate", "started")) == 2)
                played.crash("app")
                await played.until(lambda pod: len(pod.moments("gate", "startup probe")) > 3)
                assert played.containers["app"].restarts == 0
                server.answer = reply(200)
                await played.until(lambda pod: len(pod.moments("app", "started")) == 2)


class TestProbeEvents:
    async def test_300_opens_with_a_warning(self) -> None:
        """Facts 3.6, 3.8."""
        async with serving(reply(300, "opened without cache")) as server:
            gate = sidecar("gate", **probed(server))
            async with Pod(pod(gate, main("app")), QUICK) as played:
                await played.container_started("app")

                (message,) = messages(played, "ProbeWarning")
                assert message == (
                    "Startup probe warning: Probe terminated redirects, "
                    "Response body: opened without cache"
                )

    async def test_the_output_of_an_exec_probe_is_told(self) -> None:
        """Fact 4.1."""
        probe = command("echo waiting for db; exit 1", failureThreshold=1000)
        async with Pod(pod(sidecar("gate", startupProbe=probe), main("app")), QUICK) as played:
            await played.until(lambda pod: len(pod.moments("gate", "startup probe")) == 2)

            assert messages(played, "Unhealthy") == ["Startup probe failed: waiting for db\n"]

    async def test_a_probe_that_errs_never_passes_and_never_fails(self) -> None:
        """Facts 2.13, 4.3."""
        probe = {**command("true", failureThreshold=1), "exec": {"command": ["no-such-command"]}}
        async with Pod(pod(sidecar("gate", startupProbe=probe), main("app")), QUICK) as played:
            await played.until(lambda pod: len(pod.moments("gate", "startup probe error")) == 4)

            assert played.containers["gate"].restarts == 0
            assert not played.moments("app", "created")
            (message,) = messages(played, "Unhealthy")
            assert message.startswith("Startup probe errored and resulted in unknown state: ")

    async def test_frequent_failures_use_up_the_pods_warnings(self) -> None:
        """Fact 3.13."""
        node = Node(backoff=0.1)
        gate = sidecar("gate", startupProbe=http(1, periodSeconds=0.01, failureThreshold=1000))
        async with Pod(pod(gate, main("app")), node) as played:
            await played.until(lambda pod: pod.dropped_events >= 3)

            (event,) = [each for each in played.events if each.type == "Warning"]
            assert event.count == 25

    async def test_no_probe_comes_before_the_initial_delay_is_over(self) -> None:
        """Fact 2.7: skipped probes are not counted."""
        delayed = command("true", initialDelaySeconds=0.25)
        async with Pod(pod(sidecar("gate", startupProbe=delayed), main("app")), QUICK) as played:
            await played.container_started("gate")

            (probed_at,) = played.moments("gate", "startup probing")
            assert probed_at - played.instance("gate").started_at >= 0.25

    async def test_no_probe_comes_before_the_phase_of_the_ticks(self) -> None:
        """Fact 2.5."""
        gate = sidecar("gate", startupProbe=command("true"))
        async with Pod(pod(gate, main("app")), Node(probe_phase=0.4)) as played:
            await played.container_started("gate")

            (probed_at,) = played.moments("gate", "startup probing")
            assert probed_at - played.added_at > 0.39


class TestMainContainers:
    async def test_a_failed_liveness_probe_restarts_one(self) -> None:
        """Facts 1.5, 2.15."""
        async with serving(reply(200)) as server:
            app = main("app", livenessProbe=http(server.port, failureThreshold=2))
            async with Pod(pod(sidecar("gate"), app), QUICK) as played:
                await played.until(lambda _: server.requests)
                server.answer = reply(500)
                await played.until(lambda pod: pod.containers["app"].restarts == 1)

                killing = "Container app failed liveness probe, will be restarted"
                assert messages(played, "Killing") == [killing]
                assert len(played.moments("app", "liveness probe failure")) == 2
                assert played.containers["gate"].restarts == 0

    async def test_readiness_comes_and_goes_without_restarts(self) -> None:
        """Fact 2.11."""
        async with serving(reply(503)) as server:
            app = main("app", readinessProbe=http(server.port, failureThreshold=1))
            async with Pod(pod(app), QUICK) as played:
                await played.until(lambda pod: pod.moments("app", "readiness probe failure"))
                assert not played.is_ready
                server.answer = reply(200)
                await played.until(lambda pod: pod.is_ready)
                server.answer = reply(503)
                await played.until(lambda pod: not pod.is_ready)

                assert played.containers["app"].restarts == 0

    async def test_one_that_cannot_start_is_told(self) -> None:
        wanted = pod({"kind": "main", "name": "app", "command": ["no-such-command"]})
        async with Pod(wanted, QUICK) as played:
            assert await played.container_ended("app") == 128

            assert messages(played, "Failed") == [
                "Error: no-such-command: No such file or directory"
            ]

    async def test_its_exit_takes_what_it_started_along(self, tmp_path: Path) -> None:
        """As with a process namespace: a forgotten child does not outlive its container."""
        lifeline = Lifeline(tmp_path / "fifo")
        app = main("app", f"exec 9>{lifeline.path}; echo begun >&9; sleep 1000 & exit 3")
        async with Pod(pod(app, restartPolicy="Never"), QUICK) as played:
            assert await played.container_ended("app") == 3

            assert await lifeline.end() == b"begun\n"

    async def test_all_output_is_kept_with_its_times(self) -> None:
        code = "import os; os.write(1, b'out\\n'); os.write(2, b'err\\n'); os.write(1, b'end')"
        app = {"kind": "main", "name": "app", "command": python(code)}
        async with Pod(pod(app, restartPolicy="Never"), QUICK) as played:
            assert await played.ended() == "Succeeded"

            assert played.logs("app").split() == ["out", "err", "end"]
            assert [line.at for line in played.containers["app"].log] > [played.added_at]


async def test_a_failed_wait_shows_the_pod() -> None:
    async with Pod(pod(main("app")), QUICK) as played:
        await played.container_started("app")

        with pytest.raises(TimeoutError, match="Containers:"):
            await played.until(lambda _: False, timeout=0.01)


async def test_a_failed_test_leaves_no_process(tmp_path: Path) -> None:
    lifeline = Lifeline(tmp_path / "fifo")
    speaks = "echo begun >&9; echo begun"
    script = f"exec 9>{lifeline.path}; trap '' TERM; {speaks}; sleep 1000 & sleep 1000"
    with pytest.raises(KeyError):  # noqa: PT012 -- what is raised inside is the point
        async with Pod(pod(sidecar("gate"), main("app", script)), QUICK) as played:
            await played.container_started("app")
            await played.until(lambda pod: pod.logs("app"))
            raise KeyError

    assert all(not record.is_running for record in played.containers.values())
    assert await lifeline.end() == b"begun\n"


async def test_news_reach_the_listener() -> None:
    news: list[object] = []
    async with Pod(pod(main("app", "echo hi; sleep 100")), QUICK, listener=news.append) as played:
        await played.until(lambda pod: pod.logs("app"))

    assert any(isinstance(each, Event) and each.reason == "Started" for each in news)
