from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from gate.config import app_url
from tests.checks.servers import migrations
from tests.checks.servers.cold_start import Comparison, poll
from tests.checks.servers.fake import reason_of
from tests.checks.servers.mute import mute
from tests.checks.servers.pgbouncer import pooled
from tests.checks.servers.postgresql import (
    Postgresql,
    certified,
    cold_start,
    cold_start_with_login,
    copy_of,
    initialize,
    own_folder,
    standby_of,
)
from tests.checks.servers.reset import reason_of_reset
from tests.conftest import free_port, open_files, outcome, problems_of, run, why_late, why_not

APP = "postgresql://app:se%20cret"
NO_ENTRY = 'login refused: no pg_hba.conf entry for host "127.0.0.1", user'
SSL_MODES = "disable, allow, prefer, require, verify-ca, verify-full"
ROLES = "any, prefer-standby, primary, standby, read-write, read-only"
USER_WANTED = "a password, query, schema or role wants a user to log in as"
SYSTEM = "sslmode: sslrootcert=system takes verify-full only; leave the other out"
NO_SERVICE = "service: gate reads no service file; write host, database and so on in the URL"
NOBODY = "SELECT '', '' WHERE $1 = ''"
UNREACHABLE = (
    'server login has been failing, cached error: password authentication failed for user "x"'
    " (server_login_retry)"
)
STRANGER = "the server does not speak PostgreSQL on this port"


@pytest.fixture(scope="module")
def original() -> Iterator[Postgresql]:
    """Data to copy; it never runs."""
    with own_folder() as folder:
        yield initialize(folder)


@pytest.fixture(scope="module")
def server(original: Postgresql) -> Iterator[Postgresql]:
    with (
        own_folder() as folder,
        copy_of(original, folder).running(listen_addresses="127.0.0.1,::1") as made,
    ):
        yield made


@pytest.fixture(scope="module")
def replica(original: Postgresql) -> Iterator[Postgresql]:
    with (
        own_folder() as folder,
        standby_of(original, folder).running(listen_addresses="127.0.0.1") as made,
    ):
        yield made


@pytest.fixture(scope="module")
def secured(original: Postgresql, authority: trustme.CA) -> Iterator[Postgresql]:
    """A server that lets nobody in without TLS."""
    with own_folder() as folder:
        made = copy_of(original, folder)
        (made.data / "pg_hba.conf").write_text("hostssl all all all scram-sha-256\n")
        with made.running(listen_addresses="127.0.0.1", **certified(made, authority)):
            yield made


def reason(line: str) -> str:
    return str(run(why_not(line)))


@pytest.mark.parametrize("who", ["", "app@"])
def test_a_server_that_asks_for_a_password_accepts_connections(
    server: Postgresql, who: str
) -> None:
    for scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        assert reason(f"{scheme}://{who}127.0.0.1:{server.port}/app?sslmode=prefer") == ""


def test_asking_leaves_no_line_in_the_log(server: Postgresql) -> None:
    size = server.log_size()

    for who in ("", "trusted@", "app:se%20cret@"):
        line = f"postgresql://{who}127.0.0.1:{server.port}/app"
        assert {reason(line) for _ in range(5)} == {""}

    assert server.logged(size) == []


def test_a_refused_connection_says_so_and_is_what_until_down_waits_for() -> None:
    line = f"postgresql://app:x@localhost:{free_port()}/app"

    assert reason(line) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


def test_a_server_that_is_there_is_not_down(server: Postgresql) -> None:
    line = f"postgresql://app:wrong@127.0.0.1:{server.port}/app until=down"

    assert not run(outcome(line)).ok


