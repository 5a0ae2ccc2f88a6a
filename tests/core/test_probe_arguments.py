from __future__ import annotations

import pytest

from gate.core.probe_arguments import PART, ArgumentError, listen_address, read, seconds


@pytest.mark.parametrize(
    ("command", "words", "given"),
    [
        ("probe", "", {}),
        ("probe", "db", {PART: "db"}),
        ("probe", "A-b_c.9", {PART: "A-b_c.9"}),
        ("probe", "--hold 25s", {"--hold": "25s"}),
        ("probe", "--hold=25s app", {"--hold": "25s", PART: "app"}),
        ("probe", "app --listen :80 --hold 1s", {PART: "app", "--listen": ":80", "--hold": "1s"}),
        ("probe", "--ready", {"--ready": ""}),
        ("probe", "--listen :80 --ready", {"--listen": ":80", "--ready": ""}),
        ("probe", "--listen=", {"--listen": ""}),
        ("hold", "--timeout 5m", {"--timeout": "5m"}),
        (
            "hold",
            "--timeout=5m --listen=4283 db",
            {"--timeout": "5m", "--listen": "4283", PART: "db"},
        ),
    ],
)
def test_a_command_line_is_read(command: str, words: str, given: dict[str, str]) -> None:
    assert read(command, words.split()) == given


DURATION = "is not a duration; write 250ms, 3s, 1m30s, 2h or seconds"
ADDRESS = "is not an address to listen on; write :4283 or 0.0.0.0:80"


@pytest.mark.parametrize(
    ("command", "words", "said"),
    [
        ("probe", "--x", "unknown argument --x; probe takes --hold, --ready, --listen (--help)"),
        ("hold", "--hold 1s", "unknown argument --hold; hold takes --timeout, --listen (--help)"),
        (
            "probe",
            "a b",
            "unknown argument number 3; probe takes --hold, --ready, --listen (--help)",
        ),
        (
            "probe",
            "-x",
            "unknown argument number 2; probe takes --hold, --ready, --listen (--help)",
        ),
        (
            "probe",
            "a=b",
            "unknown argument number 2; probe takes --hold, --ready, --listen (--help)",
        ),
        ("hold", "a/b c d", "unknown argument number 2; hold takes --timeout, --listen (--help)"),
        ("probe", "--hold", "--hold: wants a value"),
        ("probe", "--hold --ready", "--hold: wants a value"),
        ("probe", "--listen tcp://u:hunter2@db", "--listen: wants a value, not a dependency"),
        ("probe", "--ready=tcp://db", "--ready: wants a value, not a dependency"),
        ("probe", "--ready db", "--ready: is asked of the whole gate; leave the name out"),
        (
            "probe",
            "--ready --hold 1s",
            "--hold: --ready is answered at once; leave one of the two out",
        ),
        ("probe", "--hold soon", f"--hold: 'soon' {DURATION}"),
        ("hold", "--timeout soon", f"--timeout: 'soon' {DURATION}"),
        ("hold", "--listen db", f"--listen: 'db' {ADDRESS}"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_that_may_be_secret(
    command: str, words: str, said: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        read(command, words.split())

    assert str(caught.value) == said


def test_the_words_that_were_given_are_left_as_they_are() -> None:
    words = ["--hold", "1s"]
    read("probe", words)

    assert words == ["--hold", "1s"]


def test_a_variable_is_read_as_an_option_is() -> None:
    assert seconds("GATE_HOLD", "1m") == 60.0
    assert listen_address("GATE_LISTEN", "[::1]:80") == ("::1", 80)
    assert listen_address("GATE_LISTEN", "") == ("", 4283)
    with pytest.raises(ArgumentError, match=f"^GATE_HOLD: 'x' {DURATION}$"):
        seconds("GATE_HOLD", "x")
    with pytest.raises(ArgumentError, match=f"^GATE_LISTEN: 'x' {ADDRESS}$"):
        listen_address("GATE_LISTEN", "x")
