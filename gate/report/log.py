"""The log: structlog's set-up, and the observer that logs transitions.

There is no line per attempt or probe. A gate that waits for an hour says what it waits for once, at
each change, and every 15 seconds in one line.
"""

from __future__ import annotations

import json
import logging
import os
import select
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

import structlog

from gate.core import durations
from gate.core.model import TransitionKind
from gate.report import plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from structlog.typing import FilteringBoundLogger

    from gate.core.model import Snapshot, Transition

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_WARNINGS = frozenset(
    {
        TransitionKind.LOST,
        TransitionKind.OVERDUE,
        TransitionKind.GIVEN_UP,
        TransitionKind.UNFIT,
        TransitionKind.GATE_OVERDUE,
    }
)
_MOMENT = "2001-02-03T04:05:06.000007Z"
"""Stands for the time in a template."""
_AT_ONCE = 5
"""How many different reasons of one dependency are logged without a pause between them."""
_PAUSE = 5.0
"""Seconds between later ones: a message with a counter or a time in it is new at each attempt."""
_STANDSTILL = 20
"""Milliseconds that a line waits for its reader."""
_MOST_REASONS = 20
"""How many different reasons of one dependency are logged as they come.

Later ones are only in the line that comes every 15 seconds.
"""


def set_up(*, level: str, form: str, stream: TextIO | None = None) -> FilteringBoundLogger:
    """Return the logger, writing `json` or `console` lines to *stream* (stderr)."""
    render: Callable[..., str] = _render_json if form == "json" else _render_line
    # Otherwise what libraries log would appear as plain text between our lines.
    logging.getLogger().addHandler(logging.NullHandler())
    processors: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        render,
    ]

    def lost(count: int) -> str:
        line: Any = {"event": "log.lines_lost", "count": count}
        for process in processors:
            line = process(None, "warning", line)
        return str(line)

    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: _Lines(stream or sys.stderr, lost),
        cache_logger_on_first_use=True,
    )
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


def template(event: str, *, level: str, form: str, **details: Any) -> tuple[str, str, str]:  # noqa: ANN401 -- as structlog has it
    """Return a line of the log in three pieces: before the time, the time's `strftime` form, after.

    For a process without structlog. The form ends in `S.` where microseconds and a Z follow. It is
    empty where the level leaves the line out.
    """
    if _LEVELS[level] > _LEVELS["info"]:
        return "", "", ""
    is_json = form == "json"
    line = (_render_json if is_json else _render_line)(
        None, "info", {"time": _MOMENT, "level": "info", "event": event, **details}
    )
    moment, time_form = (_MOMENT, "%Y-%m-%dT%H:%M:%S.") if is_json else (_MOMENT[11:19], "%H:%M:%S")
    before, _, after = line.partition(moment)
    return before, time_form, after + "\n"


class _Lines:
    """Writes lines to *stream*, as long as the stream takes them.

    A reader that has gone away is no reason to fail, and there is nobody left to tell. One that
    stands still costs its lines, as probes and signals do not wait for it; once it reads on it is
    told how many, by what *lost* makes of their number.
    """

    def __init__(self, stream: TextIO, lost: Callable[[int], str]) -> None:
        self._stream = stream
        self._told = lost
        self._lost = 0
        self._is_torn = False

    def info(self, line: str) -> None:
        """Write *line*."""
        with suppress(OSError, ValueError):
            if (file := _descriptor(self._stream)) is None:
                self._stream.write(line + "\n")
                self._stream.flush()
            else:
                self._write(file, line)

    def _write(self, file: int, line: str) -> None:
        """Write *line*, as long as somebody reads it; raises `OSError`."""
        before = "\n" if self._is_torn else ""
        if self._lost:
            before += f"{self._told(self._lost)}\n"
        text = f"{before}{line}\n".encode(errors="backslashreplace")
        written = _written(file, text)
        if written == len(text):
            self._lost, self._is_torn = 0, False
        else:
            self._lost += 1
            self._is_torn = self._is_torn or written > 0

    debug = warning = error = info


def _descriptor(stream: TextIO) -> int | None:
    """Return the descriptor behind *stream*, None where there is none, as behind a screen."""
    try:
        return stream.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def _written(file: int, data: bytes) -> int:
    """Write *data*, as long as somebody reads it; return how much; raises `OSError`."""
    writable = select.poll()
    writable.register(file, select.POLLOUT)
    # A pipe that can be written to takes so much at once, and never less.
    for at in range(0, len(data), select.PIPE_BUF):
        if not writable.poll(_STANDSTILL):
            return at
        os.write(file, data[at : at + select.PIPE_BUF])
    return len(data)


class LogObserver:
    """Logs each transition once."""

    def __init__(self, logger: FilteringBoundLogger) -> None:
        self._logger = logger
        self._told: dict[str, dict[str, float]] = {}

    def observe(self, transition: Transition, snapshot: Snapshot) -> None:
        """Log *transition*; a reason that comes and goes is logged the first time only."""
        if transition.kind is TransitionKind.GATE_OPENED:
            self._opened(transition, snapshot)
        elif transition.kind is not TransitionKind.WAITING or self._is_news(transition):
            self._log(transition, snapshot)

    def _log(self, transition: Transition, snapshot: Snapshot) -> None:
        log = self._logger.info
        if transition.kind in _WARNINGS:
            log = self._logger.warning
        details: dict[str, Any] = {"after": durations.show(transition.at - snapshot.started)}
        if transition.name:
            is_part = transition.kind is TransitionKind.PART_OPENED
            details = {"part" if is_part else "dependency": transition.name, **details}
        if transition.reason:
            details["reason"] = transition.reason
        # If the gate opens because of it, the next line says without what.
        if transition.kind is TransitionKind.GATE_OVERDUE and snapshot.pending:
            details["waiting_for"] = plain_text.pending(snapshot)
        log(str(transition.kind), **details)

    def _opened(self, transition: Transition, snapshot: Snapshot) -> None:
        details: dict[str, Any] = {"after": durations.show(snapshot.elapsed)}
        if slowest := plain_text.slowest(snapshot):
            view, seconds = slowest
            details["slowest"] = view.dependency.name
            details["slowest_after"] = durations.show(seconds)
        if transition.reason:
            self._logger.warning("gate.opened", **details, degraded=transition.reason)
        else:
            self._logger.info("gate.opened", **details)

    def _is_news(self, transition: Transition) -> bool:
        told = self._told.setdefault(transition.name, {})
        if transition.reason in told or len(told) >= _MOST_REASONS:
            return False
        if len(told) >= _AT_ONCE and transition.at - max(told.values()) < _PAUSE:
            return False
        told[transition.reason] = transition.at
        return True


def _render_json(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    first = {key: event.pop(key) for key in ("time", "level", "event")}
    return json.dumps({**first, **event}, ensure_ascii=False, default=str)


def _render_line(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    """Return `10:11:12 dependency.ready db after=3.2s`; levels only where they matter."""
    clock = event.pop("time")[11:19]
    level = event.pop("level")
    words = [clock, event.pop("event"), str(event.pop("dependency", ""))]
    if level in {"warning", "error"}:
        words.insert(1, level.upper())
    words += [f"{key}={_quoted(value)}" for key, value in event.items()]
    return " ".join(word for word in words if word)


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if " " in text or not text else text
