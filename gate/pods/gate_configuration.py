"""What a gate's command line and variables say, read by the parsers of the run time.

Values that come from elsewhere are not known here: nothing is said of what depends on them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from gate import checks, config
from gate.config import flags, from_env, separate_options
from gate.core import probe_arguments
from gate.core.errors import GateError, Problem
from gate.pods import commands, references

if TYPE_CHECKING:
    from argparse import Namespace

    from gate.config import Config
    from gate.pods.pod import Container

MODES = ("serve", "wait", "probe", "hold")
_CLIENTS = ("probe", "hold")
_TOOLS = ("checks", "forget", "inject", "lint", "manifest", "status")
_INFORMING = {"-h", "--help", "--version"}
_LINE = re.compile(r"line (\d+)")
_MISSING_DRIVER = "needs the package"
_SOMEWHERE = "tcp://somewhere:1"
"""Stands for a variable of the app whose value is not known: it will do as a host and a port."""
_MAY_COME_FROM_ELSEWHERE = (from_env.UNSET, from_env.NOTHING, separate_options.LOST)
_NAMES = {*(setting.variable for setting in config.SETTINGS), config.LIST}


@dataclass(slots=True)
class Reading:
    """What is read of *container*, and what is wrong with it."""

    container: Container
    is_surely_gate: bool
    """Whether it has more of gate than a name, which other programs have too."""
    problems: list[tuple[int, Problem]] = field(default_factory=list)
    has_unknown: bool = False

    def flags(self, words: list[str]) -> Namespace | None:
        """Return the command line, None where there is none to be read."""
        own = words[: words.index("--")] if "--" in words else words
        if not own or own[0] in _CLIENTS or _INFORMING & set(own):
            return None
        if own in (["serve"], ["wait"], ["forget"]):
            return None  # nothing to read, and argparse is slow
        if own[0] not in (*MODES, *_TOOLS) and not self.is_surely_gate:
            return None  # another program of this name
        if any("$(" in word for word in own):
            self.has_unknown = True
            return None
        try:
            return _parsed(tuple(own))
        except GateError as exc:
            self.problems.append((self.container.line_of("args"), Problem("args", str(exc))))
            return None

    def clients(self) -> None:
        """Note what is wrong with `gate probe` and `gate hold` in probes and hooks."""
        probes = [probe.action for probe in self.container.probes.values()]
        for action in [*probes, *self.container.hooks.values()]:
            words = commands.gate_words(action.command)
            if not words or words[0] not in _CLIENTS or any("$" in word for word in words):
                continue
            if "-h" in words or "--help" in words:
                continue
            try:
                probe_arguments.read(words[0], words[1:])
            except probe_arguments.ArgumentError as exc:
                place = f"gate {words[0]}"
                self.problems.append((action.line_of("command"), Problem(place, str(exc))))

    def config(self, given: Namespace | None) -> Config:
        """Return the configuration and note what is wrong with it."""
        known, unsure = self._environ()
        found = config.read(
            known,
            flags=flags.settings(given) if given else {},
            arguments=getattr(given, "dependency", ()),
        )
        for wanted in found.dependencies:
            checks.load(wanted.target)
        if found.settings.disabled:
            return found  # then gate lets everything be
        for problem in found.all_problems():
            line, is_sure = self._line(problem.place, unsure)
            if is_sure and not self._is_excused(problem):
                self.problems.append((line, problem))
        return found

    def _is_excused(self, problem: Problem) -> bool:
        if _MISSING_DRIVER in problem.text:
            return True  # of this machine; the image has it
        is_missing = problem.text.startswith("no dependency") or any(
            text in problem.text for text in _MAY_COME_FROM_ELSEWHERE
        )
        return self.has_unknown and is_missing

    def _environ(self) -> tuple[dict[str, str], dict[str, set[int]]]:
        """Return what is known, and of what is not the lines that hold it."""
        known: dict[str, str] = {}
        unsure: dict[str, set[int]] = {}
        self.has_unknown |= self.container.has_env_from
        for variable, value in references.resolved(self.container):
            if not variable.name.startswith("GATE_"):
                is_known = value is not None and references.UNKNOWN not in value
                known[variable.name] = value if value and is_known else _SOMEWHERE
                unsure |= {} if is_known else {variable.name: {0}}
                continue
            if value is None:
                self.has_unknown = True
                if not is_setting(variable.name):
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


# Many pods of an input have the same gate, and making the parser is slow.
@lru_cache(maxsize=256)
def _parsed(words: tuple[str, ...]) -> Namespace:
    return flags.parse(list(words))


def is_setting(name: str) -> bool:
    """Whether *name* is a variable of gate's."""
    return name in _NAMES or name.startswith((config.PREFIX, config.OPTIONS))


def _lines_with(mark: str, value: str) -> set[int]:
    return {number for number, line in enumerate(value.split("\n")) if mark in line}
