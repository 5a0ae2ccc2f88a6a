"""Attempts that start one after the other and run beside each other: the first to succeed wins."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from gate.core.errors import CheckFailed, common_kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

STAGGER = 0.25
"""Seconds after which the next address is tried beside the one that is silent (RFC 8305)."""


class NoWay(CheckFailed):
    """The machine has no route to such an address, which says nothing about the dependency."""


async def staggered(
    starts: Sequence[Callable[[], Awaitable[socket.socket]]], names: Sequence[str]
) -> socket.socket:
    """Return the first socket that one of *starts* yields; raises `CheckFailed` if none does."""
    running: dict[asyncio.Task[socket.socket], str] = {}
    winner: socket.socket | None = None
    try:
        winner = await _race(list(zip(starts, names, strict=True)), running)
        await _abandon(running)
    except BaseException:
        if winner is not None:
            winner.close()
        await _abandon(running)
        raise
    return winner


async def _race(
    waiting: list[tuple[Callable[[], Awaitable[socket.socket]], str]],
    running: dict[asyncio.Task[socket.socket], str],
) -> socket.socket:
    """Return the first socket; what else is under way or has come is left in *running*."""
    failures: list[tuple[str, CheckFailed]] = []
    while waiting or running:
        if waiting:
            start, name = waiting.pop(0)
            running[asyncio.ensure_future(start())] = name
        done, _ = await asyncio.wait(
            running,
            timeout=STAGGER if waiting else None,
            return_when=asyncio.FIRST_COMPLETED,
        )
        for task in done:
            name = running.pop(task)
            try:
                return task.result()
            except CheckFailed as exc:
                failures.append((name, exc))
    raise summary(failures)


async def _abandon(running: dict[asyncio.Task[socket.socket], str]) -> None:
    """End the attempts that lost, and close what one of them may have opened by now."""
    for task in running:
        task.cancel()
    for outcome in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(outcome, socket.socket):
            outcome.close()
    running.clear()


def summary(failures: list[tuple[str, CheckFailed]]) -> CheckFailed:
    """Return one failure for all; addresses that this machine cannot reach at all do not count."""
    told = [failure for failure in failures if not isinstance(failure[1], NoWay)] or failures
    texts = {str(error) for _, error in told}
    kind = common_kind(error for _, error in told)
    if len(texts) == 1:
        return kind(texts.pop())
    # Sorted, because resolvers rotate their answers and a new text would be a new reason.
    return kind(", ".join(sorted(f"{error} ({name})" for name, error in told)))
