"""The command: files in, a report as text and an exit code out."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gate.core.errors import UsageError
from gate.core.suggest import closest
from gate.lint import rules
from gate.lint.outputs import FORMS
from gate.lint.run import LintOptions, lint

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

_LATEST_KNOWN = 99


def run(given: Namespace, stdin: BinaryIO) -> tuple[str, int]:
    """Return what to print, and the exit code; raises `UsageError`."""
    if given.explain:
        return _explain(given.explain), 0
    if not given.file:
        msg = "no file; name manifests, or - for standard input (gate lint --help)"
        raise UsageError(msg)
    wish = LintOptions(
        _names(given.select), _names(given.ignore), _version(given.kubernetes_version)
    )
    report = lint([_read(name, stdin) for name in given.file], wish)
    return FORMS[given.output](report), report.exit_code


def _read(name: str, stdin: BinaryIO) -> tuple[str, str]:
    try:
        if name != "-":
            return name, Path(name).read_bytes().decode()
        text = stdin.read().decode()
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        msg = f"{name}:{line}: not a text in UTF-8"
        raise UsageError(msg) from exc
    except (OSError, ValueError) as exc:
        reason = (getattr(exc, "strerror", None) or str(exc)).lower()
        hint = "; name the files in it" if getattr(exc, "errno", 0) == errno.EISDIR else ""
        msg = f"{name}: {reason}{hint}"
        raise UsageError(msg) from exc
    if not text.strip():
        msg = "nothing came on standard input; did the command before the pipe fail?"
        raise UsageError(msg)
    return "stdin", text


def _names(given: Sequence[str] | None) -> frozenset[str]:
    names = [name.strip() for each in given or () for name in each.split(",") if name.strip()]
    for name in names:
        if name not in rules.IDS:
            raise UsageError(_unknown(name))
    return frozenset(names)


def _unknown(name: str) -> str:
    near = closest(name, rules.IDS)
    hint = f"did you mean {near}?" if near else "gate lint --explain all lists them"
    return f"{name}: no rule of this name; {hint}"


def _version(text: str | None) -> tuple[int, int] | None:
    """Return major and minor of `1.29`, `v1.29.3`, `1.29+`."""
    if text is None:
        return None
    major, _, minor = text.removeprefix("v").partition(".")
    minor = minor.partition(".")[0].removesuffix("+")
    if major != "1" or not minor.isascii() or not minor.isdigit() or int(minor) > _LATEST_KNOWN:
        msg = f"--kubernetes-version {text}: want a version such as 1.29"
        raise UsageError(msg)
    return int(major), int(minor)


def _explain(name: str) -> str:
    if name == "all":
        return "".join(
            f"{each.id:32} {each.severity.word:8} {each.title}\n" for each in rules.EVERY
        )
    for each in rules.EVERY:
        if each.id == name:
            facts = f", kubelet fact {each.facts}" if each.facts else ""
            return f"{each.id} ({each.severity.word}{facts})\n\n{each.text}\n"
    raise UsageError(_unknown(name))
