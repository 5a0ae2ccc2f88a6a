from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from gate.runtime import lookups
from gate.runtime.lookups import MOST, Lookups
from tests.conftest import free_port
from tests.runtime.test_listening_sockets import (
    ANY,
    LOCAL,
    LOCAL6,
    REACHED,
    Kernel,
    message,
    server,
)

DONE = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)


def refused(code: int) -> bytes:
    return struct.pack("=IHHIIi", 20, 2, 0, 1, 0, -code)


NOBODY = refused(errno.ENOENT)


class Filtered(Kernel):
    """Takes a filter, or *refuses* it; as long as there are parts, they have arrived."""

    def __init__(self, *answers: list[bytes], refuses: bool = False) -> None:
        super().__init__(*answers)
        self._refuses = refuses
        self._bell = os.eventfd(0)

    def setsockopt(self, *_: object) -> None:
        if self._refuses:
            raise OSError(errno.EPERM, "not permitted")

    def fileno(self) -> int:
        return self._bell

    def send(self, request: bytes) -> None:
        super().send(request)
        os.eventfd_write(self._bell, len(self.parts))  # never read: there is always more

    def close(self) -> None:
        super().close()
        os.close(self._bell)


class Sockets:
    """The kernel as two sockets see it: the first asks for all, the second for some."""

    def __init__(self, *, every: Kernel, one: Filtered | None) -> None:
        self.all = [every, *([one] if one else [])]

    def __call__(self, *_: Any) -> Kernel:
        if not self.all:
            raise OSError(errno.EMFILE, "too many open files")
        return self.all.pop(0)


@contextmanager
def looking(*places: tuple[str, int]) -> Iterator[Lookups]:
    with closing(Lookups()) as made:
        for place in places:
            made.follow(place)
        yield made


@pytest.mark.parametrize("others", [0, MOST])
@REACHED
def test_who_can_be_connected_to_is_seen_among_few_and_many(
    address: str, only: int, reached: set[str], others: int
) -> None:
    many = [(LOCAL, free_port()) for _ in range(others)]
    with closing(Lookups()) as sockets, server(address, only=only) as port:
        for place in ((LOCAL, port), (LOCAL6, port), *many):
            sockets.follow(place)
        sockets.look()
        found = {each for each in (LOCAL, LOCAL6) if sockets.at((each, port))}

    assert found == reached


def test_a_server_bound_to_the_loopback_interface_is_seen() -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        sock.bind((ANY, 0))
        sock.listen()
        place = (LOCAL, sock.getsockname()[1])
        with looking(place) as sockets:
            sockets.look()

            assert sockets.at(place)


def test_only_what_is_new_is_news() -> None:
    place = (LOCAL, free_port())
    with looking(place) as sockets:
        sockets.look()
        before = sockets.look(), sockets.at(place)
        with socket.create_server(place):
            first = sockets.look(), sockets.look(), sockets.at(place)
        with socket.create_server(place):
            second = sockets.look(), sockets.at(place)

    assert before == (False, frozenset())
    assert first[:2] == (True, False)
    assert second[0]
    assert [len(first[2]), len(second[1])] == [1, 1]
    assert first[2] != second[1]


@pytest.mark.parametrize(
    "one",
    [
        Filtered([NOBODY], [refused(errno.EINVAL)]),
        Filtered([NOBODY], [b"short"]),
        Filtered([]),
        Filtered([NOBODY], [NOBODY]),
        Filtered([NOBODY], refuses=True),
    ],
    ids=["no lookups", "cut off", "no answer", "no filter", "refuses a filter"],
)
def test_a_kernel_that_looks_nothing_up_tells_of_all(
    monkeypatch: pytest.MonkeyPatch, one: Filtered
) -> None:
    every = Kernel([DONE], [message(1), DONE], [message(1), DONE])
    monkeypatch.setattr(socket, "socket", Sockets(every=every, one=one))

    with looking((LOCAL, 1)) as sockets:
        assert [sockets.look(), sockets.look()] == [True, False]
        assert sockets.at((LOCAL, 1))

    assert (every.is_closed, one.is_closed) == (True, True)


def test_each_of_many_places_has_its_own_answer() -> None:
    places = [(LOCAL, free_port()) for _ in range(MOST)]
    with looking(*places) as sockets:
        assert not sockets.look()
        with closing(socket.create_server(places[-1])), closing(socket.create_server(places[3])):
            assert sockets.look()
            found = [place for place in places if sockets.at(place)]
        with closing(socket.create_server(places[3])):
            assert sockets.look()
            left = [place for place in places if sockets.at(place)]

    assert (found, left) == ([places[3], places[-1]], [places[3]])


def test_a_look_in_vain_is_one_call() -> None:
    """The kernel drops its word that nobody listens."""
    with looking(*((LOCAL, free_port()) for _ in range(MOST))) as sockets:
        assert not sockets.look()
        with pytest.raises(BlockingIOError):
            sockets._socket.recv(1, socket.MSG_DONTWAIT)
        assert sockets._are_few


def test_without_a_place_there_is_nothing_to_look_for() -> None:
    with looking() as sockets:
        assert not sockets.look()


def test_what_nobody_has_looked_at_yet_is_not_there() -> None:
    with looking((LOCAL, free_port())) as sockets:
        assert all(not sockets.at(place) for place in sockets._places)


def test_a_process_without_descriptors_left_closes_what_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    every = Kernel([DONE])
    monkeypatch.setattr(socket, "socket", Sockets(every=every, one=None))

    with pytest.raises(OSError, match="too many open files"):
        lookups.Lookups()

    assert every.is_closed
