"""When time alone has changed all that it can."""

from __future__ import annotations

import pytest

from gate import config


@pytest.mark.parametrize(
    ("timeout", "on_timeout", "dependencies", "seconds"),
    [
        ("", "", "tcp://a:1", 0),
        ("", "", "tcp://a:1 optional", 30),
        ("", "", "tcp://a:1 deadline=5m; tcp://b:1 deadline=2m", 300),
        ("10m", "", "tcp://a:1 deadline=5m", 600),
        ("1m", "wait", "tcp://a:1 optional deadline=5m", 300),
        ("1m", "open", "tcp://a:1 optional deadline=5m", 60),
        ("1m", "exit", "tcp://a:1 optional deadline=5m", 60),
        ("", "open", "tcp://a:1 optional deadline=5m", 300),
    ],
)
def test_the_longest_wait_ends_with_the_last_thing_that_is_given_up(
    timeout: str, on_timeout: str, dependencies: str, seconds: float
) -> None:
    env = {"TIMEOUT": timeout, "ON_TIMEOUT": on_timeout, "DEPENDENCIES": dependencies}
    found = config.read({f"GATE_{name}": value for name, value in env.items()})

    assert config.longest_wait(found.settings, found.dependencies) == seconds
