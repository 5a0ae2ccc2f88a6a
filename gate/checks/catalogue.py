"""What checks there are: for each scheme what ready means, its options and the extra it needs.

There is no list to keep. A check's `parse` reads an example URL, and its options are what it asks
the target for. What ready means is the first line of the module's docstring, behind the dashes, or
what its `READY` has for the scheme. Schemes of other packages are found and read the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from gate import DISTRIBUTION, __version__
from gate.checks import EXTRAS, GROUP, SCHEMES
from gate.core import url as urls
from gate.core.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from importlib.metadata import EntryPoint

_EXAMPLES = {
    "exec": ("exec:true",),
    "k8s": ("k8s:pod/web",),
    "sidecar": ("sidecar:envoy", "sidecar:vault-agent"),
}
"""URLs by which a check shows all its options, where SCHEME://localhost:1 would not do."""

_GRPC = (("h2", "grpc", "every check"),)
_HTTP2 = ("h2", "http2", "option http2")
NEEDS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "gate.checks.dns.check": (("dns", "dns", "options type and server"),),
    "gate.checks.grpc.check": _GRPC,
    "gate.checks.http.check": (_HTTP2,),
    "gate.checks.mongodb.check": (
        ("pymongo", "mongodb", "a login"),
        ("dns", "mongodb", "mongodb+srv"),
    ),
    "gate.checks.postgresql.check": (("asyncpg", "postgresql", "a login"),),
    "gate.checks.presets": (_HTTP2,),
    "gate.checks.s3.check": (_HTTP2,),
    "gate.checks.sidecar": (_HTTP2,),
    "gate.checks.spiffe": _GRPC,
    "gate.checks.temporal": _GRPC,
}
"""Module of a check to what it imports when that is configured: package, extra, for what."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a check; `form` is how it is written, `topic=…` or `role=any|primary`."""

    name: str
    form: str
    is_repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Extra:
    """What has to be installed for a part of a check."""

    name: str
    package: str
    purpose: str
    is_installed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What there is to know of one scheme."""

    scheme: str
    package: str
    version: str
    ready: str
    documentation: str = ""
    options: tuple[Option, ...] = ()
    extras: tuple[Extra, ...] = ()
    problem: str = ""
    """Why the check, or its list of options, cannot be had; empty where it can."""


class _Recorder(Target):
    """A target that notes how each option is asked for."""

    def __init__(self, example: str) -> None:
        super().__init__(name="example", place="example", url=urls.parse(example))
        self.asked: dict[str, Option] = {}

    def many(self, key: str, *, secret: bool = False) -> tuple[str, ...]:
        self._note(key, f"{key}=…", is_repeatable=True)
        return super().many(key, secret=secret)

    def text(self, key: str, default: str = "", *, secret: bool = False) -> str:
        self._note(key, f"{key}=…")
        return super().text(key, default, secret=secret)

    def flag(self, key: str) -> bool:
        self._note(key, key)
        return super().flag(key)

    def seconds(self, key: str, default: float) -> float:
        self._note(key, f"{key}=DURATION")
        return super().seconds(key, default)

    def number(self, key: str, default: int, *, least: int = 0) -> int:
        self._note(key, f"{key}=N")
        return super().number(key, default, least=least)

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        self._note(key, f"{key}={'|'.join(choices)}")
        return super().choice(key, choices, default)

    def _note(self, key: str, form: str, *, is_repeatable: bool = False) -> None:
        # The methods lead to each other; the first one is what the check has called.
        self.asked.setdefault(key, Option(key, form, is_repeatable))


def entries() -> tuple[Entry, ...]:
    """Return an entry for each scheme: gate's own by name, then those of other packages."""
    own = [_own(scheme, SCHEMES[scheme]) for scheme in sorted(SCHEMES)]
    others = [each for each in entry_points(group=GROUP) if each.name not in SCHEMES]
    return (*own, *(_others(each) for each in sorted(others, key=lambda each: each.name)))


def _own(scheme: str, name: str) -> Entry:
    module = import_module(name)
    options, problem = _options(scheme, module.parse)
    return Entry(
        scheme=scheme,
        package=DISTRIBUTION,
        version=__version__,
        ready=_ready(scheme, module),
        documentation=module.__doc__ or "",
        options=options,
        extras=tuple(
            Extra(extra, package, purpose, find_spec(package) is not None)
            for package, extra, purpose in NEEDS.get(name, ())
        ),
        problem=problem,
    )


def _others(entry: EntryPoint) -> Entry:
    """Return what another package says of its check; whatever it raises is told."""
    package = entry.dist.name if entry.dist else entry.value
    version = entry.dist.version if entry.dist else ""
    try:
        parse = entry.load()
        module = import_module(entry.module)
    except Exception as exc:  # noqa: BLE001 -- whatever that package does
        problem = f"{entry.value} cannot be used: {type(exc).__name__}: {exc}"
        return Entry(scheme=entry.name, package=package, version=version, ready="", problem=problem)
    options, problem = _options(entry.name, parse)
    return Entry(
        scheme=entry.name,
        package=package,
        version=version,
        ready=_ready(entry.name, module),
        documentation=module.__doc__ or "",
        options=options,
        problem=problem,
    )


def _ready(scheme: str, module: Any) -> str:  # noqa: ANN401 -- a module
    """Return what ready means, as the module of the check has it."""
    first, dashes, behind = (module.__doc__ or "").strip().partition("\n")[0].partition(" -- ")
    said: str = getattr(module, "READY", {}).get(scheme) or (behind if dashes else first)
    return said.rstrip(".")


def _options(scheme: str, parse: Callable[[Target], object]) -> tuple[tuple[Option, ...], str]:
    """Return the options that *parse* asks for, and why there may be more, if so."""
    found: dict[str, Option] = {}
    problem = ""
    for example in _EXAMPLES.get(scheme, (f"{scheme}://localhost:1",)):
        target = _Recorder(example)
        try:
            parse(target)
        except Exception as exc:  # noqa: BLE001 -- it may be a check of another package
            problem = _not_read(exc)
        found |= target.asked
    return _sorted(found.values()), problem


def _not_read(exc: Exception) -> str:
    """Return what the failure of a `parse` means; a driver is told as an extra already."""
    if isinstance(exc, ModuleNotFoundError) and (exc.name or "").partition(".")[0] in EXTRAS:
        return ""
    return f"its options cannot be read: {type(exc).__name__}: {exc}"


def _sorted(options: Iterable[Option]) -> tuple[Option, ...]:
    return tuple(sorted(options, key=lambda option: option.name))
