"""Waits written as `python -c`: a loop around a connection, and whom it asks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gate.pods import clients

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.clients import Host
    from gate.pods.shell import Command

_ASKING = re.compile(
    r"create_connection\(|\.connect(?:_ex)?\(|urlopen\(|(?:requests|httpx)\.(?:get|head)\("
)
_LOOP = re.compile(r"(?:^|[;:\n])\s*(?:while|for)\b")
_BOUND = re.compile(
    r"\brange\(|\b(?:time|monotonic)\(\)\s*[<>+-]|[<>]=?\s*\w*\.?(?:time|monotonic)\(\)"
    r"|\balarm\(|exit\(\s*[^0)\s]|\braise\b"
)
_PAIR = re.compile(r"\(\s*[\"']([A-Za-z0-9][\w.-]*|[0-9a-fA-F:]*:[0-9a-fA-F:.]+)[\"']\s*,\s*(\d+)")
_URL = re.compile(r"[\"'](https?://[^\"']+)[\"']")


def is_wait(command: Command) -> bool:
    """Whether *command* is a Python that asks again and again."""
    source = _source(command)
    return bool(_ASKING.search(source) and _LOOP.search(source))


def is_endless(command: Command) -> bool:
    """Whether *command* is such a wait, and nothing ends it but an answer."""
    return not command.is_cut and is_wait(command) and not _BOUND.search(_source(command))


def hosts(command: Command) -> Iterator[list[Host]]:
    """Return whom the wait *command* asks, as far as it is written in its text."""
    yield from connections(command)
    yield from filter(None, map(clients.of_url, _URL.findall(_source(command))))


def connections(command: Command) -> Iterator[list[Host]]:
    """Return to whom it only connects."""
    for host, port in _PAIR.findall(_source(command)):
        yield [(host, int(port))]


def _source(command: Command) -> str:
    """Return the program's text, empty where *command* is another one."""
    is_python = command.program.startswith("python") and command.words[1:2] == ("-c",)
    return next(iter(command.words[2:3]), "") if is_python else ""
