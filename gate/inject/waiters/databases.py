"""The clients of databases, queues and name servers: whom they ask, and for what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gate.core import url as urls
from gate.inject.waiters.places import HOST, NotUnderstood, bare_url, unread
from gate.pods import clients

if TYPE_CHECKING:
    from collections.abc import Callable

    from gate.pods.shell import Command

_OWN_NAMESPACE = re.compile(r"\.(?:\$\(cat [^)]*/namespace\)|\$\{?\w*NAMESPACE\w*\}?)(?:\.svc.*)?$")
_LOGIN = "it logs in; give gate the login by GATE_DEPENDENCY_<NAME> from the Secret"


def database(scheme: str) -> Callable[[Command], list[str]]:
    """Return what translates a client of *scheme* that is told a host and a port."""

    def translated(command: Command) -> list[str]:
        found = list(clients.hosts(command))
        if not found or not found[0]:
            raise NotUnderstood(unread(*command.words, *command.variables.get("PGHOST", "")))
        host, port = found[0][0]
        return [f"{scheme}://{urls.Host(host, port)}"]

    return translated


def mysqladmin(command: Command) -> list[str]:
    """Return what `mysqladmin ping` asks: it succeeds with a wrong login too."""
    if not {"ping", "status"} & set(command.words):
        why = "only mysqladmin ping asks whether the server answers"
        raise NotUnderstood(why)
    return database("mysql")(command)


def redis(command: Command) -> list[str]:
    """Return what `redis-cli ping` asks."""
    if not any(word.lower() == "ping" for word in command.words):
        why = "only redis-cli ping asks whether the server answers"
        raise NotUnderstood(why)
    return database("redis")(command)


def lookup(command: Command) -> list[str]:
    """Return the name that is looked up; the pod's own namespace is in its search list."""
    names = [word for word in command.words[1:] if not word.startswith("-")]
    names = [name for name in names if name not in ("hosts", "ahosts")]
    if not names:
        raise NotUnderstood(unread(*command.words))
    name = _OWN_NAMESPACE.sub("", names[0])
    if not HOST.fullmatch(name):
        raise NotUnderstood(unread(name))
    return [f"dns://{name}"]


def mongo(command: Command) -> list[str]:
    """Return what `mongosh` asks where it only pings."""
    host = clients.option(command.words, "--host", "-h")
    urls_in = [word for word in command.words if word.startswith("mongodb")]
    if host is None and not urls_in:
        raise NotUnderstood(unread(*command.words))
    if not any("ping" in word or "hello" in word for word in command.words):
        why = "what it evaluates is not known here"
        raise NotUnderstood(why)
    port = clients.option(command.words, "--port") or "27017"
    return [bare_url(urls_in[0]) if urls_in else f"mongodb://{host}:{port}"]


def kafka(command: Command) -> list[str]:
    """Return the brokers that are asked for their metadata."""
    brokers = clients.option(command.words, "--bootstrap-server", "--bootstrap-servers", "-b")
    if brokers is None and command.words[1:2] == ("kafka-ready",):
        brokers = next((w for w in command.words[2:] if ":" in w), None)
    if brokers is None:
        raise NotUnderstood(unread(*command.words))
    return [bare_url(f"kafka://{brokers}")]


def logs_in(_: Command) -> list[str]:
    """Refuse: the login is in the app's Secret, not in the script."""
    raise NotUnderstood(_LOGIN)
