"""Functions of the C library for which Python has no name.

By `_ctypes`, the part of ctypes that is written in C, in the way of ctypes: all of that costs 5 ms
of CPU and 0.7 MB, this a tenth. Import it where it is used; that raises `ImportError` in a Python
that was built without it.
"""

from __future__ import annotations

import _ctypes
import posix

TYPE_CHECKING = False  # not from typing, which the small responder cannot afford
if TYPE_CHECKING:
    from typing import Any


class _Library:
    """The C library, which is part of the process already."""

    _handle = _ctypes.dlopen(None, 2)  # type: ignore[arg-type]  # RTLD_NOW


class _Number(_ctypes._SimpleCData):  # type: ignore[type-arg]  # noqa: SLF001 -- as ctypes does
    _type_ = "i"


class _Word(_ctypes._SimpleCData):  # type: ignore[type-arg]  # noqa: SLF001 -- as ctypes does
    _type_ = "P"


class _Function(_ctypes.CFuncPtr):
    _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
    _restype_: Any = _Number


def call(name: str, *arguments: int | bytes) -> int:
    """Return the `int` that the function *name* returns.

    Numbers are passed as words, which is right for pointers, sizes and flags of 0 and above. Raises
    `OSError` where it returns -1, and where the C library has no such function.
    """
    place: Any = (name, _Library)
    try:
        function: Any = _Function(place)
    except AttributeError as exc:
        raise OSError(str(exc)) from exc
    result: int = function(*(_Word(each) if isinstance(each, int) else each for each in arguments))
    if result == -1:
        code = _ctypes.get_errno()
        raise OSError(code, posix.strerror(code))
    return result
