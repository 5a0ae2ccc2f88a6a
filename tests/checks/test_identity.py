"""A server that answers as the references say.

They are those of STS ("AssumeRoleWithWebIdentity"), of EKS Pod Identity's agent, and of the
Microsoft identity platform ("Get a token", "Error response").
"""

from __future__ import annotations

import base64
import json
import ssl
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.checks.servers.raw_http import Request, serving, status
from tests.conftest import free_port, problems_of, run, watch_for, why_not

ROLE = "arn:aws:iam::123456789012:role/app"
GIVEN = (
    "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
    "<SessionToken>secret</SessionToken><AccessKeyId>ASIAEXAMPLE</AccessKeyId>"
    "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
)
DENIED = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized to "
    "perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>"
)
VARIABLES = {
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_REGION",
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    "AZURE_AUTHORITY_HOST",
    "AZURE_FEDERATED_TOKEN_FILE",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def token(seconds: float) -> str:
    """A token that is valid for so long."""
    parts = (
        {"alg": "RS256"},
        {"sub": "system:serviceaccount:prod:app", "exp": time.time() + seconds},
    )
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join((*(part.rstrip("=") for part in coded), "signature"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(token(3600))
    return path


def ask(answer: bytes, line: str) -> tuple[str, Request]:
    """Return why *line*, the server's URL for `{}`, is not ready, and what the server was asked."""

    async def main() -> tuple[str, Request]:
        async with serving(answer) as server:
            why = await why_not(line.format(server.url))
            return why, server.requests[0]

    found: tuple[str, Request] = run(main())
    return found


def form(request: Request) -> dict[str, str]:
    assert request.header["content-type"] == "application/x-www-form-urlencoded"
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def test_sts_gives_credentials_of_the_role_now(file: Path) -> None:
    line = f"id aws-irsa: endpoint={{}} role={ROLE} token-file={file}"

    why, request = ask(status(200, body=GIVEN), line)

    assert (why, request.method, request.target) == ("", "POST", "/")
    assert form(request) == {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": ROLE,
        "RoleSessionName": "gate",
        "WebIdentityToken": file.read_text(),
    }


def test_what_the_webhook_of_eks_puts_there_is_taken(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(file))

    assert ask(status(200, body=GIVEN), "id aws-irsa: endpoint={}")[0] == ""


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("", "https://sts.amazonaws.com/"),
        ("eu-central-1", "https://sts.eu-central-1.amazonaws.com/"),
        ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn/"),
    ],
)
def test_sts_of_the_region_is_asked(region: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", region)
    check: Any = watch_for("id aws-irsa:").check

    assert str(check.service.url) == url


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            status(403, body=DENIED),
            "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
        ),
        (status(503), "status 503"),
        (status(200, body="<html>login</html>"), "status 200"),
    ],
)
def test_what_sts_says_instead_is_told(answer: bytes, why: str, file: Path) -> None:
    line = f"id aws-irsa: endpoint={{}} role={ROLE} token-file={file}"

    assert ask(answer, line)[0] == f"STS: {why}"


def test_a_pod_without_the_identity_is_told(file: Path) -> None:
    aws = "is the service account annotated with eks.amazonaws.com/role-arn?"
    eks = "has the service account an association, and was the pod made after it?"
    azure = "is the pod labelled azure.workload.identity/use, its service account annotated?"

    for line, why in (
        ("aws-irsa:", f"AWS_ROLE_ARN is not set in gate's container; {aws}"),
        ("aws-irsa: role=x", f"AWS_WEB_IDENTITY_TOKEN_FILE is not set in gate's container; {aws}"),
        (
            "aws-pod-identity:",
            f"AWS_CONTAINER_CREDENTIALS_FULL_URI is not set in gate's container; {eks}",
        ),
        ("azure-workload-identity:", f"AZURE_CLIENT_ID is not set in gate's container; {azure}"),
        (
            f"azure-workload-identity: client-id=x token-file={file}",
            f"AZURE_TENANT_ID is not set in gate's container; {azure}",
        ),
    ):
        assert run(why_not(f"id {line}")) == why


def test_a_token_that_is_not_fresh_is_told(tmp_path: Path) -> None:
    path = tmp_path / "token"
    line = f"id aws-irsa: role={ROLE} token-file={path}"

    assert run(why_not(line)) == f"token-file: cannot read {path}: no such file or directory"
    path.write_text(token(-1))
    assert run(why_not(line)) == f"token-file: the token in {path} has expired"
    for text in ("a token", "a.b.c", "e30.W10.x", "e30.e30.x", f"{token(9)}\nx"):
        path.write_text(text)
        assert run(why_not(line)) == f"token-file: {path} holds no token of a service account"


