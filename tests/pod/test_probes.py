"""The pod player's single probes against real servers and processes (facts 3 and 4)."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.pod import Node, parse
from tests.pod.building import PATIENCE, Lifeline, Server, main, pod, reply, serving
from tests.pod.instance import Instance
from tests.pod.model import Action, Exec, HttpGet, Probe, TcpSocket
from tests.pod.probes import Outcome, Prober, Status
from tests.pod.sandbox import Sandbox
from tests.unhurried import Unhurried

pytestmark = pytest.mark.anyio

SPEC = parse(
    pod(
        main(
            "app",
            ports=[{"name": "web", "containerPort": 1}],
            env=[{"name": "A", "value": "raw"}, {"name": "B", "value": "$(A)"}],
        )
    )
)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": Unhurried}


@asynccontextmanager
async def prober() -> AsyncIterator[tuple[Prober, Instance]]:
    sandbox = Sandbox(SPEC, Node())
    container = SPEC.main_containers[0]
    instance = Instance(container=container, message_file=sandbox.message_file(container, 0))
    try:
        yield Prober(sandbox, "127.0.0.2"), instance
    finally:
        sandbox.close()


async def probe(action: Action, timeout: float = PATIENCE) -> Outcome:  # noqa: ASYNC109 -- its own
    async with prober() as (sender, instance):
        return await sender.probe(Probe(action=action, timeout=timeout), instance)


async def get(server: Server, timeout: float = PATIENCE, **fields: object) -> Outcome:  # noqa: ASYNC109
    action = HttpGet(**{"path": "/", "port": server.port, **fields})  # type: ignore[arg-type]
    return await probe(action, timeout)


async def answered(answer: bytes) -> Outcome:
    async with serving(answer) as server:
        return await get(server)


class TestRequest:
    async def test_it_is_sent_as_the_kubelet_does(self) -> None:
        """Facts 3.1, 3.2."""
        async with serving(reply(200)) as server:
            await get(server, path="/startupz?hold=25s")

        assert server.requests[0].split("\r\n") == [
            "GET /startupz?hold=25s HTTP/1.1",
            f"Host: 127.0.0.2:{server.port}",
            "User-Agent: kube-probe/1.36",
            "Accept: */*",
            "Connection: close",
            "",
            "",
        ]

    async def test_own_headers_replace_the_usual_ones(self) -> None:
        """Fact 3.1."""
        headers = (("Host", "example.com"), ("Accept", ""), ("X-Token", "t"))
        async with serving(reply(200)) as server:
            await get(server, headers=headers)

        (request,) = server.requests
        assert "Host: example.com\r\n" in request
        assert "127.0.0.2" not in request
        assert "Accept" not in request
        assert "X-Token: t\r\n" in request


class TestStatus:
    @pytest.mark.parametrize("status", [200, 204, 299])
    async def test_2xx_passes(self, status: int) -> None:
        """Fact 3.5."""
        assert await answered(reply(status)) == Outcome(Status.SUCCESS)

    @pytest.mark.parametrize("status", [400, 404, 424, 500, 503])
    async def test_anything_else_fails_without_the_body(self, status: int) -> None:
        """Facts 3.5, 3.8."""
        text = f"HTTP probe failed with statuscode: {status}"

        assert await answered(reply(status, "why")) == Outcome(Status.FAILURE, text)

    @pytest.mark.parametrize("status", [300, 302, 305, 307])
    async def test_3xx_without_location_passes_with_the_body_as_warning(self, status: int) -> None:
        """Facts 3.6, 3.8."""
        text = "Probe terminated redirects, Response body: opened without cache"

        outcome = await answered(reply(status, "opened without cache"))

        assert outcome == Outcome(Status.WARNING, text)
        assert outcome.has_passed

    async def test_redirects_to_another_host_are_not_followed_but_pass(self) -> None:
        """Fact 3.6."""
        outcome = await answered(reply(302, "", "Location: http://127.0.0.3:1/login"))

        assert outcome.status is Status.WARNING

    async def test_redirects_to_the_same_host_are_followed(self) -> None:
        """Fact 3.6: the port may differ."""
        async with (
            serving(reply(503)) as other,
            serving(reply(302, "", f"Location: http://127.0.0.2:{other.port}/b")) as server,
        ):
            outcome = await get(server)

        assert other.paths == ["/b"]
        assert outcome.text == "HTTP probe failed with statuscode: 503"

    async def test_ten_redirects_are_enough(self) -> None:
        """Fact 3.6."""
        async with serving(reply(302, "", "Location: /again")) as server:
            outcome = await get(server)

        assert len(server.requests) == 10
        assert (outcome.status, outcome.is_error) == (Status.FAILURE, False)
        assert "stopped after 10 redirects" in outcome.text

    async def test_interim_answers_are_skipped(self) -> None:
        outcome = await answered(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + reply(200))

        assert outcome == Outcome(Status.SUCCESS)


class TestTransport:
    async def test_a_refused_connection_fails(self) -> None:
        """Facts 2.11, 3.8."""
        async with serving(b"") as server:
            port = server.port

        outcome = await probe(HttpGet(path="/x", port=port))

        refused = f"dial tcp 127.0.0.2:{port}: connect: connection refused"
        text = f'Get "http://127.0.0.2:{port}/x": {refused}'
        assert outcome == Outcome(Status.FAILURE, text)

    async def test_a_server_on_loopback_only_is_not_reached(self) -> None:
        """Fact 3.10."""
        async with serving(reply(200), host="127.0.0.1") as server:
            refused = await get(server)
            own_host = await get(server, host="127.0.0.1")

        assert "connection refused" in refused.text
        assert own_host == Outcome(Status.SUCCESS)

    async def test_a_held_status_line_is_a_failure_at_the_timeout(self) -> None:
        """Facts 2.11, 3.3."""

        async def hold(_request: str) -> bytes:
            await asyncio.sleep(1000)
            return reply(200)

        async with serving(hold) as server:
            outcome = await get(server, timeout=0.05)

        text = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        assert outcome.text == f'Get "http://127.0.0.2:{server.port}/": {text}'
        assert (outcome.status, outcome.is_error) == (Status.FAILURE, False)

    @pytest.mark.parametrize("answer", [b"", b"220 smtp ready\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: b"])
    async def test_what_is_no_http_fails(self, answer: bytes) -> None:
        outcome = await answered(answer)

        assert (outcome.status, outcome.is_error) == (Status.FAILURE, False)

    async def test_an_unknown_port_name_is_an_error(self) -> None:
        """Fact 2.13."""
        outcome = await probe(HttpGet(path="/", port="wep"))

        assert (outcome.status, outcome.is_error) == (Status.UNKNOWN, True)

    async def test_a_port_name_is_looked_up_in_the_container(self) -> None:
        """Fact 3.10."""
        outcome = await probe(HttpGet(path="/", port="web"))

        assert "dial tcp 127.0.0.2:1:" in outcome.text


class TestBody:
    @pytest.mark.parametrize("status", [200, 503])
    async def test_a_body_cut_short_is_an_error_tried_three_times(self, status: int) -> None:
        """Facts 2.13, 3.9."""
        head = f"HTTP/1.1 {status} x\r\nContent-Length: 100\r\n\r\nshort"
        async with serving(head.encode()) as server:
            outcome = await get(server)

        assert len(server.requests) == 3
        assert outcome == Outcome(Status.FAILURE, "unexpected EOF", is_error=True)

    async def test_a_body_held_until_the_timeout_is_an_error(self) -> None:
        """Fact 3.9."""
        async with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n") as server:
            server.keeps_open = True
            outcome = await get(server, timeout=0.5)

        assert outcome.is_error
        assert "while reading body" in outcome.text

    async def test_at_most_10_kib_are_read(self) -> None:
        """Fact 3.7: the rest may even be missing."""
        head = f"HTTP/1.1 300 x\r\nContent-Length: {10**9}\r\n\r\n" + "a" * 20_000

        outcome = await answered(head.encode())

        assert len(outcome.text) == len("Probe terminated redirects, Response body: ") + 10 * 1024

    async def test_chunked_and_endless_bodies_are_understood(self) -> None:
        head = "HTTP/1.1 300 x\r\n"
        chunked = head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"

        assert (await answered(chunked.encode())).text.endswith("body: abcde")
        assert (await answered(f"{head}\r\nabc".encode())).text.endswith("body: abc")
        assert (await answered(chunked[:-12].encode())).is_error


class TestTcp:
    async def test_a_listening_port_is_enough(self) -> None:
        """Fact 4.6."""
        async with serving(b"") as server:
            assert await probe(TcpSocket(port=server.port)) == Outcome(Status.SUCCESS)

        refused = await probe(TcpSocket(port=server.port))
        assert refused.status is Status.FAILURE
        assert refused.text.endswith("connect: connection refused")


def shell(script: str) -> Exec:
    return Exec(command=("sh", "-c", script))


class TestExec:
    async def test_exit_0_passes_and_says_nothing(self) -> None:
        """Fact 4.1."""
        assert await probe(shell("echo fine")) == Outcome(Status.SUCCESS)

    async def test_another_exit_fails_with_stdout_then_stderr(self) -> None:
        """Fact 4.1."""
        outcome = await probe(shell("echo two >&2; echo one; exit 3"))

        assert outcome == Outcome(Status.FAILURE, "one\ntwo\n")

    async def test_only_10_kib_of_output_are_kept(self) -> None:
        """Fact 4.1."""
        command = (sys.executable, "-c", "print('a' * 20000); exit(1)")

        assert len((await probe(Exec(command=command))).text) == 10 * 1024

    async def test_a_timeout_is_a_failure_and_leaves_nothing(self, tmp_path: Path) -> None:
        """Fact 4.2."""
        lifeline = Lifeline(tmp_path / "fifo")
        script = f"exec 9>{lifeline.path}; echo begun >&9; sleep 1000 & sleep 1000"

        probing = asyncio.create_task(probe(shell(script), timeout=1000))
        await lifeline.begun()
        for _ in range(100):
            # It runs, and so nothing but turns of the loop is left until its time counts.
            await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Unhurried)
        loop.skip(1000)
        outcome = await probing

        assert outcome.status is Status.FAILURE
        assert outcome.text.startswith("command timed out: ")
        assert await lifeline.end() == b"begun\n"

    async def test_it_dies_with_its_container(self) -> None:
        """It lives in the container's process namespace."""
        async with prober() as (sender, instance), asyncio.timeout(PATIENCE):
            held = Probe(action=shell("sleep 1000"), timeout=1000)
            sending = asyncio.create_task(sender.probe(held, instance))
            await asyncio.sleep(0)
            instance.ended.set()

            assert await sending == Outcome(Status.FAILURE)

    @pytest.mark.parametrize("turns", range(12))
    async def test_it_can_be_given_up_at_any_moment_of_its_start(self, turns: int) -> None:
        async with prober() as (sender, instance), asyncio.timeout(PATIENCE):
            held = Probe(action=shell("sleep 1000"), timeout=1000)
            sending = asyncio.create_task(sender.probe(held, instance))
            for _ in range(turns):
                await asyncio.sleep(0)
            sending.cancel()
            await asyncio.wait([sending])

            assert sending.cancelled()

    async def test_a_command_that_cannot_start_is_an_error(self) -> None:
        """Facts 2.13, 4.3."""
        outcome = await probe(Exec(command=("no-such-command",)))

        assert (outcome.status, outcome.is_error) == (Status.UNKNOWN, True)

    async def test_variables_are_expanded_from_raw_values_only(self) -> None:
        """Fact 4.4; the process itself has the container's environment."""
        outcome = await probe(shell("echo '$(B)' $B; exit 1"))

        assert outcome.text == "$(A) raw\n"
