"""Signature Version 4 of a request without a body.

As in "Authenticating Requests: Using the Authorization Header" of the reference of Amazon S3's API.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

_ALGORITHM = "AWS4-HMAC-SHA256"
_NO_BODY = hashlib.sha256(b"").hexdigest()
_DAY = 8
"""Characters of a time in which the day stands: `20130524T000000Z`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Who signs; `token` is that of temporary credentials, empty for others."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is signed: path and query are as they are sent, `time` is `20130524T000000Z`."""

    method: str = "HEAD"
    host: str
    path: str
    query: str = ""
    region: str
    time: str


def signed(request: Request, keys: Keys) -> tuple[tuple[str, str], ...]:
    """Return the header lines that make *request* one of *keys*."""
    header = {"x-amz-content-sha256": _NO_BODY, "x-amz-date": request.time}
    if keys.token:
        header["x-amz-security-token"] = keys.token
    names = ";".join(("host", *header))
    scope = f"{request.time[:_DAY]}/{request.region}/s3/aws4_request"
    text = f"{_ALGORITHM}\n{request.time}\n{scope}\n{_digest(_canonical(request, header, names))}"
    signature = hmac.new(_key(keys.secret_key, scope), text.encode(), hashlib.sha256).hexdigest()
    login = f"{_ALGORITHM} Credential={keys.access_key}/{scope},SignedHeaders={names}"
    return (*header.items(), ("authorization", f"{login},Signature={signature}"))


def _canonical(request: Request, header: dict[str, str], names: str) -> str:
    lines = "".join(f"{name}:{value}\n" for name, value in header.items())
    parts = (request.method, request.path, request.query, f"host:{request.host}\n{lines}")
    return "\n".join((*parts, names, _NO_BODY))


def _key(secret: str, scope: str) -> bytes:
    """Return the key of the day, the region and the service that *scope* names."""
    key = f"AWS4{secret}".encode(errors="surrogateescape")
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
