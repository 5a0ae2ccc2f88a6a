"""BSON as far as `hello` and its answer need it (bsonspec.org, version 1.1)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from gate.checks.wire.cursor import Cursor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Document = dict[str, Any]

_DEEPEST = 16
"""Levels of documents in documents: `hello` has three."""

_FIXED = {0x01: "<d", 0x08: "<?", 0x09: "<q", 0x10: "<i", 0x11: "<Q", 0x12: "<q"}
_SIZED = {0x07: 12, 0x13: 16}
"""Object ids and decimals: kept as bytes."""
_VALUES = {0x06: None, 0x0A: None, 0x7F: None, 0xFF: None}
_TEXTS = frozenset({0x02, 0x0D, 0x0E})


def encode(document: Mapping[str, str | bool | int]) -> bytes:
    """Return *document*, flat and of small values, as BSON."""
    body = b"".join(_element(name, value) for name, value in document.items())
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def _element(name: str, value: str | bool | int) -> bytes:  # noqa: FBT001 -- a value, not a switch
    key = name.encode() + b"\0"
    if isinstance(value, bool):
        return b"\x08" + key + struct.pack("<?", value)
    if isinstance(value, int):
        return b"\x10" + key + struct.pack("<i", value)
    text = value.encode() + b"\0"
    return b"\x02" + key + struct.pack("<i", len(text)) + text


def decode(data: bytes) -> Document:
    """Return the document at the start of *data*; raises `ValueError` if there is none."""
    return _Reader(data).document()


class _Reader(Cursor):
    """Reads BSON's types forward."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._depth = 0

    def document(self) -> Document:
        self._depth += 1
        size = self._number()
        end = self._at - 4 + size
        if self._depth > _DEEPEST or not self._at < end <= len(self._data):
            msg = "a document of an impossible size or depth"
            raise ValueError(msg)
        found: Document = {}
        while (kind := self.take(1)[0]) != 0:
            name = self._name()
            found[name] = self._value(kind)
        self._depth -= 1
        if self._at != end:
            msg = "a document longer or shorter than it says"
            raise ValueError(msg)
        return found

    def _value(self, kind: int) -> Any:  # noqa: ANN401 -- as BSON has it
        if kind in _FIXED:
            return self._unpack(_FIXED[kind])
        if kind in _SIZED:
            return self.take(_SIZED[kind])
        if kind in _VALUES:
            return None
        if kind in _TEXTS:
            return self.take(self._number())[:-1].decode()
        return self._others(kind)()

    def _others(self, kind: int) -> Callable[[], Any]:
        readers = {
            0x03: self.document,
            0x04: lambda: list(self.document().values()),
            0x05: self._binary,
            0x0B: lambda: (self._name(), self._name()),
        }
        if kind not in readers:
            msg = f"a value of the unknown type {kind:#04x}"
            raise ValueError(msg)
        return readers[kind]

    def _binary(self) -> bytes:
        size = self._number()
        self.take(1)
        return self.take(size)

    def _name(self) -> str:
        end = self._data.index(b"\0", self._at)
        name = self._data[self._at : end].decode()
        self._at = end + 1
        return name

    def _number(self) -> int:
        return int(self._unpack("<i"))

    def _unpack(self, form: str) -> Any:  # noqa: ANN401 -- as struct has it
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]
