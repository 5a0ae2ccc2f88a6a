from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from gate.checks.mysql import protocol as wire
from gate.config import app_url
from tests.checks.servers import certificate, migrations
from tests.checks.servers.certificate import Certificate
from tests.checks.servers.cold_start import Comparison
from tests.checks.servers.fake import reason_of
from tests.checks.servers.mariadb import (
    Mariadb,
    cold_start,
    cold_start_with_login,
    copy_of,
    from_afar,
    initialize,
)
from tests.checks.servers.reset import reason_of_reset
from tests.conftest import free_port, outcome, problems_of, run, why_late, why_not

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

APP = "mysql://app:se%20cret"
STRANGER = "the server does not speak MySQL on this port"
ODD_REFUSED = "login refused: access denied for user 'odd'@'198.51.100.9'"
SSL_MODES = "disabled, preferred, required, verify-ca, verify-identity"
NONCE = b"12345678abcdefghijkl"

GREETING = (
    b"\x0a8.4.0\0\x01\0\0\0" + NONCE[:8] + b"\0\xff\xf7\xff\x02\0\xff\xdf\x15" + bytes(10)
) + (NONCE[8:] + b"\0caching_sha2_password\0")
OK = b"\0\0\0\x02\0\0\0"
DENIED = b"\xff\x15\x04#28000Access denied for user 'app'@'pod' (using password: YES)"
SECURE_GREETING = GREETING.replace(b"\xff\xf7", b"\xff\xff", 1)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Mariadb:
    """Data to copy; it never runs."""
    return initialize(tmp_path_factory.mktemp("mariadb"))


@pytest.fixture(scope="module")
def server(original: Mariadb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mariadb]:
    with copy_of(original, tmp_path_factory.mktemp("server")).running() as made:
        yield made


@pytest.fixture(scope="module")
def files(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate.written(authority, tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secured(
    original: Mariadb, files: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mariadb]:
    made = copy_of(original, tmp_path_factory.mktemp("secured"))
    with made.running(f"--ssl-cert={files.cert}", f"--ssl-key={files.key}"):
        yield made


def reason(line: str) -> str:
    return str(run(why_not(line)))


async def from_afar_why_not(server: Mariadb, line: str, attempts: int) -> set[str]:
    """Return the reasons of *attempts* at *line*, `{at}` in it, made from another address."""
    server.forget()
    async with from_afar(server) as port:
        return {await why_not(line.format(at=f"127.0.0.1:{port}")) for _ in range(attempts)}


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql", "mysql+aiomysql"])
def test_a_server_that_denies_strangers_accepts_connections(server: Mariadb, scheme: str) -> None:
    assert reason(f"{scheme}://app@127.0.0.1:{server.port}/app?charset=utf8mb4") == ""


@pytest.mark.parametrize(
    "written",
    [
        "jdbc:mariadb://127.0.0.1:{port}/app?user=app&password=se%20cret&useSSL=false",
        "app:se cret@tcp(127.0.0.1:{port})/app?parseTime=true",
        "Server=127.0.0.1;Port={port};Database=app;Uid=app;Pwd=se cret",
        "mysql2://app:se%20cret@127.0.0.1:{port}/app?pool=5",
    ],
)
def test_the_login_of_an_app_s_variable_has_to_work(server: Mariadb, written: str) -> None:
    held = written.format(port=server.port)
    wrong = held.replace("se%20cret", "wrong").replace("se cret", "wrong")

    assert reason(app_url.translate("DATABASE_URL", held)) == ""
    assert "access denied" in reason(app_url.translate("DATABASE_URL", wrong))


def test_asking_two_hundred_times_is_never_counted_as_an_error(server: Mariadb) -> None:
    assert run(from_afar_why_not(server, "mysql://{at}/app", 200)) == {""}

    assert server.counted() == (0, 0)
    assert run(from_afar_why_not(server, APP + "@{at}/app", 1)) == {""}


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("app:se%20cret", ""),
        ("app:wrong", "login refused: access denied for user 'app'@'198.51.100.9'"),
        ("zoe:x", "login refused: access denied for user 'zoe'@'198.51.100.9'"),
        ("modern:se%20cret", ""),
        ("modern:wrong", "login refused: access denied for user 'modern'@'198.51.100.9'"),
        ("modern:", "login refused: access denied for user 'modern'@'198.51.100.9'"),
        (
            "odd:x",
            f"{ODD_REFUSED}; gate does not know the plugin 'dialog'",
        ),
    ],
)
def test_with_a_password_login_has_to_work_and_no_outcome_is_counted(
    server: Mariadb, who: str, why: str
) -> None:
    assert run(from_afar_why_not(server, f"mysql://{who}@{{at}} query='DO 1'", 2)) == {why}

    assert server.counted() == (0, 0)


