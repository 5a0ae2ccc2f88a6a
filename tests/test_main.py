from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

import gate.__main__ as program

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
