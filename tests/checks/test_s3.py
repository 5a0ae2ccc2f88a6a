"""A server of its own, which checks the signature by what it has received.

No registry that CI may use has MinIO. The signature itself is held against the one that Amazon's
reference works out, "Example: GET Bucket Lifecycle".
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.checks.s3 import signature
from gate.checks.s3.signature import Keys
from tests.checks.servers.raw_http import Request, serving, status
from tests.conftest import outcome, problems_of, run, watch_for

KEYS = Keys(
    access_key="AKIAIOSFODNN7EXAMPLE", secret_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)
LOGIN = "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI%2FK7MDENG%2FbPxRfiCYEXAMPLEKEY@"
FOUND = status(200)


def ask(answer: bytes, url: str, options: str = "") -> tuple[str, Request]:
    async def main() -> tuple[str, Request]:
        async with serving(answer) as server:
            result = await outcome(f"{url} endpoint={server.url} {options}")
            return result.reason, server.requests[0]

    found: tuple[str, Request] = run(main())
    return found


def expected(request: Request, keys: Keys = KEYS, region: str = "us-east-1") -> str:
    """Return the authorization that *request* should have, by what has arrived."""
    wanted = signature.Request(
        host=request.header["host"],
        path=request.target,
        region=region,
        time=request.header["x-amz-date"],
    )
    return dict(signature.signed(wanted, keys))["authorization"]


def test_the_signature_is_that_of_amazons_example() -> None:
    request = signature.Request(
        method="GET",
        host="examplebucket.s3.amazonaws.com",
        path="/",
        query="lifecycle=",
        region="us-east-1",
        time="20130524T000000Z",
    )

    authorization = dict(signature.signed(request, KEYS))["authorization"]

    assert authorization == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
        "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    )


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("s3://models", "/models"),
        ("s3://models/llama/weights%20v2.bin", "/models/llama/weights%20v2.bin"),
    ],
)
def test_a_bucket_or_an_object_is_asked_for_by_its_owner(url: str, target: str) -> None:
    why, request = ask(FOUND, url.replace("s3://", f"s3://{LOGIN}"))

    assert (why, request.method, request.target) == ("", "HEAD", target)
    assert request.header["authorization"] == expected(request)


def test_keys_may_come_from_files_and_be_temporary(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("sec/ret\n")
    (tmp_path / "token").write_text("tok/en==\n")
    options = (
        f"region=eu-central-1 password-file={tmp_path}/secret session-token-file={tmp_path}/token"
    )

    why, request = ask(FOUND, "s3://KEY@models", options)

    keys = Keys(access_key="KEY", secret_key="sec/ret", token="tok/en==")
    assert why == ""
    assert request.header["x-amz-security-token"] == "tok/en=="
    assert request.header["authorization"] == expected(request, keys, "eu-central-1")


def test_without_keys_no_access_is_an_answer_too() -> None:
    why, request = ask(status(403), "s3://models")

    assert why == ""
    assert "authorization" not in request.header
    assert ask(FOUND, "s3://models")[0] == ""
    assert ask(status(403), "s3://models", "status=200")[0] == (
        "status 403: credentials refused, or they give no right to this"
    )


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (301, "status 301: the bucket is in another region; write region=NAME"),
        (400, "status 400: credentials, region or endpoint are wrong"),
        (403, "status 403: credentials refused, or they give no right to this"),
        (404, "status 404: not found"),
        (503, "status 503: busy"),
        (500, "status 500"),
    ],
)
def test_another_status_is_told_with_its_meaning(code: int, why: str) -> None:
    assert ask(status(code), f"s3://{LOGIN}models")[0] == why


def test_what_is_not_found_is_absent() -> None:
    assert ask(status(404), "s3://models", "until=down")[0] == ""


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ("s3://models", "https://models.s3.us-east-1.amazonaws.com/"),
        ("s3://models/a/b region=cn-north-1", "https://models.s3.cn-north-1.amazonaws.com.cn/a/b"),
        ("s3://my.models/a", "https://s3.us-east-1.amazonaws.com/my.models/a"),
        ("s3://models endpoint=http://minio:9000/store/", "http://minio:9000/store/models"),
    ],
)
def test_it_asks_amazon_unless_told_where(line: str, url: str) -> None:
    check = watch_for(line).check

    assert str(check.http.ask.url) == url  # type: ignore[attr-defined]


def test_mistakes_are_told() -> None:
    keys = "the credentials are an access key and a secret key; one is missing"
    bucket = "the URL wants the name of a bucket; write s3://bucket endpoint=URL"

    assert problems_of("s3://KEY@models") == [keys]
    assert problems_of("s3://:secret@models") == [keys]
    assert problems_of("s3://minio:9000/models") == [bucket]
    assert problems_of("s3://a,b") == [bucket]
    assert bucket in problems_of("s3:models")
    assert problems_of("s3://models region=eu/x") == ["region: wants a name like eu-central-1"]
    for endpoint in ("minio:9000", "http:x", "http://u:pw@minio", "ftp://minio"):
        (problem,) = problems_of(f"s3://models endpoint={endpoint}")
        assert problem.startswith("endpoint: ")
        assert "pw" not in problem
