from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from tests.checks.servers import certificate
from tests.checks.servers.certificate import Certificate
from tests.checks.servers.daemon import Daemon, running, until
from tests.checks.servers.fake import reason_of, reason_of_silence
from tests.checks.servers.redis import (
    cli,
    cluster,
    cold_start,
    cold_start_with_data,
    command,
    is_up,
    redis,
)
from tests.conftest import free_port, needs, outcome, problems_of, run, why_late, why_not

WRONG = "login refused: invalid username-password pair or user is disabled"
NOT_REDIS = "not the Redis protocol on this port"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A server that anyone may ask, on a unix socket too."""
    folder = tmp_path_factory.mktemp("redis")
    with redis(folder, f"--unixsocket {folder}/redis.sock") as daemon:
        cli(daemon.port, "SET", "here", "1")
        yield daemon


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A server that demands a login: `secret` for all, `app` with `p@ss:wörd`."""
    with redis(tmp_path_factory.mktemp("guarded"), "--requirepass secret") as daemon:
        rules = ["on", ">p@ss:wörd", "~*", "+@all", "-ping"]
        cli(daemon.port, "-a", "secret", "ACL", "SETUSER", "mute", *rules)
        cli(daemon.port, "-a", "secret", "ACL", "SETUSER", "app", *rules[:-1])
        yield daemon


