"""The pod player's hooks, environment, last words and endings (facts 5, 6, 8 and 11)."""

import asyncio
import re
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pod import Node, Pod, Service, ServicePort
from tests.pod.building import PATIENCE, command, http, init, main, pod, reply, serving, sidecar

pytestmark = pytest.mark.anyio

QUICK = Node(backoff=0.1, minimum_grace=0.1, event_burst=None)
STRICT = Node(backoff=3600)  # See test_pod.py.


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def hook(script: str, name: str = "postStart") -> dict[str, Any]:
    return {"lifecycle": {name: {"exec": {"command": ["sh", "-c", script]}}}}


def messages(played: Pod, reason: str) -> Sequence[str]:
    return [event.message for event in played.events if event.reason == reason]


class TestPostStart:
    async def test_it_holds_what_comes_next(self) -> None:
        """Facts 5.1, 5.9."""
        async with Pod(pod(sidecar("gate", **hook("sleep 0.2")), main("app")), QUICK) as played:
            app = await played.container_running("app")

            assert app - played.moments("gate", "post-start begun")[0] > 0.2
            assert app >= played.moments("gate", "post-start done")[0]

    async def test_a_failing_one_of_a_sidecar_holds_with_backoff(self) -> None:
        """Facts 5.7, 5.9."""
        gate = sidecar("gate", **hook("echo secret; exit 1"))
        async with Pod(pod(gate, main("app")), STRICT) as played:
            await played.until(lambda _: messages(played, "BackOff"))

            assert set(messages(played, "FailedPostStartHook")) == {"PostStartHook failed"}
            assert set(messages(played, "Killing")) == {"FailedPostStartHook"}
            assert played.moments("gate", "exited 143")
            assert not played.moments("app", "created")
            assert "Init:CrashLoopBackOff" in played.describe()

    async def test_its_details_are_shown_as_the_waiting_reason(self) -> None:
        """Fact 5.7."""
        gate = sidecar("gate", "trap '' TERM; sleep 1000", **hook("echo because; exit 1"))
        wanted = pod(gate, main("app"), terminationGracePeriodSeconds=0.1)
        async with Pod(wanted, QUICK) as played:
            await played.container_ended("gate")

            assert "Reason:       PostStartHookError" in played.describe()
            assert "because" in played.describe()

    async def test_a_failing_one_of_a_main_container_fails_open(self) -> None:
        """Fact 5.8."""
        first = main("first", **hook("sleep 0.1; exit 1"))
        async with Pod(pod(first, main("second")), QUICK) as played:
            second = await played.container_running("second")

            assert second > played.moments("first", "post-start failed")[0]
            assert len(played.moments("first", "started")) == 1

    async def test_no_probe_is_sent_while_it_runs(self) -> None:
        """Fact 2.8."""
        async with serving(reply(200)) as server:
            gate = sidecar("gate", startupProbe=http(server.port, periodSeconds=0.02))
            async with Pod(pod({**gate, **hook("sleep 0.2")}, main("app")), QUICK) as played:
                await played.container_started("app")

                probed = played.moments("gate", "startup probe")[0]
                assert probed > played.moments("gate", "post-start done")[0]

    async def test_its_command_is_not_expanded(self) -> None:
        """Fact 5.6."""
        env = [{"name": "A", "value": "x"}]
        app = main("app", env=env, **hook("echo '$(A)' $A > $GATE_TERMINATION_LOG"))
        async with Pod(pod(app), QUICK) as played:
            await played.container_started("app")

            assert played.instance("app").message_file.read_text() == "$(A) x\n"

    async def test_any_http_answer_is_a_success(self) -> None:
        """Fact 5.2."""
        async with serving(reply(503)) as server:
            get = {"httpGet": {"port": server.port, "path": "/hook"}}
            async with Pod(pod(main("app", lifecycle={"postStart": get})), QUICK) as played:
                await played.container_started("app")

        assert server.paths == ["/hook"]
        assert "User-Agent: kube-lifecycle/1.36" in server.requests[0]

    async def test_a_refused_http_hook_fails_at_once(self) -> None:
        """Fact 5.3."""
        get = {"postStart": {"httpGet": {"port": 1}}}
        async with Pod(pod(main("app", lifecycle=get)), QUICK) as played:
            await played.until(lambda _: messages(played, "FailedPostStartHook"))

    async def test_it_dies_with_its_container_and_so_has_failed(self) -> None:
        """It lives in the container's process namespace; then as facts 5.7, 5.9 and 5.13."""
        gate = sidecar("gate", **hook("sleep 1000"))
        async with Pod(pod(gate, main("app")), QUICK) as played:
            await played.until(lambda pod: pod.moments("gate", "post-start begun"))
            played.crash("gate")
            await played.until(lambda pod: len(pod.moments("gate", "post-start begun")) == 2)

            assert messages(played, "FailedPostStartHook") == ["PostStartHook failed"]
            reason, text = played.containers["gate"].waiting or ("", "")
            assert reason == "PostStartHookError"
            assert "command exited with 137" in text
            assert not played.moments("app", "created")

    async def test_of_a_main_container_that_dies_it_fails_open(self) -> None:
        """Fact 5.8: the next container is started whatever has become of this one."""
        first = main("first", **hook("sleep 1000"))
        async with Pod(pod(first, main("second")), QUICK) as played:
            await played.until(lambda pod: pod.moments("first", "post-start begun"))
            played.crash("first")
            second = await played.container_running("second")

            assert second > played.moments("first", "post-start failed")[0]

    async def test_a_deletion_waits_for_it(self) -> None:
        """Fact 5.11."""
        async with Pod(pod(sidecar("gate", **hook("sleep 0.3")), main("app")), QUICK) as played:
            await played.until(lambda pod: pod.moments("gate", "post-start begun"))
            await played.stop()

            done = played.moments("gate", "post-start done")[0]
            assert played.moments("gate", "SIGTERM")[0] > done
            assert not played.moments("app", "created")


