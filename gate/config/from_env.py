"""`GATE_FROM_ENV`: dependencies out of variables that the app has already."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from gate.config import app_url, service_links
from gate.config.app_url import Named, NoDependency
from gate.config.dependencies import Source
from gate.config.references import undefined
from gate.core.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

UNSET = "is not set in gate's own container"
NOTHING = "no variable that it matches names a dependency"
_LIBPQ = {
    "PGHOST": "host",
    "PGPORT": "port",
    "PGUSER": "user",
    "PGPASSWORD": "password",
    "PGDATABASE": "dbname",
    "PGSSLMODE": "sslmode",
}
_PORTS = ("PORT", "PORT_NUMBER")
_REMEDY = "give gate the env or envFrom of the app, or leave it out of GATE_FROM_ENV"


def sources(wanted: Sequence[str], environ: Mapping[str, str]) -> list[Source | Problem]:
    """Return what each of *wanted* names, or why it names nothing.

    An item is the name of a variable, a glob, or two names with `:` between, for host and port.
    Only a glob takes the login of libpq's variables with their host: `PG*`.
    """
    found: dict[str, Source | Problem] = {}
    for item in wanted:
        named = list(_named(item, environ))
        if not named:
            found[item] = Problem("GATE_FROM_ENV", f"{item}: {NOTHING}; {_REMEDY}")
        for each in named:
            found.setdefault(each.variable, _source(each, environ, item))
    return list(found.values())


def _named(item: str, environ: Mapping[str, str]) -> Iterator[Named]:
    """Yield the variables that *item* means."""
    host, colon, port = item.partition(":")
    if colon:
        yield Named(host, port)
    elif "*" in item or "?" in item:
        own = [name for name in environ if _is_the_app_s(name, environ)]
        yield from app_url.guess(
            name for name in own if fnmatchcase(name, item) or name.upper().endswith(_PORTS)
        )
    else:
        yield next((pair for pair in app_url.pairs(environ) if pair.variable == item), Named(item))


def _is_the_app_s(name: str, environ: Mapping[str, str]) -> bool:
    """Whether *name* is neither gate's nor one that Kubernetes injects for a Service."""
    is_link = service_links.is_injected(name, environ) and not environ[name].isdigit()
    return not name.startswith("GATE_") and not is_link


def _source(named: Named, environ: Mapping[str, str], item: str) -> Source | Problem:
    libpq = _of_libpq(environ, item) if named.variable == "PGHOST" else {}
    used = tuple(dict.fromkeys(name for name in (named.variable, named.port, *libpq) if name))
    for name in used:
        if name not in environ:
            return Problem(name, f"{UNSET}; {_REMEDY}")
        if wrong := undefined(environ[name]):
            return Problem(name, wrong)
    value, port = environ[named.variable], environ[named.port] if named.port else ""
    try:
        app_url.port_of(port)
    except NoDependency as exc:
        return Problem(named.port, str(exc))
    if value.strip() and libpq:
        value = " ".join(f"{key}={_quoted(environ[name])}" for name, key in libpq.items())
    try:
        text = app_url.translate(named.variable, value, port)
    except NoDependency as exc:
        return Problem(named.variable, str(exc))
    url, *defaults = text.split(" ")
    return Source(
        named.variable,
        url,
        named.dependency,
        variables=used,
        is_app=True,
        defaults=tuple(defaults),
    )


def _of_libpq(environ: Mapping[str, str], item: str) -> dict[str, str]:
    """Return the variables of libpq that the glob *item* matches, with their keys.

    Whoever names them all has a login in them. A password alone is none: its user is unknown here.
    """
    is_glob = "*" in item or "?" in item
    found = {
        name: key
        for name, key in _LIBPQ.items()
        if is_glob and environ.get(name, "").strip()
        if name == "PGPORT" or fnmatchcase(name, item)
    }
    if "PGUSER" not in found:
        found.pop("PGPASSWORD", None)
    return found


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