AGENT = "id aws-pod-identity: endpoint={{}}/v1/credentials token-file={}"


def test_the_agent_of_the_node_gives_credentials_now(file: Path) -> None:
    said = status(200, body=json.dumps({"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "x"}))

    why, request = ask(said, AGENT.format(file))

    assert (why, request.method, request.target) == ("", "GET", "/v1/credentials")
    assert request.header["authorization"] == file.read_text()


def test_what_amazon_puts_into_the_pod_is_taken(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(file))

    check: Any = watch_for("id aws-pod-identity:").check

    assert str(check.agent.url) == "http://169.254.170.23/v1/credentials"
    assert check.token_file.value == str(file)


UNAUTHORIZED = (
    "AccessDeniedException: Unauthorized Exception! EKS does not have permissions to assume the "
    "associated role"
)
REFUSED = (
    "unable to fetch credentials from EKS Auth: operation error EKS Auth: "
    "AssumeRoleForPodIdentity, https response error StatusCode: 400, RequestID: 5a2b, "
    f"{UNAUTHORIZED}.\n"
)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            status(400, body=REFUSED),
            UNAUTHORIZED,
        ),
        (status(500, body="canceled, context canceled"), "status 500"),
        (status(200, body="{}"), "status 200"),
        (status(200, body="[]"), "status 200"),
    ],
)
def test_what_the_agent_says_instead_is_told_without_what_differs_each_time(
    answer: bytes, why: str, file: Path
) -> None:
    assert ask(answer, AGENT.format(file))[0] == f"agent: {why}"


AZURE = "id azure-workload-identity: authority={{}} client-id=app tenant-id=ten/ant token-file={}"


def test_entra_gives_an_access_token_now(file: Path) -> None:
    said = status(200, body=json.dumps({"token_type": "Bearer", "access_token": "eyJ0"}))

    why, request = ask(said, AZURE.format(file) + " scope=api://x/.default")

    assert (why, request.target) == ("", "/ten%2Fant/oauth2/v2.0/token")
    assert form(request) == {
        "grant_type": "client_credentials",
        "client_id": "app",
        "scope": "api://x/.default",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": file.read_text(),
    }


def test_what_the_webhook_of_azure_puts_there_is_taken(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", "app")
    monkeypatch.setenv("AZURE_TENANT_ID", "tenant")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us/")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(file))

    check: Any = watch_for("id azure-workload-identity:").check

    assert str(check.service.url) == "https://login.microsoftonline.us/tenant/oauth2/v2.0/token"
    assert (check.client.value, check.token_file.value) == ("app", str(file))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            {
                "error": "invalid_client",
                "error_description": "AADSTS70021: No matching federated identity record found. "
                "Trace ID: 0000aaaa Correlation ID: aaaa Timestamp: 2026-11-29 21:00:00Z",
            },
            "AADSTS70021: No matching federated identity record found",
        ),
        ({"error": "temporarily_unavailable"}, "temporarily_unavailable"),
        ([], "status 400"),
    ],
)
def test_what_entra_says_instead_is_told_without_what_differs_each_time(
    answer: Any, why: str, file: Path
) -> None:
    said = status(400, body=json.dumps(answer))

    assert ask(said, AZURE.format(file))[0] == f"Entra: {why}"


def test_a_page_of_a_proxy_is_no_answer(file: Path) -> None:
    assert ask(status(200, body="<html>"), AZURE.format(file))[0] == "Entra: status 200"
    assert ask(status(200, body="{}"), AZURE.format(file))[0] == "Entra: status 200"


def test_the_service_is_reached_over_tls(
    file: Path, server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    async def main() -> str:
        async with serving(status(200, body=GIVEN), tls=server_tls) as server:
            place = f"endpoint=https://localhost:{server.port}"
            return await why_not(f"id aws-irsa: {place} role=x token-file={file} ca={ca_file}")

    assert run(main()) == ""


def test_a_service_that_is_not_there_is_told(file: Path) -> None:
    place = f"endpoint=http://127.0.0.1:{free_port()}"

    assert run(why_not(f"id aws-irsa: {place} role=x token-file={file}")) == "connection refused"


def test_mistakes_are_told() -> None:
    assert problems_of("aws-irsa://role") == ["the URL wants no host; write aws-irsa:"]
    assert problems_of("id aws-irsa: region=eu/x") == ["region: wants a name like eu-central-1"]
    for wrong in ("sts:443", "ftp://sts", "https://u:hunter2@sts"):
        (problem,) = problems_of(f"id aws-irsa: endpoint={wrong}")
        assert problem.startswith("endpoint: ")
        assert "hunter2" not in problem
    assert problems_of("id azure-workload-identity: authority=login") == [
        "authority: not a URL; write scheme://host:port"
    ]
