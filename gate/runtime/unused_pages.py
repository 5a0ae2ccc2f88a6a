"""Gives back to the kernel the pages of programs and libraries that nothing uses any more.

The start runs through most of the interpreter, OpenSSL and the C library, and the kernel maps 16
pages for each that is touched. They would stay resident as long as the process lives, though what
comes later needs a part of them. Nothing is lost: they are as the files have them, and the kernel
maps again what is used again.
"""

from __future__ import annotations

import posix

TYPE_CHECKING = False  # not from typing, which the small responder cannot afford
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SMAPS = "/proc/self/smaps"
_MADV_DONTNEED = 4
_CHANGED = (b"Anonymous:", b"Swap:")
_NONE = (0, 0)
_PART = 4096


def give_back() -> None:
    """Unmap the pages of files that this process has not changed; it costs some milliseconds.

    Does nothing where the kernel does not tell of them, or cannot be asked to.
    """
    try:
        from gate.runtime.c_library import call  # noqa: PLC0415 -- mapped where it is used

        for start, length in unchanged(_told()):
            call("madvise", start, length, _MADV_DONTNEED)
    except (ImportError, OSError):
        # All that is lost is what the accounts show: the kernel can take these pages anyway.
        return


def unchanged(lines: Iterable[bytes]) -> list[tuple[int, int]]:
    """Return start and length of each private mapping of a file that nobody has written to.

    *lines* are those of `/proc/PID/smaps` (proc_pid_smaps(5)). A page that was written to, by the
    linker for example, is `Anonymous` from then on, or in `Swap`, and would be lost: a mapping with
    even one of them is left alone, and so is one that can be written to.
    """
    found: list[tuple[int, int]] = []
    for line in lines:
        name, *values = line.split()
        if name in _CHANGED and values[0] != b"0":
            found[-1] = _NONE
        elif b"-" in name:
            rights, _, _, inode = values[:4]
            start, end = (int(each, 16) for each in name.split(b"-"))
            is_fit = inode != b"0" and rights.startswith(b"r-") and rights.endswith(b"p")
            found.append((start, end - start) if is_fit else _NONE)
    return [each for each in found if each != _NONE]


def _told() -> Iterator[bytes]:
    """Yield what the kernel tells of this process's mappings, in little memory."""
    file = posix.open(_SMAPS, posix.O_RDONLY | posix.O_CLOEXEC)
    try:
        rest = b""
        while part := posix.read(file, _PART):
            *lines, rest = (rest + part).split(b"\n")
            yield from lines
    finally:
        posix.close(file)
