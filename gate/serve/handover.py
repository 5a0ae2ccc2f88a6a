"""After the opening: prepare every answer, and become the small responder.

What still needs the full process keeps it: monitored dependencies, events or a condition that are
yet to be written, a trace that is yet to be sent. Then the process replaces itself (`exec`, same
PID) and hands over the listening socket, so that no request is lost: those under way are answered
first, those that wait in the kernel's queue afterwards.
"""

from __future__ import annotations

import asyncio
import errno
import marshal
import os
import signal
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import gate
from gate.serve import answers, connections
from gate.serve.request_head import BRIEF, KUBELET, OPENMETRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gate.runtime.board import Board
    from gate.serve.answers import Answer, Answers
    from gate.serve.server import Server

    Prepared = tuple[bytes, bytes]

_OPENMETRICS_ACCEPT = "application/openmetrics-text; version=1.0.0"
_SIGNALS = {signal.SIGTERM, signal.SIGINT}
_BOOT = """\
import sys
sys.path.append({root!r})
from gate.serve.responder import main
main({listener}, {table})
"""


def table(board: Board, made: Answers, lines: dict[str, tuple[str, str, str]]) -> dict[str, Any]:
    """Return what the responder answers, as values that `marshal` takes.

    A route is (which of the request's flags matter, flags to answer, whether `hold` waits).
    """
    parts = {
        f"{answers.PARTS}{name}".encode(): _verdict(lambda one=name, **how: made.part(one, **how))
        for name in board.part_names
    }
    return {
        "routes": {
            b"/startupz": _verdict(made.startup),
            **parts,
            b"/readyz": _plain(made.readiness()),
            b"/livez": _plain(made.liveness()),
            b"/healthz": _plain(made.liveness()),
            b"/status": (0, {0: prepared(made.status())}, True),
            b"/metrics": (OPENMETRICS, _of_metrics(made), False),
            b"/": _plain(made.page()),
        },
        "unknown": prepared(answers.unknown("/nothing")),
        "not_allowed": prepared(answers.unknown("/livez")),
        "no_part": prepared(made.part("", brief=True, is_kubelet=False)),
        "bad": _head(answers.bad_request("")),
        "stopping": prepared(answers.text(503, "gate is stopping\n")),
        "revision": str(board.latch.revision).encode(),
        "most": connections.most(),
        **lines,
        "connections": [],
    }


def _verdict(make: Callable[..., Answer]) -> tuple[int, dict[int, Prepared], bool]:
    variants = {
        flags: prepared(make(brief=bool(flags & BRIEF), is_kubelet=bool(flags & KUBELET)))
        for flags in (0, KUBELET, BRIEF, KUBELET | BRIEF)
    }
    return KUBELET | BRIEF, variants, False


def _plain(answer: Answer) -> tuple[int, dict[int, Prepared], bool]:
    return 0, {0: prepared(answer)}, False


def _of_metrics(made: Answers) -> dict[int, Prepared]:
    return {
        0: prepared(made.metrics("")),
        OPENMETRICS: prepared(made.metrics(_OPENMETRICS_ACCEPT)),
    }


def prepared(answer: Answer) -> Prepared:
    """Return head and body of *answer*, without what differs from one time to the next."""
    return _head(answer), answer.body


def _head(answer: Answer) -> bytes:
    status = HTTPStatus(answer.status)
    headers = (*answers.HEADERS, ("Content-Type", answer.content_type), *answer.headers)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{k}: {v}" for k, v in headers), ""]
    return "\r\n".join(lines).encode()


async def become_responder(
    ready: dict[str, Any], server: Server, is_ending: Callable[[], bool]
) -> OSError | None:
    """Replace this process by one that answers from the table *ready*.

    Return why that failed, or None where the gate is told to end.

    Signals are blocked across the exec, so that one which comes meanwhile is heeded afterwards.
    """
    listener, waiting = await server.hand_over()
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        # A signal that came just before is in the loop's pipe by now: let the loop heed it.
        await asyncio.sleep(0.001)
        if not is_ending():
            ready["connections"] = waiting
            _execute(listener, marshal.dumps(ready), (fd for fd, _ in waiting))
    except OSError as exc:
        await server.take_back()
        return exc
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    return None


def _execute(listener: int, data: bytes, others: Iterable[int]) -> None:
    """Replace the process; raises `OSError`."""
    if not hasattr(os, "memfd_create"):
        raise OSError(errno.ENOSYS, "only Linux has files in memory")
    holder = os.memfd_create("gate-answers")
    try:
        with open(os.dup(holder), "wb") as file:  # noqa: PTH123 -- a descriptor
            file.write(data)
        for fd in (listener, holder, *others):
            os.set_inheritable(fd, True)
        root = os.path.dirname(os.path.dirname(gate.__file__))  # noqa: PTH120 -- pathlib is dear at the start
        code = _BOOT.format(root=root, listener=listener, table=holder)
        os.execv(sys.executable, [sys.executable, "-IS", "-c", code])  # noqa: S606 -- that is the purpose
    finally:
        os.close(holder)
