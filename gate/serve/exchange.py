"""One client of the small responder: what has been read of it, and what is yet to be written."""

from __future__ import annotations

import posix
import select
import time

TYPE_CHECKING = False  # not from typing, which would cost a quarter of all memory here
if TYPE_CHECKING:
    import _socket

HEAD_SECONDS = 10.0
REASON = "REASON"
"""Stands in a prepared line of the log for the reason."""


class Connection:
    """One client."""

    __slots__ = ("closing", "deadline", "held", "lingering", "read", "sock", "write")

    def __init__(self, sock: _socket.socket, read: bytes = b"") -> None:
        self.sock = sock
        self.read = read
        self.write = b""
        self.deadline = time.monotonic() + HEAD_SECONDS
        self.held = b""
        """The answer that goes out when the hold is over."""
        self.closing = False
        self.lingering = False


def written(answer: tuple[bytes, bytes], *, is_head: bool, closes: bool) -> bytes:
    """Return *answer* as it goes over the wire."""
    head, body = answer
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()).encode()
    connection = b"Connection: close\r\n" if closes else b""
    length = b"Content-Length: %d\r\n" % len(body)
    return b"%s%sDate: %s\r\n%s\r\n%s" % (
        *(head, length, date, connection),
        b"" if is_head else body,
    )


def log(prepared: tuple[str, str, str], reason: str = "") -> None:
    """Write a *prepared* line of the log, with the time and *reason*.

    If somebody reads it: nothing is worth staying for.
    """
    before, form, after = prepared
    if not form:
        return
    now = time.time()
    micros = f".{int(now % 1 * 1e6):06}Z" if form.endswith("S.") else ""
    stamp = time.strftime(form.removesuffix("."), time.gmtime(now)) + micros
    _write((before + stamp + after.replace(REASON, reason)).encode())


def _write(line: bytes) -> None:
    try:
        writable = select.poll()
        writable.register(2, select.POLLOUT)
        if writable.poll(20):
            posix.write(2, line)
    except OSError:
        return
