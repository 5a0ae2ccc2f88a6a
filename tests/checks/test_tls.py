from __future__ import annotations

import asyncio
import os
import re
import ssl
from pathlib import Path

import pytest
import trustme

from tests.checks.servers.certificates import blocking, context, handshaking, write_client
from tests.checks.servers.raw_http import listening
from tests.conftest import (
    free_port,
    outcome,
    problems_of,
    run,
    why_late,
    why_not,
    why_not_in_full,
)


def reason(tls: ssl.SSLContext, options: str, host: str = "localhost") -> str:
    """Return why the server with *tls* is not ready for a client with *options*."""

    async def main() -> str:
        async with handshaking(tls) as (port, _):
            return await why_not(f"tls://{host}:{port} {options}")

    result: str = run(main())
    return result


def test_a_valid_certificate_is_ready(server_tls: ssl.SSLContext, ca_file: Path) -> None:
    assert reason(server_tls, f"ca={ca_file}") == ""
    assert reason(server_tls, f"ca={ca_file}", host="127.0.0.1") == ""


def test_a_final_dot_is_not_part_of_the_name_in_the_certificate(
    server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    assert reason(server_tls, f"ca={ca_file}", host="localhost.") == ""
    assert reason(server_tls, f"ca={ca_file} server-name=localhost.", host="127.0.0.1") == ""


def test_the_port_is_443_by_default() -> None:
    assert problems_of("tls://example.com") == []


def test_a_refused_connection_is_absent() -> None:
    assert run(why_not(f"tls://127.0.0.1:{free_port()}")) == "connection refused"
    assert run(outcome(f"tls://127.0.0.1:{free_port()} until=down")).ok


def test_an_unknown_authority_is_not_trusted(server_tls: ssl.SSLContext) -> None:
    assert reason(server_tls, "") == "TLS: unable to get local issuer certificate"


def test_an_expired_certificate_is_told(authority: trustme.CA, ca_file: Path) -> None:
    expired = context(authority, "localhost", days=-1)

    assert reason(expired, f"ca={ca_file}") == "TLS: certificate expired"


def test_another_name_is_told(authority: trustme.CA, ca_file: Path) -> None:
    other = context(authority, "other.example.com")

    assert reason(other, f"ca={ca_file}") == (
        "TLS: hostname mismatch, certificate is not valid for 'localhost'"
    )
    assert reason(other, f"ca={ca_file} server-name=other.example.com") == ""


def test_a_self_signed_certificate_is_told(tmp_path: Path) -> None:
    alone = trustme.CA()
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = tmp_path / "alone.pem"
    alone.private_key_pem.write_to_path(str(pair))
    alone.cert_pem.write_to_path(str(pair), append=True)
    made.load_cert_chain(pair)

    assert reason(made, "") == "TLS: self-signed certificate"


@pytest.mark.parametrize(("days", "verb"), [(-1, "expired"), (1, "expires")])
def test_whose_certificate_it_was_is_told(
    authority: trustme.CA, ca_file: Path, days: int, verb: str
) -> None:
    async def main() -> str:
        async with handshaking(context(authority, "b.test", days=days)) as (port, _):
            return await why_not_in_full(f"tls://127.0.0.1:{port} ca={ca_file}")

    why = run(main())

    told = rf" \(certificate of b\.test, issued by Testing CA #\S+, {verb} 20\d\d-\d\d-\d\d\)"
    assert re.search(f"^TLS: .*{told}$", why), why


def test_an_intermediate_authority_is_enough(authority: trustme.CA, tmp_path: Path) -> None:
    intermediate = authority.create_child_ca()
    path = tmp_path / "intermediate.pem"
    intermediate.cert_pem.write_to_path(str(path))

    assert reason(context(intermediate, "localhost"), f"ca={path}") == ""


def test_insecure_takes_any_certificate(authority: trustme.CA) -> None:
    assert reason(context(authority, "elsewhere", days=-1), "insecure") == ""


def test_valid_for_wants_more_time(authority: trustme.CA, ca_file: Path) -> None:
    tls = context(authority, "localhost", days=5)

    assert reason(tls, f"ca={ca_file} valid-for=4d") == ""
    first = reason(tls, f"ca={ca_file} valid-for=7d")
    assert first.startswith("TLS: certificate expires 20")
    assert first.endswith(" UTC, sooner than valid-for")
    assert reason(tls, f"ca={ca_file} valid-for=7d") == first


def test_a_server_without_tls_is_told() -> None:
    async def main() -> str:
        async with listening(b"220 hello, this is no TLS at all\r\n") as port:
            return await why_not(f"tls://127.0.0.1:{port}")

    assert run(main()) == "the server does not speak TLS on this port"


def test_a_server_that_hangs_up_is_not_ready(server_tls: ssl.SSLContext, ca_file: Path) -> None:
    async def main() -> str:
        async with listening(b"", tls=server_tls, hangs_up=True) as port:
            return await why_not(f"tls://localhost:{port} ca={ca_file}")

    assert run(main()) == "connection closed after the TLS handshake"


def test_a_client_certificate_is_shown_even_with_insecure(
    authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    cert, key = write_client(authority, tmp_path)
    tls = context(authority, "localhost", clients=authority)

    assert reason(tls, f"ca={ca_file} cert={cert} key={key}") == ""
    assert reason(tls, f"insecure cert={cert} key={key}") == ""


@pytest.mark.parametrize(
    ("version", "why"),
    [
        (ssl.TLSVersion.TLSv1_2, "TLS: the server refuses: handshake failure"),
        (ssl.TLSVersion.TLSv1_3, "TLS: the server refuses: certificate required"),
    ],
)
def test_a_missing_client_certificate_is_told(
    authority: trustme.CA, ca_file: Path, version: ssl.TLSVersion, why: str
) -> None:
    tls = context(authority, "localhost", clients=authority)
    tls.maximum_version = version

    with blocking(tls, b"") as port:
        assert run(why_not(f"tls://localhost:{port} ca={ca_file}")) == why


def test_a_hung_handshake_is_told() -> None:
    async def main() -> str:
        async with listening(b"") as port:
            return await why_late(f"tls://127.0.0.1:{port}", lambda stage: stage == "TLS handshake")

    assert run(main()) == "TLS handshake: no answer within 1m"


def test_the_server_sees_an_orderly_end(server_tls: ssl.SSLContext, ca_file: Path) -> None:
    async def main() -> list[str]:
        async with handshaking(server_tls) as (port, ends):
            await why_not(f"tls://localhost:{port} ca={ca_file}")
            await asyncio.sleep(0)
            return ends

    assert run(main()) == ["end"]


def test_rotated_files_are_read_again(
    authority: trustme.CA, server_tls: ssl.SSLContext, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"

    async def main() -> list[str]:
        async with handshaking(server_tls) as (port, _):
            line = f"tls://localhost:{port} ca={path}"
            told = [await why_not(line)]
            path.write_text("")
            told.append(await why_not(line))
            trustme.CA().cert_pem.write_to_path(str(path))
            told.append(await why_not(line))
            authority.cert_pem.write_to_path(str(tmp_path / "new"))
            (tmp_path / "new").replace(path)
            return [*told, await why_not(line)]

    assert run(main()) == [
        f"ca: cannot read {path}: no such file or directory",
        f"ca: {path} holds no usable certificate or key",
        "TLS: unable to get local issuer certificate",
        "",
    ]


@pytest.mark.parametrize(
    ("url", "parameter"),
    [
        ("postgresql://127.0.0.1:1/app?sslmode=verify-ca&", "sslrootcert"),
        ("postgresql://127.0.0.1:1/app?sslmode=require&", "sslcert"),
        ("mysql://127.0.0.1:1/app?", "ssl_ca"),
        ("mysql://127.0.0.1:1/app?", "ssl-ca"),
        ("mongodb://127.0.0.1:1/?tls=true&", "tlsCertificateKeyFile"),
    ],
)
def test_a_file_that_the_query_names_is_told_as_it_is_written_there(
    url: str, parameter: str
) -> None:
    told = run(why_not(f"{url}{parameter}=/nope/file.pem"))

    assert told == f"{parameter}: cannot read /nope/file.pem: no such file or directory"


def test_a_file_that_the_query_names_is_told_so_if_it_is_of_no_use(tmp_path: Path) -> None:
    path = tmp_path / "client.pem"
    path.write_text("none")

    told = run(why_not(f"mysql://127.0.0.1:1/app?sslmode=required&ssl_cert={path}"))

    assert told == f"ssl_cert: {path} holds no usable certificate or key"


def test_a_certificate_among_the_options_stands_for_that_of_the_query_and_its_key(
    authority: trustme.CA, tmp_path: Path
) -> None:
    path = tmp_path / "client.pem"
    authority.issue_cert("app").private_key_and_cert_chain_pem.write_to_path(str(path))
    url = f"postgresql://127.0.0.1:{free_port()}/app?sslmode=require"

    told = run(why_not(f"{url}&sslcert=/nope/a.pem&sslkey=/nope/a.key cert={path}"))

    assert told == "connection refused"


def test_of_certificate_and_key_the_one_that_is_missing_is_told(
    authority: trustme.CA, tmp_path: Path
) -> None:
    path = tmp_path / "client.pem"
    authority.issue_cert("app").private_key_and_cert_chain_pem.write_to_path(str(path))

    told = run(why_not(f"tls://127.0.0.1:{free_port()} cert={path} key={tmp_path}/key.pem"))

    assert told == f"key: cannot read {tmp_path}/key.pem: no such file or directory"


@pytest.mark.parametrize("option", ["ca", "cert", "key"])
def test_a_fifo_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path, option: str) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    options = f"cert={path} key={path}" if option == "key" else f"{option}={path}"

    told = run(why_not(f"tls://127.0.0.1:{free_port()} {options}"))

    assert told == f"{option.replace('key', 'cert')}: {path} is not a regular file"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "tls://a insecure valid-for=7d",
            "valid-for: needs a verified certificate; leave out insecure",
        ),
        ("tls://a key=/k", "key: goes with cert=PATH, the certificate it belongs to"),
        ("tls://a ca=relative", "ca: wants an absolute path"),
        ("tls://a/?insecure=true", "the URL wants no query; write tls://host:port insecure=…"),
        ("tls://a server-name=.a", "server-name: wants the name of a host, without a port"),
    ],
)
def test_a_wrong_line_is_a_problem_with_its_remedy(line: str, problem: str) -> None:
    assert problems_of(line) == [problem]
