"""Whom a client asks: hosts and ports from its options and arguments.

What cannot be read is not guessed: a host is only taken to be this pod's own where the client
is told none, by no option, URL or variable.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from gate.core import url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gate.pods.shell import Command

    Host = tuple[str, int | None]

_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "postgres": 5432, "mysql": 3306}
_PORTS |= {"redis": 6379, "amqp": 5672, "mongodb": 27017, "kafka": 9092, "nats": 4222}
_DATABASES = {"pg_isready": 5432, "psql": 5432, "redis-cli": 6379, "mysqladmin": 3306}
_DATABASES |= {"mysql": 3306}
_HOST_AND_PORT = {"nc", "ncat", "telnet", "cqlsh"}
"""Clients that take the two as words of their own."""
_BY_OPTION = {"mongo": 27017, "mongosh": 27017, "clickhouse-client": 9000}
_ALONE_LOCAL = {"pg_isready", "redis-cli", "mysqladmin"}
"""Those whose other arguments cannot hold a host."""
_PORT_OPTION = {"mysqladmin": "-P", "mysql": "-P"}
_ELSEWHERE = ("--defaults", "--login-path", "--service", "-s", "-S", "--socket", "--cluster")
_VARIABLES = {
    "pg_isready": ("PGHOST", "PGHOSTADDR", "PGSERVICE"),
    "mysqladmin": ("MYSQL_HOST",),
}
_PORT_VARIABLES = {"pg_isready": "PGPORT", "psql": "PGPORT"}
_PORT_VARIABLES |= {"mysqladmin": "MYSQL_TCP_PORT", "mysql": "MYSQL_TCP_PORT"}
_NO_TARGET = {"-H", "--header", "-d", "--data", "-e", "--referer", "-x", "--proxy", "-u", "--user"}
_NO_TARGET |= {"-A", "--user-agent", "-w", "--write-out", "-o", "--output", "-O", "--cacert"}

_SCHEME = re.compile(r"[a-z][a-z0-9+]*$")
_LONGEST_SCHEME = 20
_NAME = r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9][\w.-]*)"
_BARE = re.compile(rf"(?<![\w/@.:-]){_NAME}:(\d{{2,5}})(?![\w:@])")
_DEV_TCP = re.compile(rf"/dev/tcp/{_NAME}/(\d{{1,5}})")
_HOST = re.compile(r"[A-Za-z0-9][\w.-]*|[0-9a-fA-F]*:[0-9a-fA-F:.]+")
_CONNINFO = re.compile(r"(?:^|\s)(host|hostaddr|port)\s*=\s*'?([^\s']+)")


def environment_names() -> frozenset[str]:
    """Return the variables that tell a client its host, or the port."""
    hosts = {name for names in _VARIABLES.values() for name in names}
    return frozenset(hosts.union(_PORT_VARIABLES.values()))


def hosts(command: Command) -> Iterator[list[Host]]:
    """Return whom *command* asks; of each list one is enough."""
    words = _own(command)
    words = words if "/dev/tcp/" in command.words[0] else words[1:]
    if command.program in _DATABASES:
        if host := _of_database(command, words):
            yield host
        return
    if command.program in _BY_OPTION:
        yield from ([host] for host in _by_option(command.program, words))
    if command.program in _HOST_AND_PORT:
        yield from ([host] for host in _of_netcat(words))
    yield from (found for word in words for found in _in_word(word))


def _own(command: Command) -> list[str]:
    """Return its words, without those of the command that it becomes, and of what it sends."""
    words = list(command.words)
    words = words[: words.index("--")] if "--" in words else words
    if command.program == "dockerize":
        waits = [n for n, word in enumerate(words) if word.lstrip("-").startswith("wait")]
        return words[:1] + [part for n in waits for part in words[n : n + 2]]
    if command.program not in ("curl", "wget"):
        return words
    pairs = zip(["", *words], words, strict=False)
    return [word for before, word in pairs if before not in _NO_TARGET]


def _in_word(word: str) -> Iterator[list[Host]]:
    before, colon, rest = word.partition("://")
    if colon:
        scheme = _SCHEME.search(before[-_LONGEST_SCHEME:])
        yield from filter(None, [of_url(f"{scheme[0]}://{rest}")] if scheme else [])
        return
    for pattern in (_DEV_TCP, _BARE):
        for match in pattern.finditer(word):
            yield [(match[1].strip("[]"), int(match[2]))]


def of_url(text: str) -> list[Host]:
    """Return the hosts of the URL *text*, none where one of them is not to be known."""
    try:
        parsed = url.parse(text)
    except ValueError:
        return []
    default = _PORTS.get(parsed.scheme.partition("+")[0])
    found = [(host.name, host.port or default) for host in parsed.hosts]
    return [] if any(not _HOST.fullmatch(name) for name, _ in found) else found


def _by_option(program: str, words: Sequence[str]) -> Iterator[Host]:
    host = option(words, "--host")
    port = option(words, "--port") or str(_BY_OPTION[program])
    if host and _HOST.fullmatch(host):
        yield host, int(port) if port.isascii() and port.isdigit() else None


def _of_netcat(words: Sequence[str]) -> Iterator[Host]:
    for host, port in pairwise(words):
        if port.isascii() and port.isdigit() and _HOST.fullmatch(host) and not host.isdigit():
            yield host, int(port)
            return


def _of_database(command: Command, words: Sequence[str]) -> list[Host]:
    """Return whom a database's own client asks, nothing where that is not to be known."""
    for name in ("-u", "-d", "--dbname") if command.program != "mysqladmin" else ():
        text = option(words, name) or ""
        if "://" in text:
            return of_url(text)
        if "=" in text:
            return _of_conninfo(text)
    host = option(words, "-h", "--host")
    port = _port(command, option(words, _PORT_OPTION.get(command.program, "-p"), "--port"))
    if host is None:
        return (
            [("localhost", port)] if _is_local(command, words) else _from_variables(command, port)
        )
    return [(host, port)] if _HOST.fullmatch(host) else []


def _of_conninfo(text: str) -> list[Host]:
    given = dict(_CONNINFO.findall(text))
    host, port = given.get("host") or given.get("hostaddr", ""), given.get("port", "5432")
    return [(host, int(port))] if _HOST.fullmatch(host) and port.isdigit() else []


def _port(command: Command, text: str | None) -> int | None:
    if text is None:
        name = _PORT_VARIABLES.get(command.program, "")
        text = command.variables.get(name, str(_DATABASES[command.program]))
    return int(text) if text.isascii() and text.isdigit() else None


def _is_local(command: Command, words: Sequence[str]) -> bool:
    names = _VARIABLES.get(command.program, ())
    if command.program not in _ALONE_LOCAL or any(name in command.variables for name in names):
        return False
    return not any("$" in word or word.startswith(_ELSEWHERE) for word in words)


def _from_variables(command: Command, port: int | None) -> list[Host]:
    values = [command.variables.get(name, "") for name in _VARIABLES.get(command.program, ())]
    host = values[0] if values else ""
    return [(host, port)] if _HOST.fullmatch(host) else []


def option(words: Sequence[str], *names: str) -> str | None:
    """Return the value of the option *names*: a word behind it, behind `=`, or joined to it."""
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if word in names:
            return words[index + 1] if index + 1 < len(words) else None
        if equals and name in names:
            return value
        for short in names:
            if len(short) == 2 and word.startswith(short):  # noqa: PLR2004 -- a dash and a letter
                return word[2:]
    return None
