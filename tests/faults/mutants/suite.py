"""The tests, run in this process: all of them to see what they run, or some to see if they fail."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import coverage
import pytest
from _pytest.runner import runtestprotocol

from tests.faults.mutants.forks import LIVES, NOTICED, undisturbed

ENOUGH = 12.0
"""Seconds of tests for one mutant, as long as they took without it; one is run in any case."""
SPINS = 5
"""Times the usual seconds, of CPU, after which a test is taken to spin."""
_OPTIONS = (
    *("-q", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "--no-summary"),
    *("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"),
)
_SETTINGS = """\
[run]
parallel = true
source = gate
data_file = {data}
context = ${{MUTANTS_TEST-}}
patch = _exit,execv
"""


class _Loop:
    """Takes the place of pytest's loop over the collected tests."""

    def __init__(self, loop: Callable[[pytest.Session], None]) -> None:
        self._loop = loop

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._loop(session)
        return True


def collect(tests: Sequence[str], loop: Callable[[pytest.Session], None]) -> None:
    """Collect *tests*, and have *loop* do with them what is to be done."""
    pytest.main([*_OPTIONS, *tests], plugins=[_Loop(loop)])


def passed(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, bool]]:
    """Run *items* one after the other; yield whether each passes."""
    for item, following in zip(items, [*items[1:], None], strict=True):
        reports = runtestprotocol(item, nextitem=following, log=False)
        yield item, not any(report.failed for report in reports)


def verdict(items: Sequence[pytest.Item], seconds: Mapping[str, float]) -> int:
    """Run *items* until one fails; one that spins, *seconds* being usual, ends the process."""
    running = passed(items)
    for item in items:
        signal.setitimer(signal.ITIMER_PROF, 1.0 + SPINS * seconds[item.nodeid])
        if not next(running)[1]:
            return NOTICED
    return LIVES


def verdict_anew(names: Sequence[str], seconds: Mapping[str, float]) -> int:
    """Collect the tests *names* and run them until one fails, which not to be collected is, too."""
    found = NOTICED

    def loop(session: pytest.Session) -> None:
        nonlocal found
        if not session.testsfailed:
            items = {item.nodeid: item for item in session.items}
            found = verdict([items[name] for name in names], seconds)

    collect(sorted({name.partition("::")[0] for name in names}), loop)
    return found


def look(session: pytest.Session, report: Path) -> None:
    """Run all tests of *session*; write to *report* what each runs and how long it takes."""
    settings = report.with_name("coveragerc")
    settings.write_text(_SETTINGS.format(data=report.with_name("coverage")))
    os.environ["COVERAGE_PROCESS_START"] = str(settings)  # what a test starts is looked at, too
    measured = coverage.Coverage(config_file=str(settings))
    measured.start()
    seconds, failed = {}, []
    running = passed(session.items)
    for expected in session.items:
        os.environ["MUTANTS_TEST"] = expected.nodeid
        measured.switch_context(expected.nodeid)
        begun = undisturbed()
        item, is_passed = next(running)
        seconds[item.nodeid] = undisturbed() - begun
        if not is_passed:
            failed.append(item.nodeid)
    measured.stop()
    measured.save()
    measured.combine([str(report.parent)])
    data = measured.get_data()
    lines = {path: data.contexts_by_lineno(path) for path in data.measured_files()}
    report.write_text(json.dumps({"seconds": seconds, "lines": lines, "failed": failed}))


class Seen:
    """Which tests come by which lines, and how long each takes."""

    def __init__(self, report: Path) -> None:
        found: dict[str, Any] = json.loads(report.read_text())
        self._lines: dict[str, dict[str, list[str]]] = found["lines"]
        left_out = set(found["failed"])
        self.seconds = {
            name: took for name, took in found["seconds"].items() if name not in left_out
        }
        if left_out:
            sys.stdout.write(f"left out, as they fail anyway: {' '.join(left_out)}\n")

    def by(self, path: Path, lines: Collection[int] | None) -> list[str]:
        """Return the tests that run one of *lines* of the module at *path*, its own ones first.

        None: those that run any, and all its own, which may read what stands in no function. The
        fastest come first, and they take `ENOUGH` together at most.
        """
        by_line = self._lines.get(str(path), {})
        chosen = [line for line in by_line if lines is None or int(line) in lines]
        own = {name for name in self.seconds if f"test_{path.name}::" in name}
        names = {name for line in chosen for name in by_line[line]} & self.seconds.keys()
        if lines is None:
            names |= own
        taken: list[str] = []
        total = 0.0
        for name in sorted(names, key=lambda name: (name not in own, self.seconds[name])):
            if not taken or total + self.seconds[name] <= ENOUGH:
                total += self.seconds[name]
                taken.append(name)
        return taken