def test_a_server_that_hangs_counts_nothing_when_it_wakes_up(server: Mariadb) -> None:
    server.send(signal.SIGSTOP)
    try:
        line = "mysql://{at} timeout=50ms"
        reasons = run(_woken(server, line))
    finally:
        server.send(signal.SIGCONT)

    assert reasons == {"greeting: no answer within 50ms"}
    assert server.counted() == (0, 0)


async def _woken(server: Mariadb, line: str) -> set[str]:
    async with from_afar(server) as port:
        reasons = {await why_not(line.format(at=f"127.0.0.1:{port}")) for _ in range(8)}
        server.send(signal.SIGCONT)
        return reasons


def test_a_bare_connection_is_counted(server: Mariadb) -> None:
    """So that the tests above can fail."""

    async def main() -> None:
        async with from_afar(server) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()

    server.forget()
    run(main())

    server.wait_until(lambda: server.counted() == (1, 1))


def test_a_blocked_address_says_so(server: Mariadb) -> None:
    async def main() -> str:
        async with from_afar(server) as port:
            for _ in range(8):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
            return await why_not(f"mysql://127.0.0.1:{port}")

    server.forget()
    why = run(main())
    server.forget()

    assert why == "this host is blocked because of many connection errors; FLUSH HOSTS lifts that"


def test_a_refused_connection_says_so_and_is_what_until_down_waits_for() -> None:
    line = f"mysql://app:x@localhost:{free_port()}/app"

    assert reason(line) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


def test_a_server_that_is_there_is_not_down(server: Mariadb) -> None:
    assert not run(outcome(f"mysql://127.0.0.1:{server.port} until=down")).ok


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("query='SELECT 1'", ""),
        ("query='SET @a = 1'", ""),
        ("query='SELECT 0'", "query gave 0"),
        ("query='SELECT NULL, 1'", "query gave NULL"),
        ("query=\"SELECT b'0'\"", "query gave 0"),
        ("query=\"SELECT ''\"", ""),
        ("query='SELECT 7' equals=7", ""),
        ("query='SELECT 7' equals=8", "query gave 7, wanted 8"),
        ("query=\"SELECT REPEAT('x', 300)\" equals=x", "query gave another text, wanted x"),
        ("query='SELECT 1 WHERE FALSE' equals=x", "query gave no row, wanted x"),
        ("query='SELECT 1 UNION SELECT 2' rows=2", ""),
        ("query='SELECT * FROM information_schema.columns LIMIT 300'", ""),
        (
            "query='SELECT 1 FROM information_schema.columns LIMIT 300' rows=299",
            "query gave more rows than the 299 wanted",
        ),
        ("query='SELECT 1 UNION SELECT 2' rows=1", "query gave more rows than the 1 wanted"),
        ("query='SET @a = 1' rows=1", "query gave 0 of the 1 rows wanted"),
        ("query='SELECT 1 WHERE FALSE'", "query gave no row"),
        ("query='SELECT * FROM missing'", "query failed: table 'app.missing' doesn't exist"),
        ("query='SHOW COLLATION'", ""),
        ("query=\"SELECT REPEAT('x', 70000)\"", ""),
        ("query=\"SELECT REPEAT('x', 70000) FROM (SELECT 1 UNION SELECT 2) a\"", ""),
        ("query=\"SELECT REPEAT('x', 16777211)\"", ""),
        ("query='CALL app.nix()'", "query failed: PROCEDURE app.nix does not exist"),
        ("role=primary", ""),
        ("role=primary query='SELECT * FROM information_schema.columns'", ""),
    ],
)
def test_role_and_query_have_to_hold(server: Mariadb, options: str, why: str) -> None:
    assert reason(f"{APP}@127.0.0.1:{server.port}/app {options}") == why


@pytest.fixture(scope="module")
def migrated(server: Mariadb) -> Mariadb:
    """The tables of the tools, as each makes them."""
    server.sql(f"USE app; {migrations.MYSQL}")
    return server


def test_the_migration_that_the_app_needs_has_to_have_run(migrated: Mariadb) -> None:
    line = f"{APP}@127.0.0.1:{migrated.port}/app"

    assert run(migrations.reasons(line, migrations.CASES)) == migrations.CASES


