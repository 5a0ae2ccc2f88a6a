"""`gate wait --notify`: a unit of systemd with `Type=notify` is started when gate opens.

The protocol is that of sd_notify(3): a datagram with lines `NAME=value` to the socket that
`NOTIFY_SOCKET` names, which is in the abstract namespace where it begins with `@`.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from gate.core.errors import GateError, UsageError
from gate.core.one_line import one_line
from gate.report import plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gate.core.model import Snapshot, Transition
    from gate.runtime.board import Board

_PATIENCE = 1.0
"""Seconds that a full queue is waited for."""
_MARGIN = 30.0
"""Seconds beyond the time of the wait, so that gate says itself what it gave up on."""
_LONGEST = 1000


class Notify:
    """Tells the service manager what is waited for, and when the wait is over."""

    def __init__(
        self, environ: Mapping[str, str], timeout: float, complain: Callable[[OSError], None]
    ) -> None:
        """Have the manager wait as long as gate does; raises `UsageError` where there is none.

        *timeout* is the longest wait, in seconds; a unit has 90 by default. *complain* is told of
        a status that is lost.
        """
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(_PATIENCE)
        self._complain = complain
        self._status = ""
        try:
            self._send(f"EXTEND_TIMEOUT_USEC={round((timeout + _MARGIN) * 1_000_000)}")
        except OSError as exc:
            self._socket.close()
            msg = f"--notify: NOTIFY_SOCKET: {environ['NOTIFY_SOCKET']}: {_reason(exc)}"
            raise UsageError(msg) from exc

    def observe(self, _: Transition, snapshot: Snapshot) -> None:
        """Tell what holds the gate, if that has changed."""
        self._tell_status(snapshot)

    async def follow(self, board: Board) -> None:
        """Tell what is waited for at the start; from then on nothing depends on the time."""
        self._tell_status(board.snapshot())

    def end(self, board: Board) -> None:
        """Tell the outcome; raises `GateError` if the manager cannot be told of the opening."""
        self._tell_status(board.snapshot())
        try:
            if board.latch.is_open:
                self._send("READY=1")
        except OSError as exc:
            msg = f"NOTIFY_SOCKET: cannot tell that gate has opened: {_reason(exc)}"
            raise GateError(msg) from exc
        finally:
            self._socket.close()

    def _tell_status(self, snapshot: Snapshot) -> None:
        status = one_line(plain_text.brief(snapshot), _LONGEST)
        if status != self._status:
            self._status = status
            try:
                self._send(f"STATUS={status}")
            except OSError as exc:
                self._complain(exc)

    def _send(self, line: str) -> None:
        # Not connected: a manager that has been started anew listens at the same place.
        self._socket.sendto(line.encode(), self._address)


def _address(text: str) -> str:
    if not text:
        msg = "--notify: NOTIFY_SOCKET is not set; systemd does that for a unit with Type=notify"
        raise UsageError(msg)
    if text[0] not in "/@":
        msg = f"--notify: NOTIFY_SOCKET: {text} is no unix socket"
        raise UsageError(msg)
    return text.replace("@", "\0", 1) if text[0] == "@" else text


def _reason(exc: OSError) -> str:
    return (exc.strerror or str(exc)).lower()
