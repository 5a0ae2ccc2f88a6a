from __future__ import annotations

import errno
import os

import pytest

from gate.runtime.c_library import call


def test_a_function_returns_its_number() -> None:
    assert call("getpid") == os.getpid()


def test_numbers_and_texts_are_passed() -> None:
    assert call("strncmp", b"gates", b"gateway", 4) == 0
    assert call("strncmp", b"gates", b"gateway", 5) != 0


def test_an_error_is_raised_with_its_number_and_text() -> None:
    with pytest.raises(OSError, match="Bad file descriptor") as told:
        call("close", 1 << 20)

    assert told.value.errno == errno.EBADF


def test_a_function_that_is_not_there_is_an_error() -> None:
    with pytest.raises(OSError, match="undefined symbol: no_such_function"):
        call("no_such_function")