def test_golang_migrate_notes_only_where_the_schema_is(server: Mariadb) -> None:
    server.sql(f"CREATE DATABASE migrate; USE migrate; {migrations.GOLANG_MIGRATE}")
    line = f"mysql://all:se%20cret@127.0.0.1:{server.port}/migrate"
    expected = migrations.GOLANG_MIGRATE_REASONS

    assert run(migrations.reasons(line, expected)) == expected
    server.sql("UPDATE migrate.schema_migrations SET dirty = FALSE")
    assert reason(f"{line} schema=golang-migrate:7") == ""


def test_a_server_without_the_table_of_migrations_is_not_ready(server: Mariadb) -> None:
    line = f"mysql://all:se%20cret@127.0.0.1:{server.port}/mysql schema=rails:1"

    assert reason(line) == "no table schema_migrations yet"


def test_a_query_that_takes_too_long_ends_on_the_server(server: Mariadb) -> None:
    line = f"{APP}@127.0.0.1:{server.port}/app query='SELECT SLEEP(90)' timeout=10s"
    sleeping = "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep'"

    why = run(why_late(line, lambda _: server.sql(sleeping) == "1"))

    assert why == "query: no answer within 10s"
    sessions = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'app'"
    server.wait_until(lambda: server.sql(sessions) == "0")


def test_a_read_only_server_is_no_primary(server: Mariadb) -> None:
    server.sql("SET GLOBAL read_only = 1")
    line = f"{APP}@127.0.0.1:{server.port}/app"

    reasons = [reason(line), reason(f"{line} role=primary")]
    server.sql("SET GLOBAL read_only = 0")

    assert reasons == ["", "read-only, not primary"]


def test_a_database_missing_is_told_to_those_who_may_know(server: Mariadb) -> None:
    line = f"127.0.0.1:{server.port}/nix"

    assert reason(f"mysql://all:se%20cret@{line}") == "unknown database 'nix'"
    assert reason(f"{APP}@{line}") == "access denied for user 'app'@'%' to database 'nix'"


def test_too_many_connections_are_told(original: Mariadb, tmp_path: Path) -> None:
    made = copy_of(original, tmp_path)
    with made.running("--max-connections=10"), made.sessions(10):
        assert reason(f"{APP}@127.0.0.1:{made.port}/app") == "too many connections"


@pytest.mark.parametrize("start", [cold_start, cold_start_with_login])
def test_gate_never_opens_before_the_servers_own_client(
    original: Mariadb, tmp_path: Path, start: Callable[[Path], Comparison]
) -> None:
    copy_of(original, tmp_path)

    result = start(tmp_path)

    assert not result.was_early
    assert result.reasons == ["connection refused"]


def test_a_restarted_server_is_ready_again(original: Mariadb, tmp_path: Path) -> None:
    made = copy_of(original, tmp_path)
    line = f"{APP}@127.0.0.1:{made.port}/app"

    with made.running():
        first = reason(line)
    between = reason(line)
    with made.running():
        assert [first, between, reason(line)] == ["", "connection refused", ""]


@pytest.mark.parametrize("who", ["", "app:se%20cret@"])
def test_tls_is_verified_as_ssl_mode_says(secured: Mariadb, ca_file: Path, who: str) -> None:
    line = f"mysql://{who}localhost:{secured.port}/app"

    assert reason(f"{line} ca={ca_file}") == ""
    assert reason(f"{line}?ssl_ca={ca_file}&ssl_verify_identity=true") == ""
    assert reason(f"{line} ssl-mode=REQUIRED") == ""
    assert reason(f"{line} ssl-mode=disabled") == ""
    untrusted = "TLS: unable to get local issuer certificate"
    assert reason(f"{line} ssl-mode=verify-identity") == untrusted
    assert reason(f"{line} ssl-mode=verify-identity insecure") == ""


def test_tls_is_spoken_where_it_is_offered(secured: Mariadb) -> None:
    line = f"mysql://secure:se%20cret@127.0.0.1:{secured.port}"

    assert reason(line) == ""
    denied = "login refused: access denied for user 'secure'@'localhost'"
    assert reason(f"{line} ssl-mode=disabled") == denied


def test_over_tls_the_database_is_entered_too(secured: Mariadb) -> None:
    line = f"mysql://all:se%20cret@127.0.0.1:{secured.port}"

    assert reason(f"{line}/nix") == "unknown database 'nix'"
    assert reason(f"{line}/app query='SELECT 1 WHERE DATABASE() = \"app\"'") == ""


