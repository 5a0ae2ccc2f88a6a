"""The settings: one row each; the flags of the command line mirror them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gate.core import address
from gate.core.errors import Problem
from gate.core.target import FALSE, TRUE, one_of, positive_duration, whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gate.core.model import Dependency

TERMINATION_LOG = "/dev/termination-log"
_NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
_VARIABLE_CHARS = _NAME_CHARS | frozenset(".*?")
_LONGEST_NAME = 63
_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of the gate as a whole; durations are seconds."""

    listen: tuple[str, int] = ("", 4283)
    timeout: float | None = None
    """Time for everything together; None: the command's own default."""
    on_timeout: str = "wait"
    interval: float = 1.0
    check_timeout: float = 3.0
    successes: int = 1
    freshness: float = 5.0
    """How old a success may be at the moment of opening."""
    state_file: str | None = None
    termination_log: str | None = None
    """A path, `off`, or None: `/dev/termination-log` where it can be written."""
    log_level: str = "info"
    log_format: str | None = None
    """`json`, `console`, or None: console on a terminal."""
    disabled: str = ""
    """The reason why the gate opens at once; empty: it does not."""
    degraded_event: bool = True
    allow_empty: bool = False
    events: bool = False
    """Whether `serve` writes events of the pod about the wait and the opening."""
    status: bool = True
    """Whether the endpoints show names and reasons; False leaves verdicts only."""
    shrink: bool = True
    """Whether `serve` becomes a small responder once nothing is left to do but to answer."""
    pod_condition: str = ""
    """The type of a condition that is put on the pod; empty: none."""
    from_env: tuple[str, ...] = ()
    """Variables of the app that name dependencies: names, globs, `HOST:PORT` pairs."""

    def grows_small(self, waited_for: Iterable[Dependency]) -> bool:
        """Whether nothing but answers is left to do after the opening: none is monitored."""
        return self.shrink and not any(each.monitor for each in waited_for)


@dataclass(frozen=True, slots=True)
class Setting:
    """How one field of `Settings` is written."""

    variable: str
    convert: Callable[[str], Any]
    metavar: str
    help: str

    @property
    def field(self) -> str:
        """The field of `Settings`, and the flag with `_` for `-`."""
        return self.variable.removeprefix("GATE_").lower()

    @property
    def flag(self) -> str:
        """The flag that mirrors the variable."""
        return "--" + self.field.replace("_", "-")


def _on_or_off(text: str) -> bool:
    if text.lower() not in TRUE | FALSE:
        msg = f"{text[:40]!r} is neither on nor off; write one of the two"
        raise ValueError(msg)
    return text.lower() in TRUE


def _reason(text: str) -> str:
    if text.lower() in FALSE:
        msg = (
            f"{text!r} would disable the gate, with {text!r} as the reason; "
            "remove the variable to keep the gate, or write why it is disabled"
        )
        raise ValueError(msg)
    return text


def _absolute_path(text: str) -> str:
    if not text.startswith("/") or "\0" in text:
        msg = f"{text[:60]!r} is not an absolute path; write one that begins with /"
        raise ValueError(msg)
    return text


def _off_or_path(text: str) -> str:
    try:
        return text if text == "off" else _absolute_path(text)
    except ValueError as exc:
        msg = f"{exc}, or off"
        raise ValueError(msg) from None


def _variables(text: str) -> tuple[str, ...]:
    """Return the items of *text*, between commas or spaces; raises `ValueError`."""
    found = tuple(text.replace(",", " ").split())
    for number, item in enumerate(found, start=1):
        if not all(_VARIABLE_CHARS.issuperset(name) and name for name in item.split(":", 1)):
            # Not shown: it may be the value instead of the name.
            msg = f"item {number} is no name; write e.g. DATABASE_URL,PG*,REDIS_HOST:REDIS_PORT"
            raise ValueError(msg)
    return found


