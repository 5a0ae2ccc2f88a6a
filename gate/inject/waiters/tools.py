"""Tools made for waiting: wait-for-it, dockerize, wait4x, wait-on, nc."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from typing import TYPE_CHECKING

from gate.inject.waiters.places import (
    PORT,
    NotUnderstood,
    bare_url,
    dependency,
    tcp,
    unread,
    values,
)
from gate.pods import clients

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gate.pods.shell import Command

_WAIT4X = {"postgresql": "postgresql", "postgres": "postgresql", "mysql": "mysql"}
_WAIT4X |= {"redis": "redis", "mongodb": "mongodb", "rabbitmq": "amqp", "kafka": "kafka"}


def netcat(command: Command) -> list[str]:
    """Return the port that `nc -z HOST PORT` connects to."""
    words = command.words[1:]
    if any(word.startswith("-") and not word.startswith("--") and "u" in word for word in words):
        why = "a port of UDP says nothing when it is open"
        raise NotUnderstood(why)
    for host, port in pairwise(words):
        is_value = host.startswith("-") or PORT.fullmatch(host)
        if not is_value and (PORT.fullmatch(port) or "$" in port):
            return [tcp(host, port)]
    raise NotUnderstood(unread(*words))


def wait_for_it(command: Command) -> list[str]:
    """Return what wait-for-it and wait-for are given: `host:port`, `-h host -p port` or a URL."""
    words = _before_command(command.words[1:])
    host, port = clients.option(words, "-h", "--host"), clients.option(words, "-p", "--port")
    if host and port:
        return [tcp(host, port)]
    found = [word for word in words if ":" in word and not word.startswith("-")]
    if not found:
        raise NotUnderstood(unread(*words))
    return [dependency(word) for word in found]


def _before_command(words: Sequence[str]) -> list[str]:
    return list(words[: words.index("--")] if "--" in words else words)


def wait_on(command: Command) -> list[str]:
    """Return the resources of npm's wait-on."""
    words = _before_command(command.words[1:])
    found = [w for w in words if re.match(r"(?:https?(?:-get)?|tcp|file|socket):|/|\./", w)]
    if not found:
        raise NotUnderstood(unread(*words))
    return [dependency(word.replace("socket:", "unix://", 1)) for word in found]


def dockerize(command: Command) -> list[str]:
    """Return what `dockerize -wait URL` waits for."""
    words = _before_command(command.words[1:])
    header = [clients.option(words, "-wait-http-header", "--wait-http-header")]
    options = [f"header={shlex.quote(each)}" for each in header if each]
    wanted = list(values(words, "wait"))
    if not wanted:
        raise NotUnderstood(unread(*words))
    return [
        " ".join([dependency(each), *(options if each.startswith("http") else [])])
        for each in wanted
    ]


def wait4x(command: Command) -> list[str]:
    """Return what `wait4x KIND ADDRESS` waits for."""
    words = _before_command(command.words[1:])
    kind = next(iter(words), "")
    places = [w for w in words[1:] if not w.startswith("-") and re.search(r":\d|://|@tcp\(", w)]
    if kind == "tcp" and places:
        return [dependency(place) for place in places]
    if kind == "http" and places:
        return [" ".join([bare_url(place), *_expected(words)]) for place in places]
    if kind in _WAIT4X and places:
        return [_login_free(_WAIT4X[kind], place) for place in places]
    why = f"wait4x {kind} is not known here"
    raise NotUnderstood(why)


def _expected(words: Sequence[str]) -> Iterator[str]:
    known = {"--expect-status-code": "status", "--expect-body-regex": "body-regex"}
    for word, value in zip(words, [*words[1:], ""], strict=True):
        name, equals, joined = word.partition("=")
        if name in known:
            yield f"{known[name]}={shlex.quote(joined if equals else value)}"
        elif name.startswith("--expect"):
            why = f"{name} is not known here"
            raise NotUnderstood(why)


def _login_free(scheme: str, place: str) -> str:
    if inner := re.search(r"@tcp\(([^)]+)\)", place):
        place = inner[1]
    return bare_url(place if "://" in place else f"{scheme}://{place}")


def grpc_health(command: Command) -> list[str]:
    """Return what `grpc_health_probe -addr=HOST:PORT` asks."""
    words = command.words[1:]
    address = next(iter(values(words, "addr")), "")
    if not address or any("tls" in word for word in words):
        raise NotUnderstood(unread(*words))
    service = [f"service={shlex.quote(name)}" for name in values(words, "service")]
    return [" ".join([tcp(*address.rsplit(":", 1)).replace("tcp", "grpc", 1), *service])]
