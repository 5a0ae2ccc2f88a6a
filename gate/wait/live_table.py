"""`gate wait` on a terminal: a table that is redrawn in place, and a last line that sums up.

It only moves the cursor up and erases what it drew itself. The cursor stays visible, lines wrap as
usual, and keys are echoed. So nothing needs to be restored, whatever ends gate, SIGKILL included.
"""

from __future__ import annotations

import asyncio
import os
import signal
import unicodedata
from typing import TYPE_CHECKING, TextIO

from gate.core import durations
from gate.core.model import Phase, State
from gate.report import hints, plain_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gate.core.model import DependencyView, Snapshot, Transition
    from gate.runtime.board import Board

    Line = list[tuple[str, str]]
    """Pieces of text, each with the style it is written in."""

_REDRAW = 0.25
"""Seconds after which the table is drawn again although nothing has changed."""
# Erased line by line: erasing the whole screen makes some terminals keep its content in the
# history, four times a second. Whole lines are erased, because a line that is only overwritten may
# remain as the second half of another.
_BEGIN, _END, _ERASE_BELOW = "\x1b[2K", "\x1b[K\r\n", "\x1b[J"
_STYLES = {"good": "32", "wait": "33", "bad": "31", "soft": "2", "bold": "1"}
_STATES = {State.READY: "good", State.WAITING: "wait", State.OVERDUE: "bad", State.GIVEN_UP: "soft"}
_NO_TRIES, _NO_TIME = 60, 45
"""Below these columns, the number of attempts and the time are left out."""
_NO_HEAD = 6
"""Below these lines, the head and the count of hidden rows are left out."""


