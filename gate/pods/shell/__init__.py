"""A shell script as the simple commands and loops that it runs, as far as its text tells.

No shell: of variables only those are put in that the script or the container sets to a plain
text, and what is only written down (a here-document, a quoted word) is not taken for a command.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gate.pods.shell.reader import Reader
from gate.pods.shell.script import Command, Loop, Script, program, script_of, unwrapped
from gate.pods.shell.words import Word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Command", "Loop", "Script", "program", "read", "script_of", "unwrapped"]


def read(words: Sequence[str], variables: Mapping[str, str] | None = None) -> Script:
    """Return what *words* run; *variables* are the container's, `$` where one is not known."""
    return _read(tuple(words), tuple((variables or {}).items()))


# Each of the rules looks at the same few commands of a pod, some of them at those of all pods.
@lru_cache(maxsize=4096)
def _read(words: tuple[str, ...], variables: tuple[tuple[str, str], ...]) -> Script:
    reader = Reader(dict(variables))
    reader.words = [Word(word, is_literal=True) for word in words]
    reader.end_command("")
    return reader.script
