"""A server comes up while gate and the server's own client ask it: who sees it first?"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from gate.runtime.runner import make_attempt
from tests.checks.servers.daemon import until
from tests.conftest import run, watch_for, why_not

PAUSE = 0.05


@dataclass(slots=True)
class Client:
    """The server's own client, asked over and over: (start, end, whether it succeeded)."""

    ask: Callable[[], bool]
    calls: list[tuple[float, float, bool]] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def go_on(self) -> None:
        while not self.is_over.wait(0.01):
            start = time.monotonic()
            is_well = self.ask()
            self.calls.append((start, time.monotonic(), is_well))

    def first_success(self) -> float:
        return next(end for _, end, is_well in self.calls if is_well)

    def has_ended_one_begun_after(self, moment: float) -> bool:
        return any(start > moment for start, _, _ in self.calls)

    def has_failed_after(self, moment: float) -> bool:
        return any(start > moment and not is_well for start, _, is_well in self.calls)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What gate said, in order, and how it compares with the server's own client."""

    reasons: list[str]
    gap: float
    """Seconds from the end of the client's first good call to gate's; below 0 if that took
    longer than gate's attempt."""
    was_early: bool
    """Whether a call of the client that began after gate's first success has failed."""


def compare(
    line: str,
    client: Callable[[], bool],
    server: AbstractContextManager[Any],
    hear: Callable[[str], object] = str,
) -> Comparison:
    """Start *server* while gate asks for *line* every 50 ms, and *client* all the time.

    Each reason that gate gives is told to *hear* at once.
    """
    own, before = Client(client), run(why_not(line))
    thread = threading.Thread(target=own.go_on)
    thread.start()
    try:
        with server:
            reasons, ready = run(poll(line, hear))
            # It might fail after gate's success.
            until(lambda: own.has_ended_one_begun_after(ready) or not thread.is_alive())
            own.is_over.set()
            thread.join()
    finally:
        own.is_over.set()
    reasons = [before, *(reason for reason in reasons if reason != before)]
    return Comparison(reasons, ready - own.first_success(), own.has_failed_after(ready))


async def poll(line: str, hear: Callable[[str], object] = str) -> tuple[list[str], float]:
    """Return the reasons, each once in a row, until gate finds *line* ready, and when."""
    watch = watch_for(line)
    reasons: list[str] = []
    while reason := (await make_attempt(watch)).reason:
        reasons += [reason] if reason not in reasons[-1:] else []
        hear(reason)
        await asyncio.sleep(PAUSE)
    return reasons, time.monotonic()
