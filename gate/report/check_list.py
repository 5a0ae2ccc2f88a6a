"""What `gate checks` prints: schemes, what ready means, options, extras.

As text, schemes of which the same is said share a row. `topic=…*` may be given several times.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING

from gate import DISTRIBUTION
from gate.checks.catalogue import Option
from gate.core.errors import UsageError
from gate.core.suggest import hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gate.checks.catalogue import Entry, Extra

_LEFT, _RIGHT = 24, 76
_TLS = frozenset({"ca", "cert", "key", "server-name", "insecure"})
_HEAD = ("SCHEME", "READY MEANS, options, extras")
_FOOT = """\
…* may be given several times. TLS: ca=… cert=… key=… server-name=… insecure
Options of every dependency, as timeout and optional: see the README.
gate checks SCHEME says more of one.
"""


def chosen(entries: Sequence[Entry], schemes: Sequence[str]) -> list[Entry]:
    """Return the entries of *schemes*, all where there are none; raises `UsageError`."""
    known = {entry.scheme: entry for entry in entries}
    for position, scheme in enumerate(schemes, start=1):
        if scheme not in known:
            msg = f"checks: argument {position} is no scheme; {hint(scheme, known)}"
            raise UsageError(msg)
    return [known[scheme] for scheme in schemes] or list(entries)


def as_json(entries: Sequence[Entry]) -> str:
    """Return *entries* as a JSON document, its keys those of `gate.checks.catalogue.Entry`."""
    return json.dumps({"checks": [asdict(entry) for entry in entries]}, indent=2) + "\n"


def as_text(entries: Sequence[Entry], *, is_whole: bool) -> str:
    """Return *entries* as a table; where *is_whole* in full, each with its documentation."""
    http = frozenset[str]() if is_whole else _options_of(entries, "http")
    rows: dict[Entry, list[str]] = {}
    for entry in entries:
        rows.setdefault(replace(entry, scheme=""), []).append(entry.scheme)
    parts = [_row(*_HEAD)]
    for entry, schemes in rows.items():
        shown = entry if is_whole else _shortened(entry, http)
        parts.append(_row(" ".join(schemes), _told(shown)))
        if is_whole:
            parts.append(f"\n{entry.documentation.strip()}\n\n")
    return "".join([*parts, "" if is_whole else f"\n{_FOOT}"])


def _options_of(entries: Sequence[Entry], scheme: str) -> frozenset[str]:
    found = (entry.options for entry in entries if entry.scheme == scheme)
    return frozenset(option.name for options in found for option in options)


def _shortened(entry: Entry, http: frozenset[str]) -> Entry:
    """Return *entry* with one word for the options that many checks have."""
    names = {option.name for option in entry.options}
    if http and names > http:
        return _with(entry, http, "and those of http", keeps_extras=False)
    return _with(entry, _TLS, "TLS") if names >= _TLS else entry


def _with(entry: Entry, left_out: frozenset[str], word: str, *, keeps_extras: bool = True) -> Entry:
    kept = [option for option in entry.options if option.name not in left_out]
    return replace(
        entry,
        options=(*kept, Option(word, word)),
        extras=entry.extras if keeps_extras else (),
    )


def _told(entry: Entry) -> str:
    """Return all that stands beside the schemes of *entry*."""
    options = (f"{each.form}*" if each.is_repeatable else each.form for each in entry.options)
    texts = [entry.ready, " ".join(options), *(_extra(extra) for extra in entry.extras)]
    if entry.package != DISTRIBUTION:
        texts.append(f"from {entry.package} {entry.version}".rstrip())
    texts.append(entry.problem)
    return "\n".join(line for text in texts for line in wrap(text, _RIGHT, break_on_hyphens=False))


def _extra(extra: Extra) -> str:
    is_there = "is installed" if extra.is_installed else "is not installed"
    install = "" if extra.is_installed else f"; pip install '{DISTRIBUTION}[{extra.name}]'"
    return f"{extra.purpose}: the extra {extra.name} {is_there}{install}"


def _row(left: str, right: str) -> str:
    """Return *left* in the first column beside *right* in the second."""
    pairs = zip_longest(
        wrap(left, _LEFT - 2, break_on_hyphens=False), right.split("\n"), fillvalue=""
    )
    return "".join(f"{scheme:<{_LEFT}}{text}".rstrip() + "\n" for scheme, text in pairs)
