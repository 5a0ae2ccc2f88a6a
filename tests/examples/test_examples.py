"""Every file in examples/, played: the app starts when all is ready, and never before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.conftest import needs
from tests.pod import Image, Pod, load
from tests.pod.building import PATIENCE, serving
from tests.process import run_gate
from tests.stand_ins import EXAMPLES, Ports, dependency, manifest, node, web

pytestmark = pytest.mark.anyio

DATABASE = "db.example.com:5432"
SHORT_HOLD = {"hold=25s": "hold=200ms"}
"""So that a probe is over, and has failed, before the dependency comes."""
BRIEF = "4s"
"""A limit that is to pass, but not before the first attempt has failed."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def ports() -> Ports:
    return Ports()


def play(
    name: str,
    ports: Ports,
    images: dict[str, Image] | None = None,
    replaced: dict[str, str] | None = None,
) -> Pod:
    """Return the example's pod, the database and gate on ports of this machine."""
    hosts = {DATABASE: f"127.0.0.1:{ports['db']}", **(replaced or {})}
    # So that nothing ends in time because it is killed.
    spec = replace(load(manifest(name, ports["gate"], hosts)), grace=3600)
    return Pod(spec, node(ports["gate"], images or {}))


def said(pod: Pod, name: str, text: str) -> bool:
    return text in pod.logs(name)


async def until_waiting(pod: Pod) -> None:
    """Wait until gate has found something not ready and said so."""
    await pod.until(lambda pod: said(pod, "gate", "dependency.waiting"))


async def until_held(pod: Pod) -> None:
    """Wait until the kubelet has asked and was told to wait: a probe that passes would show."""
    await pod.until(lambda pod: pod.moments("gate", "startup probe failure"))


