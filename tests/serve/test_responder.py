"""The small responder, asked over real sockets; it runs in a thread, so that coverage sees it."""

from __future__ import annotations

import _socket
import errno
import os
import posix
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any

import pytest

from gate.serve import exchange
from gate.serve import responder as module
from gate.serve.request_head import BRIEF, KUBELET, OPENMETRICS, BadRequestError, parse
from gate.serve.responder import IDLE_SECONDS, LINGER_SECONDS, Responder
from tests.process import PATIENCE
from tests.serve.hostile_requests import ODD, REFUSED
from tests.serve.tables import TABLE
from tests.serve.test_connections import assert_plain

CLOSE = b"Connection: close\r\n"


@contextmanager
def responding(**changes: Any) -> Iterator[int]:
    """A responder in a thread; yields its port."""
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    sock.bind(("127.0.0.1", 0))
    sock.listen(2048)
    sock.setblocking(False)
    port = int(sock.getsockname()[1])
    running = Responder(sock, {**TABLE, **changes})
    is_over = threading.Event()

    def run() -> None:
        while not is_over.is_set():
            running.turn()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield port
    finally:
        is_over.set()
        with suppress_os_error(), closing(connect(port)):
            thread.join(PATIENCE)
        for each in list(running.open.values()):
            running.drop(each)
        sock.close()


@contextmanager
def suppress_os_error() -> Iterator[None]:
    try:
        yield
    except OSError:
        return


@pytest.fixture
def port() -> Iterator[int]:
    with responding() as found:
        yield found


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def ask(port: int, head: bytes) -> tuple[bytes, bytes]:
    """Return status line and body for a request that ends its connection."""
    with closing(connect(port)) as sock:
        sock.sendall(head)
        return taken_apart(everything(sock))


def everything(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(1 << 20), b""))


def taken_apart(answer: bytes) -> tuple[bytes, bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0], body


def get(path: bytes, *headers: bytes, method: bytes = b"GET") -> bytes:
    fields = b"".join(header + b"\r\n" for header in headers)
    return b"%s %s HTTP/1.1\r\nHost: x\r\n%s%s\r\n" % (method, path, CLOSE, fields)


@pytest.mark.parametrize(
    ("request_", "status", "body"),
    [
        (get(b"/startupz"), b"200 OK", b"verbose"),
        (get(b"/startupz?brief"), b"200 OK", b"brief"),
        (get(b"/startupz?hold=25s&brief"), b"200 OK", b"brief"),
        (get(b"/startupz", b"User-Agent: kube-probe/1.36"), b"300 Multiple Choices", b"degraded"),
        (get(b"/startupz", b"User-Agent: curl kube-probe/"), b"200 OK", b"verbose"),
        (get(b"/startupz", method=b"HEAD"), b"200 OK", b""),
        (get(b"http://elsewhere/livez"), b"200 OK", b"ok"),
        (get(b"/metrics"), b"200 OK", b"prometheus"),
        (get(b"/metrics", b"Accept: application/openmetrics-text;v=1"), b"200 OK", b"openmetrics"),
        (get(b"/startupz/nobody"), b"404 Not Found", b"no part"),
        (get(b"/startupz/"), b"404 Not Found", b"unknown"),
        (get(b"/nothing"), b"404 Not Found", b"unknown"),
        (get(b"/livez", method=b"DELETE"), b"405 Method Not Allowed", b"not allowed"),
        (get(b"/nothing", method=b"PUT"), b"404 Not Found", b"unknown"),
        (get(b"*", method=b"OPTIONS"), b"404 Not Found", b"unknown"),
        (get(b"/livez", b"Content-Length: 5") + b"hello", b"200 OK", b"ok"),
        (get(b"/livez", b"Transfer-Encoding: chunked") + b"0\r\n\r\n", b"200 OK", b"ok"),
        (b"GET /livez HTTP/1.0\r\n\r\n", b"200 OK", b"ok"),
    ],
)
def test_it_sends_what_was_prepared(port: int, request_: bytes, status: bytes, body: bytes) -> None:
    assert ask(port, request_) == (b"HTTP/1.1 " + status, body)


