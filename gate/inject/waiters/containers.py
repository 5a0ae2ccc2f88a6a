"""Init containers that do nothing but wait: what they wait for, so that gate can stand for them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.inject.waiters import cluster
from gate.inject.waiters.places import NotUnderstood, dev_tcp
from gate.inject.waiters.programs import TRANSLATIONS
from gate.pods import commands, shell, waits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gate.pods.pod import Container
    from gate.pods.shell import Command, Script

_QUIET = {"echo", "printf", "sleep", "date", "true", "false", ":", "exit", "set", "[", "[[", "test"}
_QUIET |= {"break", "continue", "let", "expr", "seq", "trap", "return", "((", "for", "hostname"}
_FILTERS = {"grep", "egrep", "head", "tail", "cat", "tr", "cut", "wc", "awk", "sed", "xargs"}
_TESTS = {"[", "[[", "test"}
_STATUS = re.compile(r"['\"]?(\d{3})['\"]?")
_WRITES = re.compile(r">>?\s*(?!&|/dev/(?:null|stdout|stderr|tcp/))[\w./$\"'{]|\btee\b")
_LITERAL = re.compile(r"[\w\s\"':{},./-]+")


@dataclass(frozen=True, slots=True)
class Understood:
    """What a container waits for, in the words of `GATE_DEPENDENCIES`."""

    texts: tuple[str, ...]


def is_one(container: Container) -> bool:
    """Whether *container* is a plain init container that waits."""
    if not container.is_plain_init:
        return False
    words = waits.words_of(container)
    script = shell.read(words)
    found = script.foreground
    names = {command.program for command in found}
    is_loop = "sleep" in names and ("for" in names or bool(script.waited_loops))
    return commands.is_wait(words) or (is_loop and any(_asks(command) for command in found))


def understood(container: Container, variables: Mapping[str, str]) -> Understood:
    """Return what *container* waits for; raises `NotUnderstood`.

    *variables* are those of the container whose values are known.
    """
    words = waits.words_of(container)
    if _WRITES.search(commands.text(words)):
        why = "it writes a file"
        raise NotUnderstood(why)
    script = shell.read(words, variables)
    _refuse_the_opposite(script)
    texts = list(dict.fromkeys(_texts(script)))
    if not texts:
        why = "what it waits for is not plain"
        raise NotUnderstood(why)
    return Understood(tuple(texts))


def _texts(script: Script) -> Iterator[str]:
    found = script.commands
    if any(command.is_background for command in found):
        why = "it starts something in the background"
        raise NotUnderstood(why)
    is_choice = False
    for index, command in enumerate(found):
        filters = list(_piped(found, index))
        texts = _of(command, script, is_piped=index > 0 and found[index - 1].end == "|")
        if texts and is_choice:
            why = "one of several is enough for it; any=GROUP says so"
            raise NotUnderstood(why)
        is_choice = bool(texts) and command.end == "||"
        if texts and not command.end:
            _refuse_unknown_comparison(command, found[index + 1 : index + 2])
        yield from (" ".join([text, *_extra(command, text, filters, script)]) for text in texts)


def _refuse_unknown_comparison(command: Command, behind: list[Command]) -> None:
    """Raise `NotUnderstood` where a test compares what *command* writes with a text of its own."""
    test = behind[0] if behind else None
    if test is None or test.program not in _TESTS or not any("$(" in w for w in test.words):
        return
    if any("http_code" in word for word in command.words) or "PONG" in " ".join(test.words):
        return
    why = "what it compares the answer with is not known here"
    raise NotUnderstood(why)


def _of(command: Command, script: Script, *, is_piped: bool) -> list[str]:
    if places := dev_tcp(command.words):
        return places
    name = command.program
    if name == "kubectl":
        return cluster.kubectl(command)
    if name in ("k8s-wait-for", "wait_for.sh"):
        return cluster.k8s_wait_for(command)
    if name in TRANSLATIONS:
        return TRANSLATIONS[name](command)
    is_quiet = name in _QUIET or name in script.functions or (is_piped and name in _FILTERS)
    if is_quiet or not name or (name == "cat" and command.words[-1].endswith("/namespace")):
        return []
    why = f"it runs {name}, which is more than waiting"
    raise NotUnderstood(why)


def _piped(found: list[Command], index: int) -> Iterator[Command]:
    """Yield the commands that read what the one at *index* writes."""
    while found[index].end == "|" and index + 1 < len(found):
        index += 1
        yield found[index]


def _extra(command: Command, text: str, filters: list[Command], script: Script) -> Iterator[str]:
    """Yield the options that what is done with the answer means."""
    if not text.startswith(("http://", "https://", "'http")):
        return
    for each in filters:
        yield _of_filter(each)
    if any("http_code" in word for word in command.words):
        yield _of_test(script)


def _of_filter(command: Command) -> str:
    patterns = [word for word in command.words[1:] if not word.startswith("-")]
    is_negative = any(re.fullmatch(r"-\w*v\w*", word) for word in command.words)
    if command.program not in ("grep", "egrep") or len(patterns) != 1 or is_negative:
        why = f"what {command.program} makes of the answer is not known here"
        raise NotUnderstood(why)
    if not _LITERAL.fullmatch(patterns[0]):
        why = "the pattern of its grep is not plain"
        raise NotUnderstood(why)
    return f"body-regex={shlex.quote(re.escape(patterns[0]))}"


def _of_test(script: Script) -> str:
    tests = [command for command in script.commands if command.program in _TESTS]
    statuses = {m[1] for each in tests for word in each.words if (m := _STATUS.fullmatch(word))}
    if len(statuses) != 1:
        why = "which status it wants is not plain"
        raise NotUnderstood(why)
    return f"status={statuses.pop()}"


def _refuse_the_opposite(script: Script) -> None:
    """Raise `NotUnderstood` where the wait is for the end of something."""
    for loop in script.loops:
        first = next((command for command in loop.head if command.end), None)
        wants_success = None if first is None else _wants_success(first)
        if wants_success is None:
            continue
        if (loop.keyword == "until") != wants_success:
            why = "it waits until this is gone; until=down or until=gone says so"
            raise NotUnderstood(why)


def _wants_success(command: Command) -> bool | None:
    """Whether success of *command* is what is waited for, None where it asks nobody."""
    if command.program in _TESTS:
        if not any("$(" in word for word in command.words):
            return None
        is_equal = bool({"=", "==", "-eq"} & set(command.words))
    elif _asks(command):
        is_equal = True
    else:
        return None
    return is_equal != (command.first == "!")


def _asks(command: Command) -> bool:
    is_client = command.program in TRANSLATIONS or command.program == "kubectl"
    return is_client or bool(dev_tcp(command.words))
