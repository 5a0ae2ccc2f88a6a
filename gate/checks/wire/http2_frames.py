"""HTTP/2 frames that h2 must not see.

A server that is about to restart sends GOAWAY with error 0 and the number of the last request it
still answers (RFC 9113, 6.8); kube-apiserver does so now and then to spread its clients. h2 takes
that for the end of the connection and refuses the answer that follows.

And h2 takes 50 µs for a frame of nine bytes, so a flood of them would hold up all other checks.
"""

from __future__ import annotations

from gate.core.errors import CheckFailed

_HEAD = 9
_GOAWAY = 7
_LONGEST = 16 * 1024
_OWN_STREAM = 1
MOST = 1000
"""Frames of one answer: 64 KiB, in pieces of 100 bytes, are 655."""


class GracefulEnd:
    """Takes a graceful GOAWAY out of what a server sends; everything else passes unchanged."""

    def __init__(self) -> None:
        self._unread = b""
        self._passes_all = False
        self._count = 0

    def without(self, data: bytes) -> bytes:
        """Return *data*, as far as its frames are whole, without a graceful GOAWAY.

        Raises `CheckFailed` where the server will not answer the request at all, or does nothing
        but send frames.
        """
        self._unread += data
        kept = b""
        while not self._passes_all and len(self._unread) >= _HEAD:
            end = _HEAD + int.from_bytes(self._unread[:3], "big")
            # Longer than a frame may be: h2 says what is wrong with it.
            self._passes_all = end > _HEAD + _LONGEST
            if self._passes_all or len(self._unread) < end:
                break
            frame, self._unread = self._unread[:end], self._unread[end:]
            self._count += 1
            if self._count > MOST:
                msg = "the server sends HTTP/2 frames without end"
                raise CheckFailed(msg)
            if not _is_graceful(frame):
                kept += frame
        if self._passes_all:
            kept, self._unread = kept + self._unread, b""
        return kept


def _is_graceful(frame: bytes) -> bool:
    payload = frame[_HEAD:]
    if frame[3] != _GOAWAY or len(payload) < 8 or any(payload[4:8]):  # noqa: PLR2004 -- last stream, error
        return False
    if int.from_bytes(payload[:4], "big") & 0x7FFFFFFF < _OWN_STREAM:
        msg = "the server is shutting down and has not taken the request (HTTP/2 GOAWAY)"
        raise CheckFailed(msg)
    return True
