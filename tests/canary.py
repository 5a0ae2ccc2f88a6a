"""A secret that nothing gate emits may hold, looked for in all that it emits in a whole session.

Tests use `CANARY` as password, token or key wherever they need one; `s3cret` is an older word for
the same. What gate says passes through `look`: reasons, problems, outputs, bodies, files. The
fixture `canary` in `conftest.py` fails the session at its end if a secret was seen.
"""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import unquote

CANARY = "kAnArY-7fQ2xZ"
_AROUND = 80
"""Characters shown before and after what was found."""


def _in_base64(secret: str) -> set[str]:
    """Return what stays the same of *secret* in base64, wherever in a longer text it stands."""
    found = set()
    for before in range(3):
        coded = b64encode(b"\0" * before + secret.encode()).decode().rstrip("=")
        # The first and the last letter hold bits of the neighbours too.
        found.add(coded[(before * 8 + 5) // 6 : len(coded) - 1])
    return found


class Lookout:
    """Remembers where a secret was seen."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._coded = _in_base64(CANARY)

    def look(self, where: str, emitted: str | bytes) -> None:
        """Look through *emitted*, which is of *where*."""
        text = emitted.decode(errors="replace") if isinstance(emitted, bytes) else emitted
        # A letter may be written as `%6b` too, at the cost of the place where it was.
        forms = (text.lower(), unquote(text).lower())
        places = [max(form.find(word) for form in forms) for word in (CANARY.lower(), "s3cret")]
        places += [text.find(coded) for coded in self._coded]
        self.seen += [
            f"{where}: …{text[max(0, at - _AROUND) : at + _AROUND]}…" for at in places if at >= 0
        ]


LOOKOUT = Lookout()
look = LOOKOUT.look
