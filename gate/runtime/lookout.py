"""Looks instead of knocking: a pause ends when what the attempt found in the pod has changed.

A refused connection tells little and goes through the whole machinery. A look for all dependencies
together tells whether the port listens, or whether another socket is at the path. So whoever waits
for a place in this pod is tried when that place has changed, and rarely else. Where the kernel does
not tell who listens (gVisor, some seccomp profiles, not Linux), pauses are what they are elsewhere.
Of paths the kernel tells by itself, after the first second, so that looks are rare for these.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from typing import TYPE_CHECKING, Self, cast

from gate.core import backoff
from gate.runtime.lookups import Lookups
from gate.runtime.watched_paths import WatchedPaths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gate.core.attempt import Place
    from gate.runtime.loop import Loop

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
        self.refusals = math.inf
        """How often what a look saw appear has refused since then; infinite where nothing did."""
        self._lookout = lookout
        self._was_there = False

    def note(self, tried: Mapping[Place, bool]) -> None:
        """Take the places that an attempt has *tried*, and whether a server was there."""
        self._was_there = any(tried.values())
        self._lookout.count(self, answers=self._was_there)
        self.refusals = math.inf if self._was_there else self.refusals + 1
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
            self.refusals = 0.0 if any(found) else math.inf
            self.end_pause()

    def end_pause(self) -> None:
        """End the pause, if it has not ended already."""
        if self.over and not self.over.done():
            self.over.set_result(None)


class Lookout:
    """Looks while at least one watch waits, and not at all else; belongs to one running loop."""

    def __init__(self) -> None:
        self._loop = cast("Loop", asyncio.get_running_loop())
        self._watches: set[Watch] = set()
        self._at_ports: set[Watch] = set()
        self._at_paths: set[Watch] = set()
        """Those of the watches that wait for a port, and for a path."""
        self._answering: set[Watch] = set()
        self._paths = WatchedPaths(self._loop, lambda: self._has_news(time.monotonic()))
        self._sockets: Lookups | None = None
        self._is_blind = False
        self._rounds = backoff.Rounds()
        self._changed = time.monotonic()
        """When a look has last seen anything new, or the first could have."""
        self._is_judged = True
        """Whether every watch has been judged by the last look."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Look no more."""
        self._paths.close()
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
            if not place[1]:
                self._paths.at(place[0])
            elif sockets := self._listening():
                sockets.follow(place)

    def look_at(self, places: tuple[Place, ...]) -> Found:
        """Return what is at each of *places* now."""
        self._look()
        self._is_judged = False
        return tuple(map(self._at, places))

    async def wait(self, watch: Watch, seconds: float) -> None:
        """Return when something at the places of *watch* has changed, after *seconds* at most."""
        watch.over = self._loop.create_future()
        self._enter(watch)
        # Something may have changed since the attempt.
        self._is_judged = False
        end = self._loop.call_later(seconds, watch.end_pause)
        try:
            await watch.over
        finally:
            end.cancel()
            self._leave(watch)

    def _enter(self, watch: Watch) -> None:
        self._watches.add(watch)
        for _, port in watch.places:
            (self._at_ports if port else self._at_paths).add(watch)
        self._loop.selector.look = self._has_news
        self._loop.selector.every = min(self._loop.selector.every, backoff.LONGEST_LOOK)
        if self._at_paths:
            self._paths.hear()

    def _leave(self, watch: Watch) -> None:
        for watches in (self._watches, self._at_ports, self._at_paths):
            watches.discard(watch)
        if not self._watches:
            self._loop.selector.look = None
        if not self._at_paths:
            self._paths.ignore()

    def _has_news(self, now: float) -> bool:
        """Look; return whether the loop has something to do now."""
        if self._look():
            self._changed, self._is_judged = now, False
        self._loop.selector.every = self._until_look(now - self._changed)
        if self._is_judged:
            return False
        self._loop.call_soon(self._judge)
        return True

    def _until_look(self, unchanged: float) -> float:
        """Return the seconds to the next look, after *unchanged* seconds without news."""
        if self._at_paths:
            if unchanged >= backoff.ASK and not self._paths.is_asked:
                self._paths.ask()
            self._paths.hear()
            if self._paths.are_told_of and not self._at_ports:
                return backoff.LOOK_WHERE_TOLD
        return backoff.between_looks(unchanged)

    def _judge(self) -> None:
        for watch in self._watches:
            watch.judge(tuple(map(self._at, watch.places)))
        self._is_judged = True

    def _look(self) -> bool:
        """Look at everything; return whether something differs from the last look."""
        is_news = self._paths.are_any and self._paths.look()
        try:
            return (self._sockets is not None and self._sockets.look()) or is_news
        except OSError:
            self._go_blind()
            return True

    def _at(self, place: Place) -> object:
        """Return what is at *place* as of the last look, None where that is nothing."""
        path, port = place
        if not port:
            return self._paths.at(path)
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
