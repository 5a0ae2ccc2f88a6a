"""s3://bucket[/key] -- the bucket, or the object in it, is there; with credentials: they work.

One HEAD request, to Amazon in `region` or to `endpoint` (MinIO, Ceph). The URL's user and password
are access key and secret key; nothing is taken from the environment. Without them, "no access" is
an answer too: the bucket is there. With them it takes the right s3:ListBucket, s3:GetObject for an
object. Every option of `http` is accepted.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from gate.checks import SCHEMES
from gate.checks.s3 import signature
from gate.checks.s3.signature import Keys
from gate.checks.wire import credentials, secret_file
from gate.core import url as urls

if TYPE_CHECKING:
    from gate.checks.wire.credentials import Login
    from gate.core.target import Target
    from gate.core.url import Url

_REGION = "us-east-1"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,254}")
_REGION_NAME = re.compile(r"[A-Za-z0-9-]+")
_ELSEWHERE = "the bucket is in another region; write region=NAME"
_WORDS = {
    301: _ELSEWHERE,
    307: _ELSEWHERE,
    400: "credentials, region or endpoint are wrong",
    403: "credentials refused, or they give no right to this",
    404: "not found",
    503: "busy",
}
_FOUND, _NO_ACCESS = 200, 403


@dataclass(frozen=True, slots=True, kw_only=True)
class S3:
    """Asks for a bucket or an object, signed as things are now."""

    http: Any
    """The check of the request; `http` makes it."""
    region: str = _REGION
    login: Login | None = None
    token_file: str = ""
    """Of temporary credentials."""

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless it is there, `Absent` if it is not."""
        header = await self._signed(self.login) if self.login else ()
        ask = replace(self.http.ask, header=(*self.http.ask.header, *header))
        await replace(self.http, ask=ask)()

    async def _signed(self, login: Login) -> tuple[tuple[str, str], ...]:
        token = ""
        if self.token_file:
            token = await secret_file.read(self.token_file, "session-token-file")
        keys = Keys(access_key=login.username, secret_key=await login.password(), token=token)
        ask = self.http.ask
        path, _, query = ask.url.raw_path.decode().partition("?")
        request = signature.Request(
            method=ask.method,
            host=ask.url.netloc.decode(),
            path=path,
            query=query,
            region=self.region,
            time=time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
        )
        return signature.signed(request, keys)


def parse(target: Target) -> S3:
    """Return the check that *target* describes."""
    login = credentials.parse(target)
    region = target.text("region", _REGION)
    token_file = secret_file.path_option(target, "session-token-file")
    if login and not (login.username and (login.written_password or login.password_file)):
        target.problem("the credentials are an access key and a secret key; one is missing")
    if not _NAME.fullmatch(target.url.host) or len(target.url.hosts) > 1 or target.url.port:
        target.problem("the URL wants the name of a bucket; write s3://bucket endpoint=URL")
    if not _REGION_NAME.fullmatch(region):
        target.problem("region: wants a name like eu-central-1")
    made = _http(target, _place(target, region), is_signed=login is not None)
    return S3(http=made, region=region, login=login, token_file=token_file)


def _http(target: Target, url: Url, *, is_signed: bool) -> Any:  # noqa: ANN401 -- a check of `http`
    # By name, as checks do not import each other.
    http = import_module(SCHEMES[url.scheme]).parse(target.toward(url, (("method", "HEAD"),)))
    statuses = frozenset({_FOUND} if is_signed else {_FOUND, _NO_ACCESS})
    expected = http.expected
    if not target.text("status"):
        expected = replace(expected, statuses=statuses)
    return replace(http, expected=replace(expected, words=_WORDS))


def _place(target: Target, region: str) -> Url:
    """Return where the bucket or object is asked for."""
    bucket, key = target.url.host, quote(unquote(target.url.path), safe="/-_.~")
    endpoint = target.read("endpoint", _endpoint, None)
    if endpoint:
        return replace(endpoint, path=f"{endpoint.path.rstrip('/')}/{bucket}{key}")
    domain = f"s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"
    # A certificate with a wildcard is for one label only.
    if "." in bucket:
        return urls.parse(f"https://{domain}/{bucket}{key}")
    return urls.parse(f"https://{bucket or 'bucket'}.{domain}{key or '/'}")


def _endpoint(text: str) -> Url:
    url = urls.parse(text)
    if url.scheme not in {"http", "https"} or not url.hosts or url.raw_query or url.password:
        msg = "wants a URL like https://minio.storage:9000"
        raise ValueError(msg)
    return url
