"""What a gate in a manifest is told: read by the parser that reads it at run time.

Values that come from elsewhere are not known here: nothing is said of what depends on them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gate import checks, config, flags
from gate.errors import GateError, Problem
from gate.lint import commands, references
from gate.lint.commands import Place

if TYPE_CHECKING:
    from argparse import Namespace

    from gate.config import Config, Settings, Wanted
    from gate.lint.pod import Container, Pod

PORT = 4283
_MODES = ("serve", "wait", "probe", "hold")
_LINE = re.compile(r"line (\d+)")
_MISSING_DRIVER = "needs the package"
_NAMES = {*(setting.variable for setting in config.SETTINGS), config.LIST}


@dataclass(frozen=True, slots=True)
class Gate:
    """A container that runs gate, and what it was told."""

    container: Container
    mode: str
    """`serve`, `wait`, `probe`, `hold`; empty: something else of the image."""
    settings: Settings
    wanted: tuple[Wanted, ...]
    problems: tuple[tuple[int, Problem], ...]
    """What is wrong, with the line it is in."""
    has_unknown: bool
    """Whether some of it comes from elsewhere."""

    @property
    def has_unknown_listen(self) -> bool:
        """Whether its address comes from elsewhere, or may."""
        values = [v.value for v in self.container.env if v.name == "GATE_LISTEN"]
        return self.container.has_env_from or any(v is None or "$(" in v for v in values)

    def places(self) -> list[Place]:
        """Return what it cannot do without, hosts and ports."""
        return [
            Place(host.name, host.port)
            for wanted in self.wanted
            if not (wanted.dependency.until_down or wanted.dependency.optional)
            for host in wanted.target.url.hosts
        ]


def is_gate(container: Container) -> bool:
    """Whether *container* runs gate; a main container whose image is called so needs more."""
    name = commands.program(container.command)
    if name == "gate" or container.command or container.image_name != "gate":
        return name == "gate"
    mode = next(iter(container.args), "")
    paths = [probe.action.path for probe in container.probes.values()]
    has_settings = any(variable.name.startswith("GATE_") for variable in container.env)
    is_probed = any(path.startswith("/startupz") for path in paths)
    return container.is_init or mode in _MODES or has_settings or is_probed


def of(container: Container, pod: Pod) -> Gate:
    """Return what the gate in *container* was told, read once."""
    known: dict[int, Gate] = pod.gates
    if container.index not in known:
        known[container.index] = read(container)
    return known[container.index]


def all_of(pod: Pod) -> list[Gate]:
    """Return every gate of *pod*."""
    return [of(container, pod) for container in pod.containers if is_gate(container)]


def read(container: Container) -> Gate:
    """Return what the gate in *container* was told."""
    words = [*container.command[1:], *container.args] or ["serve"]
    reading = _Reading(container)
    given = reading.flags(words)
    mode = words[0] if words[0] in _MODES else ""
    found = reading.config(given) if mode in ("serve", "wait") else None
    return Gate(
        container=container,
        mode=mode,
        settings=found.settings if found else config.Settings(),
        wanted=found.wanted if found else (),
        problems=tuple(reading.problems),
        has_unknown=reading.has_unknown,
    )


@dataclass(slots=True)
class _Reading:
    container: Container
    problems: list[tuple[int, Problem]] = field(default_factory=list)
    has_unknown: bool = False

    def flags(self, words: list[str]) -> Namespace | None:
        """Return the command line, None where there is none to be read."""
        own = words[: words.index("--")] if "--" in words else words
        if len(own) == 1:
            return None  # nothing to read, and argparse is slow
        if own[0] not in ("serve", "wait") or {"-h", "--help", "--version"} & set(own):
            return None
        if any("$(" in word for word in own):
            self.has_unknown = True
            return None
        try:
            return flags.parse(own)
        except GateError as exc:
            self.problems.append((self.container.line_of("args"), Problem("args", str(exc))))
            return None

    def config(self, given: Namespace | None) -> Config:
        """Return the configuration and note what is wrong with it."""
        known, unsure = self._environ()
        found = config.read(
            known,
            flags=flags.settings(given) if given else {},
            arguments=getattr(given, "dependency", ()),
        )
        for wanted in found.wanted:
            checks.load(wanted.target)
        for problem in found.all_problems():
            line, is_sure = self._line(problem.place, unsure)
            if is_sure and not self._is_excused(problem):
                self.problems.append((line, problem))
        return found

    def _is_excused(self, problem: Problem) -> bool:
        if _MISSING_DRIVER in problem.text:
            return True  # of this machine; the image has it
        return self.has_unknown and problem.text.startswith("no dependency")

    def _environ(self) -> tuple[dict[str, str], dict[str, set[int]]]:
        """Return what is known, and of what is not the lines that hold it."""
        known: dict[str, str] = {}
        unsure: dict[str, set[int]] = {}
        self.has_unknown |= self.container.has_env_from
        for variable, value in references.resolved(self.container):
            if not variable.name.startswith("GATE_"):
                continue
            if value is None:
                self.has_unknown = True
                if not _is_setting(variable.name):
                    known[variable.name] = "x"  # its name alone is what is wrong
                continue
            known[variable.name] = value.replace(references.UNKNOWN, "1")
            if references.UNKNOWN in value:
                self.has_unknown = True
                unsure[variable.name] = _lines_with(references.UNKNOWN, value)
        return known, unsure

    def _line(self, place: str, unsure: dict[str, set[int]]) -> tuple[int, bool]:
        """Return the line in the file of *place*, and whether what is there is known."""
        name, _, rest = place.partition(" ")
        variable = next((each for each in self.container.env if each.name == name), None)
        if variable is None:
            key = "args" if place.startswith(("--", "argument")) else "env"
            return self.container.line_of(key), True
        number = _LINE.match(rest)
        offset = int(number[1]) - 1 if number else 0
        dubious = unsure.get(name, set())
        return variable.value_line + offset, not (dubious and (offset in dubious or not number))


def _is_setting(name: str) -> bool:
    return name in _NAMES or name.startswith(config.PREFIX)


def _lines_with(mark: str, value: str) -> set[int]:
    return {number for number, line in enumerate(value.split("\n")) if mark in line}