def test_a_certificate_that_fails_is_counted_once_only(secured: Mariadb, ca_file: Path) -> None:
    line = f"{APP}@{{at}}/app ca={ca_file} server-name=db"

    mismatch = "TLS: hostname mismatch, certificate is not valid for 'db'"
    assert run(from_afar_why_not(secured, line, 8)) == {mismatch}
    assert secured.counted() == (1, 1)


def test_the_name_is_not_verified_by_verify_ca(secured: Mariadb, ca_file: Path) -> None:
    options = f"ca={ca_file} server-name=db ssl-mode=verify-ca"

    assert reason(f"{APP}@127.0.0.1:{secured.port}/app {options}") == ""


@pytest.mark.parametrize("who", ["", "app:se%20cret@"])
def test_tls_that_is_demanded_but_not_offered_says_so(server: Mariadb, who: str) -> None:
    line = f"mysql://{who}{{at}}/app?ssl=true"

    assert run(from_afar_why_not(server, line, 8)) == {"TLS: the server does not offer it"}
    assert server.counted() == (0, 0)


def test_unix_sockets_and_ipv6_are_reached(server: Mariadb) -> None:
    assert reason(f"{APP}@localhost/app?unix_socket={server.socket}") == ""
    assert reason("mysql://localhost/app?unix_socket=/nowhere") == "no such socket"
    assert reason(f"{APP}@[::1]:{server.port}/app") == ""


def test_of_several_hosts_one_is_enough(server: Mariadb) -> None:
    hosts = f"127.0.0.1:{free_port()},127.0.0.1:{server.port}"

    assert reason(f"{APP}@{hosts}/app") == ""


def test_the_password_comes_from_a_file_at_each_attempt(server: Mariadb, tmp_path: Path) -> None:
    file = tmp_path / "password"
    line = f"mysql://app@127.0.0.1:{server.port}/app password-file={file}"

    assert reason(line) == f"password-file: cannot read {file}: no such file or directory"
    file.write_text("se cret\n")
    assert reason(line) == ""


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", STRANGER),
        (b"\x05\0\0\0\x0a8.0", "connection closed before the greeting"),
        (b"\x05\0\0\0\x0a8.0\0", STRANGER),
        (b"", "connection closed before the greeting"),
        (wire.packet(0, b"\xff\x10\x04Too many connections"), "too many connections"),
        (wire.packet(0, b"\xff\x1d\x04Server shutdown in progress"), "shutting down"),
        (
            wire.packet(0, b"\xff\x6a\x04Host 'pod' is not allowed to connect"),
            "host 'pod' is not allowed to connect",
        ),
    ],
)
def test_what_is_no_greeting_is_told(answer: bytes, why: str) -> None:
    """By a fake: a real server does not say such things, or only for an instant."""
    assert run(reason_of("mysql://127.0.0.1:{port}", answer, greets=True)) == why


