"""The command: files in, a report as text and an exit code out."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from gate.core.errors import UsageError
from gate.core.suggest import closest
from gate.lint import baseline, fixing, rules
from gate.lint.outputs import FORMS
from gate.lint.run import LintOptions, lint
from gate.pods import files
from gate.pods.editing import rewriting

if TYPE_CHECKING:
    from argparse import Namespace
    from collections import Counter
    from collections.abc import Iterator, Sequence

    from gate.lint.run import Report


def run(given: Namespace, stdin: BinaryIO) -> tuple[str, int]:
    """Return what to print, and the exit code; raises `UsageError`."""
    if given.explain:
        return _explain(given.explain), 0
    if not given.file:
        msg = "no file; name manifests, or - for standard input (gate lint --help)"
        raise UsageError(msg)
    wish = LintOptions(
        _names(given.select), _names(given.ignore), files.version(given.kubernetes_version)
    )
    known = _known(given.baseline, stdin) if given.baseline else None
    inputs = [files.read(name, stdin) for name in given.file]
    report = _report(inputs, wish, known)
    if given.fix or given.diff:
        fixed = fixing.fix(inputs, report, wish.version, unsafe=given.fix == "unsafe")
        if given.diff:
            return rewriting.diff(fixed), report.exit_code
        rewriting.write(fixed, "--fix")
        report = _report([(name, after) for name, _, after in fixed], wish, known)
    return FORMS[given.output](report), report.exit_code


def _report(
    inputs: Sequence[tuple[str, str]], wish: LintOptions, known: Counter[baseline.Key] | None
) -> Report:
    with _without_collecting():
        report = lint(inputs, wish)
    return baseline.without_known(report, known) if known else report


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Look for no garbage: all that is read stays until it is reported, and looking costs time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _known(name: str, stdin: BinaryIO) -> Counter[baseline.Key]:
    """Return what the report in the file *name* knows already."""
    try:
        return baseline.read(files.read(name, stdin)[1])
    except baseline.BaselineError as exc:
        msg = f"--baseline {name}: {exc}; gate lint --output json FILE… > {name} writes one"
        raise UsageError(msg) from exc


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