@pytest.mark.parametrize(
    "request_",
    [
        *REFUSED.values(),
        b"GET  /livez HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /livez HTTP/1.1 \r\nHost: x\r\n\r\n",
        b"\r\n\r\n",
        b"G(T /livez HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nA: " + b"b" * 20_000,
    ],
    ids=range(len(REFUSED) + 5),
)
def test_what_is_no_request_is_refused(port: int, request_: bytes) -> None:
    status, _ = ask(port, request_)

    assert status == b"HTTP/1.1 400 Bad Request"


def test_whatever_is_called_like_a_part_is_only_to_be_read(port: int) -> None:
    status, body = ask(port, get(b"/startupz/nobody", method=b"POST"))

    assert (status, body) == (b"HTTP/1.1 405 Method Not Allowed", b"not allowed")


def test_a_refusal_says_why(port: int) -> None:
    status, body = ask(port, get(b"/startupz?hold=soon"))

    assert status == b"HTTP/1.1 400 Bad Request"
    assert body.startswith(b"hold: 'soon' is not a duration; ")
    assert body.endswith(b" or seconds\n")


@pytest.mark.parametrize("what", ODD)
def test_odd_requests_have_plain_answers(port: int, what: str) -> None:
    request, code = ODD[what]
    with closing(connect(port)) as sock:
        sock.sendall(request + CLOSE + b"\r\n")
        answer = everything(sock)

    assert int(answer.split()[1]) == code
    assert_plain(answer)


def test_a_head_may_come_byte_by_byte(port: int) -> None:
    with closing(connect(port)) as sock:
        for byte in get(b"/livez"):
            sock.sendall(bytes((byte,)))

        assert taken_apart(everything(sock)) == (b"HTTP/1.1 200 OK", b"ok")


def test_a_connection_is_kept_alive_and_requests_may_follow_at_once(port: int) -> None:
    kept = get(b"/livez").replace(CLOSE, b"")
    with closing(connect(port)) as sock:
        sock.sendall(kept)
        first = sock.recv(65536)
        sock.sendall(kept * 50 + get(b"/startupz"))
        rest = everything(sock)

    assert first.endswith(b"\r\n\r\nok")
    assert rest.count(b"HTTP/1.1 200 OK") == 51
    assert rest.endswith(b"\r\n\r\nverbose")


def test_a_thousand_requests_at_once_are_answered_one_after_the_other(port: int) -> None:
    request = get(b"/livez").replace(CLOSE, b"")
    with closing(connect(port)) as sock:
        sock.sendall(request * 1000 + get(b"/livez"))

        assert everything(sock).count(b"HTTP/1.1 200 ") == 1001


