from __future__ import annotations

import base64
import json
import shlex
from pathlib import Path

import pytest

from gate import checks, config
from gate.core.errors import ConfigError
from tests.checks.servers.raw_http import OK, Request, serving, status
from tests.conftest import free_port, outcome, problems_of, run, why_not

METHOD = "method: wants the name of an HTTP method, GET or HEAD or POST"


def ask(options: str = "", *answers: bytes, path: str = "/") -> tuple[str, list[Request]]:
    """Return why not, and what the server was asked."""

    async def main() -> tuple[str, list[Request]]:
        async with serving(*answers or (OK,)) as server:
            return await why_not(f"{server.url}{path} {options}"), server.requests

    result: tuple[str, list[Request]] = run(main())
    return result


def reason(options: str, *answers: bytes) -> str:
    return ask(options, *answers)[0]


def json_answer(text: str) -> bytes:
    return status(200, "Content-Type: application/json", body=text)


# Status


@pytest.mark.parametrize("code", [200, 204, 302, 399])
def test_200_to_399_is_ready(code: int) -> None:
    assert reason("", status(code)) == ""


@pytest.mark.parametrize("code", [400, 401, 404, 410, 500, 503])
def test_any_other_status_is_not(code: int) -> None:
    assert reason("", status(code)) == f"status {code}"


@pytest.mark.parametrize(
    ("option", "code", "why"),
    [
        ("status=204,401", 401, ""),
        ("status=2xx,4XX", 404, ""),
        ("status=200", 204, "status 204"),
        ("status=3xx", 200, "status 200"),
    ],
)
def test_status_names_what_is_ready_instead(option: str, code: int, why: str) -> None:
    assert reason(option, status(code)) == why


@pytest.mark.parametrize(("code", "why"), [(404, ""), (410, ""), (403, "status 403")])
def test_only_not_found_and_gone_are_what_until_down_waits_for(code: int, why: str) -> None:
    assert reason("until=down", status(code)) == why


def test_an_accepted_404_is_there() -> None:
    assert reason("status=404 until=down", status(404)) == "still there"


def test_a_refused_connection_says_so_and_is_absent() -> None:
    url = f"http://127.0.0.1:{free_port()}/"

    assert run(why_not(url)) == "connection refused"
    assert run(outcome(f"{url} until=down")).ok


def test_a_name_that_does_not_exist_says_so() -> None:
    assert run(why_not("http://nowhere.invalid/")) == "name not found: nowhere.invalid"


# What is asked


def test_a_plain_request_asks_for_path_and_query_and_names_gate() -> None:
    why, (request,) = ask(path="/a%2Fb/c?x=1&y=%20z")

    assert why == ""
    assert (request.method, request.target) == ("GET", "/a%2Fb/c?x=1&y=%20z")
    assert request.header["user-agent"].startswith("gate/")
    assert request.header["connection"] == "close"
    assert request.header["host"].startswith("127.0.0.1:")


def test_a_url_without_a_path_asks_for_the_root() -> None:
    assert ask(path="?a=b")[1][0].target == "/?a=b"


def test_headers_are_sent_and_replace_the_defaults() -> None:
    _, (request,) = ask('header="X-Key: a: b" header="User-Agent: curl" header="x-two:2"')

    assert request.header["x-key"] == "a: b"
    assert request.header["user-agent"] == "curl"
    assert request.header["x-two"] == "2"


def test_method_is_sent_in_upper_case() -> None:
    assert ask("method=options")[1][0].method == "OPTIONS"


def test_the_answer_to_head_has_a_length_and_no_body() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"

    assert reason("method=HEAD", head) == ""


def test_a_body_is_posted_with_its_length() -> None:
    _, (request,) = ask("""body='{"query": "é"}' header="Content-Type: application/json" """)

    assert request.method == "POST"
    assert request.body.decode() == '{"query": "é"}'
    assert request.header["content-length"] == "15"
    assert request.header["content-type"] == "application/json"


def test_the_body_is_sent_anew_with_each_attempt_on_a_new_connection() -> None:
    async def main() -> list[bytes]:
        async with serving(OK, keeps_open=True) as server:
            line = f"{server.url} body=again method=PUT"
            assert [await why_not(line) for _ in range(3)] == ["", "", ""]
            return [request.body for request in server.requests]

    assert run(main()) == [b"again"] * 3


def test_host_is_sent_instead_of_the_address() -> None:
    assert ask("host=app.example.com")[1][0].header["host"] == "app.example.com"


def test_a_unix_socket_is_asked_with_the_path_after_it(tmp_path: Path) -> None:
    async def main() -> tuple[str, list[Request]]:
        path = tmp_path / "app.sock"
        async with serving(OK, unix=path) as server:
            quoted = str(path).replace("/", "%2F")
            return await why_not(f"http+unix://{quoted}/health?x=1"), server.requests

    why, (request,) = run(main())

    assert why == ""
    assert request.target == "/health?x=1"
    assert request.header["host"] == "localhost"


