from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.checks.servers import certificate
from tests.checks.servers.certificate import Certificate
from tests.checks.servers.cold_start import Comparison
from tests.checks.servers.fake import outcome_of, reason_of, reason_of_silence
from tests.checks.servers.rabbitmq import APP, Node, seen_cold
from tests.conftest import free_port, outcome, problems_of, run, why_not

NOT_AMQP = "not AMQP 0-9-1 on this port"


@pytest.fixture(scope="module")
def tls_files(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate.written(authority, tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def cold_start(
    tls_files: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Node, Comparison]]:
    """The one broker of all tests here: it takes seconds to come up."""
    with seen_cold(tmp_path_factory.mktemp("rabbitmq"), tls_files) as seen:
        yield seen


@pytest.fixture(scope="module")
def broker(cold_start: tuple[Node, Comparison]) -> Node:
    return cold_start[0]


def noted_while_asking(node: Node, *lines: str) -> list[str]:
    """Return the warnings and errors that gate's asking for *lines* puts into the log."""
    node.settle()
    before = Counter(node.noted())
    for line in lines:
        run(why_not(line))
    node.settle()
    return list(Counter(node.noted()) - before)


def test_a_broker_that_comes_up_has_borne_with_gate_before_it_counts_as_ready(
    cold_start: tuple[Node, Comparison],
) -> None:
    """RabbitMQ serves clients up to 300 ms before it calls its boot over, and nothing in AMQP
    tells the difference: gate bears with it for as long, by the log of the broker itself."""
    node, seen = cold_start

    assert seen.reasons == ["connection refused"]
    assert node.first_stay() >= 0.3


def test_a_broker_that_greets_is_ready(broker: Node) -> None:
    assert run(why_not(f"amqp://127.0.0.1:{broker.port}/any")) == ""


def test_a_broker_is_named_as_its_clients_name_it(broker: Node) -> None:
    place, closed = f"127.0.0.1:{broker.port}", f"127.0.0.1:{free_port()}"

    assert run(why_not(f"pyamqp://{APP}@{place}//")) == ""
    assert run(why_not(f"amqp://{APP}@{closed},{place}")) == ""
    assert run(why_not(f"amqp://{APP}@{closed}/app,amqp://{APP}@{place}/app")) == (
        f"connection refused ({closed}), vhost not found: app ({place})"
    )


def test_a_refused_connection_is_absent() -> None:
    line = f"amqp://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


@pytest.mark.parametrize("path", ["", "/", "//", "/%2F", "/app%2Fone", "/?heartbeat=30"])
def test_login_and_vhost_work(broker: Node, path: str) -> None:
    assert run(why_not(f"amqp://{APP}@127.0.0.1:{broker.port}{path}")) == ""


def test_the_password_file_is_read(broker: Node, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss:wörd\n")
    line = f"amqp://app@127.0.0.1:{broker.port} password-file={tmp_path}/password"

    assert run(why_not(line)) == ""


def test_a_refused_login_says_so(broker: Node) -> None:
    for login in ("app:wrong", "app", "nobody:x"):
        assert run(why_not(f"amqp://{login}@127.0.0.1:{broker.port}")) == "login refused"


def test_a_vhost_that_is_not_there_is_absent(broker: Node) -> None:
    line = f"amqp://{APP}@127.0.0.1:{broker.port}/nope"

    assert run(why_not(line)) == "vhost not found: nope"
    assert run(outcome(f"{line} until=down")).ok


def test_a_vhost_that_the_user_may_not_enter_is_told(broker: Node) -> None:
    line = f"amqp://{APP}@127.0.0.1:{broker.port}/closed"

    assert run(why_not(line)) == "vhost access refused: closed"
    assert not run(outcome(f"{line} until=down")).ok


def test_a_vhost_that_is_down_is_told(broker: Node) -> None:
    stop = 'rabbit_vhost_sup_sup:stop_and_delete_vhost(<<"broken">>).'
    assert broker.run("rabbitmqctl", "eval", stop).returncode == 0

    line = f"amqp://{APP}@127.0.0.1:{broker.port}/broken"

    assert run(why_not(line)) == "vhost is down: broken"


def test_a_queue_is_found(broker: Node) -> None:
    place = f"127.0.0.1:{broker.port}"

    assert run(why_not(f"amqp://{APP}@{place} queue=jobs")) == ""
    assert run(why_not(f"amqp://{APP}@{place}/app%2Fone queue=mails")) == ""
    assert run(why_not(f"amqp://{place} queue=jobs")) == ""


def test_a_queue_that_is_not_there_is_absent(broker: Node) -> None:
    line = f"amqp://{APP}@127.0.0.1:{broker.port} queue=mails"

    assert run(why_not(line)) == "queue not found: mails"
    assert run(outcome(f"{line} until=down")).ok


def test_tls_is_spoken_and_verified(broker: Node, tls_files: Certificate) -> None:
    line = f"amqps://{APP}@localhost:{broker.tls_port} queue=jobs"

    assert run(why_not(f"{line} ca={tls_files.ca}")) == ""
    assert run(why_not(line)) == "TLS: self-signed certificate in certificate chain"


def test_the_wrong_kind_of_port_is_told(broker: Node) -> None:
    assert run(why_not(f"amqp://127.0.0.1:{broker.tls_port}")) == NOT_AMQP
    assert run(why_not(f"amqps://127.0.0.1:{broker.port} insecure")).endswith(
        "the server does not speak TLS on this port"
    )


def test_with_credentials_the_broker_notes_nothing(broker: Node, tls_files: Certificate) -> None:
    line = f"amqp://{APP}@127.0.0.1:{broker.port}"
    over_tls = f"amqps://{APP}@localhost:{broker.tls_port} ca={tls_files.ca}"

    assert noted_while_asking(broker, line, f"{line} queue=jobs", over_tls) == []


def test_without_credentials_the_broker_notes_a_warning_and_no_error(broker: Node) -> None:
    noted = noted_while_asking(broker, f"amqp://127.0.0.1:{broker.port}")

    assert noted == ["client unexpectedly closed TCP connection"]


def test_the_broker_notes_a_missing_queue_once_as_for_any_client(broker: Node) -> None:
    noted = noted_while_asking(broker, f"amqp://{APP}@127.0.0.1:{broker.port} queue=other")

    why = "channel exception not_found: no queue 'other' in vhost '/'"
    assert noted == [f"operation queue.declare caused a {why}"]


def frame(method: bytes, arguments: bytes = b"", channel: int = 0) -> bytes:
    payload = method + arguments
    return struct.pack(">BHI", 1, channel, len(payload)) + payload + b"\xce"


def closing(method: bytes, code: int, text: bytes) -> bytes:
    return frame(method, struct.pack(">HB", code, len(text)) + text + bytes(4))


def start(mechanisms: bytes) -> bytes:
    properties = b"\x04mine" + b"S" + struct.pack(">I", 5) + b"PLAIN"
    head = b"\x00\x09" + struct.pack(">I", len(properties)) + properties
    return frame(b"\x00\x0a\x00\x0a", head + struct.pack(">I", len(mechanisms)) + mechanisms)


START = start(b"PLAIN")
TUNE = frame(b"\x00\x0a\x00\x1e", bytes(8))
OPEN_OK = frame(b"\x00\x0a\x00\x29", b"\x00")
CHANNEL_OPEN_OK = frame(b"\x00\x14\x00\x0b", bytes(4), 1)
DECLARE_OK = frame(b"\x00\x32\x00\x0b", b"\x01q" + bytes(8), 1)
CLOSE, CHANNEL_CLOSE = b"\x00\x0a\x00\x32", b"\x00\x14\x00\x28"
HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"
FORCED = b"CONNECTION_FORCED - shutdown"
AWAY = b"NOT_FOUND - home node 'rabbit@b' of durable queue 'q' in vhost '/' is down or inaccessible"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "connection closed without an answer"),
        (b"AMQP\x00\x01\x00\x00", NOT_AMQP),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", NOT_AMQP),
        (b"\x01\x00\x00\x00\x00\x00\x04full of nothing", NOT_AMQP),
        (b"\x01\x00\x00\x7f\xff\xff\xff", "the answer is too long"),
        (START[:-1] + b"\x00", NOT_AMQP),
        (START[:9], "connection closed in the middle of an answer"),
        (HEARTBEAT * 50, NOT_AMQP),
        (closing(CLOSE, 320, FORCED), FORCED.decode()),
        (frame(CLOSE), "closed with code 0"),
        (START, "connection closed while settling"),
        (START + closing(CLOSE, 320, FORCED), FORCED.decode()),
    ],
)
def test_odd_answers_are_told(answer: bytes, reason: str) -> None:
    """A server of its own, for what no real broker says."""
    assert run(reason_of("amqp://127.0.0.1:{port}", answer)) == reason


