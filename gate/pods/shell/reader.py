"""Puts the words of a script together to commands and loops."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gate.pods.shell import words as scanner
from gate.pods.shell.script import ASSIGNMENT, Command, Loop, Script, program, script_of, unwrapped
from gate.pods.shell.words import Word

if TYPE_CHECKING:
    from collections.abc import Sequence

_SETTING = {"export", "local", "readonly", "declare", "typeset"}
_TESTS = {"[", "[[", "test"}
_MAYBE = {"if", "case", "function", "array"}
_CLOSERS = {"fi": "if", "done": "loop", "esac": "case", "}": "{"}
_SEPARATORS = {"then", "else", "elif", "do"}
_DEEPEST = 20
"""Scripts within scripts that are read; more is no script of people."""

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


@dataclass(slots=True)
class _Group:
    """An open `(`, `{`, `if`, `while` …, and where it began."""

    kind: str
    keyword: str
    is_sure: bool
    pipe: tuple[int, int]
    chain: tuple[int, int]
    head: int
    body: int = 0


@dataclass(slots=True)
class Reader:
    """Puts words together to commands, and keeps what is open."""

    variables: dict[str, str]
    script: Script = field(default_factory=Script)
    words: list[Word] = field(default_factory=list)
    groups: list[_Group] = field(default_factory=list)
    pipe: tuple[int, int] = (0, 0)
    chain: tuple[int, int] = (0, 0)
    is_timed: bool = False
    is_function: bool = False
    depth: int = 0

    def read(self, text: str) -> None:
        """Take what *text* runs."""
        depth = len(self.groups)
        for token in scanner.tokens(text):
            if isinstance(token, Word):
                self._word(token)
            else:
                self._operator(token)
        self.end_command("")
        del self.groups[depth:]

    def _word(self, word: Word) -> None:
        if self.words or word.is_quoted:
            self.words.append(word)
        elif word.text in ("while", "until"):
            self._open("loop", word.text)
        elif word.text == "for":
            self._open("loop")
            self.words.append(word)
        elif word.text in ("if", "case", "{"):
            is_body = word.text == "{" and self.is_function
            self._open("function" if is_body else word.text)
            self.is_function = False
        elif word.text in _CLOSERS:
            self._close(_CLOSERS[word.text])
        elif word.text in _SEPARATORS:
            self._begin_list(word.text)
        else:
            self.words.append(word)

    def _operator(self, operator: str) -> None:
        is_counting = bool(self.words) and self.words[0].text == "for"
        if operator == "(" and self.words and not is_counting:
            name = self.words[-1].text
            self.words.clear()
            if name.endswith("="):
                self._open("array")
            else:
                self.is_function = True
                self.script.functions.add(name)
        elif operator == "(":
            self._open("(")
        elif operator == ")":
            self.end_command("")
            if self.groups and self.groups[-1].kind in ("(", "array"):
                self._close(self.groups[-1].kind)
        else:
            self.end_command(operator)

    def _open(self, kind: str, keyword: str = "") -> None:
        here, is_sure = self._here(), self._is_sure() and kind not in _MAYBE
        self.groups.append(_Group(kind, keyword, is_sure, self.pipe, self.chain, here[0]))
        self.pipe = self.chain = here

    def _close(self, kind: str) -> None:
        self.end_command("")
        kinds = {kind, "function"} if kind == "{" else {kind}
        if not self.groups or self.groups[-1].kind not in kinds:
            return
        group = self.groups.pop()
        if group.keyword:
            head = self.script.commands[group.head : group.body]
            body = self.script.commands[group.body :]
            self.script.loops.append(
                Loop(group.keyword, head, body, is_cut=self.is_timed, is_sure=group.is_sure)
            )
        self.pipe, self.chain = group.pipe, group.chain

    def _begin_list(self, keyword: str) -> None:
        here = self._here()
        if keyword == "do" and self.groups:
            self.groups[-1].body = here[0]
        self.pipe = self.chain = here

    def _here(self) -> tuple[int, int]:
        return len(self.script.commands), len(self.script.loops)

    def end_command(self, operator: str) -> None:
        """Take the words so far for a command, and *operator* for what follows."""
        words, self.words = self.words, []
        for word in words:
            for inner in word.inner:
                self._inner(inner)
        if words:
            self._take([self._put_in(word) for word in words])
        if operator:
            self._end(operator)

    def _end(self, operator: str) -> None:
        if self.script.commands:
            self.script.commands[-1].end = operator
        if operator == "|":
            self._mark(self.pipe, "is_cut")
        if operator == "&":
            self._mark(self.chain, "is_background")
        self.pipe = self._here()
        if operator not in ("|", "||", "&&"):
            self.chain = self._here()

    def _take(self, words: list[str]) -> None:
        set_here = dict(self._assigned(words))
        left, is_timed = unwrapped(words)
        self.is_function = False
        if not left or program(left) in _SETTING:
            self.variables |= set_here | dict(self._assigned(left[1:]))
            return
        if (inner := script_of(left)) is not None:
            was, self.is_timed = self.is_timed, self.is_timed or is_timed
            self._inner(inner)
            self.is_timed = was
            return
        self.script.commands.append(
            Command(
                tuple(left),
                words[0],
                self.variables | set_here,
                is_cut=is_timed or self.is_timed,
                is_sure=self._is_sure(),
            )
        )

    def _is_sure(self) -> bool:
        if self.groups and not self.groups[-1].is_sure:
            return False
        last = self.script.commands[-1] if self.script.commands else None
        if last is None or last.end not in ("||", "&&"):
            return True
        return last.end == "&&" and last.program not in _TESTS

    def _inner(self, text: str) -> None:
        """Read a script within the script: it is waited for, or not, with what it stands in."""
        if self.depth == _DEEPEST:
            return
        pipe, listed = self.pipe, self.chain
        self.pipe = self.chain = self._here()
        self.depth += 1
        self.read(text)
        self.depth -= 1
        self.pipe, self.chain = pipe, listed

    def _mark(self, since: tuple[int, int], name: str) -> None:
        for each in (*self.script.commands[since[0] :], *self.script.loops[since[1] :]):
            setattr(each, name, True)

    def _assigned(self, words: Sequence[str]) -> list[tuple[str, str]]:
        found = []
        for word in words:
            match = ASSIGNMENT.fullmatch(word)
            if match is None:
                break
            found.append((match[1], match[2]))
        return found

    def _put_in(self, word: Word) -> str:
        if word.is_literal:
            return word.text
        return _VARIABLE.sub(lambda m: self.variables.get(m[1] or m[2], m[0]), word.text)
