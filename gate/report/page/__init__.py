"""The page of `/`: one file without outside resources, and what a browser may do with it.

What the page shows (names, addresses, reasons) comes from outside. It inserts all of it as text.
Should that ever fail, the policy still runs no script but the page's own.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

HEADERS = {"Referrer-Policy": "no-referrer"}


@cache
def load() -> tuple[str, str]:
    """Return the page and its Content-Security-Policy."""
    text = Path(__file__).with_name("index.html").read_text(encoding="utf-8")
    return text, (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "connect-src 'self'; img-src data:; "
        f"style-src {_hash_of('style', text)}; script-src {_hash_of('script', text)}"
    )


def _hash_of(element: str, text: str) -> str:
    """Return the hash that allows the page's one *element* in its policy."""
    inside = re.findall(f"<{element}>(.*?)</{element}>", text, re.DOTALL)
    digest = hashlib.sha256("".join(inside).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
