"""How messages name a word of the command line: any word may be a URL with a password in it."""

from __future__ import annotations

_OF_A_FLAG = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-")


def label(word: str, number: int) -> str:
    """Return how to name *word*: a flag by its name, anything else by its position *number*."""
    flag = word.partition("=")[0]
    is_flag = flag.startswith("--") and flag != "--" and _OF_A_FLAG.issuperset(flag)
    return flag if is_flag else f"number {number}"


def is_url(text: str) -> bool:
    """Whether it is a dependency rather than what a flag takes."""
    return "://" in text