def test_http_1_0_is_kept_alive_where_it_asks_for_it(port: int) -> None:
    with closing(connect(port)) as sock:
        sock.sendall(b"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert sock.recv(65536).endswith(b"ok")
        sock.sendall(get(b"/livez"))
        assert everything(sock).endswith(b"ok")


def test_a_thousand_silent_clients_give_way_to_a_probe() -> None:
    with responding(most=40) as port, ExitStack() as silent:
        for _ in range(1000):
            silent.enter_context(closing(connect(port)))

        assert ask(port, get(b"/livez")) == (b"HTTP/1.1 200 OK", b"ok")


@contextmanager
def by_hand(clients: int, **changes: Any) -> Iterator[tuple[Responder, list[socket.socket]]]:
    """A responder that turns when told to, and so many clients of it."""
    with ExitStack() as stack:
        listener = stack.enter_context(closing(_socket.socket(_socket.AF_INET)))
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        listener.setblocking(False)
        running = Responder(listener, {**TABLE, **changes})
        port = int(listener.getsockname()[1])
        made = [stack.enter_context(closing(connect(port))) for _ in range(clients)]
        running.accept()
        yield running, made
        for each in list(running.open.values()):
            running.drop(each)


def test_of_too_many_clients_those_that_are_silent_longest_are_ended() -> None:
    with by_hand(5, most=3) as (running, clients):
        assert len(running.open) == 3
        assert [client.recv(1) for client in clients[:2]] == [b"", b""]


def test_a_client_that_has_gone_is_forgotten_and_wakes_nobody() -> None:
    with by_hand(1) as (running, (client,)):
        client.close()
        running.turn()

        assert running.open == {}
        assert running.poll.poll(0) == []


class Asleep:
    """A poll that notes for how long it is to sleep, and does not."""

    def __init__(self) -> None:
        self.waits: list[int | None] = []

    def poll(self, wait: int | None) -> list[tuple[int, int]]:
        self.waits.append(wait)
        return []

    def unregister(self, _: int) -> None: ...


@pytest.mark.parametrize(("clients", "longest"), [(0, None), (1, 10_001)])
def test_it_sleeps_until_somebody_asks_or_a_time_is_over(clients: int, longest: int | None) -> None:
    asleep = Asleep()
    with by_hand(clients) as (running, _):
        running.poll = asleep  # type: ignore[assignment]
        running.turn()

    (wait,) = asleep.waits
    assert wait == longest or 8_000 < (wait or 0) <= (longest or 0)


def test_it_sleeps_no_longer_than_the_first_time_that_is_over() -> None:
    asleep = Asleep()
    with by_hand(3) as (running, _):
        running.poll = asleep  # type: ignore[assignment]
        for each, seconds in zip(running.open.values(), (9.0, 5.0, 7.0), strict=True):
            each.deadline = time.monotonic() + seconds
        running.turn()
        next(iter(running.open.values())).deadline = time.monotonic() - 5
        running.turn()

    first, overdue = asleep.waits
    assert 3_000 < (first or 0) <= 5_001
    assert overdue == 0


def test_one_that_gives_way_in_the_turn_in_which_it_asks_is_not_served() -> None:
    with by_hand(1, most=1) as (running, (client,)):
        client.sendall(get(b"/livez"))
        with closing(connect(running.listener.getsockname()[1])):
            running.turn()

            assert len(running.open) == 1
            with pytest.raises(ConnectionResetError):
                client.recv(1)


def test_a_held_client_wakes_nobody_until_it_goes() -> None:
    with by_hand(1) as (running, (client,)):
        client.sendall(get(b"/status?hold=1h&seen=7"))
        running.turn()
        client.sendall(b"more")
        (held,) = running.open.values()

        assert held.held
        assert running.poll.poll(50) == []
        client.close()
        running.turn()
        assert running.open == {}


@pytest.mark.parametrize(
    ("is_head", "closes", "end"),
    [
        (False, False, b"\r\nbody"),
        (True, False, b"\r\n"),
        (False, True, CLOSE + b"\r\nbody"),
        (True, True, CLOSE + b"\r\n"),
    ],
)
def test_an_answer_goes_out_with_its_length_and_the_date(
    end: bytes, monkeypatch: pytest.MonkeyPatch, *, is_head: bool, closes: bool
) -> None:
    sunday = time.gmtime(1_000_000_800)
    monkeypatch.setattr(time, "gmtime", lambda: sunday)
    sent = exchange.written((b"A: b\r\n", b"body"), is_head=is_head, closes=closes)

    date = b"Date: Sun, 09 Sep 2001 02:00:00 GMT\r\n"
    assert sent == b"A: b\r\nContent-Length: 4\r\n" + date + end


HELD = get(b"/status?hold=1h&seen=7").replace(CLOSE, b"")


def test_so_many_are_held_for_their_time_and_the_next_one_is_answered_and_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_HELD", 2)
    with by_hand(3) as (running, clients):
        for client in clients:
            client.sendall(HELD)
            running.turn()
        ends = [each.deadline - time.monotonic() for each in running.open.values() if each.held]

        assert len(ends) == 2
        assert all(3500 < end <= 3600 for end in ends)
        assert clients[2].recv(65536).endswith(b"\r\n\r\nstatus")


@pytest.mark.parametrize(
    ("header", "seconds"), [(b"A: b", IDLE_SECONDS), (b"Content-Length: 9", LINGER_SECONDS)]
)
def test_after_an_answer_there_is_a_new_limit(header: bytes, seconds: float) -> None:
    with by_hand(1) as (running, (client,)):
        client.sendall(get(b"/livez", header).replace(CLOSE, b""))
        running.turn()
        (connection,) = running.open.values()

        assert seconds - 1 < connection.deadline - time.monotonic() <= seconds


def test_where_all_are_held_nobody_gives_way() -> None:
    with by_hand(1) as (running, (client,)):
        client.sendall(HELD)
        running.turn()
        running.give_way()

        assert [bool(each.held) for each in running.open.values()] == [True]


def test_after_a_hold_what_has_come_meanwhile_is_answered_and_what_comes_then() -> None:
    with by_hand(1) as (running, (client,)):
        client.sendall(HELD + get(b"/livez").replace(CLOSE, b""))
        running.turn()
        (held,) = running.open.values()
        assert select.select([client], [], [], 0)[0] == []
        running.expire(held)
        first = client.recv(65536)
        client.sendall(get(b"/startupz"))
        running.turn()

        assert first.count(b"HTTP/1.1 200 OK") == 2
        assert everything(client).endswith(b"verbose")


def test_what_stands_in_a_body_is_no_request(port: int) -> None:
    smuggled = get(b"/startupz")
    with closing(connect(port)) as sock:
        length = b"Content-Length: %d" % len(smuggled)
        sock.sendall(get(b"/livez", length).replace(CLOSE, b"") + smuggled)

        assert everything(sock).count(b"HTTP/1.1 ") == 1


def test_a_body_that_comes_after_the_answer_does_not_reset_it_away() -> None:
    with by_hand(1) as (running, (client,)):
        client.sendall(get(b"/livez", b"Content-Length: 100000"))
        running.turn()
        client.sendall(b"x" * 100_000)
        running.turn()

        assert everything(client).endswith(b"ok")


def test_a_client_that_was_handed_over_with_its_request_is_answered_at_once() -> None:
    ours, theirs = socket.socketpair()
    with by_hand(0) as (running, _), closing(theirs):
        running.add(exchange.Connection(_socket.socket(fileno=ours.detach()), get(b"/livez")))

        assert everything(theirs).endswith(b"ok")


def test_a_client_that_is_forgotten_already_is_forgotten() -> None:
    with by_hand(1) as (running, _):
        (connection,) = running.open.values()
        running.drop(connection)
        running.drop(connection)

        assert running.open == {}


class Exhausted:
    """A listener of a process that has no descriptor left."""

    def _accept(self) -> None:
        raise OSError(errno.EMFILE, "too many open files")


def test_without_a_descriptor_for_the_next_client_one_gives_way() -> None:
    with by_hand(3) as (running, clients):
        running.listener = Exhausted()  # type: ignore[assignment]
        running.accept()

        assert len(running.open) == 2
        assert clients[0].recv(1) == b""


def test_a_client_that_goes_before_its_answer_is_forgotten() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with by_hand(0) as (running, _):
        running.add(exchange.Connection(_socket.socket(fileno=ours.detach()), get(b"/livez")))

        assert running.open == {}


def test_once_all_is_written_only_what_comes_wakes_it() -> None:
    with by_hand(1) as (running, _):
        (connection,) = running.open.values()
        connection.lingering = True
        running.poll.modify(connection.sock.fileno(), select.POLLOUT)
        running.send(connection, (b"", b"body"), is_head=False)

        assert running.poll.poll(0) == []


def test_a_log_that_nobody_reads_stops_nobody() -> None:
    kept, (reader, writer) = os.dup(2), os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while os.write(writer, b"x" * 65536):
            pass
    os.set_blocking(writer, True)
    os.dup2(writer, 2)
    try:
        logging = threading.Thread(target=exchange.log, args=[("", "%S", "lost")], daemon=True)
        logging.start()
        logging.join(PATIENCE)
        assert not logging.is_alive()
    finally:
        os.dup2(kept, 2)
        for fd in (kept, reader, writer):
            os.close(fd)


def test_a_client_that_a_fault_has_met_is_ended_in_that_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "parse", None)
    with by_hand(1) as (running, (client,)):
        client.sendall(get(b"/livez"))
        running.turn()

        assert running.open == {}


