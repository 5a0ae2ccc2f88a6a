"""A place in bytes that moves forward, and never beyond their end."""

from __future__ import annotations


class Cursor:
    """Takes *data* piece by piece; every method raises `ValueError` for nonsense."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return the next *size* bytes."""
        end = self._at + size
        if size < 0 or end > len(self._data):
            msg = "cut off"
            raise ValueError(msg)
        found, self._at = self._data[self._at : end], end
        return found

    @property
    def is_at_end(self) -> bool:
        """Whether nothing is left."""
        return self._at == len(self._data)