STUBBORN = "trap '' TERM; echo ready; while :; do sleep 0.05; done"


class TestEnd:
    async def test_sidecars_end_after_the_app_in_reverse_order(self) -> None:
        """Facts 6.1, 6.2."""
        slow = "trap 'sleep 0.1; exit 0' TERM; echo ready; while :; do sleep 0.02; done"
        wanted = pod(sidecar("a"), sidecar("b", slow), main("app", slow))
        async with Pod(wanted, QUICK) as played:
            await played.until(lambda pod: pod.logs("app") and pod.logs("b"))
            await played.stop()

            ended = ("app", "exited"), ("b", "SIGTERM"), ("b", "exited"), ("a", "SIGTERM")
            times = [played.moments(name, what)[0] for name, what in ended]
            assert times == sorted(times)
            assert len(messages(played, "Killing")) == 3

    async def test_pre_stop_is_not_ordered(self, tmp_path: Path) -> None:
        """Fact 6.3."""
        waiting = (
            "trap 'cat {0}; exit 0' TERM; mkfifo {0}; echo ready; while :; do sleep 0.02; done"
        )
        app = main("app", waiting.format(tmp_path / "fifo"))
        hears = hook(f"echo heard > {tmp_path / 'fifo'}", "preStop")
        wanted = pod(sidecar("gate", **hears), app, terminationGracePeriodSeconds=3600)
        async with Pod(wanted, QUICK) as played:
            await played.until(lambda pod: pod.logs("app"))
            await played.stop()

            # The app ends only because the sidecar's hook, run meanwhile, speaks to it.
            assert played.logs("app") == "ready\nheard\n"

    async def test_who_ignores_sigterm_is_killed_after_the_grace(self) -> None:
        """Facts 6.1, 6.4."""
        wanted = pod(sidecar("gate"), main("app", STUBBORN), terminationGracePeriodSeconds=0.3)
        async with Pod(wanted, QUICK) as played:
            await played.until(lambda pod: pod.logs("app"))
            begun = time.monotonic()
            await played.stop()

            assert played.instance("app").exit_code == 137
            (killed,) = played.moments("app", "SIGKILL")
            assert killed - begun > 0.29
            assert played.moments("gate", "SIGTERM")[0] - begun > 0.29

    async def test_a_gate_that_still_waits_is_ended_at_once(self) -> None:
        """Fact 6.5."""
        gate = sidecar("gate", startupProbe=command("exit 1", failureThreshold=1000))
        wanted = pod(gate, main("app"), terminationGracePeriodSeconds=3600)
        async with Pod(wanted, QUICK) as played:
            await played.container_running("gate")
            await played.stop()

            assert played.moments("gate", "exited 143")

    @pytest.mark.parametrize(("code", "phase"), [(0, "Succeeded"), (3, "Failed")])
    async def test_a_job_that_is_done_ends_its_sidecars(self, code: int, phase: str) -> None:
        """Facts 6.8, 6.9."""
        wanted = pod(sidecar("gate"), main("job", f"exit {code}"), restartPolicy="Never")
        async with Pod(wanted, QUICK) as played:
            assert await played.ended() == phase

            assert played.moments("gate", "SIGTERM")[0] > played.moments("job", "exited")[0]
            assert played.containers["gate"].restarts == 0

    async def test_on_failure_restarts_only_what_failed(self) -> None:
        volume = {"volumes": [{"name": "v", "emptyDir": {}}]}
        mount = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
        retry = main("retry", "test -e /v/x || { touch /v/x; exit 1; }", **mount)
        wanted = pod(retry, main("once", "true"), restartPolicy="OnFailure", **volume)
        async with Pod(wanted, QUICK) as played:
            assert await played.ended() == "Succeeded"

            restarts = {name: each.restarts for name, each in played.containers.items()}
            assert restarts == {"retry": 1, "once": 0}

    async def test_a_sidecar_is_restarted_in_a_never_pod(self) -> None:
        """Fact 2.14."""
        wanted = pod(sidecar("gate", "exit 0"), main("app"), restartPolicy="Never")
        async with Pod(wanted, QUICK) as played:
            await played.until(lambda pod: pod.containers["gate"].restarts == 2)


