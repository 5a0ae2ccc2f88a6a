"""Whom the system's resolver asks, and for which names: what a failed lookup is told with.

The kubelet writes the file for each pod. The C library reads it anew when it changes, so it is read
anew here for each failure.
"""

from __future__ import annotations

PATH = "/etc/resolv.conf"
_LONGEST = 4096
_MOST_DOMAINS, _MOST_SERVERS = 4, 3
"""The C library asks no more than three servers; of the domains the first few will do."""


def asked_for(name: str, path: str = PATH) -> str:
    """Return ` (search …, ndots N, server …)` for *name*, empty where the file does not tell.

    A name with a final dot is asked for as it is, so nothing is searched.
    """
    settings = _settings(path)
    search = [] if name.endswith(".") else settings.get("search", [])
    ndots = settings.get("ndots", []) if search else []
    parts = [
        _listed("search", search, _MOST_DOMAINS),
        _listed("ndots", ndots, 1),
        _listed("server", settings.get("nameserver", []), _MOST_SERVERS),
    ]
    told = ", ".join(part for part in parts if part)
    return f" ({told})" if told else ""


def _settings(path: str) -> dict[str, list[str]]:
    """Return the values by keyword, as resolv.conf(5) has them; none if there is no such file."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 -- pathlib is dear, and this is for every check
            text = file.read(_LONGEST).decode(errors="replace")
    except OSError:
        return {}
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        keyword, *values = line.split() or [""]
        if keyword == "nameserver":
            found.setdefault(keyword, []).extend(values[:1])
        elif keyword in {"search", "domain"}:
            found["search"] = values
        elif keyword == "options":
            ndots = [each.partition(":")[2] for each in values if each.startswith("ndots:")]
            found["ndots"] = ndots or found.get("ndots", [])
    return found


def _listed(word: str, values: list[str], most: int) -> str:
    shown = [*values[:most], "…"] if len(values) > most else values
    return f"{word} {' '.join(shown)}" if values else ""
