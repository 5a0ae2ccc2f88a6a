from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

import gate.__main__ as program
from tests.conftest import free_port
from tests.process import GATE, UNMEASURED, environment

Filter = Callable[[str, str, object], bool]


def test_where_python_can_what_libraries_import_is_run_when_it_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    modes: list[str] = []
    filters: list[Filter] = []
    monkeypatch.setattr(sys, "set_lazy_imports", modes.append, raising=False)
    monkeypatch.setattr(sys, "set_lazy_imports_filter", filters.append, raising=False)

    program._import_when_used()

    assert modes == ["all"]
    (may_wait,) = filters
    assert may_wait("aiohttp.web", "aiohttp.client", ("ClientSession",))
    assert not may_wait("gate.checks.dns.resolver", "dns.asyncresolver", None)


def test_an_older_python_runs_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[str] = []
    monkeypatch.delattr(sys, "set_lazy_imports", raising=False)
    monkeypatch.setattr(sys, "set_lazy_imports_filter", modes.append, raising=False)

    program._import_when_used()

    assert modes == []


class Left(BaseException):
    """The process has left."""


def end_of(fault: BaseException, monkeypatch: pytest.MonkeyPatch) -> object:
    """Return the exit code of a program that comes to *fault*."""

    def main(_: list[str]) -> int:
        raise fault

    def leave(code: int) -> None:
        raise Left(code)

    monkeypatch.setattr(program, "main", main)
    monkeypatch.setattr(program, "_import_when_used", lambda: None)
    monkeypatch.setattr(os, "_exit", leave)
    with pytest.raises(Left) as left:
        program.run()
    return left.value.args[0]


@pytest.mark.parametrize(
    "fault",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        ImportError("libc.so: failed to map segment from shared object"),
        SystemError("error return without exception set"),
    ],
)
def test_without_memory_it_ends_with_2_and_a_line(
    fault: BaseException, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert end_of(fault, monkeypatch) == 2
    assert capfd.readouterr().err == (
        "gate: there is not enough memory; raise the memory limit of gate's container\n"
    )


def test_another_fault_is_none_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PermissionError):
        end_of(PermissionError(errno.EACCES, "Permission denied"), monkeypatch)


@pytest.mark.parametrize("kilobytes", [24_000, 40_000])
def test_a_memory_limit_below_what_it_needs_is_told_without_a_traceback(kilobytes: int) -> None:
    done = subprocess.run(
        ["sh", "-c", f'ulimit -v {kilobytes}; exec "$@"', "sh", *GATE, "serve"],
        env=environment(free_port(), {"GATE_DEPENDENCIES": "tcp://127.0.0.1:1", **UNMEASURED}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (2, program._NO_MEMORY.decode())
