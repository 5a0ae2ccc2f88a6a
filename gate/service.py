"""`gate serve`: the board behind HTTP endpoints, for the life of the pod."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from gate import __version__, record
from gate.model import Happening, Phase
from gate.server import make_app
from gate.watching import Job, end, ended_by, make_board, work

if TYPE_CHECKING:
    import asyncio
    import socket

    from gate.board import Board
    from gate.model import Snapshot, Transition

_GOODBYE = 0.1
"""Seconds for held requests to get their answer: gate ends within 200 ms of SIGTERM."""


async def serve(job: Job, sock: socket.socket) -> int:
    """Serve on *sock* until SIGTERM or SIGINT; return the exit code.

    0: a sidecar that was told to stop has not failed; 1: `GATE_ON_TIMEOUT=exit`.
    """
    settings = job.settings
    # A disabled gate has found nothing ready: its opening is not to be remembered.
    path = None if settings.disabled else settings.state_file
    observers = [] if path is None else [_Marker(path, job).observe]
    board = make_board(job, timeout=settings.timeout, observers=observers)
    ended = ended_by({signal.SIGTERM: 0, signal.SIGINT: 0})
    app = make_app(board, tell_degraded=settings.degraded_event)
    runner = web.AppRunner(
        app, access_log=None, handler_cancellation=True, shutdown_timeout=_GOODBYE
    )
    await runner.setup()
    try:
        await web.SockSite(runner, sock).start()
        _announce(job, sock)
        _open_at_once(job, board)
        code = await work(job, board, ended, _exit_when_overdue(job, board, ended))
        job.logger.info("gate.stopping", open=board.latch.is_open)
        return code
    finally:
        board.stop()
        await runner.cleanup()


def _announce(job: Job, sock: socket.socket) -> None:
    host, port = sock.getsockname()[:2]
    job.logger.info(
        "gate.started",
        version=__version__,
        listen=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        dependencies=[watch.dependency.name for watch in job.watches],
    )


def _open_at_once(job: Job, board: Board) -> None:
    """Open where nothing is to be waited for: disabled, opened before, or nothing given."""
    if job.settings.disabled:
        board.open(f"opened without checking: disabled: {job.settings.disabled}")
    elif _has_opened_before(job):
        job.logger.info("gate.restored", state_file=job.settings.state_file)
        board.open()
    else:
        board.tick()


def _has_opened_before(job: Job) -> bool:
    path = job.settings.state_file
    try:
        return path is not None and record.has_opened(path)
    except OSError as exc:
        job.complain("state_file.unreadable", path, exc)
        return False


async def _exit_when_overdue(job: Job, board: Board, ended: asyncio.Future[int]) -> None:
    if job.settings.on_timeout != "exit":
        return
    while (phase := board.snapshot().phase) is Phase.WAITING:
        await board.changed()
    if phase is Phase.OVERDUE:
        end(ended, 1)


@dataclass(frozen=True, slots=True)
class _Marker:
    """Leaves the mark of the opening for a gate that restarts in this pod."""

    path: str
    job: Job

    def observe(self, transition: Transition, _snapshot: Snapshot) -> None:
        """Write it at the opening."""
        if transition.happening is not Happening.GATE_OPENED:
            return
        try:
            record.mark_opened(self.path)
        except OSError as exc:
            self.job.complain("state_file.unwritable", self.path, exc)