class Screen:
    """The last lines of a terminal; whatever is written appears above them."""

    def __init__(self, stream: TextIO, *, has_colours: bool) -> None:
        self._stream = stream
        self._has_colours = has_colours
        self._drawn: list[Line] = []

    def size(self) -> tuple[int, int]:
        """Return columns and lines."""
        try:
            columns, lines = os.get_terminal_size(self._stream.fileno())
        except OSError:
            columns, lines = 0, 0
        # A terminal whose size is unknown says 0.
        return columns or 80, lines or 24

    def write(self, text: str) -> int:
        """Write whole lines above what is drawn: a stream, for the log."""
        self._put(self._back() + _BEGIN + text.replace("\n", _END) + self._painted(self._drawn))
        return len(text)

    def flush(self) -> None:
        """Write out what is waiting to be."""
        self._stream.flush()

    def draw(self, lines: list[Line]) -> None:
        """Show *lines* instead of those drawn before; none is wider than the terminal."""
        back = self._back()
        self._drawn = lines
        self._put(back + self._painted(lines))

    def leave(self) -> None:
        """Keep what is drawn, and draw below it from now on."""
        self._drawn = []

    def _put(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def _back(self) -> str:
        """Return what moves the cursor to where the drawn begins."""
        columns, lines = self.size()
        # A terminal that was made narrower has wrapped what was drawn.
        rows = sum(max(1, -(-_width(line) // columns)) for line in self._drawn)
        return f"\x1b[{min(rows, lines - 1)}A\r" if rows else "\r"

    def _painted(self, lines: list[Line]) -> str:
        painted = ("".join(self._styled(*piece) for piece in line) for line in lines)
        return "".join(f"{_BEGIN}{line}{_END}" for line in painted) + _ERASE_BELOW

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if style and self._has_colours else text


class Live:
    """Shows a board on a screen for as long as gate waits."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def observe(self, _: Transition, snapshot: Snapshot) -> None:
        """Draw what has changed."""
        self._draw(snapshot)

    async def follow(self, board: Board) -> None:
        """Redraw several times a second, and when the size of the terminal has changed."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGWINCH, lambda: self._draw(board.snapshot()))
        # After Ctrl-Z and fg the shell's lines are below what was drawn.
        loop.add_signal_handler(signal.SIGCONT, self._screen.leave)
        try:
            while not board.latch.is_open:
                self._draw(board.snapshot())
                await board.until(lambda: board.latch.is_open, _REDRAW)
        finally:
            loop.remove_signal_handler(signal.SIGWINCH)
            loop.remove_signal_handler(signal.SIGCONT)

    def end(self, board: Board) -> None:
        """Leave the last table, and the outcome."""
        self._draw(board.snapshot(), is_over=True)
        self._screen.leave()

    def _draw(self, snapshot: Snapshot, *, is_over: bool = False) -> None:
        self._screen.draw(picture(snapshot, *self._screen.size(), is_over=is_over))


def picture(snapshot: Snapshot, columns: int, lines: int, *, is_over: bool = False) -> list[Line]:
    """Return table and last line for a terminal of that size; *is_over* says how it ended."""
    # A line as wide as the terminal wraps in some terminals. One line is left for the cursor: what
    # does not fit would be added to the history each time it is drawn.
    columns, has_head = max(columns - 1, 10), lines >= _NO_HEAD
    room = max(lines - 2 - 2 * has_head, 0)
    views = snapshot.dependencies
    if len(views) > room:
        views = tuple(sorted(views, key=lambda view: view.state is State.READY))
    rows = [_row(view, snapshot) for view in views[:room]]
    if has_head and (more := len(views) - len(rows)):
        rows.append(["", f"and {more} more", "", "", ""])
    states = [_STATES[view.state] for view in views[:room]] + ["soft"]
    head = ["NAME", "STATE", "TRIES", "TIME", "REASON"]
    table = _columns([head, *rows], columns)
    styled = zip(table[1:], states, strict=False)
    drawn = [
        [("  ".join(table[0]), "soft")],
        *(_line(row, state) for row, state in styled),
    ]
    shown = [_clipped(line, columns) for line in (drawn if has_head else drawn[1:])]
    told = (f"{view.dependency.name}: {hint}" for view, hint in hints.pending(snapshot))
    below = [[(_cut(text, columns), "soft")] for text in told][: max(room - len(views), 0)]
    return [*shown, *below, _last_line(snapshot, columns, is_over=is_over)]


def _line(cells: list[str], state: str) -> Line:
    return [
        (cells[0], ""),
        ("  ", ""),
        (cells[1], state),
        *((f"  {cell}", "") for cell in cells[2:]),
    ]


def _clipped(line: Line, columns: int) -> Line:
    """Return *line*, ended where the terminal does: a very narrow one has no room for all."""
    clipped = []
    for text, style in line:
        clipped.append((_cut(text, columns), style))
        columns = max(columns - _columns_of(text), 0)
    return clipped


def _row(view: DependencyView, snapshot: Snapshot) -> list[str]:
    waited = view.waited
    if view.state is State.GIVEN_UP:
        waited = view.since - snapshot.started
    reason = view.reason
    if not reason and view.state is not State.READY:
        reason = "no answer yet"
    name = view.dependency.name + (" (optional)" if view.dependency.optional else "")
    return [name, str(view.state), str(view.attempts), durations.show(waited) or "0s", reason]


def _columns(rows: list[list[str]], columns: int) -> list[list[str]]:
    """Return *rows* with cells of one width, so that a line fits into *columns*."""
    if columns < _NO_TIME:
        rows = [[*row[:2], row[4]] for row in rows]
    elif columns < _NO_TRIES:
        rows = [[*row[:2], *row[3:]] for row in rows]
    widths = [max(_columns_of(row[index]) for row in rows) for index in range(len(rows[0]) - 1)]
    widths[0] = min(widths[0], max(columns // 3, 4))
    left = max(columns - sum(widths) - 2 * len(widths), 0)
    return [
        [
            *(_fitted(cell, width) for cell, width in zip(row, widths, strict=False)),
            _cut(row[-1], left),
        ]
        for row in rows
    ]


def _last_line(snapshot: Snapshot, columns: int, *, is_over: bool) -> Line:
    took = durations.show(snapshot.elapsed) or "0s"
    if snapshot.is_open:
        text = f"open after {took}"
        if snapshot.degraded:
            return [(_cut(f"{text}, {snapshot.degraded}", columns), "bad")]
        if slowest := plain_text.slowest(snapshot):
            text += (
                f", slowest: {slowest[0].dependency.name} ({durations.show(slowest[1]) or '0s'})"
            )
        return [(_cut(text, columns), "good")]
    names = ", ".join(snapshot.pending)
    if is_over:
        return [(_cut(f"not open after {took}, waited for {names}", columns), "bad")]
    style = "bad" if snapshot.phase is Phase.OVERDUE else "bold"
    return [(_cut(f"{took}, waiting for {names}", columns), style)]


def _fitted(text: str, width: int) -> str:
    text = _cut(text, width)
    return text + " " * (width - _columns_of(text))


def _cut(text: str, width: int) -> str:
    """Return *text*, its end left out where it is wider than *width*."""
    if _columns_of(text) <= width:
        return text
    while text and _columns_of(text) >= width:
        text = text[:-1]
    return text + "…" if width > 0 else ""


def _width(line: Iterable[tuple[str, str]]) -> int:
    return sum(_columns_of(text) for text, _ in line)


def _columns_of(text: str) -> int:
    """Return how many columns *text* takes: a Chinese character takes two, an accent none."""
    if text.isascii():
        return len(text)
    return sum(_of_character(char) for char in text)


def _of_character(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
