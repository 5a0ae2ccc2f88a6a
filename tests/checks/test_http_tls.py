from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest
import trustme

from tests.checks.servers import nginx as servers
from tests.checks.servers.certificates import blocking, context, write_client
from tests.checks.servers.nginx import Nginx
from tests.checks.servers.raw_http import OK, listening, serving, status
from tests.conftest import run, why_not


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[Nginx]:
    folder = tmp_path_factory.mktemp("nginx")
    with servers.running(folder, authority) as server:
        yield server
    assert server.errors == ""


def reason(tls: ssl.SSLContext, options: str, host: str = "localhost") -> str:
    """Return why the server with *tls* is not ready for a client with *options*."""

    async def main() -> str:
        async with serving(OK, tls=tls) as server:
            return await why_not(f"https://{host}:{server.port}/ {options}")

    result: str = run(main())
    return result


# Certificates


def test_a_verified_certificate_is_ready(server_tls: ssl.SSLContext, ca_file: Path) -> None:
    assert reason(server_tls, f"ca={ca_file}") == ""


def test_an_unknown_authority_is_not(server_tls: ssl.SSLContext) -> None:
    assert reason(server_tls, "") == "TLS: unable to get local issuer certificate"
    assert reason(server_tls, "insecure") == ""


def test_an_expired_certificate_is_told(authority: trustme.CA, ca_file: Path) -> None:
    expired = context(authority, "localhost", days=-1)

    assert reason(expired, f"ca={ca_file}") == "TLS: certificate expired"


def test_host_is_the_name_of_the_server_too(authority: trustme.CA, ca_file: Path) -> None:
    tls = context(authority, "app.example.com")
    mismatch = "TLS: hostname mismatch, certificate is not valid for"

    assert reason(tls, f"ca={ca_file}") == f"{mismatch} 'localhost'"
    assert reason(tls, f"ca={ca_file} host=app.example.com:8443") == ""
    assert reason(tls, f"ca={ca_file} host=other.example.com") == f"{mismatch} 'other.example.com'"
    assert reason(tls, f"ca={ca_file} host=other server-name=app.example.com") == ""


def test_an_address_is_checked_as_one(authority: trustme.CA, ca_file: Path) -> None:
    assert reason(context(authority, "127.0.0.1"), f"ca={ca_file}", host="127.0.0.1") == ""
    assert reason(context(authority, "localhost"), f"ca={ca_file}", host="127.0.0.1") == (
        "TLS: IP address mismatch, certificate is not valid for '127.0.0.1'"
    )


def test_a_missing_client_certificate_is_told(authority: trustme.CA, ca_file: Path) -> None:
    tls = context(authority, "localhost", clients=authority)

    with blocking(tls, OK) as port:
        why = run(why_not(f"https://localhost:{port}/ ca={ca_file}"))

    assert why == "TLS: the server refuses: certificate required"


def test_insecure_keeps_the_client_certificate(
    nginx: Nginx, authority: trustme.CA, tmp_path: Path
) -> None:
    cert, key = write_client(authority, tmp_path)
    line = f"https://localhost:{nginx.tls1}/client body-regex=SUCCESS insecure"

    assert run(why_not(line)) == "body: does not match body-regex"
    assert run(why_not(f"{line} cert={cert} key={key}")) == ""


def test_a_rotated_authority_is_read_again(
    authority: trustme.CA, server_tls: ssl.SSLContext, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))

    async def main() -> tuple[str, str]:
        async with serving(OK, tls=server_tls) as server:
            line = f"https://localhost:{server.port}/ ca={path}"
            before = await why_not(line)
            authority.cert_pem.write_to_path(str(path))
            return before, await why_not(line)

    assert run(main()) == ("TLS: unable to get local issuer certificate", "")


def test_another_host_is_not_shown_the_client_certificate(
    nginx: Nginx, authority: trustme.CA, tmp_path: Path
) -> None:
    cert, key = write_client(authority, tmp_path)
    there = f"https://localhost:{nginx.tls1}/client"

    async def main() -> tuple[str, str]:
        async with serving(status(302, f"Location: {there}")) as server:
            options = f"redirects=follow insecure cert={cert} key={key} body-regex=NONE"
            return await why_not(f"{server.url} {options}"), await why_not(f"{there} {options}")

    assert run(main()) == ("", "body: does not match body-regex")