@pytest.mark.parametrize(
    ("who", "database", "why"),
    [
        ("app:se%20cret", "app", ""),
        ("app:wrong", "app", 'login refused: password authentication failed for user "app"'),
        ("app:se%20cret", "nix", 'database "nix" does not exist'),
        ("few:few", "app", "too many connections"),
        (
            "zoe:x",
            "app",
            f'{NO_ENTRY} "zoe", database "app", no encryption',
        ),
    ],
)
def test_with_a_password_login_has_to_work(
    server: Postgresql, who: str, database: str, why: str
) -> None:
    assert reason(f"postgresql+asyncpg://{who}@127.0.0.1:{server.port}/{database}") == why


@pytest.mark.parametrize(
    "written",
    [
        "jdbc:postgresql://127.0.0.1:{port}/app?user=app&password=se%20cret&ApplicationName=shop",
        "Host=127.0.0.1;Port={port};Database=app;Username=app;Password=se cret;SSL Mode=Prefer",
        "host=127.0.0.1 port={port} dbname=app user=app password='se cret' sslmode=disable",
        "postgis://app:se%20cret@127.0.0.1:{port}/app",
    ],
)
def test_the_login_of_an_app_s_variable_has_to_work(server: Postgresql, written: str) -> None:
    held = written.format(port=server.port)
    wrong = held.replace("se%20cret", "wrong").replace("se cret", "wrong")

    assert reason(app_url.translate("DATABASE_URL", held)) == ""
    assert "password authentication failed" in reason(app_url.translate("DATABASE_URL", wrong))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("query='SELECT 1'", ""),
        ("query='SET application_name TO gate'", ""),
        ("query='SELECT false'", "query gave false"),
        ("query='SELECT count(*) FROM pg_class WHERE false'", "query gave 0"),
        ("query='SELECT NULL, 1'", "query gave NULL"),
        ("query=' (values (true), (false))'", ""),
        ("query='SELECT true; -- fine'", ""),
        ("query=\"SELECT 'a' || chr(92) || chr(9) || 'b', 2\" equals='a\\\tb'", ""),
        ("query='SELECT true' equals=true", ""),
        ("query='SELECT 41' equals=42", "query gave 41, wanted 42"),
        ("query='SELECT current_user' equals=x", "query gave another text, wanted x"),
        ("query='SELECT 1 WHERE false' equals=x", "query gave no row, wanted x"),
        ("query='SELECT 1; SELECT false'", ""),
        ("query='SELECT 1; SELECT false' rows=2", "query gave 1 of the 2 rows wanted"),
        ("query='SELECT 1; SELECT 2' equals=2", 'query failed: syntax error at or near ";"'),
        ("query='SELECT FROM generate_series(1, 3)' rows=3", ""),
        (
            "query='SELECT FROM generate_series(1, 3)' rows=2",
            "query gave more rows than the 2 wanted",
        ),
        ("query=\"SELECT repeat('x', 999) FROM generate_series(1, 2000)\" rows=2000", ""),
        ("query='SHOW work_mem'", ""),
        ("query='SET work_mem = 999' rows=1", "query gave 0 of the 1 rows wanted"),
        ("query='SELECT 1 WHERE false'", "query gave no row"),
        ("query=\"SELECT repeat('x', 70000)\"", ""),
        ("query='TABLE missing'", 'query failed: relation "missing" does not exist'),
        ("role=primary", ""),
        ("role=read-write", ""),
        ("role=standby", "is primary, not standby"),
        ("role=read-only", "is read-write, not read-only"),
    ],
)
def test_role_and_query_have_to_hold(server: Postgresql, options: str, why: str) -> None:
    assert reason(f"{APP}@127.0.0.1:{server.port}/app {options}") == why


def test_options_of_the_session_are_as_the_url_has_them(server: Postgresql) -> None:
    line = f"{APP}@127.0.0.1:{server.port}/app?options=-cwork_mem%3D{{}}"
    line += " query=\"SELECT WHERE current_setting('work_mem') = '7MB'\""

    assert reason(line.format("7MB")) == ""
    assert reason(line.format("8MB")) == "query gave no row"
    assert reason(line.format("nix")).startswith("login failed: invalid value for parameter")


