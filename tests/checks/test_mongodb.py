from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import bson
import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
import trustme
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from gate.checks.mongodb import documents
from gate.checks.mongodb.check import Mongodb
from gate.checks.mongodb.driver import LogIn
from gate.checks.mongodb.member_state import Wanted
from gate.checks.mongodb.seeds import Seeds
from gate.checks.mongodb.srv import Srv
from gate.checks.wire.credentials import Login
from gate.checks.wire.tls_options import Tls
from gate.core.errors import Absent, CheckFailed
from gate.core.url import Host
from tests.checks.servers.daemon import until
from tests.checks.servers.mongodb import (
    ARBITER,
    MONGOS,
    NOT_INITIATED,
    PRIMARY,
    RECOVERING,
    SECONDARY,
    SHUTTING_DOWN,
    STANDALONE,
    CommandError,
    Document,
    Server,
)
from tests.conftest import free_port, outcome, problems_of, run, why_late, why_not

NOT_MONGODB = "not MongoDB on this port"


def why(server: Server, after_port: str = "", *, login: str = "", **listening: Any) -> str:
    """Return why *server* is not ready to a check of it, empty if it is."""

    async def main() -> str:
        async with server.listening(**listening) as port:
            host = f"[{listening['host']}]" if "host" in listening else "127.0.0.1"
            return await why_not(f"mongodb://{login}{host}:{port}{after_port}")

    return str(run(main()))


