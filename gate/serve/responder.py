"""The small responder that `serve` turns into: it only sends answers that were prepared.

After the opening every answer that gate will ever give is known, so the process replaces itself by
this one: same PID, same listening socket, a few megabytes instead of dozens. This is the only HTTP
that gate writes by hand: an HTTP library costs more memory than all that is left to do, and what a
request can ask for here is a short table. So nothing is imported but modules that are part of the
interpreter, and `gate.serve.request_head`, which needs no more.

Everything is bounded: a head has 10 s and 16 KiB, an idle connection 15 s, and of too many
connections the one that has been silent longest gives way. One thread, one `poll`, no timer while
nobody asks.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # it has no stub
import _socket
import marshal
import posix
import select
import time

from gate.runtime.unused_pages import give_back
from gate.serve.exchange import Connection, log, written
from gate.serve.request_head import BRIEF, BadRequestError, hold, parse

TYPE_CHECKING = False  # not from typing, which would cost a quarter of all memory here
if TYPE_CHECKING:
    from typing import Any, NoReturn

IDLE_SECONDS, LINGER_SECONDS = 15.0, 1.0
LONGEST_HEAD = 16 * 1024
MOST_HELD = 100
_BATCH = 16
_CLOSED = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class Responder:
    """Answers on a listening socket from *table*, see `gate.serve.handover`."""

    def __init__(self, listener: _socket.socket, table: dict[str, Any]) -> None:
        self.listener = listener
        self.table = table
        self.open: dict[int, Connection] = {}
        self.poll = select.poll()
        self.poll.register(listener.fileno(), select.POLLIN)

    def turn(self) -> None:
        """Wait for something to happen, and deal with it."""
        now = time.monotonic()
        ends = [each.deadline for each in self.open.values()]
        wait = max(0, round((min(ends) - now) * 1000) + 1) if ends else None
        for fd, event in self.poll.poll(wait):
            if fd == self.listener.fileno():
                self.accept()
            elif (connection := self.open.pop(fd, None)) is not None:
                self.open[fd] = connection  # the last to give way
                self.serve(connection, event)
        now = time.monotonic()
        for connection in [each for each in self.open.values() if each.deadline <= now]:
            self.expire(connection)

    def accept(self) -> None:
        """Take a few new connections in; each one too many ends the one that is silent longest."""
        for _ in range(_BATCH):
            try:
                fd, _ = self.listener._accept()  # type: ignore[attr-defined]  # noqa: SLF001 -- `_socket` has no other
            except BlockingIOError:
                return
            except OSError:
                # Out of descriptors, or the client is gone.
                self.give_way()
                return
            self.add(Connection(_socket.socket(fileno=fd)))

    def add(self, connection: Connection) -> None:
        """Serve one more client."""
        connection.sock.setblocking(False)
        self.open[connection.sock.fileno()] = connection
        self.poll.register(connection.sock.fileno(), select.POLLIN)
        if len(self.open) > self.table["most"]:
            self.give_way()
        self.answer_all(connection)

    def give_way(self) -> None:
        """End the connection that has been silent longest, unless it is held on purpose."""
        idle = (each for each in self.open.values() if not each.held)
        if (oldest := next(idle, None)) is not None:
            self.drop(oldest)

    def drop(self, connection: Connection) -> None:
        """Forget a client."""
        fd = connection.sock.fileno()
        if self.open.pop(fd, None) is not None:
            self.poll.unregister(fd)
        connection.sock.close()

    def expire(self, connection: Connection) -> None:
        """Deal with a client whose time is over: a held one gets its answer."""
        if connection.held:
            connection.write, connection.held = connection.held, b""
            self.flush(connection)
            self.answer_all(connection)
        else:
            self.drop(connection)

    def serve(self, connection: Connection, event: int) -> None:
        """Read from a client, or write on."""
        try:
            if event & select.POLLOUT:
                self.flush(connection)
                self.answer_all(connection)
            elif connection.held:
                self.drop(connection)  # it has gone: nothing else wakes a held one
            else:
                data = connection.sock.recv(65536)
                connection.read = b"" if connection.lingering else connection.read + data
                if data:
                    self.answer_all(connection)
                else:
                    self.drop(connection)
        except BlockingIOError:
            return
        except OSError:
            self.drop(connection)
        except Exception as exc:  # noqa: BLE001 -- one client must not end the answers to the kubelet
            self.drop(connection)
            log(self.table["fault"], type(exc).__name__)

    def answer_all(self, connection: Connection) -> None:
        """Answer what has come completely, one after the other."""
        while not (connection.write or connection.held or connection.closing):
            head, end, rest = connection.read.partition(b"\r\n\r\n")
            if not end and len(connection.read) <= LONGEST_HEAD and b"\n\n" not in head:
                return
            connection.read = rest
            try:
                self.answer(connection, head if end else b"")
            except BadRequestError as exc:
                connection.closing = connection.lingering = True
                body = f"{exc}\n".encode()
                self.send(connection, (self.table["bad"], body), is_head=False)

    def answer(self, connection: Connection, head: bytes) -> None:
        """Send the answer to the request *head*, or hold it; raises `BadRequestError`."""
        method, path, query, headers = parse(head)
        connection.closing = bool(headers["close"] or headers["body"])
        connection.lingering = bool(headers["body"])
        route = self.table["routes"].get(path)
        is_part = path.startswith(b"/startupz/") and path != b"/startupz/"
        if method not in {b"GET", b"HEAD"}:
            chosen = self.table["not_allowed" if route or is_part else "unknown"]
        elif route is None:
            chosen = self.table["no_part" if is_part else "unknown"]
        else:
            mask, variants, is_held = route
            seconds = hold(query) if mask & BRIEF or is_held else 0.0
            flags = headers["flags"] | (BRIEF if b"brief" in query else 0)
            chosen = variants[flags & mask]
            if seconds and is_held and query.get(b"seen") == self.table["revision"]:
                self.hold(connection, chosen, seconds, is_head=method == b"HEAD")
                return
        self.send(connection, chosen, is_head=method == b"HEAD")

    def hold(
        self, connection: Connection, answer: tuple[bytes, bytes], seconds: float, *, is_head: bool
    ) -> None:
        """Send *answer* after *seconds*, as nothing changes any more; at once if too many wait."""
        if sum(1 for each in self.open.values() if each.held) >= MOST_HELD:
            self.send(connection, answer, is_head=is_head)
            return
        connection.held = written(answer, is_head=is_head, closes=connection.closing)
        connection.deadline = time.monotonic() + seconds
        self.poll.modify(connection.sock.fileno(), _CLOSED)

    def send(self, connection: Connection, answer: tuple[bytes, bytes], *, is_head: bool) -> None:
        """Send *answer*, as much of it as the client takes now."""
        connection.write = written(answer, is_head=is_head, closes=connection.closing)
        self.flush(connection)

    def flush(self, connection: Connection) -> None:
        """Write on; a client that does not read has 15 s."""
        fd = connection.sock.fileno()
        try:
            sent = connection.sock.send(connection.write)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.drop(connection)
            return
        connection.write = connection.write[sent:]
        connection.deadline = time.monotonic() + IDLE_SECONDS
        if connection.write:
            self.poll.modify(fd, select.POLLOUT)
        elif connection.lingering:
            # What else comes is thrown away: to close at once would reset the answer away.
            connection.sock.shutdown(_socket.SHUT_WR)
            connection.deadline = time.monotonic() + LINGER_SECONDS
            self.poll.modify(fd, select.POLLIN)
        elif connection.closing:
            self.drop(connection)
        else:
            self.poll.modify(fd, select.POLLIN)

    def stop(self) -> NoReturn:
        """Answer those that are held, log, and end."""
        for connection in self.open.values():
            if connection.held:
                answer = written(self.table["stopping"], is_head=False, closes=True)
                try:
                    connection.sock.send(answer)
                except OSError:
                    continue
        log(self.table["last_line"])
        posix._exit(0)  # noqa: SLF001 -- nothing is left to clean up


def main(listener_fd: int, table_fd: int) -> NoReturn:
    """Take over: *listener_fd* listens, and *table_fd* holds the table; both are this process's."""
    size = posix.lseek(table_fd, 0, 2)
    table = marshal.loads(posix.pread(table_fd, size, 0))  # noqa: S302 -- written by this very process
    posix.close(table_fd)
    listener = _socket.socket(fileno=listener_fd)
    listener.setblocking(False)
    responder = Responder(listener, table)
    # As PID 1 it inherits orphans: the kernel clears them away, but those that have ended by now.
    _signal.signal(_signal.SIGCHLD, _signal.SIG_IGN)
    try:
        while posix.waitpid(-1, posix.WNOHANG)[0]:
            continue
    except ChildProcessError:
        pass
    for number in (_signal.SIGTERM, _signal.SIGINT):
        _signal.signal(number, lambda *_: responder.stop())
    # Blocked since before the exec: one that came meanwhile is heeded now.
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, {_signal.SIGTERM, _signal.SIGINT})
    for fd, read in table["connections"]:
        responder.add(Connection(_socket.socket(fileno=fd), read))
    give_back()
    while True:
        responder.turn()
