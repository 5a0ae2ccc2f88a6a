"""The command lines of `gate probe` and `gate hold`; `gate lint` reads them in manifests.

No imports but what a probe pays for anyway.
"""

from __future__ import annotations

from gate.core import address, command_line, durations

_OPTIONS = {
    "probe": {"--hold": True, "--ready": False, "--listen": True},
    "hold": {"--timeout": True, "--listen": True},
}
"""Of each command the options, and whether they take a value."""


PART = "NAME"
"""Under this the part of the pod that is asked for: a dependency or a group of them."""
_NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


class ArgumentError(ValueError):
    """The command line or a variable is wrong."""


def read(command: str, arguments: list[str]) -> dict[str, str]:
    """Return the options given, their values as text; raises `ArgumentError` if one is wrong."""
    given: dict[str, str] = {}
    known = _OPTIONS[command]
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if not equals and _is_part(name) and PART not in given:
            given[PART] = name
            continue
        if name not in known:
            # The command is the first.
            what = command_line.label(name, len(arguments) - len(rest) + 1)
            msg = f"unknown argument {what}; {command} takes {', '.join(known)} (--help)"
            raise ArgumentError(msg)
        if known[name] and not equals:
            if not rest or rest[0].startswith("-"):
                msg = f"{name}: wants a value"
                raise ArgumentError(msg)
            value = rest.pop(0)
        if command_line.is_url(value):
            msg = f"{name}: wants a value, not a dependency"
            raise ArgumentError(msg)
        given[name] = value
    _check(given)
    return given


def seconds(name: str, text: str) -> float:
    """Return the duration *text* of the option or variable *name*; raises `ArgumentError`."""
    try:
        return durations.parse(text)
    except ValueError as exc:
        msg = f"{name}: {exc}"
        raise ArgumentError(msg) from exc


def listen_address(name: str, text: str) -> tuple[str, int]:
    """Return the address *text* of the option or variable *name*; raises `ArgumentError`."""
    try:
        return address.parse(text or address.DEFAULT)
    except ValueError as exc:
        msg = f"{name}: {exc}"
        raise ArgumentError(msg) from exc


def _is_part(word: str) -> bool:
    return word[:1].isalnum() and _NAME_CHARS.issuperset(word)


def _check(given: dict[str, str]) -> None:
    if "--ready" in given and PART in given:
        msg = "--ready: is asked of the whole gate; leave the name out"
        raise ArgumentError(msg)
    if "--ready" in given and "--hold" in given:
        msg = "--hold: --ready is answered at once; leave one of the two out"
        raise ArgumentError(msg)
    for name in ("--hold", "--timeout"):
        if name in given:
            seconds(name, given[name])
    if "--listen" in given:
        listen_address("--listen", given["--listen"])