@pytest.fixture(scope="module")
def migrated(server: Postgresql) -> Postgresql:
    """The tables of the tools, as each makes them."""
    server.psql(f"SET ROLE app; {migrations.POSTGRESQL}", "app")
    return server


def test_the_migration_that_the_app_needs_has_to_have_run(migrated: Postgresql) -> None:
    line = f"{APP}@127.0.0.1:{migrated.port}/app"

    assert run(migrations.reasons(line, migrations.CASES)) == migrations.CASES


def test_a_version_in_a_file_is_read_at_each_attempt(migrated: Postgresql, tmp_path: Path) -> None:
    head = tmp_path / "head"
    line = f"{APP}@127.0.0.1:{migrated.port}/app schema=alembic:{head}"

    assert reason(line) == f"schema: cannot read {head}: no such file or directory"
    head.write_text("000000000000\n")
    assert reason(line) == "schema is at 1975ea83b712, wanted 000000000000"
    head.write_text("1975ea83b712\n")
    assert reason(line) == ""
    head.write_text("a\\b\n")
    assert reason(line).startswith(f"schema: {head}: of alembic wants alembic:REVISION")


def test_golang_migrate_notes_only_where_the_schema_is(server: Postgresql) -> None:
    server.psql("CREATE DATABASE migrate OWNER app")
    server.psql(f"SET ROLE app; {migrations.GOLANG_MIGRATE}", "migrate")
    line = f"{APP}@127.0.0.1:{server.port}/migrate"
    expected = migrations.GOLANG_MIGRATE_REASONS

    assert run(migrations.reasons(line, expected)) == expected
    server.psql("UPDATE schema_migrations SET dirty = false", "migrate")
    assert reason(f"{line} schema=golang-migrate:7") == ""


def test_a_server_without_the_table_of_migrations_is_not_ready(server: Postgresql) -> None:
    line = f"{APP}@127.0.0.1:{server.port}/postgres schema=rails:1"

    assert reason(line) == "no table schema_migrations yet"
    assert reason(f"{line} role=standby") == "is primary, not standby"


def test_a_query_that_takes_too_long_is_cancelled_on_the_server(server: Postgresql) -> None:
    line = f"{APP}@127.0.0.1:{server.port}/app query='SELECT pg_sleep(90)'"
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"

    why = run(why_late(line, lambda _: server.psql(sleeping) == "1"))

    assert why == "query: no answer within 1m"
    server.wait_until(lambda: server.psql(sleeping) == "0")


def test_a_database_missing_is_told_where_the_server_tells(server: Postgresql) -> None:
    line = f"postgresql://trusted@127.0.0.1:{server.port}"

    assert reason(f"{line}/nix") == 'database "nix" does not exist'
    assert reason(line) == ""


@pytest.mark.parametrize(
    "settings",
    [
        {"auth_type": "trust"},
        {"auth_type": "md5", "auth_user": "trusted", "auth_query": NOBODY},
    ],
)
def test_a_pooler_that_denies_strangers_accepts_connections(
    server: Postgresql, settings: dict[str, str]
) -> None:
    with pooled(server, **settings) as port:
        reasons = [reason(f"postgresql://{who}127.0.0.1:{port}/app") for who in ("", "zoe@")]

    assert reasons == ["", ""]


