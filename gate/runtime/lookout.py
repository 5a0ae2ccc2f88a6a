"""Looks instead of knocking: a pause ends when what the attempt found in the pod has changed.

A refused connection tells little and goes through the whole machinery. A look for all dependencies
together tells whether the port listens, or whether another socket is at the path. So whoever waits
for a place in this pod is tried when that place has changed, and rarely else. Where the kernel does
not tell who listens (gVisor, some seccomp profiles, not Linux), pauses are what they are elsewhere.
"""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING, Self, cast

from gate.core import backoff
from gate.runtime.lookups import Lookups

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gate.core.attempt import Place
    from gate.runtime.loop import Loop
    from gate.runtime.selector import LookingSelector

    Found = tuple[object, ...]
    """What is at each of some places; false where nothing is."""


class Watch:
    """What attempts at one dependency and looks have found; one pause at a time."""

    def __init__(self, lookout: Lookout) -> None:
        self.places: tuple[Place, ...] = ()
        self.seen: Found = ()
        """What the last look saw at the places, or the attempt where it was refused."""
        self.over: asyncio.Future[None] | None = None
        self.pace = backoff.pace(chance=random.random())  # noqa: S311 -- spreads load, guards nothing
        """By how much the pauses of this dependency are longer than those of others."""
        self._lookout = lookout
        self._was_there = False

    def note(self, tried: Mapping[Place, bool]) -> None:
        """Take the places that an attempt has *tried*, and whether a server was there."""
        self._was_there = any(tried.values())
        self._lookout.count(self, answers=self._was_there)
        places = tuple(tried)
        if places == self.places:
            return
        self.places = places
        self._lookout.follow(places)
        # Where the attempt was refused, whatever the next look sees is new.
        self.seen = self._lookout.look_at(places) if self._was_there else (None,) * len(places)

    @property
    def sees_nothing(self) -> bool:
        """Whether nothing is there, so that an attempt is worth nothing before that changes."""
        is_seen = bool(self.places) and all(map(self._lookout.can_see, self.places))
        return is_seen and not self._was_there and not any(self.seen)

    def until_round(self, chance: float) -> float:
        """Return the seconds until the next attempt is due at what looks do not see."""
        return self._lookout.until_round(chance)

    @property
    def crowd(self) -> int:
        """How many servers of this pod answer without being ready, this one included."""
        return self._lookout.crowd

    async def pause(self, seconds: float) -> None:
        """Sleep until something at the places has changed, for *seconds* at most."""
        if any(map(self._lookout.can_see, self.places)):
            await self._lookout.wait(self, seconds)
        else:
            await asyncio.sleep(seconds)

    def judge(self, found: Found) -> None:
        """End the pause if *found* is news."""
        if found != self.seen:
            self.seen = found
            self.end_pause()

    def end_pause(self) -> None:
        """End the pause, if it has not ended already."""
        if self.over and not self.over.done():
            self.over.set_result(None)


class Lookout:
    """Looks while at least one watch waits, and not at all else; belongs to one running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._watches: set[Watch] = set()
        self._answering: set[Watch] = set()
        self._paths: dict[str, object] = {}
        self._sockets: Lookups | None = None
        self._is_blind = False
        self._rounds = backoff.Rounds()
        self._changed = self._loop.time()
        """When a look has last seen anything new, or the first could have."""
        self._is_judged = True
        """Whether every watch has been judged by the last look."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Look no more."""
        if self._sockets:
            self._sockets.close()

    @property
    def crowd(self) -> int:
        """How many servers of this pod answer without being ready."""
        return len(self._answering)

    def until_round(self, chance: float) -> float:
        """Return the seconds until the next attempts at what looks do not see, for one of them."""
        return self._rounds.pause(self._loop.time(), chance=chance)

    def count(self, watch: Watch, *, answers: bool) -> None:
        """Count *watch* among those whose server answers, or no longer."""
        if answers:
            self._answering.add(watch)
        else:
            self._answering.discard(watch)

    def can_see(self, place: Place) -> bool:
        """Whether looks tell what is at *place*."""
        return not place[1] or self._listening() is not None

    def follow(self, places: tuple[Place, ...]) -> None:
        """Look at *places* too from now on."""
        for place in places:
            if place[1] and (sockets := self._listening()):
                sockets.follow(place)

    def look_at(self, places: tuple[Place, ...]) -> Found:
        """Return what is at each of *places* now."""
        self._look()
        self._is_judged = False
        return tuple(map(self._at, places))

    async def wait(self, watch: Watch, seconds: float) -> None:
        """Return when something at the places of *watch* has changed, after *seconds* at most."""
        watch.over = self._loop.create_future()
        self._watches.add(watch)
        self._selector.look = self._has_news
        # Something may have changed since the attempt.
        self._is_judged = False
        end = self._loop.call_later(seconds, watch.end_pause)
        try:
            await watch.over
        finally:
            end.cancel()
            self._watches.discard(watch)
            self._selector.look = self._has_news if self._watches else None

    @property
    def _selector(self) -> LookingSelector:
        return cast("Loop", self._loop).selector

    def _has_news(self) -> bool:
        """Look; return whether the loop has something to do now."""
        now = self._loop.time()
        if self._look():
            self._changed, self._is_judged = now, False
        self._selector.every = backoff.between_looks(now - self._changed)
        if not self._is_judged:
            self._loop.call_soon(self._judge)
        return not self._is_judged

    def _judge(self) -> None:
        for watch in self._watches:
            watch.judge(tuple(map(self._at, watch.places)))
        self._is_judged = True

    def _look(self) -> bool:
        """Look at everything; return whether something differs from the last look."""
        is_news = False
        for path, before in self._paths.items():
            found = self._paths[path] = _identity(path)
            is_news |= found != before
        try:
            return (self._sockets is not None and self._sockets.look()) or is_news
        except OSError:
            self._go_blind()
            return True

    def _at(self, place: Place) -> object:
        """Return what is at *place* as of the last look, None where that is nothing."""
        path, port = place
        if not port:
            return self._paths.setdefault(path, _identity(path))
        sockets = self._listening()
        return (sockets and sockets.at(place)) or None

    def _listening(self) -> Lookups | None:
        if self._sockets is None and not self._is_blind:
            try:
                self._sockets = Lookups()
            except OSError:
                self._go_blind()
        return self._sockets

    def _go_blind(self) -> None:
        """Do without the kernel's word from now on: it is not to be had here."""
        self._is_blind = True
        if self._sockets:
            self._sockets.close()
        self._sockets = None


def _identity(path: str) -> tuple[int, ...] | None:
    """Return what changes when another socket is at *path*, or its rights do; None: none is."""
    try:
        found = os.stat(path)  # noqa: PTH116 -- what Path.stat calls
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_ctime_ns)