def _condition(text: str) -> str:
    """Return *text* if it is a valid type of a condition, with a domain as its prefix."""
    prefix, _, name = text.partition("/")
    labels = prefix.split(".")
    is_domain = prefix.islower() and all(_is_label(label, _NAME_CHARS - {"_"}) for label in labels)
    if not is_domain or not _is_label(name, _NAME_CHARS | {"."}):
        msg = f"{text[:60]!r} is no type of a condition; write e.g. example.com/dependencies-ready"
        raise ValueError(msg)
    return text


def _is_label(text: str, characters: frozenset[str]) -> bool:
    ends = text[:1].isalnum() and text[-1:].isalnum()
    return ends and characters.issuperset(text) and len(text) <= _LONGEST_NAME


SETTINGS = (
    Setting(
        "GATE_FROM_ENV", _variables, "NAME,…", "the app's own variables that name dependencies"
    ),
    Setting("GATE_LISTEN", address.parse, "ADDRESS", "address to serve on (:4283)"),
    Setting("GATE_TIMEOUT", positive_duration, "DURATION", "time for everything together"),
    Setting(
        "GATE_ON_TIMEOUT",
        lambda text: one_of(text, ("wait", "open", "exit")),
        "wait|open|exit",
        "what `serve` does when overdue (wait)",
    ),
    Setting("GATE_INTERVAL", positive_duration, "DURATION", "longest pause between attempts (1s)"),
    Setting("GATE_CHECK_TIMEOUT", positive_duration, "DURATION", "limit of one attempt (3s)"),
    Setting(
        "GATE_SUCCESSES", lambda text: whole_number(text, 1), "N", "successes in a row needed (1)"
    ),
    Setting(
        "GATE_FRESHNESS", positive_duration, "DURATION", "how old a success may be at opening (5s)"
    ),
    Setting("GATE_STATE_FILE", _absolute_path, "PATH", "remembers the opening across a restart"),
    Setting(
        "GATE_TERMINATION_LOG", _off_or_path, "PATH|off", f"termination message ({TERMINATION_LOG})"
    ),
    Setting(
        "GATE_LOG_LEVEL", lambda text: one_of(text, _LEVELS), "LEVEL", "|".join(_LEVELS) + " (info)"
    ),
    Setting(
        "GATE_LOG_FORMAT",
        lambda text: one_of(text, ("json", "console")),
        "json|console",
        "form of the log (json; console on a terminal)",
    ),
    Setting("GATE_DISABLED", _reason, "REASON", "open at once, and log this reason"),
    Setting("GATE_DEGRADED_EVENT", _on_or_off, "on|off", "tell the kubelet of it (on)"),
    Setting("GATE_ALLOW_EMPTY", _on_or_off, "on|off", "no dependency at all is fine (off)"),
    Setting("GATE_STATUS", _on_or_off, "on|off", "off: the endpoints show verdicts only (on)"),
    Setting("GATE_SHRINK", _on_or_off, "on|off", "become a small responder after opening (on)"),
    Setting("GATE_EVENTS", _on_or_off, "on|off", "`serve` writes events of the pod (off)"),
    Setting(
        "GATE_POD_CONDITION", _condition, "TYPE", "`serve` puts it on the pod, for readinessGates"
    ),
)
VARIABLES = frozenset(setting.variable for setting in SETTINGS)


def read(
    environ: Mapping[str, str], places: Mapping[str, str]
) -> tuple[Settings, tuple[Problem, ...]]:
    """Return the settings in *environ*, and what is wrong with them.

    An empty value is as good as none: templates often leave one. A wrong value leaves the
    default. *places* names the flag a variable came from.
    """
    values: dict[str, Any] = {}
    problems = []
    for setting in SETTINGS:
        text = environ.get(setting.variable, "").strip()
        if not text:
            continue
        try:
            values[setting.field] = setting.convert(text)
        except ValueError as exc:
            place = places.get(setting.variable, setting.variable)
            problems.append(Problem(place, str(exc)))
    return Settings(**values), tuple(problems)