def answered(data: bytes, after_port: str = "") -> str:
    """Return why a server that answers *data* to anything, and hangs up, is not ready."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(data)
        writer.close()

    async def main() -> str:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await why_not(f"mongodb://127.0.0.1:{port}{after_port}")

    return str(run(main()))


def message(document: bytes, *, code: int = 2013, length: int | None = None) -> bytes:
    body = b"\0\0\0\0\0" + document
    return struct.pack("<iiii", length or 16 + len(body), 1, 1, code) + body


# The server of these tests is one to the real driver.


async def ping(port: int, **options: Any) -> bool:
    client: AsyncMongoClient[Any] = AsyncMongoClient(
        "127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=3000, **options
    )
    async with client:
        await client.admin.command("ping")
        return await client.is_primary


@pytest.mark.parametrize("me", [STANDALONE, PRIMARY, MONGOS])
def test_the_driver_finds_a_primary_in_the_server_of_these_tests(me: Document) -> None:
    async def main() -> bool:
        async with Server(me).listening() as port:
            return await ping(port)

    assert run(main())


@pytest.mark.parametrize("mechanism", ["DEFAULT", "SCRAM-SHA-256", "SCRAM-SHA-1"])
def test_the_driver_logs_in_to_the_server_of_these_tests(mechanism: str) -> None:
    async def main() -> None:
        async with Server(passwords={"app": "s3cret"}).listening() as port:
            options = {"username": "app", "authMechanism": mechanism}
            await ping(port, password="s3cret", **options)
            with pytest.raises(OperationFailure, match="Authentication failed"):
                await ping(port, password="wrong", **options)

    run(main())


# hello


@pytest.mark.parametrize("me", [STANDALONE, PRIMARY, SECONDARY, MONGOS])
def test_a_server_that_can_be_read_from_is_ready(me: Document) -> None:
    assert why(Server(me)) == ""


@pytest.mark.parametrize("me", [STANDALONE, PRIMARY, MONGOS])
def test_a_server_that_can_be_written_to_is_a_primary(me: Document) -> None:
    assert why(Server(me), " primary") == ""


def test_a_secondary_is_not_a_primary() -> None:
    assert why(Server(SECONDARY), " primary") == "is secondary, not primary"


def test_an_arbiter_holds_no_data() -> None:
    assert why(Server(ARBITER)) == "is an arbiter, it holds no data"


def test_a_member_that_starts_or_recovers_is_not_ready() -> None:
    reason = "neither primary nor secondary: starting up or recovering"

    assert why(Server(RECOVERING)) == reason


def test_a_replica_set_without_a_configuration_is_not_ready() -> None:
    assert why(Server(NOT_INITIATED)) == "replica set not initiated"


def test_the_replica_set_of_the_url_is_the_one_wanted() -> None:
    assert why(Server(PRIMARY), "/?replicaSet=rs0") == ""


def test_another_replica_set_is_named() -> None:
    assert why(Server(PRIMARY), "/?replicaSet=rs9") == "is in another replica set: rs0"


def test_what_the_query_says_of_the_replica_set_is_no_secret() -> None:
    reason = run(why_not("mongodb://mongo-0.mongo.invalid/?replicaSet=mongo&appName=invalid"))

    assert reason == "name not found: mongo-0.mongo.invalid"


def test_a_standalone_server_is_in_no_replica_set() -> None:
    assert why(Server(STANDALONE), "/?replicaSet=rs0") == "is in no replica set"


def test_a_server_before_4_4_2_is_asked_as_it_knows() -> None:
    server = Server(SECONDARY, knows_hello=False)

    assert why(server, " primary") == "is secondary, not primary"
    assert server.commands == ["hello", "isMaster"]


def test_a_server_that_shuts_down_says_so() -> None:
    assert why(Server(SHUTTING_DOWN)) == "shutting down"


def test_an_error_document_is_told_in_its_own_words() -> None:
    error = CommandError(8000, "AtlasError", "over capacity")

    assert why(Server(error)) == "refused: over capacity"


def test_a_server_that_demands_logins_is_ready_without_one() -> None:
    assert why(Server(passwords={"app": "s3cret"})) == ""


# Several hosts


def why_of_two(first: Server, second: Server, options: str = "") -> str:
    async def main() -> str:
        async with first.listening() as one, second.listening() as two:
            return await why_not(f"db mongodb://127.0.0.1:{one},127.0.0.1:{two}/{options}")

    return str(run(main()))


def test_one_ready_host_of_several_is_enough() -> None:
    assert why_of_two(Server(RECOVERING), Server(SECONDARY)) == ""


def test_one_of_several_hosts_must_be_primary_where_that_is_wanted() -> None:
    assert why_of_two(Server(SECONDARY), Server(PRIMARY), " primary") == ""


def test_what_all_hosts_say_is_said_once() -> None:
    reason = why_of_two(Server(SECONDARY), Server(SECONDARY), " primary")

    assert reason == "is secondary, not primary"


def test_what_hosts_say_differently_is_said_of_each() -> None:
    async def main() -> tuple[str, int, int]:
        async with Server(ARBITER).listening() as port:
            closed = free_port()
            line = f"db mongodb://127.0.0.1:{closed},127.0.0.1:{port}"
            return await why_not(line), closed, port

    reason, closed, port = run(main())

    assert reason == (
        f"connection refused (127.0.0.1:{closed}), "
        f"is an arbiter, it holds no data (127.0.0.1:{port})"
    )


def test_a_host_that_hangs_does_not_delay_another() -> None:
    async def main() -> str:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            async with Server().listening() as port:
                hosts = f"127.0.0.1:{silent.getsockname()[1]},127.0.0.1:{port}"
                return await why_not(f"db mongodb://{hosts}")

    assert run(main()) == ""


def test_the_user_logs_in_to_the_host_that_is_as_wanted() -> None:
    secondary = Server(SECONDARY)
    primary = Server(PRIMARY, passwords={"app": "s3cret"})

    async def main() -> str:
        async with secondary.listening() as one, primary.listening() as two:
            hosts = f"127.0.0.1:{one},127.0.0.1:{two}"
            return await why_not(f"db mongodb://app:s3cret@{hosts}/shop primary")

    assert run(main()) == ""
    assert "ping" in primary.commands
    assert "ping" not in secondary.commands


# Login


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1"])
def test_the_right_password_is_let_in(mechanism: str) -> None:
    server = Server(passwords={"app": "p@ss, =ä"})
    login = f"app:{quote('p@ss, =ä')}@"

    assert why(server, f"/?authMechanism={mechanism}", login=login) == ""
    assert "ping" in server.commands


def test_the_password_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    server = Server(passwords={"app": "s3cret"})

    assert why(server, f" password-file={tmp_path}/password", login="app@") == ""


def test_a_wrong_password_is_refused() -> None:
    server = Server(passwords={"app": "s3cret"})

    assert why(server, login="app:wrong@") == "login refused: authentication failed"


def test_a_password_file_that_is_not_there_yet_is_named() -> None:
    reason = "password-file: cannot read /nowhere: no such file or directory"

    assert why(Server(), " password-file=/nowhere", login="app@") == reason


def test_a_mechanism_that_the_server_has_not_is_told() -> None:
    server = Server(passwords={"app": "s3cret"})

    reason = why(server, "/?authMechanism=PLAIN&authSource=$external", login="app:s3cret@")

    assert reason == "login refused: Unsupported mechanism"


def test_no_login_is_tried_before_the_server_is_ready() -> None:
    server = Server(NOT_INITIATED, passwords={"app": "s3cret"})

    assert why(server, login="app:s3cret@") == "replica set not initiated"
    assert server.commands == ["hello"]


@pytest.mark.parametrize("password", ["s3cret", "wrong"])
def test_a_login_leaves_neither_connection_nor_task_nor_thread(password: str) -> None:
    server = Server(passwords={"app": "s3cret"})

    async def main() -> int:
        async with server.listening() as port:
            await why_not(f"mongodb://app:{password}@127.0.0.1:{port}")
            async with asyncio.timeout(30):
                await server.idle.wait()
            return await tasks_left()

    assert run(main()) == 1
    until(lambda: threading.active_count() == 1)


async def tasks_left() -> int:
    """Return how many tasks there are, when one is left or after a while."""
    with suppress(TimeoutError):
        async with asyncio.timeout(30):
            while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110 -- tells nobody when it ends
                await asyncio.sleep(0.01)
    return len(asyncio.all_tasks())


def test_a_login_that_hangs_is_ended_and_leaves_nothing() -> None:
    server = Server(passwords={"app": "s3cret"})

    hanging: list[int] = []

    async def hang_after_hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not server.commands:
                await server._serve(reader, writer)
            while word := await reader.read(4096):
                hanging.append(len(word))
        finally:
            writer.close()

    async def main() -> tuple[str, int]:
        async with await asyncio.start_server(hang_after_hello, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            line = f"mongodb://app:s3cret@127.0.0.1:{port}"
            reason = await why_late(line, lambda _: bool(hanging))
            return reason, await tasks_left()

    assert run(main()) == ("login: no answer within 1m", 1)
    until(lambda: threading.active_count() == 1)


# The connection


def test_a_refused_connection_is_what_until_down_waits_for() -> None:
    line = f"mongodb://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


def test_a_server_that_is_not_as_wanted_is_still_there() -> None:
    assert why(Server(SECONDARY), " primary until=down") == "is secondary, not primary"


def test_ipv6_is_spoken() -> None:
    assert why(Server(), host="::1") == ""


def test_ipv6_is_spoken_at_the_login() -> None:
    server = Server(passwords={"app": "s3cret"})

    assert why(server, login="app:s3cret@", host="::1") == ""


@pytest.mark.parametrize("login", ["", "app:s3cret@"])
def test_a_unix_socket_is_a_host(tmp_path: Path, login: str) -> None:
    async def main() -> str:
        path = str(tmp_path / "mongodb-27017.sock")
        async with Server(passwords={"app": "s3cret"}).listening(path=path):
            return await why_not(f"db mongodb://{login}{quote(path, safe='')}/shop")

    assert run(main()) == ""


def test_a_silent_server_is_said_to_hang_at_hello() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        reason = run(why_not(f"mongodb://127.0.0.1:{port} timeout=200ms"))

    assert reason == "hello: no answer within 200ms"


def test_an_early_close_is_told() -> None:
    assert answered(b"") == "connection closed without an answer"


def test_an_answer_cut_off_is_told() -> None:
    cut = message(bson.encode(STANDALONE))[:-3]

    assert answered(cut) == "connection closed in the middle of an answer"


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        message(bson.encode({"ok": 1}), code=1),
        message(b"", length=2_000_000_000),
        message(b"", length=-1),
        message(b"\xff" * 64),
        message(struct.pack("<i", 2_000_000_000) + b"\x08a\0\1\0"),
        message(bson.encode({"a": "b"}).replace(b"\x02a", b"\x42a")),
    ],
)
def test_anything_else_is_not_mongodb(garbage: bytes) -> None:
    assert answered(garbage) == NOT_MONGODB


def test_a_document_nested_without_end_is_not_mongodb() -> None:
    document: Document = {}
    for _ in range(500):
        document = {"a": document}

    assert answered(message(bson.encode(document))) == NOT_MONGODB


def test_every_type_of_value_is_read_as_the_driver_writes_it() -> None:
    document = {
        "double": 1.5,
        "text": "ä",
        "document": {"a": [1, {"b": None}]},
        "binary": b"\0\1",
        "id": bson.ObjectId(),
        "date": bson.DatetimeMS(17),
        "pattern": bson.Regex("a", "i"),
        "code": bson.Code("x"),
        "time": bson.Timestamp(1, 2),
        "long": bson.Int64(3),
        "decimal": bson.Decimal128("1"),
        "least": bson.MinKey(),
        "most": bson.MaxKey(),
        "last": True,
    }

    read = documents.decode(bson.encode(document))

    assert list(read) == list(document)
    assert (read["text"], read["document"]["a"][0], read["last"]) == ("ä", 1, True)


# TLS


@pytest.mark.parametrize("asked", ["/?tls=true", "/?ssl=true", " tls", ""])
def test_tls_is_spoken_where_url_or_options_ask_for_it(
    asked: str, server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    assert why(Server(), f"{asked} ca={ca_file}", tls=server_tls) == ""


def test_the_authority_may_be_in_the_url(server_tls: ssl.SSLContext, ca_file: Path) -> None:
    after_port = f"/?tls=true&tlsCAFile={quote(str(ca_file))}"

    assert why(Server(), after_port, tls=server_tls) == ""


def test_the_user_logs_in_over_tls(server_tls: ssl.SSLContext, ca_file: Path) -> None:
    server = Server(passwords={"app": "s3cret"})

    assert why(server, f" ca={ca_file}", login="app:s3cret@", tls=server_tls) == ""


def test_an_unknown_authority_is_refused(server_tls: ssl.SSLContext) -> None:
    reason = why(Server(), "/?tls=true", tls=server_tls)

    assert reason == "TLS: unable to get local issuer certificate"


@pytest.mark.parametrize("login", ["", "app:s3cret@"])
def test_certificates_are_not_verified_where_the_url_says_so(
    login: str, server_tls: ssl.SSLContext
) -> None:
    server = Server(passwords={"app": "s3cret"})
    after_port = "/?tls=true&tlsAllowInvalidCertificates=true"

    assert why(server, after_port, login=login, tls=server_tls) == ""


@pytest.mark.parametrize("login", ["", "app:s3cret@"])
def test_any_name_is_taken_from_a_known_authority_where_the_url_says_so(
    login: str, authority: trustme.CA, ca_file: Path
) -> None:
    other = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("other.example.com").configure_cert(other)
    server = Server(passwords={"app": "s3cret"})
    after_port = "/?tls=true&tlsAllowInvalidHostnames=true"

    unknown = why(server, after_port, login=login, tls=other)

    assert unknown == "TLS: unable to get local issuer certificate"
    assert why(server, f"{after_port} ca={ca_file}", login=login, tls=other) == ""


# The driver gives up in the middle of its last try, and leaves that socket to the collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_the_driver_too_verifies_the_authority_where_any_name_will_do(
    server_tls: ssl.SSLContext,
) -> None:
    async def main() -> None:
        async with Server(passwords={"app": "s3cret"}).listening(tls=server_tls) as port:
            log_in = LogIn(
                login=Login(username="app", written_password="s3cret"),
                mechanism="",
                auth_source="",
                database="",
                tls=Tls(any_name=True),
                timeout=4.0,  # seconds: the driver tries again until then
            )
            await log_in(Host("127.0.0.1", port), "")

    with pytest.raises(CheckFailed, match="unable to get local issuer certificate"):
        run(main())
    gc.collect()


@pytest.mark.parametrize("login", ["", "app:s3cret@"])
def test_a_final_dot_is_not_part_of_the_name_in_the_certificate(
    login: str, server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    async def main() -> str:
        async with Server(passwords={"app": "s3cret"}).listening(tls=server_tls) as port:
            return await why_not(f"mongodb://{login}localhost.:{port} ca={ca_file}")

    assert run(main()) == ""


def test_a_file_of_the_url_that_cannot_be_read_is_told_as_it_is_written_there() -> None:
    reason = why(Server(), "/?tls=true&tlsCAFile=/nope/ca.pem")

    assert reason == "tlsCAFile: cannot read /nope/ca.pem: no such file or directory"


def test_a_client_certificate_is_shown(
    authority: trustme.CA, server_tls: ssl.SSLContext, ca_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "client.pem"
    authority.issue_cert("app").private_key_and_cert_chain_pem.write_to_path(str(path))
    authority.configure_trust(server_tls)
    server_tls.verify_mode = ssl.CERT_REQUIRED
    server = Server(passwords={"app": "s3cret"})

    after_port = f"/?tlsCertificateKeyFile={path} ca={ca_file}"

    assert why(server, after_port, login="app:s3cret@", tls=server_tls) == ""


def test_a_client_certificate_may_be_the_login(
    authority: trustme.CA, server_tls: ssl.SSLContext, ca_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "client.pem"
    authority.issue_cert("app").private_key_and_cert_chain_pem.write_to_path(str(path))
    server = Server(takes_certificates=True)

    after_port = f"/?authMechanism=MONGODB-X509&tlsCertificateKeyFile={path} ca={ca_file}"

    assert why(server, after_port, tls=server_tls) == ""
    assert "authenticate" in server.commands


def test_tls_where_none_is_spoken_is_told() -> None:
    assert answered(b"", "/?tls=true") == "connection closed"


def test_a_port_that_wants_tls_is_told() -> None:
    assert answered(b"\x15\x03\x03\0\2\2\x46") == "the server speaks TLS on this port"


# mongodb+srv


def record_of(line: str) -> dns.rrset.RRset:
    name, seconds, network, kind, text = line.split(" ", 4)
    return dns.rrset.from_text(name, int(seconds), network, kind, text)


@asynccontextmanager
async def name_server(*records: str) -> AsyncIterator[dns.asyncresolver.Resolver]:
    """Yield a resolver that asks a name server with *records*; no others exist."""

    class Answers(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, peer: Any) -> None:
            query = dns.message.from_wire(data)
            question = query.question[0]
            reply = dns.message.make_response(query)
            reply.flags |= dns.flags.RA
            sets = [record_of(line) for line in records]
            mine = [one for one in sets if one.name == question.name]
            reply.answer = [one for one in mine if one.rdtype == question.rdtype]
            reply.set_rcode(dns.rcode.NOERROR if mine else dns.rcode.NXDOMAIN)
            self.transport.sendto(reply.to_wire(), peer)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Answers, local_addr=("127.0.0.1", 0))
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = transport.get_extra_info("sockname")[1]
    try:
        yield resolver
    finally:
        transport.close()


def seeds_of(*records: str) -> Seeds:
    async def main() -> Seeds:
        async with name_server(*records) as resolver:
            return await Srv("db.shop.test", "mongodb", lambda: resolver)()

    seeds = run(main())
    assert isinstance(seeds, Seeds)
    return seeds


SRV = "_mongodb._tcp.db.shop.test. 60 IN SRV"
TXT = "db.shop.test. 60 IN TXT"


def test_the_hosts_of_a_srv_url_come_from_dns() -> None:
    assert seeds_of(f"{SRV} 0 0 27018 a.shop.test.").hosts == (Host("a.shop.test", 27018),)


def test_a_txt_record_may_name_replica_set_and_auth_source() -> None:
    text = f'{TXT} "replicaSet=rs0&auth" "Source=users&tls=false"'

    seeds = seeds_of(f"{SRV} 0 0 27017 a.shop.test.", text)

    assert dict(seeds.options) == {"replicaset": "rs0", "authsource": "users"}


def test_a_srv_name_that_is_not_there_is_absent() -> None:
    with pytest.raises(Absent, match=r"^name not found: _mongodb\._tcp\.db\.shop\.test$"):
        seeds_of()


def test_a_name_without_srv_record_says_so() -> None:
    with pytest.raises(
        CheckFailed, match=r"^name has no SRV record: _mongodb\._tcp\.db\.shop\.test$"
    ):
        seeds_of("_mongodb._tcp.db.shop.test. 60 IN A 127.0.0.1")


def test_a_srv_record_that_leads_away_is_not_followed() -> None:
    text = r"^the SRV record of db\.shop\.test points outside its domain, at evil\.test$"

    with pytest.raises(CheckFailed, match=text):
        seeds_of(f"{SRV} 0 0 27017 evil.test.")


def test_the_replica_set_of_a_txt_record_is_the_one_wanted() -> None:
    async def main() -> None:
        async with Server(PRIMARY).listening() as port:
            # A name whose parent domain an address lies in: no other lookup is needed.
            records = (
                f"_mongodb._tcp.db.0.0.1. 60 IN SRV 0 0 {port} 127.0.0.1.",
                'db.0.0.1. 60 IN TXT "replicaSet=rs9"',
            )
            async with name_server(*records) as resolver:
                seeds = Srv("db.0.0.1", "mongodb", lambda: resolver)
                await Mongodb(seeds=seeds, wanted=Wanted(), tls=None, login=None)()

    with pytest.raises(CheckFailed, match=r"^is in another replica set: rs0$"):
        run(main())


# Configuration


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "mongodb+srv://db.test:27017",
            "the URL wants one name without a port; write mongodb+srv://name",
        ),
        (
            "mongodb://app@db",
            (
                "a login wants user and password; write mongodb://user:password@host, or "
                "mongodb://user@host and password-file=PATH"
            ),
        ),
        (
            "mongodb://app:s3cret@db/?authMechanism=GSSAPI",
            (
                "authMechanism in the URL: wants one of SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, "
                "MONGODB-X509"
            ),
        ),
        (
            "mongodb://app:s3cret@db tls server-name=other",
            (
                "server-name, key: not with a login, for which the driver takes the name from the "
                "URL, and certificate and key from one file, cert=PATH"
            ),
        ),
        ("mongodb://db/?tlsCAFile=ca.pem", "tlsCAFile in the URL: wants an absolute path"),
        ("mongodb:db", "the URL wants a host; write mongodb://host:port"),
    ],
)
def test_a_mistake_is_a_problem_that_names_the_remedy(line: str, problem: str) -> None:
    assert problems_of(line) == [problem]


def test_parameters_that_drivers_know_are_no_mistakes() -> None:
    line = "mongodb://db/shop?retryWrites=true&w=majority&readPreference=nearest&appName=x"

    assert problems_of(line) == []


def test_a_srv_url_is_taken_as_the_app_writes_it() -> None:
    assert problems_of("mongodb+srv://app:s3cret@db.shop.test/shop?retryWrites=true") == []


def problems_without_driver(line: str) -> str:
    code = (
        "import sys; sys.modules['pymongo'] = None\n"
        "from tests.conftest import problems_of\n"
        "print(*problems_of(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, line], capture_output=True, check=True, text=True
    )
    return done.stdout.strip()


def test_a_missing_driver_is_a_problem_that_says_what_to_install() -> None:
    problem = "mongodb: needs the package pymongo; pip install 'podgate[mongodb]'"

    assert problems_without_driver("mongodb://app:s3cret@db") == problem


def test_no_driver_is_imported_that_is_not_needed() -> None:
    assert problems_without_driver("mongodb://db primary") == ""
