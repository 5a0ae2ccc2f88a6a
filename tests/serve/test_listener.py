from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys

import pytest

from gate.core.errors import ListenError
from gate.serve import listener
from tests.conftest import free_port, nobody
from tests.process import PATIENCE, environment

WITHOUT_IPV6 = """
import errno, os, socket, sys

class Socket(socket.socket):
    def __init__(self, family=-1, *arguments, **more):
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        super().__init__(family, *arguments, **more)

socket.socket = Socket
sys.argv = ["gate", "serve", "--allow-empty", "on"]
from gate.__main__ import run
run()
"""
"""What a kernel started with `ipv6.disable=1` does; a sysctl leaves the family there."""

STUCK_IN_IMPORTS = """
import sys

class Stuck:
    def find_spec(self, name, path=None, target=None):
        if name == "gate.cli":
            print("importing", flush=True)
            sys.stdin.read()

sys.meta_path.insert(0, Stuck())
sys.argv = ["gate", "serve"]
from gate.__main__ import run
run()
"""
"""A `serve` that takes for ever to import what it needs."""


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_all_addresses_means_both_families(family: socket.AddressFamily) -> None:
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    with listener.open_socket("", free_port()) as sock, socket.socket(family) as client:
        client.connect((host, sock.getsockname()[1]))


def test_a_port_that_is_taken_says_so_and_what_to_do() -> None:
    with listener.open_socket("", free_port()) as first:
        port = first.getsockname()[1]
        with pytest.raises(ListenError) as caught:
            listener.open_socket("", port)

    assert str(caught.value) == (
        f"cannot listen on all addresses, port {port}: address already in use; another container "
        "of this pod (with hostNetwork: anything on this node) has the port; set GATE_LISTEN, "
        "and the port of the probe with it"
    )


def test_an_address_that_this_machine_does_not_have() -> None:
    with pytest.raises(ListenError, match=r"this pod has no such address; set GATE_LISTEN=:PORT"):
        listener.open_socket("192.0.2.1", free_port())


def test_a_low_port_needs_a_right() -> None:
    with nobody(), pytest.raises(ListenError, match="ports below 1024 need a capability"):
        listener.open_socket("127.0.0.1", 81)


def test_no_ipv6_falls_back_to_ipv4() -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", WITHOUT_IPV6],
        env=environment(port),
        stderr=subprocess.PIPE,
        text=True,
    ) as gate:
        assert gate.stderr is not None
        started = json.loads(gate.stderr.readline())
        gate.terminate()

    assert started["listen"] == f"0.0.0.0:{port}"


def test_it_listens_before_it_imports_and_ends_on_a_signal_meanwhile() -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", STUCK_IN_IMPORTS],
        env=environment(port),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as gate:
        assert gate.stdout is not None
        assert gate.stdout.readline() == "importing\n"
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        gate.send_signal(signal.SIGTERM)
        code = gate.wait(timeout=PATIENCE)

    assert code == 0


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

    sock = listener.early(given, {"GATE_LISTEN": f"127.0.0.2:{port}"})

    assert isinstance(sock, socket.socket)
    with sock:
        assert sock.getsockname() == (host, port)


def test_what_cannot_be_read_is_left_to_the_configuration() -> None:
    assert listener.early([], {"GATE_LISTEN": "tcp://10.0.0.1:80"}) is None
