"""A gRPC server that answers as the SPIFFE Workload API says: no registry has SPIRE's agent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from gate.checks.grpc import protobuf
from tests.checks.servers.grpc_methods import grpc_methods
from tests.conftest import outcome, problems_of, run, why_not

METHOD = "/SpiffeWorkloadAPI/FetchX509SVID"
APP = "spiffe://example.org/ns/prod/sa/app"


def svid(name: str) -> bytes:
    """An X509SVID: id, certificate, key and bundle, of which only the first is looked at."""
    texts = (name, "certificate", "key", "bundle")
    message = b"".join(protobuf.text(place, each) for place, each in enumerate(texts, 1))
    return b"\x0a" + bytes((len(message),)) + message


def agent(answer: bytes) -> Any:
    def fetch(request: bytes, context: Any) -> Iterator[bytes]:
        if ("workload.spiffe.io", "true") not in context.invocation_metadata() or request:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "security header missing")
        if not answer:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "no identity issued")
        yield answer
        while context.is_active():  # until the client leaves, as an agent would
            time.sleep(0.01)

    return fetch


def ask(folder: Path, answer: bytes, rest: str = "", url: str = "spiffe://{}") -> str:
    socket = folder / "agent.sock"
    with grpc_methods(f"unix:{socket}", streams={METHOD: agent(answer)}):
        return str(run(why_not(url.format(socket) + rest)))


def test_an_identity_is_given_now(tmp_path: Path) -> None:
    assert ask(tmp_path, svid(APP)) == ""


def test_an_identity_that_is_wanted_must_be_that(tmp_path: Path) -> None:
    both = svid("spiffe://example.org/other") + svid(APP)

    assert ask(tmp_path, both, f" id={APP}") == ""
    assert ask(tmp_path, both, " id=spiffe://example.org/x") == (
        f"the identity is spiffe://example.org/other, {APP}"
    )


def test_the_socket_of_the_environment_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for form in ("unix:{}", "unix://{}"):
        monkeypatch.setenv("SPIFFE_ENDPOINT_SOCKET", form.format(tmp_path / "agent.sock"))
        assert ask(tmp_path, svid(APP), url="app spiffe:") == ""


def test_an_environment_without_a_socket_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    remedy = "write spiffe:///path/of/the/socket"

    monkeypatch.delenv("SPIFFE_ENDPOINT_SOCKET", raising=False)
    assert run(why_not("app spiffe:")) == (
        f"SPIFFE_ENDPOINT_SOCKET is not set in gate's container; {remedy}"
    )
    for value in ("tcp://127.0.0.1:8000", "unix:agent.sock"):
        monkeypatch.setenv("SPIFFE_ENDPOINT_SOCKET", value)
        assert run(why_not("app spiffe:")) == f"SPIFFE_ENDPOINT_SOCKET is no unix socket; {remedy}"


def test_an_agent_that_knows_no_identity_says_so(tmp_path: Path) -> None:
    assert ask(tmp_path, b"") == "PERMISSION_DENIED: no identity issued"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"\x10\x01", "no SVID in the answer"),
        (b"\x0a\x00", "no SVID in the answer"),
        (b"\x0a\x7f", "the answer is not one of the Workload API"),
        (b"\x0b", "the answer is not one of the Workload API"),
        (b"\xff" * 11, "the answer is not one of the Workload API"),
        (b"\x11" + bytes(8) + b"\x15" + bytes(4) + svid(APP), ""),
    ],
)
def test_other_answers_are_told(tmp_path: Path, answer: bytes, why: str) -> None:
    assert ask(tmp_path, answer) == why


def test_a_socket_that_is_not_there_is_absent(tmp_path: Path) -> None:
    line = f"spiffe://{tmp_path}/agent.sock"

    assert run(why_not(line)) == "no such socket"
    assert run(outcome(f"{line} until=down")).ok


def test_mistakes_are_told() -> None:
    assert problems_of("spiffe://agent/x") == [
        "the URL wants an absolute path; write spiffe:///run/app.sock"
    ]
    assert problems_of("app spiffe:agent.sock") == [
        "the URL wants no path; write spiffe: or spiffe:///path/of/the/socket"
    ]
    assert problems_of("app spiffe: id=app") == [
        "id: wants a SPIFFE ID, spiffe://trust-domain/path"
    ]
