"""How a wait asks: whether for a name only, or for a connection and nothing more; and how long."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gate.core import durations
from gate.pods import clients, commands, python_waits, shell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gate.pods.commands import Place
    from gate.pods.shell import Command, Loop

_LOOKING_UP = {"nslookup", "dig", "getent", "host"}
_KEYWORDS = {"hosts", "ahosts", "ahostsv4", "ahostsv6"}
_CONNECTING = {"nc", "ncat", "telnet", "wait-for-it", "wait-for", "wait-for-it.sh", "wait-for.sh"}
_CONNECTING |= {"waitforit"}
_TCP = {"wait4x": "tcp", "dockerize": "tcp://", "wait-on": "tcp:"}
_NAME = re.compile(r"[A-Za-z0-9][\w-]*(?:\.[\w-]+)*")
_DEFAULTS = {"wait4x": 10.0, "dockerize": 10.0, "wait-for-it": 15.0, "wait-for-it.sh": 15.0}
_DEFAULTS |= {"wait-for": 15.0, "wait-for.sh": 15.0, "kubectl": 30.0}
_ENDLESS = {"k8s-wait-for", "wait_for.sh", "wait-on"}
_LENIENT = {"wait-for-it", "wait-for-it.sh"}
_COMPARING = {"-lt", "-le", "-gt", "-ge"}
_LEAVING = {"break", "exit", "return"}
_SUCCEEDING = {"sleep", "echo", "printf", "let"}
_LIMITS = ("--timeout", "-timeout", "-t")


def by_name(words: Sequence[str]) -> list[str]:
    """Return the names that a wait looks up, none where it asks for anything else, too."""
    asking = [each for each in shell.read(words).foreground if commands.asks(each)]
    if any(each.program not in _LOOKING_UP for each in asking):
        return []
    return list(dict.fromkeys(name for each in asking for name in _looked_up(each)))


def _looked_up(command: Command) -> Iterator[str]:
    """Return the name, up to what the shell puts in; nothing where that is its beginning."""
    for word in command.words[1:]:
        if word.startswith(("-", "+")) or word in _KEYWORDS:
            continue
        begin = word.partition("$")[0].rstrip(".")
        is_cut = "$" in word
        if _NAME.fullmatch(begin):
            yield begin.partition(".")[0] if is_cut else begin
        return  # what comes next is the server that is asked


def by_connection(words: Sequence[str], env: Mapping[str, str]) -> list[Place]:
    """Return the places to which a wait connects, and asks nothing more there."""
    return [
        commands.Place(*host)
        for each in shell.read(words, env).foreground
        for hosts in _connected(each)
        for host in hosts
    ]


def _connected(command: Command) -> Iterator[list[tuple[str, int | None]]]:
    if python_waits.is_wait(command):
        yield from python_waits.connections(command)
    elif _only_connects(command):
        yield from clients.hosts(command)


def _only_connects(command: Command) -> bool:
    is_raw = any("/dev/tcp/" in word for word in command.words)
    if command.program in _TCP:
        return any(word.startswith(_TCP[command.program]) for word in command.words[1:])
    return is_raw or command.program in _CONNECTING


def fails_open(words: Sequence[str]) -> bool:
    """Whether a wait succeeds when it gives up: it counts its tries, and says no more."""
    run = shell.read(words)
    if any(_starts_anyway(each) for each in run.foreground):
        return True
    if not run.foreground or run.foreground[-1].program not in _SUCCEEDING:
        return False
    loops = run.waited_loops
    counts = any(map(_counts, loops)) if loops else commands.tries_again(run)
    is_last = counts and commands.text(words).rstrip(" \n;").endswith("done")
    return is_last and not any(map(_fails, run.foreground))


def _counts(loop: Loop) -> bool:
    """Whether *loop* ends after a number of tries, and may be left before."""
    names = {each.program for each in loop.body}
    is_number = bool(loop.head) and not _COMPARING.isdisjoint(loop.head[-1].words)
    return is_number and not _LEAVING.isdisjoint(names) and not any(map(commands.asks, loop.head))


def _fails(command: Command) -> bool:
    return command.program in _LEAVING and command.words[1:] not in ((), ("0",))


def _starts_anyway(command: Command) -> bool:
    """Whether it starts a command though its wait has failed."""
    own, mark, _ = " ".join(command.words).partition(" -- ")
    is_strict = not {"-s", "--strict"}.isdisjoint(own.split())
    return bool(mark) and command.program in _LENIENT and not is_strict


def longest(words: Sequence[str]) -> float | None:
    """Return the seconds that a wait may last, infinite ones too; None where that is not known."""
    if not commands.is_bounded(words):
        return float("inf")
    limits = [_limit(each) for each in shell.read(words).foreground if commands.is_waiter(each)]
    return max((each for each in limits if each is not None), default=None)


def _limit(command: Command) -> float | None:
    if command.is_cut:
        return None
    if command.program in _ENDLESS:
        return float("inf")
    written = clients.option(command.words, *_LIMITS)
    if written is None:
        return _DEFAULTS.get(command.program)
    try:
        return durations.parse(written) or float("inf")
    except ValueError:
        return None
