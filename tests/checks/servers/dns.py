"""DNS servers: Debian's dnsmasq, and one that answers as no real one can be made to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode

from tests.checks.servers.daemon import Daemon, running
from tests.conftest import free_port, needs

RECORDS = (
    "--local=/test/",  # unknown names below it do not exist; others are refused
    "--host-record=db.test,10.0.0.1,fd00::1",
    "--host-record=four.test,10.0.0.4",
    *(f"--host-record=two.test,10.0.1.{number}" for number in (1, 2)),
    "--srv-host=_pg._tcp.db.test,db.test,5432",
    "--mx-host=mail.test,mx.test,10",
    "--cname=alias.test,db.test",
    f"--dns-rr=note.test,16,0c{b'hello, world'.hex()}",
    "--txt-record=order.test,as written",
    "--txt-record=order.test.test,searched for",
    *(f"--txt-record=long.test,{number:03}{'x' * 200}" for number in range(10)),
    "--dns-rr=zone.test,2,026e73047465737400",
)
"""An NS record, `ns.test`, and a text with a comma are to be had in hexadecimal only."""


@contextmanager
def dnsmasq(folder: Path, port: int) -> Iterator[Daemon]:
    """A dnsmasq on 127.0.0.1."""
    command = [
        *(needs("dnsmasq", "dnsmasq-base"), "--keep-in-foreground", "--conf-file=/dev/null"),
        *("--no-resolv", "--no-hosts", "--log-facility=-", "--pid-file=", "--user=root"),
        *("--listen-address=127.0.0.1", "--bind-interfaces", f"--port={port}", *RECORDS),
    ]

    def is_up() -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", port)) == 0

    with running(command, port=port, log_file=folder / "dnsmasq.log", is_up=is_up) as daemon:
        yield daemon


class Odd(asyncio.DatagramProtocol):
    """Answers each question as it is told to; an empty answer is none."""

    def __init__(self, answer: Callable[[dns.message.Message], bytes]) -> None:
        self.answer = answer
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if answer := self.answer(dns.message.from_wire(data)):
            self.transport.sendto(answer, addr)


@asynccontextmanager
async def odd_server(answer: Callable[[dns.message.Message], bytes]) -> AsyncIterator[int]:
    """Yield the UDP port of a server that answers so; the same port is free for TCP."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Odd(answer), local_addr=("127.0.0.1", free_port())
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


def with_code(code: dns.rcode.Rcode) -> Callable[[dns.message.Message], bytes]:
    """Answer every question with the response code."""

    def answer(question: dns.message.Message) -> bytes:
        response = dns.message.make_response(question)
        response.set_rcode(code)
        return response.to_wire()

    return answer


def truncated(question: dns.message.Message) -> bytes:
    """Answer that the answer is to be asked for over TCP."""
    response = dns.message.make_response(question)
    response.flags |= dns.flags.TC
    return response.to_wire()
