"""What a script runs: simple commands and loops, and what words start."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SAME = {"mariadb": "mysql", "mariadb-admin": "mysqladmin", "valkey-cli": "redis-cli"}
_SAME |= {"netcat": "nc", "grpc-health-probe": "grpc_health_probe", "kcat": "kafkacat"}
"""Programs that are called in two ways."""
_SHELLS = {"sh", "bash", "ash", "dash", "zsh"}
_OTHER_SHELLS = {"su", "runuser"}
_WRAPPERS = {"exec", "nohup", "time", "sudo", "setsid", "nice", "stdbuf", "env", "!"}
_WRAPPERS |= {"tini", "dumb-init", "catatonit", "docker-entrypoint.sh", "busybox", "setpriv"}
_WRAPPERS_WITH_USER = {"gosu", "su-exec"}
_WITH_VALUE = {"-u", "-g", "-n", "--user", "--group"}
_DURATION = re.compile(r"[\d.]+[smhd]?|\$.*")
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=(.*)", re.DOTALL)


@dataclass(slots=True)
class Command:
    """One simple command; what only starts another (exec, timeout, tini) is taken off."""

    words: tuple[str, ...]
    first: str
    """Its first word as written, `exec` included."""
    variables: dict[str, str]
    """What is set by then: by the container, the script and in front of it."""
    end: str = ""
    """What stands behind it: `|`, `||`, `&&`, `&`, `;` or a line's end."""
    is_background: bool = False
    is_cut: bool = False
    """Whether something else ends it: `timeout`, or what its output is piped into."""
    is_sure: bool = True
    """Whether it is run whatever happens, if the script comes that far."""

    program: str = field(init=False)
    """The name of what runs; asked for by every rule, so it is worked out once."""

    def __post_init__(self) -> None:
        """Name what runs."""
        self.program = program(self.words)


@dataclass(slots=True)
class Loop:
    """A `while` or `until`."""

    keyword: str
    head: list[Command]
    body: list[Command]
    is_background: bool = False
    is_cut: bool = False
    is_sure: bool = True


@dataclass(slots=True)
class Script:
    """What is run; that of `$(…)` and of `sh -c` in it included."""

    commands: list[Command] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)

    @property
    def foreground(self) -> list[Command]:
        """The commands that are waited for."""
        return [each for each in self.commands if not each.is_background]

    @property
    def waited_loops(self) -> list[Loop]:
        """The loops that are waited for."""
        return [each for each in self.loops if not each.is_background]


def program(words: Sequence[str]) -> str:
    """Return the name of what runs, by which it is best known."""
    name = words[0].rsplit("/", 1)[-1] if words else ""
    return _SAME.get(name, name)


def script_of(words: Sequence[str]) -> str | None:
    """Return the shell script that *words* run, None where they run none."""
    names = list(words[1:] if program(words) == "busybox" else words)
    if program(names) not in _SHELLS | _OTHER_SHELLS:
        return None
    for index, word in enumerate(names[1:], start=1):
        if word.startswith("-") and word.endswith("c") and not word.startswith("--"):
            return names[index + 1] if index + 1 < len(names) else ""
    return None


def unwrapped(words: Sequence[str]) -> tuple[list[str], bool]:
    """Return *words* without what only starts another, and whether `timeout` was among it."""
    left, is_timed = list(words), False
    while left:
        name = program(left)
        if ASSIGNMENT.fullmatch(left[0]):
            left = left[1:]
        elif name == "timeout":
            left, is_timed = _behind_timeout(left[1:]), True
        elif len(left) > 1 and name in _WRAPPERS | _WRAPPERS_WITH_USER:
            left = _behind_options(left[1:])[name in _WRAPPERS_WITH_USER :]
        else:
            break
    is_module = program(left).startswith("python") and left[1:2] == ["-m"]
    return (left[2:] if is_module and left[2:3] == ["gate"] else left), is_timed


def _behind_options(words: list[str]) -> list[str]:
    while words and words[0].startswith("-"):
        words = words[2 if words[0] in _WITH_VALUE else 1 :]
    return words


def _behind_timeout(words: list[str]) -> list[str]:
    while words and words[0].startswith("-"):
        words = words[2 if words[0] in ("-k", "-s", "-t", "--signal", "--kill-after") else 1 :]
    return words[1:] if words and _DURATION.fullmatch(words[0]) else words