class Way:
    """What is asked of gate passes here."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.requests: list[str] = []
        self._held = asyncio.Event()

    async def pass_on(self, request: str) -> bytes:
        """Return gate's answer to *request*, as soon as it comes."""
        self.requests.append(request)
        self._held.set()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            # Not all who ask say so, and the answer is over when the connection is.
            writer.write(request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").encode())
            answer = await reader.read()
            writer.close()
            return answer
        finally:
            self._held.clear()

    async def until_held(self) -> None:
        """Wait until gate keeps someone waiting for its answer."""
        async with asyncio.timeout(PATIENCE):
            await self._held.wait()

    def asked(self, agent: str) -> int:
        """Return how often *agent* has asked whether gate is open."""
        asked = [request for request in self.requests if " /startupz" in request]
        return sum(f"User-Agent: {agent}" in request for request in asked)


@asynccontextmanager
async def overheard(
    name: str, ports: Ports, images: dict[str, Image], replaced: dict[str, str]
) -> AsyncIterator[tuple[Pod, Way]]:
    """Play the example, with all that asks gate led through a `Way`."""
    way = Way(ports["gate"])
    async with serving(way.pass_on, "0.0.0.0") as server:
        text = manifest(name, server.port, replaced)
        for command in ("gate, hold", "gate, probe"):
            text = text.replace(f"{command},", f"{command}, --listen, ':{server.port}',")
        async with Pod(text, node(ports["gate"], images)) as pod:
            yield pod, way


ASKED_BY = {
    "curl-hook.yaml": "curl/",
    "exec-probe.yaml": "gate-probe",
    "job.yaml": "kube-probe/",
    "poststart-container.yaml": "gate-probe",
    "poststart-sidecar.yaml": "gate-probe",
    "state-file.yaml": "kube-probe/",
}
"""Who holds the app, by asking gate."""
BEHIND = {"job.yaml": ("migrate", "started"), "poststart-sidecar.yaml": ("gate", "post-start done")}
"""What comes when gate has opened, where it is not the app."""


@pytest.mark.parametrize("name", ASKED_BY)
async def test_what_asks_when_gate_opens_is_answered_and_need_not_ask_again(
    name: str, ports: Ports
) -> None:
    needs("curl", "curl")
    images = {"agent": web(ports["agent"])}
    replaced = {DATABASE: f"127.0.0.1:{ports['db']}"}
    if name == "curl-hook.yaml":
        replaced["localhost:8080/"] = f"localhost:{ports['agent']}/"
    behind = BEHIND.get(name, ("app", "started"))
    async with overheard(name, ports, images, replaced) as (pod, way):
        await until_waiting(pod)
        await way.until_held()
        asked = way.asked(ASKED_BY[name])
        assert not pod.moments(*behind)

        with dependency(ports["db"]):
            await pod.until(lambda pod: pod.moments(*behind))

        assert asked
        assert way.asked(ASKED_BY[name]) == asked


async def test_a_native_sidecar_holds_the_app_for_nginx_and_the_database(
    ports: Ports, tmp_path: Path
) -> None:
    images = {"nginx": nginx(ports["nginx"], tmp_path)}
    replaced = {
        DATABASE: f"127.0.0.1:{ports['db']}",
        "localhost:80/": f"localhost:{ports['nginx']}/",
    }
    async with overheard("sidecar.yaml", ports, images, replaced) as (pod, way):
        await until_waiting(pod)
        await pod.until(lambda pod: said(pod, "gate", '"dependency": "nginx", "after"'))
        await way.until_held()
        asked = way.asked("kube-probe/")
        assert not pod.moments("app", "created")

        with dependency(ports["db"]):
            await pod.container_running("app")

        assert way.asked("kube-probe/") == asked


def nginx(port: int, folder: Path) -> Image:
    """Return the real nginx, serving an empty answer on *port*, its files in *folder*."""
    program = needs("nginx", "nginx-light")
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log stderr; events {{}} http {{ access_log off; "
        f"server {{ listen 127.0.0.1:{port}; location / {{ return 204; }} }} }}"
    )
    return Image(entrypoint=(program, "-e", "stderr", "-c", f"{folder}/nginx.conf"))


async def test_gate_after_a_mesh_proxy_waits_for_the_proxy_and_through_it(ports: Ports) -> None:
    images = {"proxyv2": web(ports["mesh"], delay=1.0)}
    replaced = {
        "sidecar:istio": f"sidecar:istio port={ports['mesh']}",
        "payments.example.com:8080": f"127.0.0.1:{ports['payments']}",
    }
    async with overheard("mesh.yaml", ports, images, replaced) as (pod, way):
        await pod.until(lambda pod: said(pod, "gate", '"dependency.ready"'))
        await way.until_held()
        asked = way.asked("kube-probe/")
        assert pod.moments("istio-proxy", "started")[0] < pod.moments("gate", "created")[0]
        assert not pod.moments("app", "created")

        server = await asyncio.create_subprocess_exec(*web(ports["payments"]).entrypoint)
        try:
            await pod.container_running("app")
        finally:
            server.terminate()
            await server.wait()

        assert way.asked("kube-probe/") == asked


async def test_a_hook_of_a_native_sidecar_holds_the_app(ports: Ports) -> None:
    async with play("poststart-sidecar.yaml", ports) as pod:
        await until_waiting(pod)
        assert not pod.moments("app", "created")
        # No probe is sent while the hook runs (fact 2.8).
        assert not pod.moments("gate", "startup probe")

        with dependency(ports["db"]):
            await pod.container_running("app")

        # And none is held: the first one after the hook finds gate open.
        (done,) = pod.moments("gate", "post-start done")
        (passed,) = pod.moments("gate", "startup probe")
        assert done < passed < pod.moments("app", "created")[0]


async def test_a_failing_hook_of_a_native_sidecar_still_holds(ports: Ports) -> None:
    async with play("poststart-sidecar.yaml", ports, replaced={"2m": "300ms"}) as pod:
        await pod.until(lambda pod: len(pod.moments("gate", "post-start failed")) >= 2)

        assert not pod.moments("app", "created")


async def test_a_hook_of_the_first_container_delays_the_next(ports: Ports) -> None:
    async with play("poststart-container.yaml", ports) as pod:
        await until_waiting(pod)
        assert not pod.moments("app", "created")

        with dependency(ports["db"]):
            await pod.container_running("app")

        assert pod.moments("gate", "post-start done")[0] < pod.moments("app", "created")[0]


async def test_a_hook_of_the_first_container_fails_open_when_gate_dies(ports: Ports) -> None:
    """The limit that the example tells of: the hook ends with its container."""
    async with play("poststart-container.yaml", ports) as pod:
        await until_waiting(pod)
        pod.crash("gate")
        await pod.container_running("app")

        assert pod.moments("gate", "post-start failed")[0] < pod.moments("app", "created")[0]


async def test_a_failing_hook_of_the_first_container_fails_open(ports: Ports) -> None:
    """The limit that the example tells of (fact 5.8)."""
    async with play("poststart-container.yaml", ports, replaced={"24h": "300ms"}) as pod:
        await pod.container_running("app")

        assert pod.moments("gate", "post-start failed")[0] < pod.moments("app", "created")[0]


async def test_an_init_container_waits_and_ends(ports: Ports) -> None:
    async with play("init.yaml", ports) as pod:
        await until_waiting(pod)
        assert not pod.moments("app", "created")

        with dependency(ports["db"]):
            assert await pod.container_ended("gate") == 0
            await pod.container_running("app")

        assert pod.moments("gate", "exited 0")[0] < pod.moments("app", "created")[0]


async def test_an_init_container_that_gives_up_says_why_and_is_started_again(ports: Ports) -> None:
    async with play("init.yaml", ports, replaced={"10m": BRIEF}) as pod:
        await pod.until(lambda pod: pod.containers["gate"].restarts >= 1)

        first = pod.containers["gate"].instances[0]
        assert first.exit_code == 1
        assert first.message == "gate: not ready in time: db: connection refused"
        assert not pod.moments("app", "created")


async def test_an_exec_probe_puts_the_reason_into_the_events(ports: Ports) -> None:
    async with play("exec-probe.yaml", ports, replaced={"25s": "1s"}) as pod:
        text = "Startup probe failed: waiting for db: connection refused"
        await pod.until(lambda pod: any(event.message.strip() == text for event in pod.events))
        assert not pod.moments("app", "created")

        with dependency(ports["db"]):
            await pod.container_running("app")

        assert text in pod.describe()


@pytest.mark.parametrize(("name", "told"), [("exec-probe.yaml", 0), ("state-file.yaml", 1)])
async def test_a_degraded_opening_is_an_event_if_the_probe_is_over_http(
    name: str, told: int, ports: Ports
) -> None:
    """What an exec probe says that succeeds is dropped, as the example says (facts 3.8, 4.1)."""
    replaced = {f"tcp://{DATABASE}": f"tcp://127.0.0.1:{ports['db']} optional deadline={BRIEF}"}
    text = manifest(name, ports["gate"], replaced)
    async with Pod(text, node(ports["gate"], {})) as pod:
        await pod.container_running("app")

        warnings = [event for event in pod.events if event.reason == "ProbeWarning"]
        assert len(warnings) == told
        await pod.until(lambda pod: said(pod, "gate", "opened without db"))


async def test_the_hook_of_another_sidecar_holds_with_one_line_of_curl(ports: Ports) -> None:
    needs("curl", "curl")
    images = {"agent": web(ports["agent"], delay=0.5)}
    replaced = {"localhost:8080/": f"localhost:{ports['agent']}/"}
    async with play("curl-hook.yaml", ports, images, replaced) as pod:
        await pod.until(lambda pod: said(pod, "gate", '"dependency": "agent", "after"'))
        assert pod.moments("agent", "post-start begun")
        assert not pod.moments("app", "created")

        with dependency(ports["db"]):
            await pod.container_running("app")

        assert pod.moments("agent", "post-start done")[0] < pod.moments("app", "created")[0]


async def test_a_job_is_held_and_gate_does_not_delay_its_end(ports: Ports) -> None:
    async with play("job.yaml", ports, replaced=SHORT_HOLD) as pod:
        await until_waiting(pod)
        await until_held(pod)
        assert not pod.moments("migrate", "created")

        with dependency(ports["db"]):
            assert await pod.ended() == "Succeeded"

        assert pod.moments("migrate", "exited 0")
        assert pod.moments("gate", "exited 0")
        assert not pod.moments("gate", "SIGKILL")


@pytest.mark.parametrize(
    "name",
    ["curl-hook.yaml", "poststart-container.yaml", "poststart-sidecar.yaml", "state-file.yaml"],
)
async def test_a_gate_that_restarts_in_an_outage_blocks_nothing(name: str, ports: Ports) -> None:
    """A hook runs again, and would have the pod's worker wait for its end (facts 5.11, 5.13)."""
    images = {"agent": web(ports["agent"])}
    sidecar, replaced = "gate", {}
    if name == "curl-hook.yaml":
        needs("curl", "curl")
        sidecar, replaced = "agent", {"localhost:8080/": f"localhost:{ports['agent']}/"}
    async with play(name, ports, images, replaced) as pod:
        with dependency(ports["db"]):
            await pod.container_running("app")
            await pod.until(lambda pod: pod.is_ready)

        for killed in dict.fromkeys(("gate", sidecar, "app")):
            record = pod.containers[killed]
            pod.crash(killed)
            await pod.until(lambda _, record=record: record.restarts == 1)  # type: ignore[misc]
        await pod.until(lambda pod: pod.is_ready)

        await pod.stop()


async def test_a_gate_that_restarts_with_a_state_file_opens_at_once(ports: Ports) -> None:
    async with play("state-file.yaml", ports) as pod:
        with dependency(ports["db"]):
            await pod.container_running("app")

        pod.crash("gate")
        await pod.until(lambda pod: pod.containers["gate"].restarts == 1)
        await pod.until(lambda pod: pod.containers["gate"].is_started)

        await pod.until(lambda pod: said(pod, "gate", "gate.restored"))
        await pod.until(lambda pod: pod.is_ready)


async def test_a_pod_is_ended_in_order_app_first(ports: Ports) -> None:
    async with play("state-file.yaml", ports) as pod:
        with dependency(ports["db"]):
            await pod.container_running("app")

        await pod.stop()

        assert pod.moments("app", "exited")[0] < pod.moments("gate", "SIGTERM")[0]
        assert pod.containers["gate"].instances[-1].exit_code == 0


def test_docker_compose_waits_for_the_database(ports: Ports) -> None:
    """No engine to run compose with: what the service would run is run as it says there."""
    services = yaml.safe_load((EXAMPLES / "docker-compose.yaml").read_text())["services"]
    env = dict(services["gate"]["environment"])
    env["GATE_DEPENDENCIES"] = env["GATE_DEPENDENCIES"].replace(
        "db:5432", f"127.0.0.1:{ports['db']}"
    )
    command = services["gate"]["command"]
    late = run_gate(*command, env={**env, "GATE_TIMEOUT": BRIEF})
    with dependency(ports["db"]):
        ready = run_gate(*command, env=env)

    assert (late[0], ready[0]) == (1, 0)
    assert services["app"]["depends_on"]["gate"]["condition"] == "service_completed_successfully"


def manifests() -> list[Path]:
    return sorted(path for path in EXAMPLES.glob("*.yaml") if "compose" not in path.name)


def gates(path: Path) -> list[dict[str, object]]:
    """Return gate's containers in the manifests of *path*."""
    found = []
    for document in yaml.safe_load_all(path.read_text()):
        spec = document.get("spec", {})
        spec = spec.get("template", {}).get("spec", spec)
        containers = [*spec.get("initContainers", []), *spec.get("containers", [])]
        found += [one for one in containers if one.get("image", "").split(":")[0].endswith("/gate")]
    return found


@pytest.mark.parametrize("path", manifests(), ids=lambda path: path.name)
def test_each_gate_has_requests_a_memory_limit_and_a_strict_security_context(path: Path) -> None:
    found = gates(path)

    assert found
    for gate in found:
        resources, security = gate["resources"], gate["securityContext"]
        assert set(resources["requests"]) == {"cpu", "memory"}  # type: ignore[index]
        assert set(resources["limits"]) == {"memory"}  # type: ignore[index]
        assert security["readOnlyRootFilesystem"] is True  # type: ignore[index]
        assert security["runAsUser"] == 65532  # type: ignore[index]
        assert security["capabilities"] == {"drop": ["ALL"]}  # type: ignore[index]
