from __future__ import annotations

from collections.abc import Callable

import pytest

from gate.core.errors import (
    Absent,
    CheckFailed,
    ClusterError,
    CommandError,
    ConfigError,
    GateError,
    ListenError,
    NameNotFound,
    NotReady,
    Problem,
    UsageError,
    common_kind,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GateError, 1),
        (lambda: ConfigError([]), 2),
        (UsageError, 2),
        (ListenError, 1),
        (ClusterError, 3),
        (NotReady, 1),
        (lambda: CommandError("x: not found", 127), 127),
    ],
)
def test_each_error_ends_a_command_with_its_code(error: Callable[[], GateError], code: int) -> None:
    assert error().exit_code == code


def test_a_configuration_s_problems_are_told_together_each_with_its_place() -> None:
    one, other = Problem("GATE_LISTEN", "no port"), Problem("GATE_TIMEOUT", "no duration")

    assert str(ConfigError([one])) == "the configuration has 1 problem:\n  GATE_LISTEN: no port"
    both = ConfigError(iter([one, other]))
    assert both.problems == (one, other)
    assert str(both) == (
        "the configuration has 2 problems:\n  GATE_LISTEN: no port\n  GATE_TIMEOUT: no duration"
    )


def test_what_keeps_a_command_from_running_is_told() -> None:
    assert str(CommandError("x: not found", 127)) == "x: not found"


REFUSED, GONE, NAMELESS = CheckFailed("refused"), Absent("404"), NameNotFound("no such name")


@pytest.mark.parametrize(
    ("failures", "kind"),
    [
        ([REFUSED], CheckFailed),
        ([GONE, REFUSED], CheckFailed),
        ([GONE, GONE], Absent),
        ([NAMELESS, GONE], NameNotFound),
        ([NAMELESS, REFUSED], CheckFailed),
        ([NAMELESS], NameNotFound),
    ],
)
def test_several_failures_are_absence_only_together(
    failures: list[CheckFailed], kind: type[CheckFailed]
) -> None:
    assert common_kind(iter(failures)) is kind
