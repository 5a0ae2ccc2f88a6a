"""The pod player when the node does something: a restart of the kubelet, a reboot, a resize."""

import asyncio
from dataclasses import replace

import pytest

from tests.pod import Node, Pod
from tests.pod.building import command, init, main, pod, sidecar

pytestmark = pytest.mark.anyio

QUICK = Node(backoff=0.1, minimum_grace=0.1, settled=0)
NEVER = command("exit 1", failureThreshold=1000)
"""A startup probe that never passes."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def until_probed(played: Pod, name: str) -> None:
    await played.until(lambda pod: pod.moments(name, "startup probe failure"))


class TestRestartOfTheKubelet:
    async def test_a_sidecar_that_is_still_probed_is_taken_for_started(self) -> None:
        """Fact 2.19, kubernetes#142305: the app starts, though the probe has never passed."""
        wanted = pod(sidecar("gate", startupProbe=NEVER), main("app"))
        async with Pod(wanted, QUICK) as played:
            await until_probed(played, "gate")
            await played.restart_kubelet()
            await played.container_running("app")

            assert not played.moments("gate", "startup probe success")
            assert len(played.containers["gate"].instances) == 1

    async def test_one_that_has_not_run_for_long_is_not(self) -> None:
        wanted = pod(sidecar("gate", startupProbe=NEVER), main("app"))
        async with Pod(wanted, replace(QUICK, settled=3600)) as played:
            await until_probed(played, "gate")
            before = len(played.moments("gate", "startup probe failure"))
            await played.restart_kubelet()
            await played.until(
                lambda pod: len(pod.moments("gate", "startup probe failure")) > before + 3
            )

            assert not played.moments("app", "created")

    async def test_with_the_old_behaviour_it_is_probed_on(self) -> None:
        old = replace(QUICK, keeps_status_on_kubelet_restart=True)
        wanted = pod(sidecar("gate", startupProbe=NEVER), main("app"))
        async with Pod(wanted, old) as played:
            await until_probed(played, "gate")
            before = len(played.moments("gate", "startup probe failure"))
            await played.restart_kubelet()
            await played.until(
                lambda pod: len(pod.moments("gate", "startup probe failure")) > before + 3
            )

            assert not played.moments("app", "created")

    async def test_a_plain_init_container_holds_through_it(self) -> None:
        wanted = pod(sidecar("gate", startupProbe=NEVER), init("hold", "sleep 1000"), main("app"))
        async with Pod(wanted, QUICK) as played:
            await until_probed(played, "gate")
            await played.restart_kubelet()
            await played.container_running("hold")
            await played.restart_kubelet()
            # A pass of the sync in which the app could have been started.
            await played.until(lambda pod: pod.containers["hold"].current)
            await asyncio.sleep(0)

            assert not played.moments("app", "created")

    async def test_a_hook_that_runs_is_forgotten(self) -> None:
        """Fact 5.10: nobody records that a hook completed."""
        hook = {"lifecycle": {"postStart": {"exec": {"command": ["sleep", "1000"]}}}}
        async with Pod(pod(sidecar("gate", **hook), main("app")), QUICK) as played:
            await played.until(lambda pod: pod.moments("gate", "post-start begun"))
            await played.restart_kubelet()
            await played.container_running("app")

            assert not played.moments("gate", "post-start done")


BLOCKED = {"lifecycle": {"postStart": {"exec": {"command": ["sleep", "1000"]}}}}


class TestAddressOfThePod:
    async def test_there_is_none_while_a_hook_blocks_in_the_first_container(self) -> None:
        async with Pod(pod(sidecar("gate", **BLOCKED), main("app")), QUICK) as played:
            await played.until(lambda pod: pod.moments("gate", "post-start begun"))

            assert played.ip == ""

    async def test_a_container_in_front_brings_it(self) -> None:
        wanted = pod(init("first", "exit 0"), sidecar("gate", **BLOCKED), main("app"))
        async with Pod(wanted, QUICK) as played:
            await played.until(lambda pod: pod.moments("gate", "post-start begun"))

            assert played.ip == QUICK.pod_ip


async def test_a_lost_sandbox_begins_everything_anew() -> None:
    """Fact 1.15."""
    wanted = pod(init("first", "exit 0"), sidecar("gate"), main("app"))
    async with Pod(wanted, QUICK) as played:
        await played.container_running("app")
        await played.lose_sandbox()
        await played.until(lambda pod: len(pod.moments("app", "started")) == 2)

        assert len(played.moments("first", "started")) == 2
        assert len(played.moments("gate", "started")) == 2


async def test_a_resize_restarts_one_container_in_place() -> None:
    """Fact 13.9."""
    async with Pod(pod(sidecar("gate"), main("app")), QUICK) as played:
        await played.container_running("app")
        played.restart_in_place("gate")
        await played.until(lambda pod: pod.containers["gate"].restarts == 1)

        assert len(played.moments("app", "started")) == 1


async def test_a_deadline_fails_the_pod_though_an_init_container_waits() -> None:
    wanted = pod(init("wait", "exec sleep 1000"), main("app"), activeDeadlineSeconds=0.2)
    async with Pod(wanted, QUICK) as played:
        assert await played.ended() == "Failed"

        assert not played.moments("app", "created")


class TestRestartRules:
    @staticmethod
    def rules(action: str, code: int) -> dict[str, object]:
        wanted = {"operator": "In", "values": [code]}
        return {"restartPolicyRules": [{"action": action, "exitCodes": wanted}]}

    async def test_a_rule_restarts_what_the_policy_would_not(self) -> None:
        app = main("app", "exit 7", restartPolicy="Never", **self.rules("Restart", 7))
        async with Pod(pod(app, restartPolicy="Never"), QUICK) as played:
            await played.until(lambda pod: pod.containers["app"].restarts >= 1)

    async def test_another_code_is_not_meant(self) -> None:
        app = main("app", "exit 8", restartPolicy="Never", **self.rules("Restart", 7))
        async with Pod(pod(app, restartPolicy="Never"), QUICK) as played:
            assert await played.ended() == "Failed"
            assert played.containers["app"].restarts == 0

    async def test_all_containers_restart_init_containers_included(self) -> None:
        rules = self.rules("RestartAllContainers", 7)
        app = main("app", "sleep 0.1; exit 7", restartPolicy="Never", **rules)
        wanted = pod(init("first", "exit 0"), sidecar("gate"), app, restartPolicy="Never")
        async with Pod(wanted, QUICK) as played:
            await played.until(lambda pod: len(pod.moments("app", "started")) >= 2)

            assert len(played.moments("first", "started")) >= 2
            assert len(played.moments("gate", "started")) >= 2
