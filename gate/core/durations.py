"""Durations as people write them: `250ms`, `3s`, `1m30s`, `2h`, or seconds.

Without `re`: `gate probe` imports this.
"""

from __future__ import annotations

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_ORDER = ("d", "h", "m", "s", "ms")
_LONGEST = 10 * 365 * 86400.0


def parse(text: str) -> float:
    """Return the seconds that *text* stands for.

    Raises `ValueError` with a text for the user.
    """
    try:
        seconds = _parts(text.strip())
    except (ValueError, KeyError, IndexError):
        seconds = -1.0
    if not 0 <= seconds <= _LONGEST:
        msg = f"{text[:40]!r} is not a duration; write 250ms, 3s, 1m30s, 2h or seconds"
        raise ValueError(msg)
    return seconds


def show(seconds: float) -> str:
    """Return *seconds* as people write them: `250ms`, `3.2s`, `1m30s`, `2h5m`."""
    # The limits are where rounding would write 1000ms and 60s.
    if 0 < seconds < 0.9995:  # noqa: PLR2004 -- a second
        return f"{seconds * 1000:.0f}ms"
    if seconds < 59.95:  # noqa: PLR2004 -- a minute
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (rest, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)


def _parts(text: str) -> float:
    if not text.isascii() or "_" in text:
        raise ValueError
    if text[-1].isdigit():
        return _number(text)
    total, last = 0.0, -1
    while text:
        digits = len(text) - len(text.lstrip("0123456789."))
        letters = len(text[digits:]) - len(text[digits:].lstrip("mshd"))
        unit = text[digits : digits + letters]
        if _ORDER.index(unit) <= last:
            raise ValueError
        last = _ORDER.index(unit)
        total += _number(text[:digits]) * _UNITS[unit]
        text = text[digits + letters :]
    return total


def _number(text: str) -> float:
    if not text[0].isdigit() or text.strip("0123456789."):
        raise ValueError
    return float(text)