def test_a_server_that_is_silent_is_told_by_its_stage() -> None:
    """By a port where connections are accepted by the kernel alone."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        why = reason(f"mysql://127.0.0.1:{listener.getsockname()[1]} timeout=100ms")

    assert why == "greeting: no answer within 100ms"


@pytest.mark.parametrize("is_cached", [True, False])
def test_mysql_8_is_proven_the_password_without_tls(*, is_cached: bool) -> None:
    """By a fake that verifies as MySQL 8 does, which Debian does not have."""
    assert run(_against_mysql_8("se cret", is_cached=is_cached)) == ""
    denied = "login refused: access denied for user 'app'@'pod'"
    assert run(_against_mysql_8("wrong", is_cached=is_cached)) == denied


async def _against_mysql_8(password: str, *, is_cached: bool) -> str:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(wire.packet(0, GREETING))
        answer = (await _packet(reader)).split(b"app\0", 1)[1]
        is_right = answer[1:33] == _scramble(b"se cret")
        if not is_cached:
            writer.write(wire.packet(2, b"\x01\x04"))
            assert await _packet(reader) == b"\x02"
            is_right = await _encrypted(reader, writer) == b"se cret\0"
        elif is_right:
            writer.write(wire.packet(2, b"\x01\x03"))
        writer.write(wire.packet(6, OK if is_right else DENIED))
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        return await why_not(f"mysql://app:{password.replace(' ', '%20')}@127.0.0.1:{port}")


async def _encrypted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Return what comes back, decrypted, when a public key is sent."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    writer.write(wire.packet(4, b"\x01" + public))
    sha1 = hashes.SHA1()
    oaep = padding.OAEP(padding.MGF1(sha1), sha1, None)
    return _xor(key.decrypt(await _packet(reader), oaep), NONCE)


async def _packet(reader: asyncio.StreamReader) -> bytes:
    header = await reader.readexactly(4)
    return await reader.readexactly(int.from_bytes(header[:3], "little"))


def _scramble(password: bytes) -> bytes:
    once = sha256(password).digest()
    return _xor(once, sha256(sha256(once).digest() + NONCE).digest())


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=False))


async def _scripted(
    *packets: bytes, line: str = "mysql://app:x@{at}/app", path: Path | None = None
) -> tuple[str, list[bytes]]:
    """Return the reason, and what a server heard that answers each word with the next packet.

    By a fake: which way of proving a password MariaDB asks for cannot be chosen so freely.
    """
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(wire.packet(0, GREETING))
        with suppress(asyncio.IncompleteReadError):
            for number, body in enumerate(packets):
                heard.append(await _packet(reader))
                writer.write(wire.packet(2 * number + 2, body))
            heard.append(await _packet(reader))
        writer.close()

    return await _reason_at(serve, line, path), heard


async def _reason_at(serve: Serve, line: str, path: Path | None) -> str:
    """Return the reason at a server, on a unix socket if *path* is given."""
    if path is not None:
        async with await asyncio.start_unix_server(serve, path):
            return await why_not(f"mysql://app:x@localhost/app?unix_socket={path}")
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        at = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        return await why_not(line.format(at=at))


REFUSED = "login refused: access denied for user 'app'@'pod'"
IN_CLEAR = b"\xfemysql_clear_password\0"
FULL = b"\x01\x04"


def test_a_password_is_sent_in_clear_only_where_nobody_hears_it(tmp_path: Path) -> None:
    why, heard = run(_scripted(IN_CLEAR, DENIED))
    in_clear = "the server wants the password in clear, without TLS"
    assert why == f"{REFUSED}; {in_clear}"
    assert heard[1:] == [b"\0"]

    for number, asked in enumerate((IN_CLEAR, FULL)):
        why, heard = run(_scripted(asked, OK, path=tmp_path / str(number)))
        assert (why, heard[1:]) == ("", [b"x\0", b"\x01"])


@pytest.mark.parametrize(
    ("plugin", "answer"),
    [
        ("caching_sha2_password", b""),
        ("mysql_native_password", b""),
        ("sha256_password", b"\0"),
        ("authentication_ldap_sasl_client", bytes(64)),
    ],
)
def test_a_denial_is_ready_whatever_the_server_asks_of_a_user_it_does_not_have(
    plugin: str, answer: bytes
) -> None:
    """MySQL 8 picks one of the first three ways for each such user anew at each start."""
    asked = b"\xfe" + plugin.encode() + b"\0" + NONCE + b"\0"

    why, heard = run(_scripted(asked, DENIED, line="mysql://{at}/app"))

    assert (why, heard[1]) == ("", answer)


def test_sha256_password_is_encrypted_but_for_tls(
    server_tls: ssl.SSLContext, tmp_path: Path
) -> None:
    """By a fake, as above: MySQL does not take it as it is on a unix socket either."""
    encrypted = ("", [b"\1", b"x\0"])

    assert run(_against_sha256()) == encrypted
    assert run(_against_sha256(path=tmp_path / "sock")) == encrypted
    assert run(_against_sha256(tls=server_tls)) == ("", [b"x\0"])


async def _against_sha256(
    *, path: Path | None = None, tls: ssl.SSLContext | None = None
) -> tuple[str, list[bytes]]:
    """Return the reason, and what a server heard that demands `sha256_password`, decrypted."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if tls is None:
            writer.write(wire.packet(0, GREETING))
        await _packet(reader)
        writer.write(wire.packet(2, b"\xfesha256_password\0" + NONCE + b"\0"))
        heard.append(await _packet(reader))
        if heard == [b"\1"]:
            heard.append(await _encrypted(reader, writer))
        writer.write(wire.packet(6, OK))
        await reader.read()
        writer.close()

    line = "mysql://app:x@{at}/app"
    if tls is not None:
        return await _reason_over_tls(serve, line, tls), heard
    return await _reason_at(serve, line, path), heard


