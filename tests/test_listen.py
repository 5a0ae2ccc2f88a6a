from __future__ import annotations

import socket

import pytest

from gate import listen
from gate.errors import ListenError
from tests.conftest import free_port, nobody


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_all_addresses_means_both_families(family: socket.AddressFamily) -> None:
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    with listen.open_socket("", free_port()) as sock, socket.socket(family) as client:
        client.connect((host, sock.getsockname()[1]))


def test_a_port_that_is_taken_says_so_and_what_to_do() -> None:
    with listen.open_socket("", free_port()) as first:
        port = first.getsockname()[1]
        with pytest.raises(ListenError) as caught:
            listen.open_socket("", port)

    assert str(caught.value) == (
        f"cannot listen on all addresses, port {port}: address already in use; another container "
        "of this pod (with hostNetwork: anything on this node) has the port; set GATE_LISTEN, "
        "and the port of the probe with it"
    )


def test_an_address_that_this_machine_does_not_have() -> None:
    with pytest.raises(ListenError, match=r"this pod has no such address; set GATE_LISTEN=:PORT"):
        listen.open_socket("192.0.2.1", free_port())


def test_a_low_port_needs_a_right() -> None:
    with nobody(), pytest.raises(ListenError, match="ports below 1024 need a capability"):
        listen.open_socket("127.0.0.1", 81)


@pytest.mark.parametrize(
    ("arguments", "host"),
    [
        (["--listen", "127.0.0.1:{port}"], "127.0.0.1"),
        (["--listen=127.0.0.1:{port}"], "127.0.0.1"),
        (["--timeout", "3s"], "127.0.0.2"),
        ([], "127.0.0.2"),
    ],
)
def test_the_flag_wins_over_the_variable(arguments: list[str], host: str) -> None:
    port = free_port()
    given = [argument.format(port=port) for argument in arguments]

    sock = listen.early(given, {"GATE_LISTEN": f"127.0.0.2:{port}"})

    assert isinstance(sock, socket.socket)
    with sock:
        assert sock.getsockname() == (host, port)


def test_what_cannot_be_read_is_left_to_the_configuration() -> None:
    assert listen.early([], {"GATE_LISTEN": "tcp://10.0.0.1:80"}) is None
