"""Kubernetes' quantities: `100m`, `0.5`, `96Mi`, `1G`."""

from __future__ import annotations

_UNITS = {"": 1.0, "m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_UNITS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def parse(text: str | float | None) -> float | None:
    """Return the number that *text* stands for, None where it is none."""
    if text is None or isinstance(text, int | float):
        return None if text is None else float(text)
    digits = text.rstrip("mkKMGTi")
    unit = text[len(digits) :]
    if unit not in _UNITS or not digits.replace(".", "", 1).isascii():
        return None
    return float(digits) * _UNITS[unit] if digits.replace(".", "", 1).isdigit() else None