def test_a_pooler_in_transaction_mode_passes_questions_on(server: Postgresql) -> None:
    with pooled(server, auth_type="trust", pool_mode="transaction") as port:
        line = f"postgresql://trusted@127.0.0.1:{port}/postgres"
        reasons = [
            reason(f"{line} {options}")
            for options in ("query='SELECT false'", "query='SELECT 7' equals=7", "schema=rails:1")
        ]

    assert reasons == ["query gave false", "", "no table schema_migrations yet"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("no such user", ""),
        (UNREACHABLE, UNREACHABLE),
        ("unsupported startup parameter: options", "unsupported startup parameter: options"),
    ],
)
def test_a_pooler_without_its_server_is_not_ready(text: str, why: str) -> None:
    """By a fake: that of Debian is too old to quote."""
    body = f"SFATAL\0C08P01\0M{text}\0\0".encode()
    answer = b"E" + (len(body) + 4).to_bytes(4) + body

    assert run(reason_of("postgresql://127.0.0.1:{port}/app?sslmode=disable", answer)) == why


@pytest.mark.parametrize(
    ("options", "query", "why"),
    [
        ("", "", ""),
        ("role=primary", "", "is in recovery (read-only), not primary"),
        ("", "?target_session_attrs=primary", "is in recovery (read-only), not primary"),
        ("", "?target_session_attrs=read-write", "is read-only, not read-write"),
        ("role=standby", "", ""),
        ("", "?target_session_attrs=prefer-standby", ""),
    ],
)
def test_a_replica_is_no_primary(replica: Postgresql, options: str, query: str, why: str) -> None:
    assert reason(f"{APP}@127.0.0.1:{replica.port}/app{query} {options}") == why


def test_of_several_hosts_one_that_fits_is_enough(server: Postgresql, replica: Postgresql) -> None:
    hosts = f"127.0.0.1:{free_port()},127.0.0.1:{replica.port},127.0.0.1:{server.port}"

    assert reason(f"{APP}@{hosts}/app role=primary") == ""


def test_of_several_hosts_each_says_why_not(replica: Postgresql) -> None:
    hosts = f"127.0.0.1:{replica.port},127.0.0.1:1"

    assert reason(f"{APP}@{hosts}/app role=primary") == (
        f"is in recovery (read-only), not primary (127.0.0.1:{replica.port}), "
        "connection refused (127.0.0.1:1)"
    )


def test_a_server_in_recovery_that_lets_nobody_in_says_so(original: Postgresql) -> None:
    with own_folder() as folder:
        standby = standby_of(original, folder)
        with standby.starting(listen_addresses="127.0.0.1", hot_standby="off"):
            line = f"postgresql://127.0.0.1:{standby.port}/app"
            standby.wait_until(lambda: reason(line) not in {"connection refused", "starting up"})

            for who in ("", "app:se%20cret@"):
                why = reason(line.replace("//", f"//{who}"))
                assert why == "not accepting connections: hot standby mode is disabled"


def test_a_server_that_shuts_down_says_so_and_comes_back(original: Postgresql) -> None:
    with own_folder() as folder:
        made = copy_of(original, folder)
        line = f"postgresql://127.0.0.1:{made.port}/app"
        with made.running(listen_addresses="127.0.0.1"), made.session():
            made.send(signal.SIGTERM)
            made.wait_until(lambda: reason(line) != "")

            assert reason(line) == "shutting down"
            assert reason(line.replace("//", "//app:se%20cret@")) == "shutting down"

        with made.running(listen_addresses="127.0.0.1"):
            assert reason(line) == ""


@pytest.mark.parametrize("start", [cold_start, cold_start_with_login])
def test_gate_never_opens_before_the_servers_own_client(
    original: Postgresql, start: Callable[[Path], Comparison]
) -> None:
    with own_folder() as folder:
        copy_of(original, folder)

        result = start(folder)

    assert not result.was_early
    assert set(result.reasons) <= {"connection refused", "starting up"}


def test_after_a_crash_it_is_waited_for(original: Postgresql) -> None:
    with own_folder() as folder:
        made = copy_of(original, folder)
        with made.running(listen_addresses="127.0.0.1"):
            made.psql("CREATE TABLE many AS SELECT generate_series(1, 300000)")
            made.stop(signal.SIGQUIT)
        with made.starting(listen_addresses="127.0.0.1"):
            reasons, _ = run(poll(f"{APP}@127.0.0.1:{made.port}/app query='SELECT 1'"))

    recovering = "not yet accepting connections: consistent recovery state has not been yet reached"
    assert set(reasons) <= {"connection refused", "starting up", recovering}