def test_what_a_broker_says_besides_is_passed_over() -> None:
    answer = HEARTBEAT + START + HEARTBEAT

    assert run(reason_of("amqp://127.0.0.1:{port}", answer, stays=True)) == ""


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (start(b"AMQPLAIN EXTERNAL"), "login: the broker does not take PLAIN"),
        (frame(b"\x00\x0a\x00\x0a", b"\x00\x09"), "login: the broker does not take PLAIN"),
        (start(b"AMQPLAIN PLAIN"), "login refused: connection closed without an answer"),
        (START, "login refused: connection closed without an answer"),
        (
            START + closing(CLOSE, 530, b"NOT_ALLOWED - connection limit is reached"),
            "login refused: NOT_ALLOWED - connection limit is reached",
        ),
        (
            START + TUNE + closing(CLOSE, 530, b"NOT_ALLOWED - limit"),
            "vhost /: NOT_ALLOWED - limit",
        ),
        (
            START + TUNE + OPEN_OK + CHANNEL_OPEN_OK + closing(CHANNEL_CLOSE, 404, AWAY),
            f"queue q: {AWAY.decode()}",
        ),
        (
            START + TUNE + OPEN_OK + CHANNEL_OPEN_OK + DECLARE_OK,
            "connection closed while settling",
        ),
        (
            START + TUNE + OPEN_OK + CHANNEL_OPEN_OK + DECLARE_OK + closing(CLOSE, 320, FORCED),
            FORCED.decode(),
        ),
    ],
)
def test_odd_answers_to_a_login_are_told(answer: bytes, reason: str) -> None:
    """A server of its own: another node of a cluster being down takes a cluster."""
    line = "amqp://app:pw@127.0.0.1:{port} queue=q"

    assert run(reason_of(line, answer)) == reason
    assert not run(outcome_of(f"{line} until=down", answer)).ok


def test_a_server_that_hangs_is_told_with_the_stage() -> None:
    late = "no answer within 50ms"

    assert run(reason_of_silence("amqp://127.0.0.1:{port}")) == f"greeting: {late}"


def test_mistakes_are_told() -> None:
    assert problems_of("amqp:///app") == ["the URL wants a host; write amqp://host:port"]
    assert problems_of(f"amqp://a/{'x' * 256} queue={'q' * 256}") == [
        "queue: is longer than the 255 bytes of AMQP",
        "the vhost: is longer than the 255 bytes of AMQP",
    ]
