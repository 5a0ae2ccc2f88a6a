"""How a word of the command line is told of: any may be a dependency with its password."""

from __future__ import annotations

_OF_A_FLAG = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-")


def label(word: str, number: int) -> str:
    """Return what to call *word*: a flag by its name, anything else as the *number*th."""
    flag = word.partition("=")[0]
    is_flag = flag.startswith("--") and flag != "--" and _OF_A_FLAG.issuperset(flag)
    return flag if is_flag else f"number {number}"


def is_url(text: str) -> bool:
    """Whether it is a dependency rather than what a flag takes."""
    return "://" in text
