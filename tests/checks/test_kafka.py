from __future__ import annotations

import asyncio
import base64
import logging
import os
import socket
import ssl
import struct
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from gate.checks.kafka.scram import scram
from gate.core.errors import CheckFailed
from tests.checks.servers.daemon import until
from tests.checks.servers.kafka import (
    API_VERSIONS,
    INVALID_TOPIC,
    METADATA,
    NO_LEADER,
    NOT_ALLOWED,
    SASL_AUTHENTICATE,
    SASL_HANDSHAKE,
    Broker,
    Topic,
)
from tests.conftest import free_port, outcome, problems_of, run, why_not

NOT_KAFKA = "not Kafka on this port"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


def why(broker: Broker, options: str = "", *, login: str = "", **listening: Any) -> str:
    """Return why *broker* is not ready to a check of it, empty if it is."""

    async def main() -> str:
        async with broker.listening(**listening) as port:
            host = f"[{listening['host']}]" if "host" in listening else "127.0.0.1"
            return await why_not(f"kafka://{login}{host}:{port} {options}")

    return str(run(main()))


def closed(mechanisms: tuple[str, ...] = MECHANISMS, **state: Any) -> Broker:
    """Return a broker that demands a login of `app`, password `s3cret`."""
    return Broker(mechanisms=mechanisms, passwords={"app": "s3cret"}, **state)