async def _reason_over_tls(serve: Serve, line: str, tls: ssl.SSLContext) -> str:
    """Return the reason at a server that goes on by *serve* once there is TLS."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        asking = asyncio.create_task(
            why_not(line.format(at=f"127.0.0.1:{listener.getsockname()[1]}"))
        )
        sock, _ = await loop.sock_accept(listener)
        await loop.sock_sendall(sock, wire.packet(0, SECURE_GREETING))
        # From the bare socket: right behind the request TLS begins.
        await loop.sock_recv(sock, len(wire.packet(1, bytes(32))))
        protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader(), serve)
        await loop.connect_accepted_socket(lambda: protocol, sock, ssl=tls)
        return await asking


@pytest.mark.parametrize(
    ("packets", "why"),
    [
        ((FULL, DENIED), REFUSED),
        ((FULL, b""), STRANGER),
        ((FULL, b"\x01AAAA"), "login failed: the server's RSA key is not usable"),
        ((FULL, b"\x01no key"), "login failed: the server's RSA key is not usable"),
        ((b"\x01\x07", DENIED), REFUSED),
        ((b"\x07", DENIED), REFUSED),
        ((b"\x07",) * 9, "login failed: the server does not come to an end"),
        ((), "connection closed during login"),
    ],
)
def test_a_login_that_goes_astray_says_so(packets: tuple[bytes, ...], why: str) -> None:
    assert run(_scripted(*packets))[0] == why


@pytest.mark.parametrize("greeting", [b"", GREETING, SECURE_GREETING])
def test_a_reset_connection_says_so(greeting: bytes) -> None:
    answer = wire.packet(0, greeting) if greeting else b""
    line = "mysql://app:x@127.0.0.1:{port}"
    hears = 1 if greeting == GREETING else 0

    assert run(reason_of_reset(line, greeting=answer, hears=hears)) == "connection reset"


def test_a_key_that_is_too_short_is_not_used() -> None:
    pem = (
        b"-----BEGIN PUBLIC KEY-----\nMCAwDQYJKoZIhvcNAQEBBQADDwAwDAIFAMfPmCECAwEAAQ==\n"
        b"-----END PUBLIC KEY-----"
    )

    assert run(_scripted(FULL, b"\x01" + pem))[0] == (
        "login failed: the server's RSA key is not usable"
    )


def test_an_account_without_a_password_is_let_in() -> None:
    line = "mysql://app@{at}/app query='DO 1'"

    assert run(_scripted(OK, OK, OK, line=line))[0] == ""


def test_a_server_that_asks_for_a_file_gets_none() -> None:
    line = "mysql://app:x@{at}/app query='LOAD DATA'"

    why, heard = run(_scripted(OK, OK, b"\xfb/etc/passwd", line=line))

    assert why == "query failed: the server asks for a file"
    assert heard[-1] == b"\x01"


def test_whoever_is_let_in_takes_leave(server: Mariadb) -> None:
    server.sql("CREATE USER gate")
    aborted = "SHOW GLOBAL STATUS LIKE 'Aborted_clients'"
    before = server.sql(aborted)

    reasons = [reason(f"{who}127.0.0.1:{server.port}") for who in ("mysql://", f"{APP}@")]
    server.sql("DROP USER gate")

    assert reasons == ["", ""]
    assert server.sql(aborted) == before


def test_a_certificate_that_was_replaced_is_seen_at_once(
    original: Mariadb, authority: trustme.CA, tmp_path: Path
) -> None:
    made = copy_of(original, tmp_path)
    files = certificate.written(trustme.CA(), tmp_path)
    trusted = tmp_path / "trusted.pem"
    authority.cert_pem.write_to_path(str(trusted))
    line = f"{APP}@localhost:{made.port}/app ca={trusted}"

    with made.running(f"--ssl-cert={files.cert}", f"--ssl-key={files.key}"):
        before = [reason(line), reason(line)]
        certificate.written(authority, tmp_path)
        made.sql("FLUSH SSL")

        assert before == ["TLS: unable to get local issuer certificate"] * 2
        assert reason(line) == ""


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("x mysql:///app", "the URL names no host; write mysql://host:3306/db"),
        (
            "x mysql://db/app role=primary",
            "a password, query, schema or role wants a user to log in as; write mysql://user@host/database",
        ),
        (
            "x mysql://a:b@db/app password-file=/p",
            "password-file: the URL holds a password already; give one of them",
        ),
        (
            "x mysql://db/app?ssl-mode=sure",
            f"ssl-mode: the one in the URL is not one of {SSL_MODES}",
        ),
    ],
)
def test_what_cannot_work_is_a_problem(line: str, problem: str) -> None:
    assert problems_of(line) == [problem]