@pytest.mark.parametrize(
    ("form", "stamp"), [("%H:%M:%S.", "00:16:41.007812Z"), ("%H:%M:%S", "00:16:41"), ("", None)]
)
def test_at_the_end_the_held_are_answered_and_the_log_has_its_last_line(
    form: str, stamp: str | None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(posix, "_exit", sys.exit)
    monkeypatch.setattr(time, "time", lambda: 1001.0078125)
    last_line = ("", form, " gate.stopping\n")
    with by_hand(2, last_line=last_line) as (running, (held, _)):
        held.sendall(get(b"/status?hold=1h&seen=7"))
        running.turn()
        with pytest.raises(SystemExit) as left:
            running.stop()

        assert left.value.code == 0
        assert held.recv(65536).endswith(b"\r\nConnection: close\r\n\r\nstopping")
        assert capfd.readouterr().err == (f"{stamp} gate.stopping\n" if stamp else "")


def test_a_hold_is_not_looked_at_where_nothing_is_held(port: int) -> None:
    assert ask(port, get(b"/livez?hold=soon")) == (b"HTTP/1.1 200 OK", b"ok")


def test_status_is_held_until_the_hold_is_over(port: int) -> None:
    with closing(connect(port)) as sock:
        sock.sendall(get(b"/status?hold=300ms&seen=7"))
        sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        sock.settimeout(PATIENCE)

        assert everything(sock).endswith(b"\r\n\r\nstatus")


def test_another_revision_is_answered_at_once(port: int) -> None:
    assert ask(port, get(b"/status?hold=1h&seen=6"))[1] == b"status"


def test_a_verdict_is_not_held_any_more_whatever_is_asked(port: int) -> None:
    assert ask(port, get(b"/startupz?hold=1h&seen=7"))[1] == b"verbose"


def test_a_head_may_be_asked_for_and_held(port: int) -> None:
    found = ask(port, get(b"/status?hold=10ms&seen=7", method=b"HEAD"))

    assert found == (b"HTTP/1.1 200 OK", b"")


def test_so_many_are_held_and_those_who_leave_make_room(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_HELD", 2)
    held = get(b"/status?hold=1h&seen=7")
    with ExitStack() as stack:
        waiting = [stack.enter_context(closing(connect(port))) for _ in range(2)]
        for sock in waiting:
            sock.sendall(held)
        answered_at_once = ask(port, held)
        waiting[0].close()
        third = stack.enter_context(closing(connect(port)))
        until(lambda: is_silent(third, held))

    assert answered_at_once[1] == b"status"


def is_silent(sock: socket.socket, request: bytes) -> bool:
    """Whether *request* is held on *sock*: no answer comes in a while."""
    sock.sendall(request.replace(CLOSE, b""))
    sock.settimeout(0.2)
    try:
        sock.recv(65536)
    except TimeoutError:
        return True
    return False


def until(is_so: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end


def test_a_client_that_reads_slowly_gets_all_and_delays_nobody() -> None:
    body = b"x" * 20_000_000  # more than any buffer takes
    head = TABLE["bad"]
    routes = {**TABLE["routes"], b"/": (0, {0: (head, body)}, False)}
    with responding(routes=routes) as port, closing(connect(port)) as slow:
        slow.sendall(get(b"/").replace(CLOSE, b"") + get(b"/livez"))
        meanwhile = [ask(port, get(b"/livez"))[1] for _ in range(20)]

        assert meanwhile == [b"ok"] * 20
        answers = everything(slow)
        assert len(answers) > len(body)
        assert answers.endswith(b"\r\n\r\nok")


@pytest.mark.parametrize("sent", [b"", b"GET /livez HTTP/1.1\r\nHost"])
def test_a_head_that_does_not_come_ends_the_connection(
    port: int, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "HEAD_SECONDS", 0.05)
    with closing(connect(port)) as sock:
        sock.sendall(sent)
        assert everything(sock) == b""


def test_an_idle_connection_is_ended(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.05)
    with closing(connect(port)) as sock:
        sock.sendall(get(b"/livez").replace(CLOSE, b""))
        assert everything(sock).endswith(b"ok")


def test_a_fault_with_one_client_ends_that_one_alone(
    port: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(module, "parse", None)
        with closing(connect(port)) as sock:
            sock.sendall(get(b"/livez"))
            assert everything(sock) == b""

    assert ask(port, get(b"/livez"))[1] == b"ok"
    assert "gate.fault reason=TypeError" in capfd.readouterr().err


def test_flags_say_who_asks_and_for_what() -> None:
    head = (
        b"GET / HTTP/1.1\r\nhost: x\r\nuser-agent: kube-probe/1\r\n"
        b"ACCEPT: application/openmetrics-text"
    )

    assert parse(head)[3]["flags"] == KUBELET | OPENMETRICS
    assert not parse(head)[3]["flags"] & BRIEF


def test_a_request_without_a_method_is_refused() -> None:
    with pytest.raises(BadRequestError):
        parse(b" / HTTP/1.1\r\nHost: x")


def test_a_length_that_is_none_is_refused() -> None:
    with pytest.raises(BadRequestError):
        parse(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1_0")