class TestLastWords:
    async def last_words(self, script: str, **fields: Any) -> str:
        app = main("app", script, **fields)
        async with Pod(pod(app, restartPolicy="Never"), QUICK) as played:
            await played.ended()
            return played.instance("app").message

    async def test_the_file_is_the_message(self) -> None:
        """Fact 8.1; its path is told in GATE_TERMINATION_LOG and replaced where it is named."""
        assert await self.last_words("echo why > $GATE_TERMINATION_LOG") == "why\n"
        assert await self.last_words("echo why > /dev/termination-log") == "why\n"
        own = {"terminationMessagePath": "/run/why"}
        assert await self.last_words("echo why > /run/why", **own) == "why\n"

    async def test_only_the_end_is_kept(self) -> None:
        """Fact 8.2."""
        script = "for i in $(seq 2000); do echo $i; done > $GATE_TERMINATION_LOG"

        message = await self.last_words(script)

        assert len(message) == 4096
        assert message.endswith("2000\n")

    async def test_the_containers_share_12_kib(self) -> None:
        """Fact 8.2."""
        script = "for i in $(seq 2000); do echo $i; done > $GATE_TERMINATION_LOG"
        inits = [init(f"i{number}", "true") for number in range(5)]
        wanted = pod(*inits, main("app", script), restartPolicy="Never")
        async with Pod(wanted, QUICK) as played:
            await played.ended()

            assert len(played.instance("app").message) == 2048

    @pytest.mark.parametrize(("code", "message"), [(1, "why\n"), (0, "")])
    async def test_the_log_stands_in_after_an_error(self, code: int, message: str) -> None:
        """Fact 8.3."""
        policy = {"terminationMessagePolicy": "FallbackToLogsOnError"}

        assert await self.last_words(f"echo why; exit {code}", **policy) == message

    async def test_it_is_shown_as_last_state_after_a_restart(self) -> None:
        """Fact 8.4."""
        app = main("app", "echo why > $GATE_TERMINATION_LOG; exit 1")
        async with Pod(pod(app), STRICT) as played:
            await played.until(lambda _: messages(played, "BackOff"))

            assert "Reason:       CrashLoopBackOff" in played.describe()
            assert "Message:      why" in played.describe()


