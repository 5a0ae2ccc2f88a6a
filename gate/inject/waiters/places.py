"""Addresses as they stand in scripts, as dependencies of gate; nothing is guessed."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from gate.core import url as urls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*|[0-9a-fA-F]*:[0-9a-fA-F:.]+")
PORT = re.compile(r"\d{1,5}")
_DEV_TCP = re.compile(r"/dev/tcp/([^/\s]+)/(\d{1,5})")


class NotUnderstood(ValueError):  # noqa: N818 -- it is a way out, not an error
    """The command's meaning is not known, and why."""


def tcp(host: str, port: str) -> str:
    """Return the dependency on a port, or raise `NotUnderstood`."""
    name = host.strip("[]")
    if not HOST.fullmatch(name) or not PORT.fullmatch(port):
        raise NotUnderstood(unread(host, port))
    return f"tcp://{urls.Host(name, int(port))}"


def unread(*words: str) -> str:
    """Return why the address in *words* is not known."""
    name = re.search(r"\$\{?(\w+)", " ".join(words))
    return f"the value of ${name[1]} is not in the input" if name else "its address is not plain"


def bare_url(text: str) -> str:
    """Return the URL without its login, so that no password is written anew."""
    try:
        url = urls.parse(text)
    except ValueError as exc:
        raise NotUnderstood(unread(text)) from exc
    if not url.hosts or not all(HOST.fullmatch(host.name) for host in url.hosts):
        raise NotUnderstood(unread(text))
    query = f"?{url.raw_query}" if url.raw_query and url.scheme in ("http", "https") else ""
    found = f"{url.scheme}://{','.join(map(str, url.hosts))}{url.path}{query}"
    if "$" in found:
        raise NotUnderstood(unread(found))
    return shlex.quote(found)


def dependency(resource: str) -> str:
    """Return the dependency for what a waiter takes: a URL, `tcp:host:port`, `host:port`."""
    text = re.sub(r"^(https?)-get:", r"\1:", resource)
    if re.match(r"(?:file:)?/", text) and not text.startswith("file://"):
        return f"file://{text.removeprefix('file:')}"
    if "://" in text:
        return bare_url(text)
    host, colon, port = text.removeprefix("tcp:").rpartition(":")
    if not colon:
        raise NotUnderstood(unread(text))
    return tcp(host, port)


def dev_tcp(words: Sequence[str]) -> list[str]:
    """Return what bash's `/dev/tcp/HOST/PORT` in *words* connects to."""
    return [tcp(*match.groups()) for word in words for match in _DEV_TCP.finditer(word)]


def values(words: Sequence[str], name: str) -> Iterator[str]:
    """Return each value of an option with one dash or two, behind it or behind `=`."""
    for index, word in enumerate(words):
        key, equals, value = word.partition("=")
        if key.lstrip("-") == name and key.startswith("-"):
            yield value if equals else "".join(words[index + 1 : index + 2])