def answered(data: bytes, options: str = "") -> str:
    """Return why a server that answers *data* to anything, and hangs up, is not ready."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(data)
        writer.close()

    async def main() -> str:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await why_not(f"kafka://127.0.0.1:{port} {options}")

    return str(run(main()))


# The broker of these tests is one to librdkafka.


def seen_by_librdkafka(broker: Broker, **options: str) -> Any:
    """Return the metadata of *broker* as librdkafka reads it, None where its login is refused."""
    refused: list[KafkaError] = []

    def metadata(port: int) -> Any:
        given: dict[str, Any] = {"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0}
        given["error_cb"] = refused.append
        client = AdminClient({**given, **options})
        for _ in range(100):
            with suppress(KafkaException):
                return client.list_topics(timeout=0.2)
            client.poll(0)
            if any(each.code() == KafkaError._AUTHENTICATION for each in refused):
                return None
        raise AssertionError(refused)

    async def main() -> Any:
        async with broker.listening() as port:
            return await asyncio.to_thread(metadata, port)

    return run(main())


def test_librdkafka_reads_the_metadata_of_the_broker_of_these_tests() -> None:
    broker = Broker({"orders": Topic({0: 1, 1: 1}), "stock": Topic({0: 1, 1: -1})})

    found = seen_by_librdkafka(broker)

    leaders = {name: [p.leader for p in t.partitions.values()] for name, t in found.topics.items()}
    assert list(found.brokers) == [1]
    assert leaders == {"orders": [1, 1], "stock": [1, -1]}


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_librdkafka_logs_in_to_the_broker_of_these_tests(mechanism: str) -> None:
    options = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": mechanism,
        "sasl.username": "app",
    }

    found = seen_by_librdkafka(closed(), **options, **{"sasl.password": "s3cret"})
    refused = seen_by_librdkafka(closed(), **options, **{"sasl.password": "wrong"})

    assert list(found.brokers) == [1]
    assert refused is None


# Secrets


@pytest.mark.parametrize("more", ["", ",127.0.0.1:{port}"])
def test_a_password_from_a_file_is_kept_out_of_what_a_broker_says(
    more: str, tmp_path: Path
) -> None:
    path = tmp_path / "password"
    path.write_text("s3cret\n")
    broker = closed(("PLAIN",), complaint="no entry with s3cret")

    async def main() -> str:
        async with broker.listening() as port, broker.listening() as other:
            hosts = f"127.0.0.1:{port}" + more.format(port=other)
            return await why_not(f"kafka://stranger@{hosts} sasl=plain password-file={path}")

    assert run(main()) == "login refused: no entry with ***"


# Metadata


def test_a_broker_that_answers_metadata_is_ready() -> None:
    broker = Broker()

    assert why(broker) == ""
    assert broker.requests == [API_VERSIONS, METADATA]


def test_a_cluster_without_brokers_is_not_ready() -> None:
    assert why(Broker(brokers=())) == "no broker in the metadata"


def test_a_topic_with_leaders_throughout_is_ready() -> None:
    assert why(Broker({"orders": Topic({0: 1, 1: 1})}), "topic=orders") == ""


def test_a_topic_with_thousands_of_partitions_is_ready() -> None:
    broker = Broker({"orders": Topic(dict.fromkeys(range(5000), 1))})

    assert why(broker, "topic=orders") == ""


def test_a_missing_topic_is_named_and_not_created() -> None:
    broker = Broker({"orders": Topic()})

    assert why(broker, "topic=orders topic=stock") == "topic stock: not found"
    assert list(broker.topics) == ["orders"]


def test_a_missing_topic_is_what_until_down_waits_for() -> None:
    async def main() -> bool:
        async with Broker().listening() as port:
            line = f"kafka://127.0.0.1:{port} topic=orders until=down"
            return bool((await outcome(line)).ok)

    assert run(main())


def test_a_partition_without_a_leader_is_named() -> None:
    broker = Broker({"orders": Topic({0: 1, 3: -1})})

    assert why(broker, "topic=orders") == "topic orders: partition 3 has no leader"


def test_many_partitions_without_a_leader_are_named_in_short() -> None:
    broker = Broker({"orders": Topic(dict.fromkeys(range(9), -1))})

    reason = why(broker, "topic=orders")

    assert reason == "topic orders: partitions 0, 1, 2, 3, 4, … have no leader"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NO_LEADER, "topic orders: has no leader"),
        (INVALID_TOPIC, "topic orders: is no name that a topic can have"),
        (NOT_ALLOWED, "topic orders: not allowed to see it"),
        (-1, "topic orders: error -1"),
    ],
)
def test_what_is_wrong_with_a_topic_is_told(error: int, reason: str) -> None:
    assert why(Broker({"orders": Topic(error=error)}), "topic=orders") == reason


def test_a_topic_without_partitions_is_not_ready() -> None:
    assert why(Broker({"orders": Topic({})}), "topic=orders") == "topic orders: has no partitions"


def test_a_broker_too_old_to_be_asked_without_creating_topics_is_told() -> None:
    reason = "a Kafka older than 0.11, which creates the topics it is asked for"

    assert why(Broker(newest_metadata=3)) == reason


# Several brokers


def why_of_two(first: Broker, second: Broker, options: str = "") -> str:
    async def main() -> str:
        async with first.listening() as one, second.listening() as two:
            return await why_not(f"k kafka://127.0.0.1:{one},127.0.0.1:{two} {options}")

    return str(run(main()))


def test_one_broker_of_several_is_enough() -> None:
    async def main() -> str:
        async with Broker().listening() as port:
            return await why_not(f"k kafka://127.0.0.1:{free_port()},127.0.0.1:{port}")

    assert run(main()) == ""


def test_what_all_brokers_say_is_said_once() -> None:
    assert why_of_two(Broker(), Broker(), "topic=orders") == "topic orders: not found"


def test_several_brokers_that_all_hang_are_counted() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        hosts = ",".join(f"127.0.0.1:{server.getsockname()[1]}" for server in (one, two))

        reason = run(why_not(f"k kafka://{hosts} timeout=200ms"))

    assert reason == "asking 2 hosts: no answer within 200ms"


# Login


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_right_password_is_let_in(mechanism: str) -> None:
    broker = closed(topics={"orders": Topic()})
    options = f"sasl={mechanism.lower()} topic=orders"

    assert why(broker, options, login="app:s3cret@") == ""
    assert broker.requests[:2] == [API_VERSIONS, SASL_HANDSHAKE]
    assert broker.requests[-2:] == [SASL_AUTHENTICATE, METADATA]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_wrong_password_is_refused(mechanism: str) -> None:
    reason = why(closed(), f"sasl={mechanism.lower()}", login="app:wrong@")

    assert reason == "login refused: authentication failed"


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_passwords_may_hold_anything(mechanism: str) -> None:
    broker = Broker(mechanisms=MECHANISMS, passwords={"a,p=p": "s@c:r,=ä"})

    assert why(broker, f"sasl={mechanism.lower()}", login="a,p=p:s%40c%3Ar,=%C3%A4@") == ""


def test_the_password_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret\n")

    options = f"sasl=scram-sha-512 password-file={tmp_path}/password"

    assert why(closed(), options, login="app@") == ""


def test_a_mechanism_that_the_broker_has_not_is_told() -> None:
    reason = why(closed(("PLAIN", "OAUTHBEARER")), "sasl=scram-sha-256", login="app:s3cret@")

    assert reason == "login refused: the broker takes PLAIN, OAUTHBEARER, not SCRAM-SHA-256"


def test_a_login_where_none_is_taken_is_told() -> None:
    reason = why(Broker(), "sasl=plain", login="app:s3cret@")

    assert reason == "login refused: the broker takes no login on this port"


def test_a_broker_that_does_not_know_the_password_itself_is_not_believed() -> None:
    reason = why(closed(proves_itself=False), "sasl=scram-sha-256", login="app:s3cret@")

    assert reason == "login: the broker does not prove that it knows the password"


@pytest.mark.parametrize("rounds", [900_000_000, 4095, 0])
def test_a_broker_that_wants_more_or_less_hashing_than_any_is_not_obeyed(rounds: int) -> None:
    reason = why(closed(rounds=rounds), "sasl=scram-sha-256", login="app:s3cret@")

    assert reason == "login: no SCRAM from this broker"


# The nonce is cut, or of somebody else; a field is missing or garbled; one is more than we know.
@pytest.mark.parametrize(
    "challenge",
    [
        "",
        "r={nonce}x",
        "r=x{nonce},s=QSXCR+Q6sek8bf92,i=4096",
        "r={nonce}x,s=QSXCR,i=4096",
        "r={nonce}x,s=QSXCR+Q6sek8bf92,i=many",
        "r={nonce} x,s=QSXCR+Q6sek8bf92,i=4096",
        "m=more,r={nonce}x,s=QSXCR+Q6sek8bf92,i=4096",
    ],
)
def test_what_is_no_scram_is_told(challenge: str) -> None:
    exchange = scram("SCRAM-SHA-256", "app", "s3cret")
    _, _, nonce = next(exchange).partition(b"r=")

    with pytest.raises(CheckFailed, match="no SCRAM from this broker"):
        exchange.send(challenge.format(nonce=nonce.decode()).encode())


def test_the_exchange_is_the_one_that_rfc_7677_has(monkeypatch: pytest.MonkeyPatch) -> None:
    nonce = base64.b64decode("rOprNGfwEbeRWgbNEkqO")
    monkeypatch.setattr(os, "urandom", lambda _: nonce)
    exchange = scram("SCRAM-SHA-256", "user", "pencil")

    first = next(exchange)
    last = exchange.send(
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    )
    with pytest.raises(StopIteration):
        exchange.send(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")

    assert first == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert last == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )


@pytest.mark.parametrize("mechanisms", [("PLAIN",), ("SCRAM-SHA-512",)])
def test_a_broker_that_demands_logins_is_ready_without_one(mechanisms: tuple[str, ...]) -> None:
    assert why(closed(mechanisms)) == ""


def test_no_topic_can_be_seen_without_the_login_that_the_broker_demands() -> None:
    reason = why(closed(("PLAIN", "SCRAM-SHA-512"), topics={"orders": Topic()}), "topic=orders")

    assert reason == ("the broker demands a login, and topic= needs one: PLAIN, SCRAM-SHA-512")


def test_a_broker_that_hangs_up_for_another_reason_is_not_ready() -> None:
    assert why(Broker(hangs_up_on=METADATA)) == "connection closed without an answer"


def test_a_broker_that_hangs_up_in_the_login_is_not_ready() -> None:
    reason = why(closed(hangs_up_on=SASL_AUTHENTICATE), "sasl=plain", login="app:s3cret@")

    assert reason == "connection closed without an answer"


@pytest.mark.parametrize("password", ["s3cret", "wrong"])
def test_a_login_leaves_neither_connection_nor_task_nor_thread_nor_log(
    password: str, caplog: pytest.LogCaptureFixture
) -> None:
    broker = closed()
    caplog.set_level(logging.DEBUG, "aiokafka")

    async def main() -> int:
        async with broker.listening() as port:
            for mechanism in MECHANISMS:
                await why_not(f"kafka://app:{password}@127.0.0.1:{port} sasl={mechanism.lower()}")
            async with asyncio.timeout(30):
                await broker.idle.wait()
            return len(asyncio.all_tasks())

    assert run(main()) == 1
    until(lambda: threading.active_count() == 1)
    assert caplog.records == []


# The connection


def test_a_refused_connection_is_what_until_down_waits_for() -> None:
    line = f"kafka://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


def test_ipv6_is_spoken() -> None:
    assert why(Broker(), host="::1") == ""


def test_a_silent_server_is_said_to_hang_at_the_handshake() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        reason = run(why_not(f"kafka://127.0.0.1:{port} timeout=200ms"))

    assert reason == "handshake: no answer within 200ms"


def test_an_early_close_is_told() -> None:
    assert answered(b"") == "connection closed without an answer"


def test_an_answer_cut_off_is_told() -> None:
    assert answered(struct.pack(">iih", 100, 1, 0)) == (
        "connection closed in the middle of an answer"
    )


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        struct.pack(">ii", 2_000_000_000, 1),
        struct.pack(">ii", -1, 1),
        struct.pack(">ii", 3, 1),
        struct.pack(">iihihhh", 16, 2, 0, 1, METADATA, 0, 9),
        struct.pack(">iihi", 10, 1, 35, 0),
        struct.pack(">iihi", 10, 1, 0, 2_000_000_000),
        struct.pack(">iihi", 10, 1, 0, 1),
    ],
)
def test_anything_else_is_not_kafka(garbage: bytes) -> None:
    assert answered(garbage) == NOT_KAFKA


def test_a_port_that_wants_tls_is_told() -> None:
    assert answered(b"\x15\x03\x03\0\2\2\x46") == "the server speaks TLS on this port"


# TLS


@pytest.mark.parametrize(
    "form", ["kafka+ssl://{} ca={}", "kafka://{} tls ca={}", "kafka://{} ca={}"]
)
def test_tls_is_spoken_where_scheme_or_options_ask_for_it(
    form: str, server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    async def main() -> str:
        async with Broker().listening(tls=server_tls) as port:
            return await why_not("k " + form.format(f"localhost:{port}", ca_file))

    assert run(main()) == ""


def test_the_user_logs_in_over_tls(server_tls: ssl.SSLContext, ca_file: Path) -> None:
    options = f"sasl=scram-sha-512 ca={ca_file} server-name=localhost"

    assert why(closed(), options, login="app:s3cret@", tls=server_tls) == ""


def test_an_unknown_authority_is_refused(server_tls: ssl.SSLContext) -> None:
    reason = why(Broker(), "tls", tls=server_tls)

    assert reason == "TLS: unable to get local issuer certificate"


def test_a_client_certificate_is_shown(
    authority: trustme.CA, server_tls: ssl.SSLContext, ca_file: Path, tmp_path: Path
) -> None:
    issued = authority.issue_cert("app")
    issued.private_key_pem.write_to_path(str(tmp_path / "tls.key"))
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "tls.crt"))
    authority.configure_trust(server_tls)
    server_tls.verify_mode = ssl.CERT_REQUIRED

    options = f"ca={ca_file} cert={tmp_path}/tls.crt key={tmp_path}/tls.key"

    assert why(Broker(), options, tls=server_tls) == ""


def test_tls_where_none_is_spoken_is_told() -> None:
    assert answered(b"", "tls") == "connection closed"


# Configuration


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "kafka://app:s3cret@broker",
            "sasl: how to log in; write sasl= and one of plain, scram-sha-256, scram-sha-512",
        ),
        ("kafka://broker sasl=plain", "sasl: wants a login; write kafka://user:password@host"),
        (
            "kafka://broker/orders",
            "the URL wants hosts and no more; write kafka://host1:9092,host2:9092",
        ),
        ("kafka+http://broker", "kafka+http: unknown scheme; gate has kafka, kafka+ssl"),
        ("kafka://broker topic='a b'", "topic: wants a name of letters, digits, dots, - and _"),
    ],
)
def test_a_mistake_is_a_problem_that_names_the_remedy(line: str, problem: str) -> None:
    assert problems_of(line) == [problem]


def test_several_hosts_without_ports_are_taken() -> None:
    assert problems_of("k kafka://one,two:9093,[::1] topic=a topic=b") == []
