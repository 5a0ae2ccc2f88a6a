"""A script read: commands, loops, and what is only written down."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gate.pods import shell

PIECES = ["if", "then", "fi", "while", "do", "done", "case", "in", "esac", "{", "}", "(", ")", "$("]
PIECES += ["`", "'", '"', "\\", "\n", " ", ";", "&", "|", "<<", "<", ">", "$", "${", "#", "=", "a"]
PIECES += ["&&", "||", "function", "f()", "timeout", "exec", "tail -f", "A=b", "sh -c", "EOF"]


def words_of(script: str) -> list[str]:
    return [" ".join(each.words) for each in shell.read(["sh", "-c", script]).commands]


@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_whatever_is_written_can_be_read(pieces: list[str]) -> None:
    script = shell.read(["sh", "-c", "".join(pieces)])

    assert all(command.words for command in script.commands)


def test_scripts_within_scripts_have_an_end() -> None:
    assert words_of("a " + "$(" * 3000)[-1] == "a " + "$(" * 3000


def test_quotes_comments_and_redirections_are_taken_off() -> None:
    assert words_of('a \'b c\' "d \\"e" f\\ g >x 2>&1 <y # h\n: i') == ['a b c d "e f g', ": i"]


def test_what_a_script_sets_is_put_in_but_not_between_single_quotes() -> None:
    assert words_of("export A=1 B=2\nC=$A; c $A ${B} $C '$A' $D") == ["c 1 2 1 $A $D"]


def test_a_line_that_goes_on_is_one() -> None:
    assert words_of("a \\\n b\\\nc") == ["a bc"]


def test_a_here_document_is_no_command() -> None:
    assert words_of("cat <<A <<'B'; x\none\nA\ntwo\nB\ny") == ["cat", "x", "y"]


def test_what_stands_in_a_substitution_is_run_too() -> None:
    assert words_of('[ "$(a "b c")" = `d` ]') == ["a b c", "d", '[ $(a "b c") = `d` ]']


def test_a_sum_is_no_command() -> None:
    assert words_of("a $((1 + 2)) ${B:-c d}") == ["a $((1 + 2)) ${B:-c d}"]


def test_a_group_is_left_to_the_background_as_a_whole() -> None:
    commands = shell.read(["sh", "-c", "a; (b; while c; do d; done) >x & e"]).commands

    assert {each.words[0]: each.is_background for each in commands} == {
        "a": False,
        "b": True,
        "c": True,
        "d": True,
        "e": False,
    }


def test_what_starts_another_is_taken_off() -> None:
    (command,) = shell.read(
        ["tini", "-g", "--", "A=1", "timeout", "-k", "5", "9", "x", "y"]
    ).commands

    assert (command.words, command.is_cut) == (("x", "y"), True)
