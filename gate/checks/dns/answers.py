"""What the answers of a name lookup must be."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from gate.core.errors import CheckFailed


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the answers must be: how many, and which among them, in normal form."""

    least: int = 1
    expected: tuple[str, ...] = ()
    unit: str = "answers"

    def judge(self, answers: dict[str, str]) -> None:
        """Raise `CheckFailed` unless *answers*, from accepted to shown forms, are as wanted."""
        found = sorted(set(answers.values()))
        if len(found) < self.least:
            msg = f"{len(found)} of at least {self.least} {self.unit}"
            raise CheckFailed(msg)
        for value in self.expected:
            if value not in answers:
                msg = f"expected {value}, found {', '.join(found)}"
                raise CheckFailed(msg)


def normal(value: str) -> str:
    """Return *value* in the one form that equal addresses and names have."""
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        return value.lower().removesuffix(".")