class TestSurroundings:
    async def output(self, node: Node, script: str, **fields: Any) -> list[str]:
        volumes = fields.pop("volumes", [])
        wanted = pod(main("app", script, **fields), restartPolicy="Never", volumes=volumes)
        async with Pod(wanted, node) as played:
            await played.ended()
            return played.logs("app").splitlines()

    async def test_variables_come_from_everywhere(self) -> None:
        """Facts 11.1-11.5."""
        node = Node(
            secrets={"db": {"url": "postgresql://u:p@db"}},
            services=[Service(name="gate", cluster_ip="10.0.0.1", ports=(ServicePort(port=80),))],
        )
        env = [
            {"name": "URL", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "ALL", "value": "$(URL) $(GATE_PORT) $(NONE)"},
        ]

        lines = await self.output(node, "echo $ALL; echo '$(IP)'", env=env)

        assert lines == ["postgresql://u:p@db tcp://10.0.0.1:80 $(NONE)", "127.0.0.2"]

    async def test_volumes_are_folders_of_their_own(self) -> None:
        """Paths are replaced as text: where a path begins, and nowhere else."""
        node = Node(config_maps={"conf": {"a.txt": "from the map\n"}})
        volumes = [
            {"name": "conf", "configMap": {"name": "conf"}},
            {"name": "run", "emptyDir": {}},
        ]
        mounts = [
            {"name": "conf", "mountPath": "/etc/app"},
            {"name": "run", "mountPath": "/run/x"},
        ]
        env = [
            {"name": "P", "value": "unix:/run/x/s http://host/run/x /run/xy http+unix://%2Frun%2Fx"}
        ]
        script = "cat /etc/app/a.txt; touch /run/x/s; ls /run/x; echo $P"
        fields = {"volumes": volumes, "volumeMounts": mounts, "env": env}

        text, listed, replaced = await self.output(node, script, **fields)

        unix, url, other, quoted = replaced.split()
        assert (text, listed) == ("from the map", "s")
        assert re.fullmatch("unix:/.*/volumes/run/s", unix)
        assert (url, other) == ("http://host/run/x", "/run/xy")
        assert quoted.endswith("%2Fvolumes%2Frun")


async def played(manifest: Path, *options: str, interrupt: bool = False) -> tuple[int, str]:
    """Run the command line; with *interrupt*, press Ctrl-C once the app has started."""
    argv = ["-m", "tests.pod", str(manifest), *options]
    child = await asyncio.create_subprocess_exec(
        sys.executable, *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert child.stdout is not None
    text = b""
    async with asyncio.timeout(PATIENCE):
        while line := await child.stdout.readline():
            text += line
            if interrupt and b"app " in line and b"* started=true" in line:
                child.send_signal(signal.SIGINT)
        return await child.wait(), text.decode()


class TestCommandLine:
    def manifest(self, folder: Path, **spec: Any) -> Path:
        path, greeted = folder / "pod.yaml", folder / "greeted"
        has_greeted = command(f"test -e {greeted}", failureThreshold=10**6)
        script = f"echo hello; touch {greeted}; exec sleep 1000"
        app = {"kind": "main", "name": "app", "image": "nginx:1", **spec}
        path.write_text(yaml.safe_dump(pod(sidecar("gate", script, startupProbe=has_greeted), app)))
        return path

    async def test_it_plays_until_a_container_has_started(self, tmp_path: Path) -> None:
        image = f"nginx={shlex.join(['sleep', '1000'])}"

        code, text = await played(
            self.manifest(tmp_path), "--image", image, "--until", "app", "--describe"
        )

        assert code == 0
        for wanted in ("gate         | hello", "app          * started", "* exited 143", "Events:"):
            assert wanted in text

    async def test_ctrl_c_ends_it_in_order(self, tmp_path: Path) -> None:
        code, text = await played(
            self.manifest(tmp_path), "--image", "nginx=sleep 1000", interrupt=True
        )

        assert code == 0
        app, gate = (text.index(f"{name:<12} * exited 143") for name in ("app", "gate"))
        assert app < gate

    async def test_an_invalid_manifest_is_told(self, tmp_path: Path) -> None:
        manifest = self.manifest(tmp_path, livenessProbe={"periodSeconds": 1})

        code, text = await played(manifest)

        assert code == 2
        assert "must specify exactly one handler type" in text