def test_a_unix_socket_that_is_not_there_is_absent() -> None:
    line = "http+unix://%2Fnowhere%2Fapp.sock/"

    assert run(why_not(line)) == "no such socket"
    assert run(outcome(f"{line} until=down")).ok


# Credentials


def test_user_and_password_of_the_url_are_sent_as_basic() -> None:
    async def main() -> str:
        async with serving(OK) as server:
            await why_not(f"http://me:p%40ss@127.0.0.1:{server.port}/")
            return server.requests[0].header["authorization"]

    assert run(main()) == "Basic " + base64.b64encode(b"me:p@ss").decode()


def test_the_bearer_file_is_read_at_each_attempt(tmp_path: Path) -> None:
    token = tmp_path / "token"

    async def main() -> list[str]:
        async with serving(OK) as server:
            for text in ("one\n", "two\n"):
                token.write_text(text)
                await why_not(f"{server.url} bearer-file={token}")
            return [request.header["authorization"] for request in server.requests]

    assert run(main()) == ["Bearer one", "Bearer two"]


def test_the_basic_file_holds_user_and_password(tmp_path: Path) -> None:
    file = tmp_path / "login"
    file.write_text("me:secret\n")

    _, (request,) = ask(f"basic-file={file}")

    assert request.header["authorization"] == "Basic " + base64.b64encode(b"me:secret").decode()


@pytest.mark.parametrize(
    ("option", "text", "why"),
    [
        ("bearer-file", "a\nEvil: 1", "bearer-file: wants one line of plain text"),
        ("basic-file", "secret", "basic-file: wants user:password"),
    ],
)
def test_a_file_that_holds_something_else_is_told(
    tmp_path: Path, option: str, text: str, why: str
) -> None:
    file = tmp_path / "file"
    file.write_text(text)

    assert reason(f"{option}={file}") == why


def test_a_file_that_is_not_there_yet_is_told(tmp_path: Path) -> None:
    path = tmp_path / "late"

    assert reason(f"bearer-file={path}") == (
        f"bearer-file: cannot read {path}: no such file or directory"
    )


# The body


def test_body_regex_is_searched_for() -> None:
    assert reason("body-regex='^o.$'") == ""
    assert reason("body-regex=nope") == "body: does not match body-regex"


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("status=='UP'", ""),
        ("components.db.up", "json: components.db.up is false"),
        ("missing", "json: missing is null"),
        ("count", "json: count is 1"),
        ("status", 'json: status is "UP"'),
        (
            "length(missing)",
            (
                "json: length(missing) does not fit the answer: In function length(), "
                "invalid type for value: None, expected one of: ['string', 'array', 'object'], "
                'received: "null"'
            ),
        ),
    ],
)
def test_json_must_be_exactly_true(expression: str, why: str) -> None:
    answer = json_answer('{"status": "UP", "count": 1, "components": {"db": {"up": false}}}')

    assert reason(f"json={shlex.quote(expression)}", answer) == why


@pytest.mark.parametrize("text", ["<html>", "", "[" * 60_000, "\udc80"])
def test_a_body_that_is_not_json_says_so(text: str) -> None:
    answer = status(200).replace(b"0\r\n\r\n", b"%d\r\n\r\n" % len(text)) + text.encode(
        errors="surrogateescape"
    )

    assert reason("json=a", answer) == "json: the body is not JSON"


def test_all_expectations_must_hold_of_the_one_body() -> None:
    answer = json_answer('{"ready": true, "version": "2"}')

    assert reason("status=200 body-regex=version json=ready", answer) == ""
    assert reason("status=201 body-regex=version json=ready", answer) == "status 200"
    assert reason("body-regex=nope json=ready", answer) == "body: does not match body-regex"
    assert reason("body-regex=version json=version", answer) == 'json: version is "2"'


def test_only_64_kib_of_a_body_are_looked_at() -> None:
    short = status(200, body="x" * (64 * 1024 - 3) + "end")
    long = status(200, body="x" * (64 * 1024 - 2) + "end" + "x" * 10_000_000)

    assert reason("body-regex=end", short) == ""
    assert reason("body-regex=end", long) == ("body: does not match body-regex in its first 64 KiB")
    assert reason("json=a", long) == "json: the body is longer than 64 KiB"
    assert reason("body-regex=^x", long) == ""


def test_a_compressed_body_that_nobody_asked_for_is_not_looked_into() -> None:
    answer = status(200, "Content-Encoding: gzip", body="x")

    assert reason("body-regex=x", answer) == "body: the server sends it compressed, unasked"
    assert reason("", answer) == ""


# Secrets


def test_no_secret_is_in_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("tok-file-secret")
    echo = json_answer('"hdr-secret body-secret tok-file-secret qry-secret"')
    options = f"json=@ header='X-Key: hdr-secret' body=body-secret bearer-file={file}"

    why, _ = ask(options, echo, path="/?key=qry-secret")

    assert why == 'json: @ is "*** *** *** ***"'


