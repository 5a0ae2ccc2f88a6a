"""How answers are framed, where connections go, and what a redirect may take along."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from pathlib import Path

import pytest
from aiohttp import web

from tests.checks.servers.certificates import speechless
from tests.checks.servers.raw_http import OK, Served, listening, serving, status, tunnelling
from tests.conftest import free_port, outcome, run, why_late, why_not


async def reason_for(answer: bytes, options: str = "", *, keeps_open: bool = False) -> str:
    async with serving(answer, keeps_open=keeps_open) as server:
        return await why_not(f"{server.url}/ {options}")


# Framing


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready",
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2;ext=1\r\nre\r\n3\r\nady\r\n0\r\nTrailer: x\r\n\r\n"
        ),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready"
        ),
    ],
)
def test_a_body_ends_where_its_framing_says(answer: bytes) -> None:
    assert run(reason_for(answer, "body-regex=^ready$", keeps_open=True)) == ""


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n"])
def test_a_body_without_framing_ends_with_the_connection(head: bytes) -> None:
    assert run(reason_for(head + b"ready", "body-regex=^ready$")) == ""


@pytest.mark.parametrize("code", [204, 304])
def test_some_statuses_have_no_body_whatever_the_header_says(code: int) -> None:
    answer = b"HTTP/1.1 %d x\r\nContent-Length: 50\r\n\r\n" % code

    assert run(reason_for(answer, "body-regex=^$", keeps_open=True)) == ""


def test_switching_protocols_can_be_what_is_wanted() -> None:
    answer = b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x02hi"
    options = 'status=101 header="Upgrade: websocket" header="Connection: Upgrade"'

    assert run(reason_for(answer, options, keeps_open=True)) == ""


def test_a_status_that_is_not_accepted_is_told_without_waiting_for_the_body() -> None:
    answer = b"HTTP/1.1 503 x\r\nContent-Length: 50\r\n\r\n"

    assert run(reason_for(answer, keeps_open=True)) == "status 503"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "connection closed before the answer"),
        (b"HTTP/1.1 200", "connection closed in the middle of the answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "connection closed in the middle of the answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not an HTTP answer"),
        (b"\x00\x01\x02", "not an HTTP answer"),
        (b"HTTP/1.1 abc\r\n\r\n", "the header of the answer is not valid HTTP"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            "the header of the answer is not valid HTTP",
        ),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, "the header of the answer is too long"),
    ],
)
def test_what_is_wrong_with_an_answer_is_told(answer: bytes, why: str) -> None:
    assert run(reason_for(answer)) == why


BROKEN_BODIES = [
    (
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nrea",
        "connection closed in the middle of the answer",
    ),
    (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nrea",
        "connection closed in the middle of the answer",
    ),
    (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "the body of the answer is not valid HTTP",
    ),
]


@pytest.mark.parametrize(("answer", "why"), BROKEN_BODIES)
def test_what_is_wrong_with_a_body_is_told_if_it_is_looked_at(answer: bytes, why: str) -> None:
    assert run(reason_for(answer, "body-regex=ready")) == why
    assert run(reason_for(answer)) == ""


@pytest.mark.parametrize("options", ["", "timeout=200ms"])
def test_a_stream_without_an_end_is_judged_by_its_status(options: str) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: hi\n\n"

    assert run(reason_for(answer, options, keeps_open=True)) == ""


def test_a_server_that_resets_is_told() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        linger = b"\1\0\0\0\0\0\0\0"
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async def main() -> str:
        server = await asyncio.start_server(reset, "127.0.0.1", 0)
        async with server:
            return await why_not(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")

    assert run(main()) == "connection reset"


# Time


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "response: no answer within 100ms"),
        (b"HTTP/1.1 200 OK\r\n", "response: no answer within 100ms"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nslow",
            "response body: no answer within 100ms",
        ),
    ],
)
def test_a_timeout_says_what_was_waited_for(answer: bytes, why: str) -> None:
    assert run(reason_for(answer, "body-regex=x timeout=100ms", keeps_open=True)) == why


def test_a_timeout_cuts_the_connection_and_takes_no_leave(server_tls: ssl.SSLContext) -> None:
    notes: list[str] = []

    with speechless(server_tls, notes) as port:
        why = run(why_late(f"https://127.0.0.1:{port}/ insecure", lambda _: notes == ["word"]))

    assert why == "response: no answer within 1m"
    assert notes == ["word", "cut"]


# Connections


def test_every_attempt_has_a_connection_of_its_own() -> None:
    connections: list[object] = []

    async def count(request: web.Request) -> web.Response:
        connections.append(request.transport)
        return web.Response(status=200 if len(connections) % 2 else 503)

    async def main() -> list[str]:
        app = web.Application()
        app.router.add_get("/", count)
        runner = web.AppRunner(app, keepalive_timeout=60)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        told = [await why_not(f"http://{host}:{port}/") for _ in range(4)]
        await runner.cleanup()
        return told

    assert run(main()) == ["", "status 503", "", "status 503"]
    assert len({id(connection) for connection in connections}) == 4


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_from_the_environment_is_never_asked(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    async def main() -> tuple[list[str], int]:
        async with serving(OK) as decoy:
            for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, decoy.url)
            dead = f"{scheme}://127.0.0.1:{free_port()}/"
            told = [await why_not(f"{dead} {options}") for options in ("", "http2")]
            return told, len(decoy.requests)

    assert run(main()) == (["connection refused"] * 2, 0)


# A proxy named in the line


def test_a_proxy_is_told_the_whole_url_and_its_own_password() -> None:
    async def main() -> Served:
        async with serving(OK) as proxy:
            named = f"proxy=http://me:secret@127.0.0.1:{proxy.port}"
            assert await why_not(f"http://db.invalid:81/a?b=c {named}") == ""
            return proxy

    (request,) = run(main()).requests
    assert request.target == "http://db.invalid:81/a?b=c"
    assert request.header["host"] == "db.invalid:81"
    assert request.header["proxy-authorization"] == "Basic bWU6c2VjcmV0"


@pytest.mark.parametrize("options", ["", "http2"])
def test_tls_goes_through_the_tunnel_of_a_proxy(
    server_tls: ssl.SSLContext, ca_file: Path, options: str
) -> None:
    server_tls.set_alpn_protocols(["http/1.1"])

    async def main() -> tuple[str, list[str]]:
        async with serving(OK, tls=server_tls) as server, tunnelling() as (port, heads):
            line = f"https://localhost:{server.port}/ ca={ca_file} proxy=http://127.0.0.1:{port}"
            return await why_not(f"{line} {options}"), heads

    why, (head,) = run(main())

    assert why == ("the server does not speak HTTP/2 on this port" if options else "")
    assert head.startswith("CONNECT localhost:")
    assert "proxy-authorization" not in head.lower()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (status(407), "proxy: status 407"),
        (status(502), "proxy: status 502"),
        (b"", "proxy: connection closed before the answer"),
        (b"SSH-2.0\r\n", "proxy: not an HTTP answer"),
    ],
)
def test_a_proxy_that_does_not_connect_is_told(answer: bytes, why: str) -> None:
    async def main() -> str:
        async with serving(answer) as proxy:
            return await why_not(f"https://db.invalid/ proxy={proxy.url}")

    assert run(main()) == why


def test_that_a_proxy_is_down_says_nothing_of_the_server() -> None:
    line = f"http://127.0.0.1:1/ proxy=http://127.0.0.1:{free_port()} until=down"

    assert run(why_not(line)) == "proxy: connection refused"


# Redirects


def test_redirects_are_followed_to_the_end_with_the_same_credentials() -> None:
    async def main() -> Served:
        answers = (status(302, "Location: /b?secret=1"), status(307, "Location: c"), OK)
        async with serving(*answers) as server:
            line = f"{server.url}/a redirects=follow header='X-Key: k' host=app"
            assert await why_not(line) == ""
            return server

    served = run(main())
    assert [request.target for request in served.requests] == ["/a", "/b?secret=1", "/c"]
    assert {request.header["x-key"] for request in served.requests} == {"k"}
    assert {request.header["host"] for request in served.requests} == {"app"}


def test_the_reason_names_the_last_target_without_its_query() -> None:
    async def main() -> tuple[str, str]:
        answers = (status(301, "Location: /b?token=abc#x"), status(503))
        async with serving(*answers) as server:
            return await why_not(f"{server.url}/a redirects=follow"), server.url

    why, url = run(main())
    assert why == f"status 503 (redirected to {url}/b)"


@pytest.mark.parametrize("answer", [status(404), None])
def test_what_a_redirect_leads_to_is_never_absent(answer: bytes | None) -> None:
    async def main() -> bool:
        dead = f"http://127.0.0.1:{free_port()}/"
        to = status(302, "Location: /b" if answer else f"Location: {dead}")
        async with serving(to, answer or OK) as server:
            return (await outcome(f"{server.url}/a redirects=follow until=down")).ok

    assert not run(main())


def test_another_host_is_given_no_secret(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret")

    async def main() -> Served:
        async with serving(OK) as other:
            to_other = status(302, f"Location: http://u:p@localhost:{other.port}/x")
            async with serving(to_other) as server:
                options = f"bearer-file={token} header='X-Key: secret' header='Accept: text/x'"
                assert await why_not(f"{server.url} redirects=follow {options}") == ""
            return other

    (request,) = run(main()).requests
    assert "secret" not in str(request.header)
    assert "authorization" not in request.header
    assert request.header["accept"] == "text/x"


@pytest.mark.parametrize(("code", "method", "body"), [(302, "GET", b""), (307, "POST", b"x")])
def test_a_redirect_decides_about_method_and_body(code: int, method: str, body: bytes) -> None:
    async def main() -> Served:
        async with serving(status(code, "Location: /b"), OK) as server:
            assert await why_not(f"{server.url}/a redirects=follow body=x") == ""
            return server

    last = run(main()).requests[-1]
    assert (last.method, last.body) == (method, body)


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://localhost:1/", "redirected to another host, which is not sent the body"),
        ("ftp://x/", "redirected to ftp, which is not HTTP"),
        ("http://[", "redirected to something that is not a URL"),
        ("http://127.0.0.1:99999/", "redirected to something that is not a URL"),
    ],
)
def test_where_a_redirect_cannot_lead_is_told(location: str, why: str) -> None:
    answer = status(307, f"Location: {location}")

    assert run(reason_for(answer, "redirects=follow body=x")) == why


def test_a_circle_of_redirects_ends() -> None:
    async def main() -> tuple[str, int, str]:
        async with serving(status(302, "Location: /again")) as server:
            return (
                await why_not(f"{server.url} redirects=follow"),
                len(server.requests),
                server.url,
            )

    why, count, url = run(main())
    assert why == f"more than 10 redirects (redirected to {url}/again)"
    assert count == 11


def test_a_redirect_without_a_target_is_an_answer_like_any_other() -> None:
    assert run(reason_for(status(302), "redirects=follow")) == ""
    assert run(reason_for(status(302), "redirects=follow status=200")) == "status 302"


# What is loaded


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; import gate.checks.http;"
        "print({'httpcore', 'anyio', 'certifi', 'jmespath', 'h2', 'aiohttp'} & {*sys.modules})"
    )

    async def main() -> bytes:
        made = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=-1)
        return (await made.communicate())[0]

    assert run(main()) == b"set()\n"


# The graceful end of an HTTP/2 connection

SETTINGS = b"\0\0\0\4\0\0\0\0\0"
STATUS_200 = b"\0\0\1\1\5\0\0\0\1\x88"


def goaway(last_stream: int, error: int = 0) -> bytes:
    return b"\0\0\x08\7\0\0\0\0\0" + last_stream.to_bytes(4, "big") + error.to_bytes(4, "big")


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        (goaway(1) + STATUS_200, ""),
        (
            goaway(0),
            "the server is shutting down and has not taken the request (HTTP/2 GOAWAY)",
        ),
        (goaway(1, 2), "the server has ended the connection (HTTP/2 error 2)"),
    ],
)
def test_a_graceful_goaway_before_the_answer_does_not_fail_the_attempt(
    frames: bytes, why: str
) -> None:
    """The bytes are kube-apiserver's `--goaway-chance`; RFC 9113, 6.8."""

    async def main() -> str:
        async with listening(SETTINGS + frames) as port:
            return await why_not(f"http://127.0.0.1:{port}/ http2")

    assert run(main()) == why
