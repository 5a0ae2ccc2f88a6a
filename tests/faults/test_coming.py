"""Dependencies that come and go, come slowly, or come in pieces."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from gate.core.model import Snapshot
from tests.checks.servers.raw_http import OK
from tests.checks.test_dial import Book
from tests.conftest import outcome, run
from tests.faults.hostile import Pattern, hostile
from tests.process import listening
from tests.runtime.test_runner import Fake, wait_for, watch

PERIOD = 4.0


def ready_in(begin: float, end: float) -> Callable[[float], str]:
    """Ready in that part of each period, refused in the rest."""
    return lambda at: "" if begin <= at % PERIOD < end else "connection refused"


def flapping(*parts: tuple[float, float]) -> Snapshot:
    """Watch what flaps by *parts* for a quarter of an hour."""
    checks = [watch(Fake(ready_in(*part)), f"x{at}") for at, part in enumerate(parts)]
    return wait_for(*checks, seconds=900.0)


def test_two_that_flap_and_are_never_ready_together_open_nothing() -> None:
    assert flapping((0.0, 1.9), (2.0, 3.9)).opened is None


def test_two_that_flap_and_meet_open_it() -> None:
    snapshot = flapping((0.0, 2.4), (1.0, 3.9))

    assert snapshot.opened is not None
    assert 1.0 <= snapshot.elapsed % PERIOD < 2.4


class Slow(Book):
    """Its name server takes its time."""

    def resolve(self, *args: Any) -> Any:
        if args[0] == "db":
            time.sleep(0.2)
        return super().resolve(*args)


@pytest.mark.parametrize(("timeout", "reason"), [("60s", ""), ("100ms", "name lookup: no answer")])
def test_a_slow_lookup_is_waited_for_as_long_as_the_attempt_has(timeout: str, reason: str) -> None:
    async def main(port: int) -> tuple[str, bool]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Slow)
        loop.names = {"db": ["127.0.0.1"], "cache": ["127.0.0.1"]}
        slow = asyncio.ensure_future(outcome(f"tcp://db:{port} timeout={timeout}"))
        other = await outcome(f"tcp://cache:{port}")
        was_first = not slow.done() and other.ok
        return (await slow).reason, was_first

    with listening() as port, asyncio.Runner(loop_factory=Slow) as runner:
        said, was_first = runner.run(main(port))

    assert said.startswith(reason)
    assert (said == "", was_first) == (reason == "", True)


@pytest.mark.parametrize(("timeout", "reason"), [("60s", ""), ("50ms", "response: no answer")])
def test_an_answer_byte_by_byte_counts_if_it_is_whole_in_time(timeout: str, reason: str) -> None:
    async def main() -> str:
        async with hostile(Pattern(OK, end="drips")) as peer:
            url = f"http://127.0.0.1:{peer.port}/ body-regex=ok"
            return (await outcome(f"{url} timeout={timeout}")).reason

    said = run(main())

    assert said.startswith(reason)
    assert (said == "") == (reason == "")
