"""One probe: httpGet, tcpSocket or exec, with its retries (facts 2.13, 3 and 4)."""

import asyncio
from dataclasses import dataclass
from enum import Enum

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.pod.http_probe import BODY_LIMIT, BodyError, Request, TransportError, dial_error, get
from tests.pod.instance import Instance
from tests.pod.model import Exec, Grpc, HttpGet, Probe, TcpSocket
from tests.pod.process import Launch, run
from tests.pod.sandbox import Sandbox

USER_AGENT = "kube-probe/1.36"
_ATTEMPTS = 3
_OK, _REDIRECTION, _BAD = 200, 300, 400


class Status(Enum):
    """How a probe ended, in the kubelet's words."""

    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A probe's result; one that is an error counts as nothing at all (fact 2.13)."""

    status: Status
    text: str = ""
    is_error: bool = False

    @property
    def has_passed(self) -> bool:
        """Success, with a warning or without."""
        return self.status in {Status.SUCCESS, Status.WARNING}


@dataclass(frozen=True, slots=True)
class Prober:
    """Sends probes to a pod's containers."""

    sandbox: Sandbox
    pod_ip: str

    async def probe(self, probe: Probe, instance: Instance) -> Outcome:
        """Probe up to three times as long as it is an error, without a pause (fact 2.13)."""
        outcome = await self._once(probe, instance)
        for _ in range(_ATTEMPTS - 1):
            if not outcome.is_error:
                break
            outcome = await self._once(probe, instance)
        return outcome

    async def _once(self, probe: Probe, instance: Instance) -> Outcome:
        action = probe.action
        if isinstance(action, Exec):
            words = action.command
            launch = self.sandbox.probe(instance.container, words, instance.message_file)
            return await _exec(launch, probe.timeout, instance.ended)
        if isinstance(action, Grpc):
            return await _grpc(self.pod_ip, action, probe.timeout)
        if isinstance(action, HttpGet | TcpSocket):
            return await self._network(action, probe, instance)
        raise TypeError(action)

    async def _network(
        self, action: HttpGet | TcpSocket, probe: Probe, instance: Instance
    ) -> Outcome:
        try:
            port = port_of(action, instance)
        except KeyError:
            text = f"couldn't find port: {action.port!r}"
            return Outcome(Status.UNKNOWN, text, is_error=True)
        if isinstance(action, TcpSocket):
            return await _tcp(action.host or self.pod_ip, port, probe.timeout)
        request = http_request(action, self.pod_ip, port, USER_AGENT)
        return await _http(request, probe.timeout)


def port_of(action: HttpGet | TcpSocket, instance: Instance) -> int:
    """Return the number of a port that may be a name in the container's list (fact 3.10)."""
    port = action.port
    return port if isinstance(port, int) else instance.container.ports[port]


def http_request(action: HttpGet, pod_ip: str, port: int, user_agent: str) -> Request:
    """Return the request; an empty host means the pod's address (fact 3.10)."""
    host = action.host or pod_ip
    host = f"[{host}]" if ":" in host else host
    url = f"{action.scheme.lower()}://{host}:{port}{action.path}"
    return Request(url=url, user_agent=user_agent, headers=action.headers)


async def _http(request: Request, limit: float) -> Outcome:
    try:
        reply = await get(request, limit)
    except TransportError as exc:
        return Outcome(Status.FAILURE, str(exc))
    except BodyError as exc:
        # Fact 3.9: whatever the status was.
        return Outcome(Status.FAILURE, str(exc), is_error=True)
    return _judge(reply.status, reply.body)


def _judge(status: int, body: bytes) -> Outcome:
    """200..399 pass; a 3xx passes with a warning that has the body (facts 3.5, 3.6, 3.8)."""
    if _OK <= status < _REDIRECTION:
        return Outcome(Status.SUCCESS)
    if _REDIRECTION <= status < _BAD:
        text = f"Probe terminated redirects, Response body: {body.decode(errors='replace')}"
        return Outcome(Status.WARNING, text)
    return Outcome(Status.FAILURE, f"HTTP probe failed with statuscode: {status}")


async def _grpc(host: str, action: Grpc, limit: float) -> Outcome:
    """SERVING passes; whatever else, a call that fails too, is a failure (KEP-2727)."""
    async with grpc.aio.insecure_channel(f"{host}:{action.port}") as channel:
        request = health_pb2.HealthCheckRequest(service=action.service)
        try:
            answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=limit)
        except grpc.aio.AioRpcError as exc:
            return Outcome(Status.FAILURE, f"gRPC probe failed: {exc.code().name}")
    if answer.status == health_pb2.HealthCheckResponse.SERVING:
        return Outcome(Status.SUCCESS)
    return Outcome(Status.FAILURE, f"service unhealthy (responded with {answer.status})")


async def _tcp(host: str, port: int, limit: float) -> Outcome:
    """An accepted connection is enough (fact 4.6)."""
    try:
        async with asyncio.timeout(limit):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return Outcome(Status.FAILURE, f"dial tcp {host}:{port}: i/o timeout")
    except OSError as exc:
        return Outcome(Status.FAILURE, dial_error(host, port, exc))
    writer.transport.abort()
    return Outcome(Status.SUCCESS)


async def _exec(launch: Launch, limit: float, container_ended: asyncio.Event) -> Outcome:
    """Exit code 0 passes; the first 10 KiB of output are the reason if not (facts 4.1-4.3)."""
    try:
        completed = await run(launch, limit, container_ended)
    except TimeoutError:
        command = " ".join(launch.argv)
        return Outcome(Status.FAILURE, f'command timed out: "{command}" timed out after {limit:g}s')
    except OSError as exc:
        text = f'failed to exec in container: "{launch.argv[0]}": {exc.strerror}'
        return Outcome(Status.UNKNOWN, text, is_error=True)
    if completed.exit_code:
        output = completed.output[:BODY_LIMIT]
        return Outcome(Status.FAILURE, output.decode(errors="replace"))
    return Outcome(Status.SUCCESS)
