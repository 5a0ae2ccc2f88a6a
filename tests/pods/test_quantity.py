"""Kubernetes' quantities."""

from __future__ import annotations

import pytest

from gate.pods import quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [("100m", 0.1), ("0.5", 0.5), (1, 1.0), ("96Mi", 96 * 2**20), ("1G", 1e9), (None, None)],
)
def test_a_quantity_is_read(text: str | int | None, number: float | None) -> None:
    assert quantity.parse(text) == number


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "1e3", "-1", "1Qi"])
def test_what_is_no_quantity_is_none(text: str) -> None:
    assert quantity.parse(text) is None
