"""The options that say what is asked: `method`, `header`, `host`, `body`, credentials."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx

from gate.checks.http import routing
from gate.checks.http.request import RequestTemplate
from gate.checks.http.routing import basic
from gate.checks.wire import tls_options
from gate.checks.wire.secret_file import path_option

if TYPE_CHECKING:
    from gate.checks.http.request import Header
    from gate.core.target import Target

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_METHOD = re.compile(r"[A-Za-z][A-Za-z-]*")
_OWN = {
    "host": "write host=NAME",
    "content-length": "gate sets it from body",
    "transfer-encoding": "gate sends the body whole",
    "proxy-authorization": "write the user into the proxy's URL",
}
_NOWHERE = httpx.URL("http://localhost/")


def parse(target: Target) -> RequestTemplate:
    """Return what *target* wants asked."""
    url = _url(target)
    tls = tls_options.parse(target)
    route = routing.parse(target, url, tls)
    body = target.text("body", secret=True).encode(errors="surrogateescape")
    header = tuple(
        pair for text in target.many("header", secret=True) for pair in _header(target, text)
    )
    ask = RequestTemplate(
        url=url,
        route=route,
        method=target.read("method", _method, "POST" if body else "GET"),
        header=(*header, *_user(target)),
        body=body,
        bearer_file=path_option(target, "bearer-file"),
        basic_file=path_option(target, "basic-file"),
    )
    _check(target, ask)
    return ask


def _check(target: Target, ask: RequestTemplate) -> None:
    """Note a problem for options that contradict each other."""
    given = [name for name, _ in ask.header if name.lower() == "authorization"]
    if len(given) + bool(ask.bearer_file) + bool(ask.basic_file) > 1:
        target.problem(
            "more than one way to log in; choose one of bearer-file, basic-file, "
            "header=Authorization, user:password in the URL"
        )
    if ask.route.is_forwarded and target.text("host"):
        target.problem("host: a proxy connects to where Host says; works with https only")


def _url(target: Target) -> httpx.URL:
    """Return the URL by which the server knows itself."""
    url = target.url
    scheme = "https" if url.scheme == "https" else "http"
    own = "localhost" if url.scheme == "http+unix" else ",".join(str(host) for host in url.hosts)
    authority = target.read("host", _authority, own)
    query = f"?{url.raw_query}" if url.raw_query else ""
    try:
        return httpx.URL(f"{scheme}://{authority}{url.path or '/'}{query}")
    except httpx.InvalidURL:
        target.problem("the URL holds what no URL may hold; percent-encode it")
        return _NOWHERE


def _authority(text: str) -> str:
    """Return *text* as a host and perhaps a port; raises `ValueError`."""
    try:
        host = httpx.URL(f"http://{text}/")
    except httpx.InvalidURL:
        host = _NOWHERE
    if host.netloc.decode() != text.lower().removesuffix(":80"):
        msg = "wants a host name, or one with a port"
        raise ValueError(msg)
    return text


def _method(text: str) -> str:
    if not _METHOD.fullmatch(text) or text.upper() == "CONNECT":
        msg = "wants the name of an HTTP method, GET or HEAD or POST"
        raise ValueError(msg)
    return text.upper()


def _header(target: Target, text: str) -> list[Header]:
    """Return the header that *text* writes, none where that is wrong."""
    name, colon, value = text.partition(":")
    name, value = name.strip(), value.strip()
    target.keep_secret(value)
    if name.lower() == "authorization":
        target.keep_secret(value.partition(" ")[2])
    if not colon or not _NAME.fullmatch(name):
        target.problem('header: wants header="Name: value"')
    elif not value.replace("\t", " ").isprintable():
        target.problem(f"header: {name} holds a line break or another control character")
    elif name.lower() in _OWN:
        target.problem(f"header: {name} is not set this way; {_OWN[name.lower()]}")
    else:
        return [(name, value)]
    return []


def _user(target: Target) -> list[Header]:
    """Return the login that the URL holds, if any."""
    url = target.url
    if url.username is None and url.password is None:
        return []
    value = basic(f"{url.username or ''}:{url.password or ''}")
    target.keep_secret(value.partition(" ")[2])
    return [("authorization", value)]