@pytest.fixture(scope="module")
def tls_files(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate.written(authority, tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def tls_server(
    tls_files: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Daemon]:
    """A server whose port is the one for TLS."""
    port, files = free_port(), tls_files
    settings = (
        f"--tls-port {port}",
        f"--tls-cert-file {files.cert} --tls-key-file {files.key} --tls-ca-cert-file {files.ca}",
        "--tls-auth-clients no",
    )
    with redis(tmp_path_factory.mktemp("redis-tls"), *settings) as daemon:
        yield replace(daemon, port=port)


def test_a_server_that_answers_ping_is_ready(server: Daemon) -> None:
    for scheme in ("redis", "valkey"):
        assert run(why_not(f"{scheme}://127.0.0.1:{server.port}/3")) == ""


def test_a_refused_connection_is_absent() -> None:
    line = f"redis://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


def test_a_unix_socket_is_asked(server: Daemon) -> None:
    socket = f"{server.log_file.parent}/redis.sock"

    assert run(why_not(f"redis+unix://{socket}?db=1")) == ""
    assert run(why_not(f"redis+socket://{socket}?virtual_host=99")) == (
        "database 99: DB index is out of range"
    )
    assert run(why_not(f"redis+unix://{socket}.not")) == "no such socket"


def test_a_database_that_the_server_does_not_have_is_told(server: Daemon) -> None:
    reason = "database 16: DB index is out of range"

    assert run(why_not(f"redis://127.0.0.1:{server.port}/16")) == reason
    assert run(why_not(f"redis://127.0.0.1:{server.port}/0?db=16")) == reason


def test_a_key_is_waited_for_and_its_absence_too(server: Daemon) -> None:
    line = f"redis://127.0.0.1:{server.port}"

    assert run(why_not(f"{line} key=here")) == ""
    assert run(why_not(f"{line} key=here until=down")) == "still there"
    assert run(why_not(f"{line}/1 key=here")) == "no key here"
    assert run(outcome(f"{line}/1 key=here until=down")).ok


def test_a_server_that_demands_a_login_is_ready_without_one(guarded: Daemon) -> None:
    assert run(why_not(f"redis://127.0.0.1:{guarded.port}/2")) == ""


def test_role_and_key_cannot_be_told_without_the_login_demanded(guarded: Daemon) -> None:
    for option in ("role=master", "key=here"):
        assert run(why_not(f"redis://127.0.0.1:{guarded.port} {option}")) == (
            "the server demands a login, and role= and key= need one"
        )


def test_logins_work(guarded: Daemon) -> None:
    for login in (":secret", "default:secret", "app:p%40ss%3Aw%C3%B6rd"):
        line = f"redis://{login}@127.0.0.1:{guarded.port}/1 role=master"
        assert run(why_not(line)) == ""


def test_a_login_in_the_query_works(guarded: Daemon) -> None:
    line = f"redis://127.0.0.1:{guarded.port}/0"

    assert run(why_not(f"{line}?username=app&password=p%40ss%3Aw%C3%B6rd")) == ""
    assert run(why_not(f"{line}?password=secret")) == ""
    assert run(why_not(f"{line}?password=wrong")) == WRONG


def test_the_role_is_told_to_a_user_who_may_do_nothing_dangerous(guarded: Daemon) -> None:
    rules = ["on", ">pw", "~*", "+@all", "-@dangerous"]
    cli(guarded.port, "-a", "secret", "ACL", "SETUSER", "usual", *rules)

    assert run(why_not(f"redis://usual:pw@127.0.0.1:{guarded.port} role=master")) == ""


def test_a_refused_login_is_told_with_the_servers_words(guarded: Daemon) -> None:
    for login in (":wrong", "app:wrong", "app", "nobody:secret"):
        assert run(why_not(f"redis://{login}@127.0.0.1:{guarded.port}")) == WRONG


def test_a_login_that_the_server_does_not_want_is_refused(server: Daemon) -> None:
    assert run(why_not(f"redis://:secret@127.0.0.1:{server.port}")).startswith(
        "login refused: AUTH <password> called without any password configured"
    )


def test_a_user_who_may_not_ping_is_told(guarded: Daemon) -> None:
    line = f"redis://mute:p%40ss%3Aw%C3%B6rd@127.0.0.1:{guarded.port}"

    assert (
        run(why_not(line)) == "PING: NOPERM this user has no permissions to run the 'ping' command"
    )


def test_the_password_file_is_read_at_each_attempt(guarded: Daemon, tmp_path: Path) -> None:
    line = f"redis://127.0.0.1:{guarded.port} password-file={tmp_path}/password"

    before = run(why_not(line))
    (tmp_path / "password").write_text("secret\n")

    assert before == f"password-file: cannot read {tmp_path}/password: no such file or directory"
    assert run(why_not(line)) == ""


def test_a_server_is_loading_until_its_data_set_is_there(tmp_path: Path) -> None:
    seen = cold_start_with_data(tmp_path)

    assert seen.reasons == ["connection refused", "loading its data set"]
    assert not seen.was_early


def test_a_cold_start_is_seen_no_sooner_than_by_redis_cli(tmp_path: Path) -> None:
    seen = cold_start(tmp_path)

    assert seen.reasons == ["connection refused"]
    assert not seen.was_early


def test_of_several_servers_one_is_enough(server: Daemon, tmp_path: Path) -> None:
    with redis(tmp_path, f"--replicaof 127.0.0.1 {server.port}") as replica:
        hosts = f"127.0.0.1:{replica.port},127.0.0.1:{free_port()}"

        assert run(why_not(f"redis://{hosts},127.0.0.1:{server.port} role=master")) == ""
        assert run(why_not(f"redis://{hosts} role=master")).startswith("is a replica, not master (")


def test_a_key_is_looked_for_at_the_node_of_the_cluster_that_has_it(tmp_path: Path) -> None:
    with cluster(tmp_path) as (one, other):
        cli(other.port, "SET", "here", "1")
        for node in (one, other):
            cli(node.port, "CONFIG", "SET", "requirepass", "secret")
        line = f"redis://:secret@127.0.0.1:{one.port}"

        assert run(why_not(f"{line} key=here")) == ""
        assert run(why_not(f"{line} key=there")) == "no key there"


@pytest.mark.parametrize("place", ["127.0.0.1:many", "127.0.0.1:70000", "nowhere"])
def test_a_node_that_cannot_be_found_is_told(place: str) -> None:
    answer = f"+PONG\r\n-MOVED 15495 {place}\r\n".encode()

    assert run(reason_of("redis://127.0.0.1:{port} key=a", answer)) == (
        f"EXISTS: MOVED 15495 {place}"
    )


def test_a_server_that_is_full_says_so_at_each_attempt(tmp_path: Path) -> None:
    """It answers before it hears, and hangs up on what it is sent."""
    with redis(tmp_path, "--maxclients 1") as daemon, socket.socket() as only:
        only.connect(("127.0.0.1", daemon.port))
        only.sendall(b"PING\r\n")
        only.recv(7)

        lines = [f"redis://{login}127.0.0.1:{daemon.port}" for login in ("", "app:pw@")]
        reasons = {run(why_not(line)) for line in lines * 10}

    assert reasons == {"max number of clients reached"}


def test_a_replica_is_not_the_master(server: Daemon, tmp_path: Path) -> None:
    with redis(tmp_path, f"--replicaof 127.0.0.1 {server.port}") as replica:
        line = f"redis://127.0.0.1:{replica.port}"

        assert run(why_not(line)) == ""
        assert run(why_not(f"{line} role=master")) == "is a replica, not master"
        assert run(why_not(f"redis://127.0.0.1:{server.port} role=primary")) == ""


def test_a_replica_without_its_master_is_told(tmp_path: Path) -> None:
    settings = (f"--replicaof 127.0.0.1 {free_port()}", "--replica-serve-stale-data no")
    with redis(tmp_path, *settings) as replica:
        assert run(why_not(f"redis://127.0.0.1:{replica.port}")) == (
            "its link with the master is down"
        )


def test_a_sentinel_is_not_the_master(tmp_path: Path) -> None:
    (tmp_path / "sentinel.conf").touch()
    port = free_port()
    program, *settings = command(tmp_path, port)
    sentinel = [program, str(tmp_path / "sentinel.conf"), "--sentinel", *settings]
    log_file = tmp_path / "log"
    with running(sentinel, port=port, log_file=log_file, is_up=lambda: is_up(port)):
        line = f"redis://127.0.0.1:{port} role=master"

        assert run(why_not(line)) == "is a sentinel, not master"


def test_a_server_that_is_busy_with_a_script_is_not_ready(tmp_path: Path) -> None:
    with redis(tmp_path, "--busy-reply-threshold 10") as daemon:
        endless = [needs("redis-cli", "redis-tools"), "-p", str(daemon.port), "EVAL"]
        with (
            subprocess.Popen(
                [*endless, "while true do end", "0"], stdout=subprocess.DEVNULL
            ) as process,
            ExitStack() as ends,
        ):
            ends.callback(until, lambda: is_killed(daemon, process))
            until(lambda: cli(daemon.port, "PING").startswith("BUSY"))

            reason = run(why_not(f"redis://127.0.0.1:{daemon.port}"))

    assert reason.startswith("PING: BUSY Redis is busy running a script")


def is_killed(daemon: Daemon, script: subprocess.Popen[bytes]) -> bool:
    """Kill the script, if it runs by now; return whether it has ended."""
    cli(daemon.port, "SCRIPT", "KILL")
    return script.poll() is not None


def test_a_server_that_cannot_save_is_not_ready(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with redis(tmp_path, f"--dir {data}", "--save 3600 1") as daemon:
        data.rmdir()
        cli(daemon.port, "BGSAVE")
        until(lambda: cli(daemon.port, "PING").startswith("MISCONF"))

        reason = run(why_not(f"redis://127.0.0.1:{daemon.port}"))
        cli(daemon.port, "CONFIG", "SET", "save", "")  # else it would not end

    assert reason.startswith("PING: MISCONF Redis is configured to save RDB snapshots")


def test_tls_is_verified(tls_server: Daemon, tls_files: Certificate) -> None:
    line = f"rediss://localhost:{tls_server.port}"

    assert run(why_not(f"{line} ca={tls_files.ca}")) == ""
    assert run(why_not(f"{line} insecure")) == ""
    assert "Error" not in tls_server.log()
    assert run(why_not(line)) == "TLS: self-signed certificate in certificate chain"


def test_the_query_says_how_to_verify(tls_server: Daemon, tls_files: Certificate) -> None:
    place = f"localhost:{tls_server.port}"

    for query in ("ssl_cert_reqs=none", "ssl_cert_reqs=CERT_NONE"):
        assert run(why_not(f"rediss://{place}?{query}")) == ""
    for query in ("ssl_cert_reqs=required&", "ssl_check_hostname=false&", ""):
        assert run(why_not(f"rediss://{place}?{query}ssl_ca_certs={tls_files.ca}")) == ""
    assert run(why_not(f"rediss://{place}?ssl_cert_reqs=required")).startswith("TLS: ")


def test_the_wrong_kind_of_port_is_told(server: Daemon, tls_server: Daemon) -> None:
    line = f"rediss://127.0.0.1:{server.port} insecure"
    assert run(why_late(line, lambda stage: stage == "TLS handshake")) == (
        "TLS handshake: no answer within 1m"
    )
    assert run(why_not(f"redis://127.0.0.1:{tls_server.port}")) == "connection reset"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "connection closed without an answer"),
        (b"+PO", "connection closed in the middle of an answer"),
        (b"+OK\r\n", "PING: unexpected answer"),
        (b"-LOADING Redis is loading the dataset in memory\r\n", "loading its data set"),
        (
            b"-DENIED Redis is running in protected mode because protected mode is enabled\r\n",
            "protected mode: it takes no connections from other machines",
        ),
        (b"-ERR max number of clients reached\r\n", "max number of clients reached"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", NOT_REDIS),
        (b"$many\r\n", NOT_REDIS),
        (b"*1\r\n" * 9, NOT_REDIS),
        (b"+" + b"x" * 100_000, "the answer is too long"),
        (b"$99999999\r\n", "the answer is too long"),
        (b"*99999999\r\n", "the answer is too long"),
    ],
)
def test_odd_answers_are_told(answer: bytes, reason: str) -> None:
    """A server of its own: protected mode takes another machine, the rest no real Redis says."""
    assert run(reason_of("redis://127.0.0.1:{port}", answer)) == reason


@pytest.mark.parametrize("answer", [b"*0\r\n", b"*1\r\n:1\r\n", b"$-1\r\n", b"-ERR unknown\r\n"])
def test_odd_roles_are_told(answer: bytes) -> None:
    answers = b"+PONG\r\n" + answer + b"-ERR unknown command\r\n"
    reason = run(reason_of("redis://127.0.0.1:{port} role=master", answers))

    assert reason in {"ROLE: unexpected answer", "ROLE: unknown"}


@pytest.mark.parametrize(
    ("hello", "reason"),
    [
        (b"*2\r\n$4\r\nrole\r\n$6\r\nmaster\r\n", ""),
        (b"*2\r\n$4\r\nrole\r\n$7\r\nreplica\r\n", "is a replica, not master"),
        (b"*1\r\n$4\r\nrole\r\n", "ROLE: NOPERM no"),
        (b"*1\r\n$4\r\nmode\r\n", "ROLE: NOPERM no"),
        (b"-ERR unknown command\r\n", "ROLE: NOPERM no"),
    ],
)
def test_where_the_role_is_not_told_the_greeting_tells_it(hello: bytes, reason: str) -> None:
    answers = b"+PONG\r\n-NOPERM no\r\n" + hello

    assert run(reason_of("redis://127.0.0.1:{port} role=master", answers)) == reason


def test_gate_leaves_no_warning_in_the_log(guarded: Daemon) -> None:
    before = [line for line in guarded.log().splitlines() if " # " in line]

    for login in ("", ":secret@", ":wrong@"):
        run(why_not(f"redis://{login}127.0.0.1:{guarded.port}"))

    assert [line for line in guarded.log().splitlines() if " # " in line] == before


def test_a_server_that_hangs_is_told_with_the_stage() -> None:
    late = "no answer within 50ms"

    assert run(reason_of_silence("redis://127.0.0.1:{port}")) == f"PING: {late}"
    assert run(reason_of_silence("redis://app:pw@127.0.0.1:{port}")) == f"login: {late}"


@pytest.mark.parametrize(
    ("rest", "problem"),
    [
        ("db/one", "the URL's path is the number of a database; write redis://host:port/0"),
        ("/0", "the URL wants a host; write redis://host:port"),
        (
            ":x@db password-file=/p",
            "password-file: the URL holds a password already; give one of them",
        ),
    ],
)
def test_mistakes_are_told(rest: str, problem: str) -> None:
    assert problems_of(f"redis://{rest}") == [problem]


def test_mistaken_forms_are_told() -> None:
    assert len(problems_of("redis://db role=leader")) == 1
    assert problems_of("rediss://db?ssl_cert_reqs=maybe&ssl_ca_certs=ca.pem") == [
        "ssl_ca_certs in the URL: wants an absolute path",
        "ssl_cert_reqs in the URL: wants none, optional or required",
    ]
    assert problems_of("redis+unix://run/redis.sock") == [
        "the URL wants an absolute path; write redis+unix:///run/server.sock"
    ]
    assert problems_of("redis+sentinel://a") == [
        "redis+sentinel: unknown scheme; gate has redis, valkey, rediss, valkeys"
    ]