@pytest.mark.parametrize("who", ["", "app:se%20cret@"])
def test_tls_is_verified_as_sslmode_says(secured: Postgresql, ca_file: Path, who: str) -> None:
    line = f"postgresql://{who}localhost:{secured.port}/app"
    verify = f"{line}?sslmode=verify-full&sslrootcert={ca_file}"
    untrusted = "TLS: unable to get local issuer certificate"

    assert reason(verify) == ""
    assert reason(f"{line} ca={ca_file}") == ""
    assert reason(f"{line} sslmode=require") == ""
    assert reason(f"{line} sslmode=allow") == ""
    assert reason(line) == ""
    assert reason(f"{line} sslmode=verify-full") == untrusted
    assert reason(f"{line} sslmode=verify-full insecure") == ""


def test_the_systems_authorities_are_asked_whenever_they_are_named(secured: Postgresql) -> None:
    line = f"{APP}@localhost:{secured.port}/app?sslrootcert=system"

    untrusted = "TLS: unable to get local issuer certificate"
    assert [reason(line), reason(f"{line}&sslmode=verify-full")] == [untrusted, untrusted]


def test_the_name_is_verified_by_verify_full_only(secured: Postgresql, ca_file: Path) -> None:
    line = f"{APP}@127.0.0.1:{secured.port}/app ca={ca_file} server-name=db"

    mismatch = "TLS: hostname mismatch, certificate is not valid for 'db'"
    assert reason(line) == mismatch
    assert reason(f"{line} sslmode=verify-ca") == ""


def test_without_tls_a_server_that_demands_it_refuses_the_login(secured: Postgresql) -> None:
    why = reason(f"{APP}@127.0.0.1:{secured.port}/app?sslmode=disable")

    assert why == f'{NO_ENTRY} "app", database "app", no encryption'


def test_a_wrong_password_is_tried_once_only(secured: Postgresql) -> None:
    size = secured.log_size()

    why = reason(f"postgresql://app:wrong@127.0.0.1:{secured.port}/app")

    assert why == 'login refused: password authentication failed for user "app"'
    assert secured.logged(size) == ['FATAL:  password authentication failed for user "app"']


def test_tls_that_is_demanded_but_not_offered_says_so(server: Postgresql) -> None:
    for who in ("", "app:se%20cret@"):
        line = f"postgresql://{who}127.0.0.1:{server.port}/app?ssl=true"
        assert reason(line) == "TLS: the server does not offer it"


def test_over_tls_asking_leaves_no_line_in_the_log(secured: Postgresql) -> None:
    size = secured.log_size()

    for who in ("", "app:se%20cret@"):
        assert reason(f"postgresql://{who}127.0.0.1:{secured.port}/app") == ""

    assert secured.logged(size) == []


def test_unix_sockets_are_reached_both_ways(server: Postgresql) -> None:
    query = f"host={server.folder}&port={server.port}"
    encoded = str(server.folder).replace("/", "%2F")

    assert reason(f"{APP}@/app?{query}&sslmode=require") == ""
    assert reason(f"postgresql:///app?{query}&user=app&password=se%20cret") == ""
    assert reason(f"{APP}@{encoded}:{server.port}/app") == ""
    assert reason("postgresql://%2Fnowhere/app") == "no such socket"


def test_hosts_are_read_from_the_query_too(server: Postgresql) -> None:
    dead = free_port()

    assert reason(f"{APP}@/app?host=127.0.0.1:{server.port}") == ""
    assert reason(f"{APP}@/app?host=127.0.0.1,::1&port={dead},{server.port}") == ""
    assert reason(f"{APP}@/app?host=localhost&port={dead}") == "connection refused"


