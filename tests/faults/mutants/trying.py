"""Each mutant of some modules, tried in a copy of the tree, in which this process stands.

The tests are collected once, and run once to see which lines each of them runs. Then there is a
fork for each mutant: it takes the changed function over, runs the tests that come by the line, the
fastest first, and ends with the first that fails. What is not in a function has happened when the
tests are collected: there, the fork collects them itself.
"""

from __future__ import annotations

import ast
import gc
import importlib.util
import json
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from hypothesis import Phase, settings

from tests.faults.mutants import suite
from tests.faults.mutants.changes import Function, Mutant, mutants
from tests.faults.mutants.forks import LIVES, PATIENCE, forked, silent

HOURS = 24 * 3600
"""For all of them: as good as no limit."""
_LIBRARIES = (
    *("aiohttp.web", "httpx", "h11", "jmespath", "structlog", "prometheus_client", "trustme"),
    *("hypothesis.strategies", "hypothesis.internal.conjecture.engine", "coverage", "yaml"),
)
"""Imported once for all forks: what takes long, and is not gate."""


class Module:
    """A module of gate, and its mutants: all of them, or those of one line (`core/latch.py:82`)."""

    def __init__(self, wanted: str) -> None:
        self.name, _, line = wanted.partition(":")
        self.path = Path("gate", self.name).resolve()
        self._text = self.path.read_text()
        self._tree = ast.parse(self._text)
        made = mutants(self._tree)
        self.mutants = [each for each in made if not line or each.line == int(line)]

    @contextmanager
    def holding(self, mutant: Mutant) -> Iterator[CodeType | None]:
        """Have *mutant* in the file, for what tests start; yield its code, None if it has none."""
        with mutant.applied(), warnings.catch_warnings(action="ignore"):
            text = ast.unparse(self._tree)
            code = None
            with suppress(SyntaxError, ValueError):
                code = compile(self._tree, str(self.path), "exec")
        Path(importlib.util.cache_from_source(str(self.path))).unlink(missing_ok=True)
        self.path.write_text(text)
        try:
            yield code
        finally:
            self.path.write_text(self._text)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What has become of a mutant."""

    module: str
    mutant: Mutant
    lives: bool
    is_run: bool
    """Whether any test comes by."""


def judge(names: Sequence[str], tests: Sequence[str]) -> Iterator[Verdict]:
    """Try all mutants of the modules *names* with *tests*, which are files or folders."""
    for library in _LIBRARIES:
        importlib.import_module(library)
    settings.register_profile("mutants", database=None, phases=[Phase.explicit, Phase.generate])
    settings.load_profile("mutants")
    modules = [Module(name) for name in names]
    with tempfile.TemporaryDirectory() as folder:
        report, codes = Path(folder, "seen.json"), Path(folder, "codes")
        _with_all(tests, lambda session: suite.look(session, report))
        seen = suite.Seen(report)
        # From here on: what is cached of a mutant would be taken for the next one.
        sys.dont_write_bytecode = True
        _with_all(tests, lambda session: _try_functions(session, modules, seen, codes))
        tried = {(at, index): code for at, index, code in map(json.loads, codes.open())}
    for at, module in enumerate(modules):
        for index, mutant in enumerate(module.mutants):
            running = seen.by(module.path, mutant.seen_in)
            code = tried.get((at, index), LIVES)
            if running and (at, index) not in tried:
                with module.holding(mutant):
                    code = _try(partial(suite.verdict_anew, running, seen.seconds))
            yield Verdict(module.name, mutant, code == LIVES, bool(running))


def _with_all(tests: Sequence[str], loop: Callable[[pytest.Session], None]) -> None:
    """Collect *tests* in a fork, so that nothing of gate is loaded here, and do *loop* there."""

    def run() -> int:
        suite.collect(tests, loop)
        return LIVES

    if forked(run, patience=HOURS) != LIVES:
        msg = "the tests cannot be run"
        raise RuntimeError(msg)


def _try(run: Callable[[], int]) -> int:
    def silently() -> int:
        silent()
        return run()

    return forked(silently, patience=PATIENCE)


def _try_functions(
    session: pytest.Session, modules: Sequence[Module], seen: suite.Seen, codes: Path
) -> None:
    """Try the mutants that a running process can take over, and write the verdicts to *codes*."""
    items = {item.nodeid: item for item in session.items}
    living = {module.path: _functions(module.path) for module in modules}
    gc.freeze()  # so that the forks share the memory
    with codes.open("w", buffering=1) as out:
        for at, module in enumerate(modules):
            for index, mutant in enumerate(module.mutants):
                running = [items[name] for name in seen.by(module.path, mutant.seen_in)]
                with module.holding(mutant) as code:
                    new = code and mutant.function and _find(code, mutant.function)
                    there = living[module.path].get(mutant.function or ("", 0), [])
                    if running and new and _fits(new, there):
                        verdict = _try(partial(_changed, there, new, running, seen.seconds))
                        out.write(json.dumps([at, index, verdict]) + "\n")


def _functions(path: Path) -> dict[Function, list[FunctionType]]:
    """Return the functions of the module at *path* that this process holds."""
    found: dict[Function, list[FunctionType]] = {}
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename == str(path):
            key = each.__code__.co_qualname, each.__code__.co_firstlineno
            found.setdefault(key, []).append(each)
    return found


def _find(code: CodeType, key: Function) -> CodeType | None:
    """Return the code of the function *key* in that of its module."""
    for each in code.co_consts:
        if isinstance(each, CodeType):
            if (each.co_qualname, each.co_firstlineno) == key:
                return each
            if (inner := _find(each, key)) is not None:
                return inner
    return None


def _fits(code: CodeType, there: Sequence[FunctionType]) -> bool:
    """Whether *code* can take the place of that of the functions *there*."""
    return bool(there) and all(each.__code__.co_freevars == code.co_freevars for each in there)


def _changed(
    there: Sequence[FunctionType],
    code: CodeType,
    items: Sequence[pytest.Item],
    seconds: Mapping[str, float],
) -> int:
    """Run *items* with the functions *there* changed to *code*."""
    for each in there:
        each.__code__ = code
    return suite.verdict(items, seconds)
