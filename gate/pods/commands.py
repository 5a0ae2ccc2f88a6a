"""What a command line does, as far as its words tell: waits, and for what."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from gate.core import url
from gate.pods import clients, cluster_waits, python_waits, shell
from gate.pods.shell import program
from gate.pods.shell import script_of as script

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gate.pods.shell import Command, Loop, Script

__all__ = ["Place", "program", "script"]

_WAITERS = {"wait4x", "dockerize", "wait-for-it", "wait-for", "wait-on", "wait4it", "waitfor"}
_WAITERS |= {"cub", "linkerd-await", "wait-for-it.sh", "wait-for.sh", "waitforit"}
_TOOLS = {("pilot-agent", "wait"), ("gate", "wait"), ("gate", "hold"), ("cloud-sql-proxy", "wait")}
_PROBING = {"nc", "ncat", "curl", "wget", "pg_isready", "redis-cli", "mysqladmin", "mysql", "psql"}
_PROBING |= {"nslookup", "dig", "getent", "host", "mongosh", "grpcurl", "mongo", "telnet", "ping"}
_PROBING |= {"cqlsh", "clickhouse-client", "grpc_health_probe", "etcdctl", "ldapsearch", "sqlcmd"}
_PROBING |= {"rabbitmq-diagnostics", "rabbitmqctl", "influx", "kafkacat", "kafka-topics"}
_PROBING |= {"kafka-topics.sh", "kafka-broker-api-versions", "kafka-broker-api-versions.sh"}
_PROBING |= {"zookeeper-shell", "zookeeper-shell.sh"}
_SIDECARS = {"pilot-agent": "istio", "linkerd-await": "linkerd"}
_SIDECARS |= {"cloud-sql-proxy": "cloud-sql-proxy"}
_STARTING = {"start", "restart", "--daemonize", "--fork", "--daemon", "-detached"}

_BOUND = re.compile(
    r"\btimeout\s|\bseq\b|-(?:lt|le|gt|ge)\b|\(\(|\bbreak\b|\bexit\s+\d|\bfor\s+\w+\s+in\b"
    r"|\bSECONDS\b"
)
_LOCAL = re.compile(r"(?<![\w.-])(?:localhost|127\.0\.0\.1|\[::1\]):(\d+)")


class Place(NamedTuple):
    """A host and a port, None where it is not known."""

    host: str
    port: int | None

    @property
    def is_local(self) -> bool:
        """Whether it is in the pod itself."""
        return url.is_loopback(self.host)

    def __str__(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"


def text(words: Sequence[str]) -> str:
    """Return the words as one text, a script without its comments."""
    written = script(words)
    if written is None:
        return " ".join(words)
    return re.sub(r"(?m)(?:^|(?<=\s))#.*$", "", written)


def starts_another(words: Sequence[str]) -> bool:
    """Whether a script leaves something running in the background."""
    commands = shell.read(words).commands
    return any(each.is_background or _daemonises(each) for each in commands)


def _daemonises(command: Command) -> bool:
    options = {word.partition("=")[0] for word in command.words}
    is_bare_nginx = command.program == "nginx" and "daemon off" not in " ".join(command.words)
    return is_bare_nginx or not options.isdisjoint(_STARTING)


def is_wait(words: Sequence[str]) -> bool:
    """Whether this waits for something: a known tool, or a loop around a client."""
    return bool(words) and _is_wait(tuple(words))


@lru_cache(maxsize=4096)
def _is_wait(words: tuple[str, ...]) -> bool:
    run = shell.read(words)
    if any(is_waiter(each) or python_waits.is_wait(each) for each in run.foreground):
        return True
    tries = bool(_loops(run)) or tries_again(run)
    return tries and any(_is_probing(command) for command in run.foreground)


def _loops(run: Script) -> list[Loop]:
    """Return the loops that may wait; one that reads a list ends with it."""
    return [
        loop
        for loop in run.waited_loops
        if not any(command.program == "read" for command in loop.head)
    ]


def tries_again(run: Script) -> bool:
    """Whether it has a `for` that pauses, and that is left when something has succeeded."""
    programs = {each.program for each in run.foreground}
    ends = ["", *(each.end for each in run.foreground)]
    leaves = "break" in programs or any(
        each.program in ("exit", "return") and (before == "&&" or not each.is_sure)
        for before, each in zip(ends, run.foreground, strict=False)
    )
    return leaves and {"for", "sleep"} <= programs


def is_waiter(command: Command) -> bool:
    """Whether *command* by itself waits."""
    is_retry = command.program == "curl" and any(w.startswith("--retry") for w in command.words)
    is_tool = (command.program, *command.words[1:2]) in _TOOLS
    is_known = command.program in _WAITERS or cluster_waits.is_wait(command)
    return is_known or is_tool or is_retry


def asks(command: Command) -> bool:
    """Whether *command* asks somebody: by itself again and again, or in a loop."""
    return is_waiter(command) or _is_probing(command) or python_waits.is_wait(command)


def _is_probing(command: Command) -> bool:
    if command.program in _PROBING or cluster_waits.is_probing(command):
        return True
    return any("/dev/tcp/" in word for word in command.words)


def is_bounded(words: Sequence[str]) -> bool:
    """Whether the loop in it, if there is one, gives up some day."""
    run = shell.read(words)
    if any(python_waits.is_endless(each) for each in run.foreground):
        return False
    loops = _loops(run)
    return all(loop.is_cut for loop in loops) or bool(_BOUND.search(text(words)))


def needs(words: Sequence[str], env: Mapping[str, str] | None = None) -> list[tuple[Place, ...]]:
    """Return what a wait waits for, as far as it can be read; of each, one place is enough.

    *env* are the container's variables, `$` for the value of one that is not known.
    """
    found: list[tuple[Place, ...]] = []
    is_choice = False
    for command in shell.read(words, env).foreground:
        own = list(_of(command))
        if is_choice and found and own:
            found[-1] = (*found[-1], *own[0])
            own = own[1:]
        found += own
        is_choice = bool(own or is_choice) and command.end == "||"
    return list(dict.fromkeys(found))


def _of(command: Command) -> Iterator[tuple[Place, ...]]:
    if is_waiter(command) or _is_probing(command):
        for hosts in clients.hosts(command):
            yield tuple(Place(*host) for host in hosts)
    elif python_waits.is_wait(command):
        for hosts in python_waits.hosts(command):
            yield tuple(Place(*host) for host in hosts)


def objects(words: Sequence[str]) -> list[str]:
    """Return the objects of the cluster that a wait is for, as `job/migrate`."""
    found = (name for each in shell.read(words).foreground for name in cluster_waits.objects(each))
    return list(dict.fromkeys(found))


def gate_words(words: Sequence[str]) -> list[str]:
    """Return what gate is told where *words* run it, or a script does; else nothing."""
    ways = [each.words for each in shell.read(words).commands if each.program == "gate"]
    return list(ways[0][1:]) if ways else []


def sidecars(words: Sequence[str]) -> list[str]:
    """Return the well-known sidecars that a tool of theirs waits for."""
    waiters = [each for each in shell.read(words).foreground if is_waiter(each)]
    return [_SIDECARS[each.program] for each in waiters if each.program in _SIDECARS]


def local_ports(texts: Iterable[str]) -> set[int]:
    """Return the ports of this very pod that *texts* name."""
    return {int(match[1]) for each in texts for match in _LOCAL.finditer(each)}
