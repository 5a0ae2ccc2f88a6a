from __future__ import annotations

import pytest

from gate.core.durations import parse, show


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("3s", 3.0),
        ("1m30s", 90.0),
        ("2h", 7200.0),
        ("1d2h3m4s5ms", 93784.005),
        ("1.5h", 5400.0),
        ("0.5", 0.5),
        ("10", 10.0),
        (" 3s ", 3.0),
        ("0", 0.0),
        ("90m", 5400.0),
        ("3650d", 315_360_000.0),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "s",
        "ms3",
        "3 s",
        "3S",
        "3sec",
        "1m30",
        "30s1m",
        "1s1s",
        "-1s",
        "+1s",
        "1e3",
        "1_0",
        ".5s",
        "1.2.3s",
        "٣s",
        "³",
        "inf",
        "nan",
        "infs",
        "0x10",
        "3s\0",
        "9" * 400,
        "99999d",
        "3650d1ms",
        "3ss",
        "3msms",
    ],
)
def test_anything_else_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration; write 250ms, 3s, 1m30s, 2h or secon"):
        parse(text)


def test_a_long_text_is_not_repeated_in_full() -> None:
    with pytest.raises(ValueError, match="is not a duration") as caught:
        parse("x" * 5000)

    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.0123, "12ms"),
        (0.25, "250ms"),
        (0.9994, "999ms"),
        (0.9995, "1s"),
        (0.9996, "1s"),
        (3, "3s"),
        (3.21, "3.2s"),
        (12.34, "12.3s"),
        (59.94, "59.9s"),
        (59.95, "1m"),
        (59.96, "1m"),
        (60, "1m"),
        (90, "1m30s"),
        (3600, "1h"),
        (7265, "2h1m5s"),
        (7205.4, "2h5s"),
        (172800, "48h"),
    ],
)
def test_a_duration_is_shown_as_people_write_it(seconds: float, text: str) -> None:
    assert show(seconds) == text