def test_an_address_is_where_the_host_is(secured: Postgresql, ca_file: Path) -> None:
    by_name = f"sslmode=verify-full&sslrootcert={ca_file}&hostaddr=127.0.0.1"
    at = f"{APP}@{{}}:{secured.port}/app?{by_name}"

    assert reason(at.format("localhost")) == ""
    mismatch = "TLS: hostname mismatch, certificate is not valid for 'db.invalid'"
    assert reason(at.format("db.invalid")) == mismatch
    assert reason(f"{APP}@/app?hostaddr=127.0.0.1&port={secured.port}") == ""


def test_ipv6_is_spoken(server: Postgresql) -> None:
    assert reason(f"{APP}@[::1]:{server.port}/app") == ""


def test_the_password_comes_from_a_file_at_each_attempt(server: Postgresql, tmp_path: Path) -> None:
    file = tmp_path / "password"
    line = f"postgresql://app@127.0.0.1:{server.port}/app password-file={file}"

    assert reason(line) == f"password-file: cannot read {file}: no such file or directory"
    file.write_text("se cret\n")
    assert reason(line) == ""


def test_nothing_of_the_environment_is_read(server: Postgresql, tmp_path: Path) -> None:
    (tmp_path / ".pgpass").write_text("*:*:*:*:se cret\n")
    (tmp_path / ".pgpass").chmod(0o600)
    names = ("PGHOST", "PGSERVICE", "PGSSLMODE", "PGTARGETSESSIONATTRS", "PGSSLNEGOTIATION")
    broken = dict.fromkeys((*names, "PGGSSLIB", "PGOPTIONS"), "broken")
    environment = {**os.environ, **broken, "PGPASSWORD": "se cret", "HOME": str(tmp_path)}
    line = f"postgresql://app{{}}@127.0.0.1:{server.port}/app query='SELECT 1'"

    refused = 'login refused: password authentication failed for user "app"'
    assert _in_a_process(line.format(""), environment) == refused
    assert _in_a_process(line.format(":se%20cret"), environment) == ""


def _in_a_process(line: str, environment: dict[str, str]) -> str:
    code = "import sys; from tests.conftest import run, why_not; print(run(why_not(sys.argv[1])))"
    command = [sys.executable, "-c", code, line]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_driver_is_imported_for_a_login_only() -> None:
    code = """if True:
        import sys
        sys.modules["asyncpg"] = None
        from tests.conftest import problems_of
        for who in ("", "app:secret@"):
            print(problems_of(f"postgresql://{who}db/app"))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == [
        "[]",
        "[\"postgresql: needs the package asyncpg; pip install 'podgate[postgresql]'\"]",
    ]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", STRANGER),
        (b"", "connection closed during startup"),
        (b"R\0\0\0\x08", "connection closed during startup"),
        (b"R\x7f\0\0\0", STRANGER),
        (b"Ecould not fork new process\0", "could not fork new process"),
        (b"S\0\0\0\x04" * 300, STRANGER),
    ],
)
def test_what_no_postgresql_says_is_told(answer: bytes, why: str) -> None:
    """By a fake: a real one does not say such things."""
    line = "postgresql://127.0.0.1:{port}/app?sslmode=disable"

    assert run(reason_of(line, answer)) == why


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"\x4a\0\0\0\x0a8.0", STRANGER),
        (b"", "connection closed at the request for TLS"),
        (b"E", "the server answers the request for TLS with an error; its log says which"),
        (b"S in the clear", "the server does not speak TLS on this port"),
    ],
)
def test_what_no_postgresql_says_to_a_request_for_tls_is_told(answer: bytes, why: str) -> None:
    """By a fake, as above; what comes in the clear after the answer is never taken for TLS."""
    for who in ("", "app:x@"):
        line = f"postgresql://{who}127.0.0.1:{{port}}/app?sslmode=require"
        assert run(reason_of(line, answer)) == why


def test_where_tls_is_only_preferred_its_failure_is_not_the_end() -> None:
    """By a fake, as above: what it says to the second connection is the reason."""
    line = "postgresql://127.0.0.1:{port}/app"

    assert run(reason_of(line, b"S in the clear")) == STRANGER


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "connection closed during login"),
        (b"", "connection closed during login"),
        (
            b"R\0\0\0\x08\0\0\0\x02",
            "login failed: unsupported authentication method requested by the server: 'kerberosv5'",
        ),
    ],
)
def test_a_driver_that_is_told_nonsense_says_why(answer: bytes, why: str) -> None:
    """By a fake, as above."""
    line = "postgresql://app:x@127.0.0.1:{port}/app?sslmode=disable"

    assert run(reason_of(line, answer)) == why


@pytest.mark.parametrize("hears", [1, 2])
def test_a_reset_connection_says_so(hears: int) -> None:
    line = "postgresql://127.0.0.1:{port}/app"

    assert run(reason_of_reset(line, hears=hears)) == "connection reset"


def test_a_server_that_is_silent_is_told_by_its_stage() -> None:
    """By a port where connections are accepted by the kernel alone."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        at = f"127.0.0.1:{listener.getsockname()[1]}/app"
        lines = (f"//{at}", f"//{at}?sslmode=disable", f"//app:x@{at}?sslmode=disable")
        reasons = [reason(f"postgresql:{line} timeout=100ms") for line in lines]

    late = "no answer within 100ms"
    assert reasons == [f"TLS request: {late}", f"startup: {late}", f"login: {late}"]