# The wrong protocol


def test_https_to_a_plain_port_is_told(nginx: Nginx) -> None:
    assert run(why_not(f"https://localhost:{nginx.plain}/")) == (
        "the server does not speak TLS on this port"
    )


def test_http_to_a_tls_port_is_told() -> None:
    async def main() -> str:
        async with listening(b"\x15\x03\x03\x00\x02\x02\x16") as port:
            return await why_not(f"http://127.0.0.1:{port}/")

    assert run(main()) == "not an HTTP answer: the server speaks TLS on this port; write https"


def test_http_1_to_a_server_of_http_2_only_is_told(nginx: Nginx) -> None:
    assert run(why_not(f"http://localhost:{nginx.h2c}/health")) == (
        "not an HTTP/1.1 answer: the server speaks HTTP/2; add http2"
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_http_2_to_a_server_without_it_is_told(nginx: Nginx, ca_file: Path, scheme: str) -> None:
    port = nginx.plain if scheme == "http" else nginx.tls1

    assert run(why_not(f"{scheme}://localhost:{port}/health http2 ca={ca_file}")) == (
        "the server does not speak HTTP/2 on this port"
    )


# A real server


@pytest.mark.parametrize(
    ("scheme", "port", "version"),
    [
        ("http", "plain", "HTTP/1.1"),
        ("https", "tls1", "HTTP/1.1"),
        ("https", "tls", "HTTP/1.1"),
        ("https", "tls", "HTTP/2.0"),
        ("http", "h2c", "HTTP/2.0"),
    ],
)
def test_nginx_is_ready_in_each_protocol(
    nginx: Nginx, ca_file: Path, scheme: str, port: str, version: str
) -> None:
    url = f"{scheme}://localhost:{getattr(nginx, port)}"
    options = f"ca={ca_file} {'http2' if version == 'HTTP/2.0' else ''}"

    expression = f"ready && by=='{version}'"

    assert run(why_not(f'{url}/health json="{expression}" {options}')) == ""
    assert run(why_not(f"{url}/nothing {options}")) == "status 404"
    assert run(why_not(f"{url}/health method=HEAD {options}")) == ""
    assert run(why_not(f"{url}/large body-regex=y {options}")) == (
        "body: does not match body-regex in its first 64 KiB"
    )


@pytest.mark.parametrize(("scheme", "port"), [("https", "tls"), ("http", "h2c")])
def test_a_body_is_sent_over_http_2(nginx: Nginx, ca_file: Path, scheme: str, port: str) -> None:
    url = f"{scheme}://localhost:{getattr(nginx, port)}/post"
    line = f"{url} http2 ca={ca_file} body={'x' * 100_000} body-regex=^100000$"

    assert run(why_not(line)) == ""


@pytest.mark.parametrize("options", ["", "http2"])
def test_a_body_that_is_too_large_for_the_server_is_told(
    nginx: Nginx, ca_file: Path, options: str
) -> None:
    line = f"https://localhost:{nginx.tls}/small ca={ca_file} body={'x' * 120_000} {options}"

    assert run(why_not(line)) == "status 413"


def test_an_answer_over_http_2_before_the_body_is_read_counts() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Offer room for the body, and end the request with an answer, in one breath."""
        server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        server.initiate_connection()
        events = server.receive_data(await reader.readuntil(b"refuse"))
        assert not any(isinstance(event, h2.events.StreamEnded) for event in events)
        server.increment_flow_control_window(1_000_000)
        server.increment_flow_control_window(1_000_000, 1)
        server.send_headers(1, [(":status", "413")], end_stream=True)
        server.reset_stream(1)
        writer.write(server.data_to_send())
        await reader.read()
        writer.close()

    async def main() -> str:
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await why_not(f"http://127.0.0.1:{port}/ http2 body={'refuse' * 20_000}")

    assert run(main()) == "status 413"


@pytest.mark.parametrize("options", ["", "http2"])
def test_a_redirect_is_followed_in_each_protocol(nginx: Nginx, ca_file: Path, options: str) -> None:
    line = f"https://localhost:{nginx.tls}/redirect ca={ca_file} {options} body-regex=ready"

    assert run(why_not(line)) == "body: does not match body-regex"
    assert run(why_not(f"{line} redirects=follow")) == ""
