"""`gate serve`: the board behind HTTP endpoints, for the life of the pod."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from aiohttp import web

from gate import __version__, statefile, status
from gate.model import Happening, Phase
from gate.server import make_app
from gate.supervisor import end, ended_by, work
from gate.threads import aside
from gate.watching import Job, make_board

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Awaitable

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
    board = make_board(
        job,
        timeout=settings.timeout,
        open_on_timeout=settings.on_timeout == "open",
        observers=observers,
    )
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
        others = [_exit_when_overdue(job, board, ended), *_reported(job, board)]
        code = await work(job.watches, board, ended, *job.reminders(board), *others)
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
    """Open where nothing is to be waited for: disabled, or opened before."""
    if job.settings.disabled:
        board.open(f"opened without checking: disabled: {job.settings.disabled}")
    elif _has_opened_before(job):
        job.logger.info("gate.restored", state_file=job.settings.state_file)
        board.open()


def _has_opened_before(job: Job) -> bool:
    path = job.settings.state_file
    try:
        return path is not None and statefile.has_opened(path)
    except OSError as exc:
        job.complain("state_file.unreadable", path, exc)
        return False


def _reported(job: Job, board: Board) -> list[Awaitable[None]]:
    """Return what tells others of the wait, where that is wanted; unasked nothing is loaded."""
    tasks: list[Awaitable[None]] = []
    if job.settings.events or job.settings.pod_condition:
        tasks.append(_report(job, board))
    if _is_traced():
        tasks.append(_trace(job, board))
    return tasks


async def _report(job: Job, board: Board) -> None:
    """Tell the API server; httpx takes long to load, and checks and probes must not wait."""
    reports = await aside(import_module, "gate.reports")
    await reports.follow(job.settings, board, job.logger)


def _is_traced() -> bool:
    """Whether OpenTelemetry's own variables say where a trace goes, and that it is wanted."""
    endpoints = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    is_off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    exporters = (os.environ.get("OTEL_TRACES_EXPORTER") or "otlp").replace(" ", "").split(",")
    return "otlp" in exporters and not is_off and any(map(os.environ.get, endpoints))


async def _trace(job: Job, board: Board) -> None:
    """Send the wait as a trace once it is over; nothing waits for that."""
    await board.opened()
    try:
        reason = await aside(_send_trace, json.dumps(status.document(board)))
    except Exception as exc:  # noqa: BLE001 -- a trace is an extra: it must never end the gate
        reason = f"{type(exc).__name__}: {exc}"
    if reason:
        job.logger.warning("trace.not_sent", reason=reason)


def _send_trace(document: str) -> str:
    """Return why the trace could not be sent, in a thread: both import and sending take long."""
    try:
        tracing = import_module("gate.tracing")
    except ModuleNotFoundError as exc:
        if not (exc.name or "").startswith("opentelemetry"):
            raise
        return "OpenTelemetry is not installed; pip install 'gate[otel]'"
    reason: str = tracing.send(json.loads(document))
    return reason


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
            statefile.mark_opened(self.path)
        except OSError as exc:
            self.job.complain("state_file.unwritable", self.path, exc)