def test_a_login_that_hangs_over_tls_leaves_nothing_open(server_tls: ssl.SSLContext) -> None:
    """asyncpg takes leave of such a server, and would wait half a minute for its farewell."""

    async def main(line: str) -> tuple[str, int]:
        before = open_files()
        why = await why_late(line, lambda stage: stage == "login")
        return why, open_files() - before

    with mute(server_tls, hears=8, says=b"S") as port:
        found = run(main(f"postgresql://app:x@127.0.0.1:{port}/app?sslmode=require"))

    assert found == ("login: no answer within 1m", 1), "the socket of the server is one"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("x postgresql:///app", "the URL names no host; write postgresql://host:5432/db"),
        (
            "x postgresql://db/app query='SELECT 1'",
            f"{USER_WANTED}; write postgresql://user@host/database",
        ),
        (
            "x postgresql://a:b@db/app password-file=/p",
            "password-file: the URL holds a password already; give one of them",
        ),
        (
            "x postgresql://db/app?sslmode=sure",
            f"sslmode: the one in the URL is not one of {SSL_MODES}",
        ),
        (
            "x postgresql://db/app?target_session_attrs=leader",
            f"target_session_attrs: the URL's is not one of {ROLES}",
        ),
        ("x postgresql://a%00b@db/app", "user: the one in the URL holds a %00"),
        ("x postgresql://db/app?options=%00", "options: the one in the URL holds a %00"),
        ("x postgresql://db/app?sslrootcert=system&sslmode=require", SYSTEM),
        ("x postgresql://db/app?sslrootcert=system sslmode=disable", SYSTEM),
        ("x postgresql://db/app?service=app", NO_SERVICE),
        ("x postgresql://db/app?port=x", "port: the one in the URL's query is not a number"),
    ],
)
def test_what_cannot_work_is_a_problem(line: str, problem: str) -> None:
    assert problems_of(line) == [problem]


def test_parameters_of_drivers_are_no_problem() -> None:
    query = "sslmode=require&connect_timeout=5&pool_size=3&application_name=app&options=-csearch"

    assert problems_of(f"x postgresql://db/app?{query}") == []
    for off in ("false", "False", "0"):
        assert problems_of(f"x postgresql://db/app?ssl={off}") == []
