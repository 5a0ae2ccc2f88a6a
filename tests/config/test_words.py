from __future__ import annotations

import pytest

from gate.config.words import QuoteError, lines, split


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \t ", []),
        ("db tcp://db:1  timeout=3s ", ["db", "tcp://db:1", "timeout=3s"]),
        ("db\ttcp://db:1\r", ["db", "tcp://db:1"]),
        ("'a b' c", ["a b", "c"]),
        ('"a b"c', ["a bc"]),
        ("a'b c'd", ["ab cd"]),
        ("'' x", ["", "x"]),
        (r"a\ b", ["a b"]),
        (r"a\\b", [r"a\b"]),
        (r"'a\b'", [r"a\b"]),
        (r'"a\"b\\c\d"', [r'a"b\c\d']),
        ('"it\'s"', ["it's"]),
        (r"it\'s", ["it's"]),
        ("a\\", ["a\\"]),
        ('header="X: y; z"', ["header=X: y; z"]),
        ("x # y", ["x", "#", "y"]),
    ],
)
def test_words_are_split_as_in_a_shell(text: str, words: list[str]) -> None:
    assert split(text) == words


@pytest.mark.parametrize(
    "word",
    [
        "postgresql://app:it's@db/app",
        'postgresql://app:"quoted"@db/app',
        r"postgresql://app:back\slash\\@db/app",
        "http+unix://x'y",
    ],
)
def test_within_a_url_quotes_are_characters(word: str) -> None:
    assert split(f"db {word} timeout=3s") == ["db", word, "timeout=3s"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("'tcp://a b:1'", ["tcp://a b:1"]),
        ("'unix:///a b'", ["unix:///a b"]),
        ('"a"://b\'c', ["a://b'c"]),
        ("a:''//b'c", ["a://b'c"]),
        ("body=a://b'c d'", ["body=a://bc d"]),
        ("exec:sh 'a b'", ["exec:sh", "a b"]),
    ],
)
def test_a_url_may_be_quoted_as_a_whole(text: str, words: list[str]) -> None:
    assert split(text) == words


@pytest.mark.parametrize("text", ["'", '"', "a 'b", "a \"b'", '"a\\"'])
def test_a_quote_that_is_not_closed_is_an_error_that_shows_nothing(text: str) -> None:
    with pytest.raises(QuoteError, match="a quote is opened and not closed") as caught:
        split(text)

    assert str(caught.value) == str(QuoteError())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("a\nb", [("line 1", "a"), ("line 2", "b")]),
        ("\n\n a \n# b\n  # c\nd\n", [("line 3", " a "), ("line 6", "d")]),
        ("a;b", [("line 1 part 1", "a"), ("line 1 part 2", "b")]),
        ("a ; ;\nb;", [("line 1", "a "), ("line 2", "b")]),
        ("a 'x;y'", [("line 1", "a 'x;y'")]),
        ('a "x;y";b', [("line 1 part 1", 'a "x;y"'), ("line 1 part 2", "b")]),
        (r"a x\;y", [("line 1", r"a x\;y")]),
        ("a://b'c;d'e", [("line 1 part 1", "a://b'c"), ("line 1 part 2", "d'e")]),
        ("a;'b;c", [("line 1 part 1", "a"), ("line 1 part 2", "'b;c")]),
        ("a\r\nb\r\n", [("line 1", "a\r"), ("line 2", "b\r")]),
    ],
)
def test_lines_end_at_line_breaks_and_semicolons(text: str, found: list[tuple[str, str]]) -> None:
    assert lines(text) == found


def test_a_long_value_takes_no_long_time() -> None:
    """A value has 128 KiB at most; splitting it must not be quadratic."""
    text = "x" * 60_000 + " " + "y " * 30_000

    assert len(split(text)) == 30_001
    assert len(lines("tcp://" + text.replace("y ", "y;"))) == 30_000
