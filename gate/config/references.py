"""`$(NAME)` in a value: Kubernetes leaves it as it is where NAME is not defined."""

from __future__ import annotations


def undefined(value: str, *, is_command: bool = False) -> str:
    """Return what is wrong with *value* because of a `$(NAME)` in it, or "".

    In a command, `$(name)` may be meant for the shell, so only upper-case names count there.
    """
    for name in _references(value):
        if name.isupper():
            return f"$({name}) {_REMEDY}"
        if not is_command:
            # Not shown, as it may be a piece of a password.
            return f"a $(…) in it {_REMEDY}"
    return ""


_REMEDY = (
    "is not defined; define it before this one in the container's env, "
    "check its spelling (a $ that is meant is written %24 in a URL)"
)


def _references(value: str) -> list[str]:
    """Return NAME of each `$(NAME)` in *value*."""
    parts = (part.partition(")") for part in value.split("$(")[1:])
    return [name for name, closed, _ in parts if closed and _is_name(name)]


def _is_name(text: str) -> bool:
    """Whether Kubernetes would take *text* for the name of a variable."""
    plain = text.replace("-", "_").replace(".", "_")
    return text[:1] not in {"-", "."} and plain.isidentifier()
