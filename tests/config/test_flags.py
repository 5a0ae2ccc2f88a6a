"""The words of the command line: which are taken, and that no message holds a password."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gate import config
from gate.config import SETTINGS, flags
from gate.core import probe_arguments
from gate.core.errors import ConfigError, UsageError

MARK = "Qz7Xv"
"""Distinctive: no word of a message is near it."""

url = st.sampled_from(
    ["postgresql://app:{}@db:5432/app", "db redis://:{}@cache", "amqp://app:{}@mq timout=3s"]
).map(lambda form: form.format(MARK))
flag = st.sampled_from([setting.flag for setting in SETTINGS if setting.flag != "--disabled"])
flag |= st.sampled_from(["--once", "--output", "--mode", "--image", "--name", "--ready", "--hold"])
flag |= st.sampled_from(["--help-me", "-x", "-"])
password = st.sampled_from(["-p{}", "--password={}", "--{}", "-{}"]).map(
    lambda form: form.format(MARK)
)
word = flag | url | st.tuples(flag, url).map("=".join) | password
command = st.sampled_from(["serve", "wait", "probe", "hold", "lint", "manifest", "prob"])


def told(words: list[str]) -> str:
    """Return all that is wrong with a command line."""
    try:
        if words[0] in {"probe", "hold"}:
            probe_arguments.read(words[0], words[1:])
            return ""
        given_ = flags.parse(words)
    except (UsageError, probe_arguments.ArgumentError) as exc:
        return str(exc)
    dependencies = getattr(given_, "dependency", ())
    read = config.read({}, flags=flags.settings(given_), arguments=dependencies)
    return str(ConfigError(read.all_problems()))


@settings(max_examples=300, deadline=None)
@given(words=st.tuples(command | url, st.lists(word, max_size=4)))
@example(("probe", ["--hold", f"-p{MARK}"]))
@example(("serve", [f"-p{MARK}"]))
@example(("wait", [f"--once=redis://:{MARK}@cache"]))
def test_no_message_holds_a_password(words: tuple[str, list[str]]) -> None:
    first, others = words

    assert MARK not in told([first, *others])


def test_dependencies_are_taken_before_and_behind_flags() -> None:
    found = flags.parse(["wait", "tcp://a:1", "--once", "tcp://b:2", "--timeout", "3s", "tcp://c"])

    assert found.dependency == ["tcp://a:1", "tcp://b:2", "tcp://c"]


def test_files_are_taken_before_and_behind_flags() -> None:
    found = flags.parse(["lint", "a.yaml", "--output", "json", "-", "b.yaml"])

    assert found.file == ["a.yaml", "-", "b.yaml"]


def test_dependencies_are_given_in_one_way_only() -> None:
    with pytest.raises(UsageError, match="both as arguments and by --dependencies; leave one"):
        flags.parse(["wait", "tcp://db:1", "--dependencies", "tcp://db:1"])


def test_a_reason_may_be_the_address_of_a_ticket() -> None:
    found = flags.parse(["serve", "--disabled", "https://tickets/42"])

    assert flags.settings(found) == {"GATE_DISABLED": "https://tickets/42"}
