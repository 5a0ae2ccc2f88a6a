"""What is found: a place, a rule, what will happen, and the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad: an error will not work, a warning will fail some day, info is advice."""

    INFO = 0
    WARNING = 1
    ERROR = 2

    @property
    def word(self) -> str:
        """The name as it is written."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One thing found, ready to be told."""

    file: str
    line: int
    rule: str
    severity: Severity
    message: str
    remedy: str
    subject: str
    """Kind, name and container, as people call it: `Deployment shop, container gate`."""
    excerpt: str = ""
    """The keys on the offending line: what stands behind them may be a secret."""

    @property
    def text(self) -> str:
        """Message and remedy in one."""
        return f"{self.message}; {self.remedy}"
