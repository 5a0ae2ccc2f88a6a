from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.runtime.listening_sockets import ListeningSockets, listeners

DONE = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)
REFUSED = struct.pack("=IHHIIi", 20, 2, 0, 1, 0, -2)
LOCAL, LOCAL6, ANY, ANY6 = "127.0.0.1", "::1", "0.0.0.0", "::"


def message(port: int, address: str = LOCAL, **told: int) -> bytes:
    """Return what the kernel tells of a socket that listens on *port*."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    source = socket.inet_pton(family, address).ljust(16, b"\0")
    cookie = struct.pack("=Q", told.get("cookie", 1))
    at = struct.pack(">HH", port, 0) + source + bytes(16) + struct.pack("=I", told.get("device", 0))
    body = struct.pack("=BBBB", told.get("family", family), told.get("state", 10), 0, 0)
    body += at + cookie + bytes(20)
    # Two attributes, the first of an odd length, as the kernel fills up to four bytes.
    body += struct.pack("=HHB3x", 5, 8, 0) + struct.pack("=HHB3x", 5, 11, told.get("only", 0))
    return struct.pack("=IHHII", 16 + len(body), 20, 2, 1, 0) + body


class Kernel:
    """Answers each request with the next of *answers*, each of them parts."""

    def __init__(self, *answers: list[bytes]) -> None:
        self.answers = list(answers)
        self.parts: list[bytes] = []
        self.is_closed = False

    def send(self, _: bytes) -> None:
        self.parts = list(self.answers.pop(0))

    def recv(self, *_: int) -> bytes:
        if not self.parts:
            raise BlockingIOError
        return self.parts.pop(0)

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    monkeypatch.setattr(socket, "socket", lambda *_: made)
    return made


@contextmanager
def server(address: str, *, only: int = 0) -> Iterator[int]:
    """Listen on *address*; yield the port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as sock:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        sock.bind((address, 0))
        sock.listen()
        yield sock.getsockname()[1]


REACHED = pytest.mark.parametrize(
    ("address", "only", "reached"),
    [
        (LOCAL, 0, {LOCAL}),
        (ANY, 0, {LOCAL}),
        ("127.0.0.2", 0, set()),
        (LOCAL6, 0, {LOCAL6}),
        (ANY6, 0, {LOCAL, LOCAL6}),
        (ANY6, 1, {LOCAL6}),
        ("::ffff:127.0.0.1", 0, {LOCAL}),
    ],
)
"""An address to listen on, whether for IPv6 alone, and where it is reached."""


@REACHED
def test_who_can_be_connected_to_is_seen(address: str, only: int, reached: set[str]) -> None:
    with closing(ListeningSockets()) as sockets, server(address, only=only) as port:
        sockets.look()
        found = {each for each in (LOCAL, LOCAL6) if sockets.at((each, port))}

    assert found == reached


def test_one_that_is_gone_is_seen_no_more_and_the_next_is_another() -> None:
    seen = []
    with closing(ListeningSockets()) as sockets:
        with server(LOCAL) as port:
            sockets.look()
            seen.append(sockets.at((LOCAL, port)))
        sockets.look()
        seen.append(sockets.at((LOCAL, port)))
        with socket.create_server((LOCAL, port)):
            sockets.look()
            seen.append(sockets.at((LOCAL, port)))

    assert [len(each) for each in seen] == [1, 0, 1]
    assert seen[0] != seen[2]


def test_an_answer_comes_in_parts_and_only_a_new_one_is_news(kernel: Kernel) -> None:
    first, second = message(1), message(2)
    kernel.answers = [
        [DONE],
        [first + second, DONE],
        [first + second, DONE],
        [first, second + DONE],
        [message(1, cookie=2), DONE],
    ]
    sockets = ListeningSockets()

    assert [sockets.look() for _ in range(4)] == [True, False, True, True]
    assert sockets.at((LOCAL, 1))
    assert not sockets.at((LOCAL, 2))


@pytest.mark.parametrize("parts", [[REFUSED], [message(1)], [], [message(1)] * 99, [b""] * 99])
def test_a_kernel_that_does_not_tell_is_an_error(kernel: Kernel, parts: list[bytes]) -> None:
    kernel.answers = [parts]

    with pytest.raises(OSError):  # noqa: PT011 -- the kernel has many
        ListeningSockets()
    assert kernel.is_closed


@pytest.mark.parametrize("told", [{"state": 1}, {"device": 7}, {"family": 1}])
def test_who_cannot_be_connected_to_does_not_listen(told: dict[str, int]) -> None:
    assert listeners(message(1, LOCAL, **told)) == {}
    assert listeners(message(1, device=1)).keys() == {(LOCAL, 1)}


def test_several_sockets_of_one_port_are_told_apart() -> None:
    found = listeners(message(1, cookie=1) + message(1, cookie=2) + message(1, ANY6, only=1))

    assert {place: len(cookies) for place, cookies in found.items()} == {
        (LOCAL, 1): 2,
        (ANY6, 1): 1,
    }


ANSWER = b"".join([message(1), message(2, ANY6), message(3, LOCAL6), DONE])


@given(st.integers(0, len(ANSWER)), st.binary(max_size=40), st.integers(0, 40))
def test_whatever_comes_can_be_read(start: int, put_in: bytes, left_out: int) -> None:
    listeners(ANSWER[:start] + put_in + ANSWER[start + left_out :])


@given(st.binary())
def test_noise_can_be_read(noise: bytes) -> None:
    listeners(noise)
