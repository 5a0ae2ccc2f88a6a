"""What the kernel, a cluster, name servers, clouds and other gates say, read as bytes."""

from __future__ import annotations

import asyncio
import json
import os
import struct
from contextlib import suppress
from functools import cache
from typing import Any

import dns.message
import dns.nameserver

from gate import checks, config
from gate.checks.identity import aws, azure, eks, token
from gate.checks.k8s.api import parsed
from gate.checks.wire import resolv_conf
from gate.core.errors import CheckFailed, ConfigError
from gate.lint import baseline
from gate.pods import from_json
from gate.probe import client
from gate.report import pod_identity
from gate.runtime import listening_sockets
from gate.runtime.runner import DependencyCheck, make_attempt
from gate.serve.exchange import Connection
from gate.serve.responder import Responder
from gate.status import asking, exec_plugin, kubeconfig, seen
from tests.serve.tables import TABLE
from tests.virtual import VirtualLoop

KINDS = (
    *("A", "AAAA", "CAA", "CNAME", "HTTPS", "MX", "NAPTR"),
    *("NS", "PTR", "SOA", "SRV", "SVCB", "TLSA", "TXT"),
)


def listeners(data: bytes) -> None:
    """Read what the kernel tells of sockets that listen."""
    listening_sockets.listeners(data)
    with suppress(OSError):
        listening_sockets._is_last(data)


def probe_answer(data: bytes) -> None:
    """Read what is said to `gate probe`."""
    with suppress(client._NoAnswerError):
        client._parse(data, 4283)


def tokens(data: bytes) -> None:
    """Read the token of a service account."""
    text = data.decode(errors="surrogateescape")
    pod_identity.own(text, "a")
    token._claims(text)


def clouds(data: bytes) -> None:
    """Read what the services of clouds say to one who asks for a token."""
    for judge in (aws._judge, azure._judge, eks._judge):
        for status in (200, 400):
            with suppress(CheckFailed):
                judge(status, data)


@cache
def _file() -> int:
    return os.memfd_create("fuzz")


def in_file(data: bytes) -> str:
    """Return the path of a file that holds *data*."""
    os.ftruncate(_file(), 0)
    os.pwrite(_file(), data, 0)
    return f"/proc/self/fd/{_file()}"


def resolver_file(data: bytes) -> None:
    """Read how names are looked up."""
    resolv_conf.asked_for("a", in_file(data))


def cluster_file(data: bytes) -> None:
    """Read a kubeconfig."""
    with suppress(ConfigError):
        found = kubeconfig.read({}, in_file(data), "")
        assert found is not None
        found.cluster.text("server")
        found.user.inner("exec").items("args")


def report_file(data: bytes) -> None:
    """Read a report of `gate lint`."""
    with suppress(baseline.BaselineError):
        baseline.read(data.decode(errors="replace"))


def plugin(data: bytes) -> None:
    """Read what the plugin of a kubeconfig says."""
    exec_plugin._read(parsed(data))


class _Pod:
    """A cluster in which a pod, and events about it, say something."""

    def __init__(self, said: object) -> None:
        self.said = said

    async def status(self, *_: object) -> object:
        return self.said

    async def list(self, *_: object) -> list[Any]:
        said = self.said if isinstance(self.said, list) else []
        return [each for each in said if isinstance(each, dict)]


GATE = {
    "metadata": {"name": "a", "namespace": "b", "uid": "c"},
    "spec": {
        "initContainers": [
            {
                "name": "gate",
                "image": "gate",
                "restartPolicy": "Always",
                "env": [{"name": "GATE_DEPENDENCIES", "value": "db tcp://db:1"}],
            }
        ],
        "containers": [{"name": "app", "image": "app"}],
    },
    "status": {
        "podIP": "10.0.0.1",
        "initContainerStatuses": [{"name": "gate", "state": {"running": {}}, "started": False}],
    },
}


