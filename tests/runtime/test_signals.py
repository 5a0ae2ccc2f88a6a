"""Signals that the test sends to itself."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest

from gate.runtime import signals
from tests.conftest import open_files, run

CODES = {signal.SIGTERM: 7}


async def heeded(*numbers: signal.Signals) -> int:
    told: list[str] = []
    with signals.exit_code_on_signal(CODES, told.append) as exit_code:
        for number in numbers:
            os.kill(os.getpid(), number)
        code = await exit_code
    assert told == []
    return code


def test_a_signal_settles_the_exit_code_however_often_it_comes() -> None:
    assert run(heeded(signal.SIGTERM, signal.SIGTERM)) == 7


def test_other_signals_wake_the_loop_and_settle_nothing() -> None:
    async def main() -> None:
        loop, seen = asyncio.get_running_loop(), asyncio.Event()
        before = signal.signal(signal.SIGUSR1, lambda *_: loop.call_soon(seen.set))
        with signals.exit_code_on_signal(CODES, print) as exit_code:
            # Sent by another thread, while the loop sleeps.
            timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
            timer.start()
            await seen.wait()
            timer.join()
            assert not exit_code.done()
        signal.signal(signal.SIGUSR1, before)

    run(main())


def test_all_is_as_it_was_afterwards() -> None:
    def state() -> tuple[object, int, int]:
        return signal.getsignal(signal.SIGTERM), threading.active_count(), open_files()

    before = state()
    run(heeded(signal.SIGTERM))

    assert state() == before


def test_where_no_thread_is_to_be_had_the_loop_alone_heeds_signals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(_: threading.Thread) -> None:
        msg = "can't start new thread"
        raise RuntimeError(msg)

    monkeypatch.setattr(threading.Thread, "start", start)

    assert run(heeded(signal.SIGTERM)) == 7


def test_once_the_loop_is_closed_the_thread_minds_nothing() -> None:
    async def main() -> signals._Guard:
        guard = signals._Guard(asyncio.get_running_loop().create_future(), {}, print)
        guard.begin()
        return guard

    guard = run(main())
    guard._pipe.send(bytes([signal.SIGUSR1]))
    guard.end()

    assert not guard.is_alive()
