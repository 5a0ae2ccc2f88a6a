"""How long to pause between two attempts."""

from __future__ import annotations

FIRST = 0.05
SOON = 0.002
GROWTH = 1.5
JITTER = 0.2
LOCAL_LIMIT = 0.25
LOCAL_RATE = 8
"""Attempts a second at local targets that answer without being ready, together."""
UNSEEN = 5.0
"""Seconds between attempts at what looks say is not there: the kernel may lead elsewhere (DNAT)."""
LOOK, LONGEST_LOOK = 0.05, 0.1
"""Seconds between two looks: at first, and at most."""
LOOK_WHERE_TOLD = 1.0
"""The same where the kernel tells when to look, but for what other hosts do."""
ASK = 1.0
"""Seconds without a change after which the kernel is asked to tell: what that needs costs CPU."""
LOOKS = 120
"""How many looks there are for as long as has been waited, between the two."""
ROUND = 8
"""Most attempts of one round: more would keep probes waiting, or be throttled by a limit of CPU."""


def pace(*, chance: float) -> float:
    """Return by how much pauses are longer than those of others: between 2/3 and 3/2.

    Jitter alone leaves gates that start together in step for seconds, as all take the same steps.
    *chance* (0 to 1), drawn once, moves each by up to a step either way.
    """
    return float(GROWTH ** (2 * chance - 1))


def pause(failures: int, *, pace: float, limit: float, chance: float) -> float:
    """Return the seconds to wait after the *failures*-th failure in a row (from 1).

    Grows from 50 ms by 1.5 up to *limit*, all of it times *pace*. *chance* (0 to 1) spreads it over
    20 % either way, and over the 20 % below *limit* once it has grown so far: the pods of a rollout
    do not ask in step.
    """
    # 100 steps of 1.5 pass any limit; a higher power would overflow a float.
    grown = FIRST * pace * GROWTH ** min(failures - 1, 100)
    shortest = min(grown, limit) * (1 - JITTER)
    longest_ = min(grown * (1 + JITTER), limit)
    return shortest + (longest_ - shortest) * chance


def soon(refusals: float) -> float:
    """Return the seconds after which another attempt may be worth it, from 2 ms by 1.5.

    *refusals* is how often a socket that has just appeared has refused, as it is bound before it
    listens; infinite where none has appeared.
    """
    return float(SOON * GROWTH ** min(refusals - 1, 100))


def jittered(seconds: float, *, chance: float) -> float:
    """Return *seconds*, moved by up to 20 % either way as *chance* (0 to 1) says."""
    return seconds * (1 - JITTER + 2 * JITTER * chance)


def longest(interval: float, *, is_local: bool, crowd: int = 0) -> float:
    """Return the limit of the pause: 250 ms for loopback and unix targets, where those are few.

    *crowd* is how many of them answer without being ready. Each attempt at such a one costs CPU on
    the app's own machine, so many take turns; none waits longer than *interval*.
    """
    return min(interval, max(LOCAL_LIMIT, crowd / LOCAL_RATE)) if is_local else interval


def between_looks(waited: float) -> float:
    """Return the seconds to the next look, where nothing has changed for *waited* seconds.

    Up to 6 s it is 50 ms, from 12 s on 100: who has waited so long does not notice.
    """
    return min(max(LOOK, waited / LOOKS), LONGEST_LOOK)


class Rounds:
    """Attempts at what looks do not see, some at a time: after the first the caches are warm."""

    def __init__(self) -> None:
        self._at = 0.0
        self._left = 0

    def pause(self, now: float, *, chance: float) -> float:
        """Return the seconds from *now* to the next round, 5 give or take a fifth."""
        if not self._left or self._at - now < UNSEEN * (1 - JITTER):
            self._at = now + jittered(UNSEEN, chance=chance)
            self._left = ROUND
        self._left -= 1
        return self._at - now
