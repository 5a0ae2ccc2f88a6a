"""Lines and words of dependencies: split and quoted as in a shell.

One thing differs: within a URL a quote is a character like any other, because a URL often
comes whole from a Secret, and a shell would silently drop the quotes of its password.
"""

from __future__ import annotations

from gate.core.url import scheme_of

_ESCAPED_IN_DOUBLE = frozenset('"\\$`')


class QuoteError(ValueError):
    """A quote is opened and not closed."""

    def __init__(self) -> None:
        super().__init__(
            "a quote is opened and not closed; one that is meant is written \\' or \\\""
        )


def lines(text: str) -> list[tuple[str, str]]:
    """Return the dependencies of *text* with their places (`line 2`, `line 2 part 1`).

    A line ends at a line break or at a `;` outside quotes; lines that are empty or start
    with `#` are left out.
    """
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.lstrip().startswith("#"):
            continue
        parts = [part for part in _parts(line) if part.strip()]
        for index, part in enumerate(parts, start=1):
            place = f"line {number} part {index}" if len(parts) > 1 else f"line {number}"
            found.append((place, part))
    return found


def split(text: str) -> list[str]:
    """Return the words of *text*; raises `QuoteError`."""
    words = []
    position = _end_of_space(text, 0)
    while position < len(text):
        word, position = _word(text, position)
        words.append(word)
        position = _end_of_space(text, position)
    return words


def _parts(line: str) -> list[str]:
    """Split at `;` outside quotes; a line whose quotes are not closed stays whole."""
    parts, start, position = [], 0, 0
    try:
        while position < len(line):
            if line[position].isspace():
                position = _end_of_space(line, position)
            elif line[position] == ";":
                parts.append(line[start:position])
                position = start = position + 1
            else:
                position = _word(line, position, stop=";")[1]
    except QuoteError:
        pass
    return [*parts, line[start:]]


def _end_of_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _word(text: str, position: int, stop: str = "") -> tuple[str, int]:
    """Return the word of *text* that begins at *position*, and where it ends."""
    chars: list[str] = []
    is_url: bool | None = None
    while position < len(text) and not text[position].isspace() and text[position] != stop:
        char = text[position]
        # Decided where `://` first stands, not at every character: a value can be long.
        if is_url is None and "://" in "".join(chars[-3:]):
            is_url = scheme_of("".join(chars)) is not None
        if is_url:
            chars.append(char)
            position += 1
        elif char == "\\" and position + 1 < len(text):
            chars.append(text[position + 1])
            position += 2
        elif char in "'\"":
            quoted, position = _quoted(text, position)
            chars += [quoted] if quoted else []
        else:
            chars.append(char)
            position += 1
    return "".join(chars), position


def _quoted(text: str, start: int) -> tuple[str, int]:
    """Return what stands between the quote at *start* and the next, and where it ends."""
    quote, position = text[start], start + 1
    chars: list[str] = []
    while position < len(text):
        char = text[position]
        if char == quote:
            return "".join(chars), position + 1
        following = text[position + 1 : position + 2]
        if char == "\\" and quote == '"' and following in _ESCAPED_IN_DOUBLE and following:
            char, position = following, position + 1
        chars.append(char)
        position += 1
    raise QuoteError
