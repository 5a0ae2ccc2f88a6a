"""How long to pause between two attempts."""

from __future__ import annotations

FIRST = 0.05
GROWTH = 1.5
JITTER = 0.2
LOCAL_LIMIT = 0.25


def pause(failures: int, *, limit: float, chance: float) -> float:
    """Return the seconds to wait after the *failures*-th failure in a row (from 1).

    Grows from 50 ms by 1.5 up to *limit*. *chance* (0 to 1) spreads it over 20 % either way, and
    over the 20 % below *limit* once it has grown so far: the pods of a rollout do not ask in step.
    """
    # 100 steps of 1.5 pass any limit; a higher power would overflow a float.
    grown = FIRST * GROWTH ** min(failures - 1, 100)
    shortest = min(grown, limit) * (1 - JITTER)
    longest_ = min(grown * (1 + JITTER), limit)
    return shortest + (longest_ - shortest) * chance


def jittered(seconds: float, *, chance: float) -> float:
    """Return *seconds*, moved by up to 20 % either way as *chance* (0 to 1) says."""
    return seconds * (1 - JITTER + 2 * JITTER * chance)


def longest(interval: float, *, is_local: bool) -> float:
    """Return the limit of the pause: 250 ms at most for loopback and unix targets."""
    return min(interval, LOCAL_LIMIT) if is_local else interval


def in_step(seconds: float, *, limit: float, now: float, phase: float) -> float:
    """Return *seconds*, moved so that pauses near *limit* end at moments common to this process.

    Waking up is what costs for local targets, which are asked often: one wake for several of them
    takes a third less CPU. The moments are 10 % of *limit* apart, so that pauses still differ. A
    pause that is still growing is left as it is; one at the limit stays within the 20 % below it.
    *phase* (0 to 1) sets one process apart from another.
    """
    if seconds < limit * (1 - JITTER):
        return seconds
    step = limit * JITTER / 2
    # From the upper half of the spread, as what follows shortens it by up to a step.
    end = now + limit - (limit - seconds) / 2
    return end - (end - phase * step) % step - now