@cache
def _held() -> seen.SeenPod:
    found = seen.seen(GATE)
    assert found is not None
    assert found.hold is not None
    return found


def status(data: bytes) -> None:
    """Read what stands at `/status` of a pod, and what events say of it."""
    pod = _held()
    said = parsed(data)
    assert pod.hold is not None
    cluster: Any = _Pod(said)
    _loop().run_until_complete(asking.examine(cluster, pod, pod.hold))
    asking._told(data.decode(errors="replace"))
    seen.moment(data.decode(errors="replace"))


def environment_of_a_pod(data: bytes) -> None:
    """Read the dependencies of a pod of a cluster."""
    pod: dict[str, Any] = json.loads(json.dumps(GATE))
    pod["spec"]["initContainers"][0]["env"][0]["value"] = data.decode(errors="replace")
    found = seen.seen(pod)
    assert found is not None
    asking.written(found, {})
    from_json.pod(pod)


class _Answer:
    data = b""


def _name_server_says(*_: object, **__: object) -> Any:
    async def said() -> dns.message.Message:
        return dns.message.from_wire(_Answer.data)

    return said()


@cache
def _records(kind: str) -> DependencyCheck:
    text = f"x dns://x.y. type={kind} server=127.0.0.1"
    (read,) = config.read({"GATE_DEPENDENCIES": text}).dependencies
    check = checks.load(read.target)
    assert check is not None, read.target.problems
    return DependencyCheck(read.dependency_with_secrets, check)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return VirtualLoop()


def records(data: bytes) -> None:
    """Read a record that a name server answers with; the first byte chooses its type."""
    kind = KINDS[data[0] % len(KINDS)] if data else "A"
    number, rest = dns.rdatatype.from_text(kind), data[1:4000]
    question = b"\1x\1y\0" + struct.pack(">HH", number, 1)
    record = b"\xc0\x0c" + struct.pack(">HHIH", number, 1, 60, len(rest)) + rest
    _Answer.data = struct.pack(">6H", 1, 0x8180, 1, 1, 0, 0) + question + record
    before = dns.nameserver.Do53Nameserver.async_query
    dns.nameserver.Do53Nameserver.async_query = _name_server_says  # type: ignore[method-assign]
    try:
        result = _loop().run_until_complete(make_attempt(_records(kind)))
    finally:
        dns.nameserver.Do53Nameserver.async_query = before  # type: ignore[method-assign]
    assert not result.reason.startswith("the check is broken"), result.reason


class _Socket:
    """A client's socket that takes everything, and is its own poll."""

    def __init__(self) -> None:
        self.sent = bytearray()

    def fileno(self) -> int:
        return 1

    def send(self, data: bytes) -> int:
        self.sent += data
        return len(data)

    def setblocking(self, _: object) -> None: ...

    def shutdown(self, _: object) -> None: ...

    def close(self) -> None: ...

    def register(self, *_: object) -> None: ...

    unregister = modify = register


def conversation(data: bytes) -> None:
    """Have the small responder answer all that one client says."""
    sock: Any = _Socket()
    responder = Responder.__new__(Responder)
    responder.table, responder.open, responder.poll = TABLE, {}, sock
    responder.add(Connection(sock, data))
    status_lines = {b"HTTP/1.1 %d " % code for code in (200, 300, 400, 404, 405)}
    assert not sock.sent or any(sock.sent.startswith(line) for line in status_lines)


READERS = {
    "cloud-answer": clouds,
    "dns-record": records,
    "kubeconfig": cluster_file,
    "lint-report": report_file,
    "listening-sockets": listeners,
    "plugin-answer": plugin,
    "pod-of-a-cluster": environment_of_a_pod,
    "probe-answer": probe_answer,
    "resolv-conf": resolver_file,
    "responder": conversation,
    "service-account": tokens,
    "status-answer": status,
}
"""Names to targets."""
