"""A shell script's words and operators: quotes, comments and here-documents taken off."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPERATOR = re.compile(r"&&|\|\||;;|\|&|[;&|()\n]")
_REDIRECTION = re.compile(r"\d*(?:<<-|<<<|<<|>>|>\||[<>]&|<>|&>>|&>|[<>])[ \t]*")
_COMMENT = re.compile(r"#[^\n]*")
_PLAIN = re.compile(r"[^\s;&|()<>'\"\\$`]+")
_SOCKET = "/dev/tcp/"


@dataclass(slots=True)
class Word:
    """A word as the command gets it, but for variables and `$(…)`, which stay."""

    text: str
    inner: list[str] = field(default_factory=list)
    """The scripts of its `$(…)`."""
    is_quoted: bool = False
    is_literal: bool = False
    """Whether it stands in single quotes, where no variable is put in."""


def tokens(text: str) -> Iterator[Word | str]:
    """Return words and operators; what is open at the end counts as closed there."""
    return _Scanner(text.replace("\\\n", "")).tokens()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.here_documents: list[str] = []

    def tokens(self) -> Iterator[Word | str]:
        while self.at < len(self.text):
            if self.text[self.at] in " \t\r":
                self.at += 1
            elif comment := _COMMENT.match(self.text, self.at):
                self.at = comment.end()
            elif redirection := _REDIRECTION.match(self.text, self.at):
                self.at = redirection.end()
                yield from self._redirected(redirection[0].strip())
            elif operator := _OPERATOR.match(self.text, self.at):
                self.at = operator.end()
                if operator[0] == "\n":
                    self._skip_here_documents()
                yield {"|&": "|", ";;": ";", "\n": ";"}.get(operator[0], operator[0])
            else:
                yield self._word()

    def _redirected(self, operator: str) -> Iterator[Word]:
        """Return the target where it is a connection; a file is nobody's argument."""
        if self.at >= len(self.text) or self.text[self.at] in ";&|()<>\n":
            return
        target = self._word()
        if operator in ("<<", "<<-"):
            self.here_documents.append(target.text)
        elif _SOCKET in target.text or target.inner:
            yield target

    def _skip_here_documents(self) -> None:
        for end in self.here_documents:
            while self.at < len(self.text):
                line_end = self.text.find("\n", self.at)
                line_end = len(self.text) if line_end < 0 else line_end
                line = self.text[self.at : line_end]
                self.at = line_end + 1
                if line.strip("\t\r") == end:
                    break
        self.here_documents.clear()

    def _word(self) -> Word:
        word, begin = Word(""), self.at
        while self.at < len(self.text):
            char = self.text[self.at]
            if plain := _PLAIN.match(self.text, self.at):
                word.text += plain[0]
                self.at = plain.end()
            elif char in "'\"":
                self._quoted(word, char)
            elif char == "\\":
                word.text += self.text[self.at + 1 : self.at + 2]
                self.at += 2
            elif char in "$`":
                self._substitution(word)
            else:
                break
        # Nothing that ends a word may begin one: else this would stand still.
        self.at = max(self.at, begin + 1)
        return word

    def _quoted(self, word: Word, quote: str) -> None:
        word.is_quoted = True
        self.at += 1
        if quote == "'":
            end = self.text.find("'", self.at)
            end = len(self.text) if end < 0 else end
            word.is_literal = word.is_literal or not word.text
            word.text += self.text[self.at : end]
            self.at = end + 1
            return
        while self.at < len(self.text) and self.text[self.at] != '"':
            char = self.text[self.at]
            if char in "$`":
                self._substitution(word)
            else:
                is_escape = char == "\\" and self.text[self.at + 1 : self.at + 2] in '"\\$`'
                word.text += self.text[self.at + is_escape : self.at + is_escape + 1]
                self.at += 1 + is_escape
        self.at += 1

    def _substitution(self, word: Word) -> None:
        """Take `$(…)`, `` `…` ``, `${…}` or a lone `$`."""
        begin = self.at
        if self.text[begin] == "`":
            end = self.text.find("`", begin + 1)
            self.at = len(self.text) if end < 0 else end + 1
            word.inner.append(self.text[begin + 1 : self.at - 1])
        elif self.text.startswith("$(", begin):
            self.at = self._end_of("(", ")", begin + 1)
            if not self.text.startswith("$((", begin):
                word.inner.append(self.text[begin + 2 : self.at - 1])
        elif self.text.startswith("${", begin):
            self.at = self._end_of("{", "}", begin + 1)
        else:
            self.at = begin + 1
        word.text += self.text[begin : self.at]

    def _end_of(self, opening: str, closing: str, begin: int) -> int:
        depth, at = 0, begin
        while at < len(self.text):
            char = self.text[at]
            if char in "'\"":
                end = self.text.find(char, at + 1)
                at = end if end > 0 else len(self.text)
            at += char == "\\"
            depth += (char == opening) - (char == closing)
            at += 1
            if depth == 0:
                break
        return min(at, len(self.text))