@pytest.mark.parametrize("token", ["a.jwt-" * 20, 'pass"word', "pass\\word", "päss'\"word"])
@pytest.mark.parametrize("shape", ["{}", "[{}]"])
def test_a_secret_is_found_before_it_is_cut_and_however_it_is_quoted(
    token: str, shape: str
) -> None:
    echo = json_answer(shape.format(json.dumps(f"bad token {token}")))
    header = shlex.quote(f"header=X-Key: {token}")

    told, failed = (reason(f"json={query} {header}", echo) for query in ("@", "abs(@)"))

    assert told == "json: @ is " + shape.format('"bad token ***"')
    assert "bad token ***" in failed
    assert token[:8] not in failed


def test_the_password_of_the_url_is_not_in_a_reason_however_it_is_written() -> None:
    encoded = base64.b64encode(b"me:url-secret").decode()

    async def main() -> str:
        async with serving(json_answer(f'"url-secret {encoded}"')) as server:
            return await why_not(f"http://me:url-secret@127.0.0.1:{server.port}/ json=@")

    assert run(main()) == 'json: @ is "*** ***"'


# Configuration


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("http://a status=20", "status: '20' is no status; write codes and classes, 200,204,3xx"),
        ("http://a status=6xx", "status: '6xx' is no status; write codes and classes, 200,204,3xx"),
        (
            "http://a json='a =='",
            ("json: not a JMESPath expression: Invalid jmespath expression: Incomplete expression"),
        ),
        (
            "http://a body-regex='('",
            (
                "body-regex: not a regular expression: missing ), "
                "unterminated subpattern at position 0"
            ),
        ),
        ("http://a method='G T'", METHOD),
        ("http://a method=CONNECT", METHOD),
        (
            "http://a method=HEAD body-regex=x",
            "method: the answer to HEAD has no body to look at; write method=GET",
        ),
        ("http://a header=nocolon", 'header: wants header="Name: value"'),
        ("http://a header='Bad name: x'", 'header: wants header="Name: value"'),
        ("http://a header='Host: x'", "header: Host is not set this way; write host=NAME"),
        (
            "http://a header='Content-Length: 3'",
            "header: Content-Length is not set this way; gate sets it from body",
        ),
        ("http://a host=a/b", "host: wants a host name, or one with a port"),
        ("http://a bearer-file=token", "bearer-file: wants an absolute path"),
        (
            "http://u:p@a bearer-file=/t",
            (
                "more than one way to log in; choose one of bearer-file, "
                "basic-file, header=Authorization, user:password in the URL"
            ),
        ),
        ("http://a,b", "the URL wants one host and a port; write http://host:port"),
        (
            "http+unix:///run/app.sock",
            (
                "the URL wants the socket's path for its host; "
                "write http+unix://%2Frun%2Fapp.sock/path"
            ),
        ),
        ("http://a redirects=all", "redirects: 'all' is not one of follow"),
        (
            "http://a proxy=socks5://p:1080",
            ("proxy: wants http://host:port, for a server that is not a unix socket"),
        ),
        (
            "http://a proxy=http://p host=b",
            "host: a proxy connects to where Host says; works with https only",
        ),
        (
            'http://a http2 header="TE: gzip"',
            "header: TE is not for HTTP/2; leave it out",
        ),
        (
            'http://a http2 header="Upgrade: h2c" header="TE: trailers"',
            "header: Upgrade is not for HTTP/2; leave it out",
        ),
        (
            "http://a proxy=http://p http2",
            "http2: does not go through a proxy without TLS; write https",
        ),
        ("https://a key=/k", "key: goes with cert=PATH, the certificate it belongs to"),
        ("https://a server-name=a:1", "server-name: wants the name of a host, without a port"),
        (
            "http://a folow",
            (
                "option 1: unknown; http takes any, basic-file, bearer-file, body, "
                "body-regex, ca, cert, deadline, detail, group, header, host, http2, insecure, "
                "interval, json, key, method, monitor, optional, proxy, redirects, server-name, "
                "status, successes, timeout, until; a space in a URL is written %20"
            ),
        ),
    ],
)
def test_a_wrong_line_is_a_problem_with_its_remedy(line: str, problem: str) -> None:
    assert problems_of(line) == [problem]


@pytest.mark.parametrize("text", ["a\r\nEvil: 1", "a\rEvil: 1", "a\nEvil: 1", "a\0b", "a\x7fb"])
@pytest.mark.parametrize("option", ["header='X-Key: {}'", "host='{}'", "method='{}'"])
def test_a_line_break_cannot_smuggle_a_header_in(option: str, text: str) -> None:
    line = "http://a " + option.format(text)
    read = config.read({"GATE_DEPENDENCY_A": line})

    assert not read.problems
    assert checks.load(read.dependencies[0].target) is None
    assert "Evil" not in str(ConfigError(read.dependencies[0].target.problems))
