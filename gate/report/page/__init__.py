"""The page of `/`: one file without outside resources, and what a browser may do with it.

What the page shows (names, addresses, reasons) comes from outside. It inserts all of it as text.
Should that ever fail, the policy still runs no script but the page's own.
"""

from __future__ import annotations

import re
from functools import cache

HEADERS = {"Referrer-Policy": "no-referrer"}


@cache
def load() -> tuple[str, str]:
    """Return the page and its Content-Security-Policy."""
    name = __file__.replace("__init__.py", "index.html")
    with open(name, encoding="utf-8") as file:  # noqa: PTH123 -- pathlib is dear at the start
        text = file.read()
    return text, (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "connect-src 'self'; img-src data:; "
        f"style-src {_hash_of('style', text)}; script-src {_hash_of('script', text)}"
    )


def _hash_of(element: str, text: str) -> str:
    """Return the hash that allows the page's one *element* in its policy."""
    import base64  # noqa: PLC0415 -- with hashlib comes OpenSSL, half a megabyte
    import hashlib  # noqa: PLC0415

    inside = re.findall(f"<{element}>(.*?)</{element}>", text, re.DOTALL)
    digest = hashlib.sha256("".join(inside).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
