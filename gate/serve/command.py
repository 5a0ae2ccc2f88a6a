"""`gate serve`: the board behind HTTP endpoints, for the life of the pod."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from gate import DISTRIBUTION, __version__
from gate.core.model import Phase, TransitionKind
from gate.core.url import is_loopback
from gate.report import log, pod_identity, status
from gate.report.wait_plan import WaitPlan, make_board
from gate.runtime.signals import exit_code_on_signal, settle
from gate.runtime.supervisor import run_until_exit
from gate.runtime.threads import run_in_thread
from gate.serve import state_file
from gate.serve.answers import Answers
from gate.serve.server import Server

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Sequence

    from gate.core.model import Snapshot, Transition
    from gate.runtime.board import Board


async def serve(plan: WaitPlan, sock: socket.socket) -> int:
    """Serve on *sock* until SIGTERM or SIGINT; return the exit code.

    0: a sidecar that was told to stop has not failed; 1: `GATE_ON_TIMEOUT=exit`.
    """
    with exit_code_on_signal({signal.SIGTERM: 0, signal.SIGINT: 0}, plan.tell_blocked) as exit_code:
        return await _serve(plan, sock, exit_code)


async def _serve(plan: WaitPlan, sock: socket.socket, exit_code: asyncio.Future[int]) -> int:
    board = _board(plan)
    settings = plan.settings
    answers = Answers(board, tells_degraded=settings.degraded_event, shows_all=settings.status)
    server = Server(board, answers)
    await server.start(sock)
    try:
        _announce(plan, sock)
        _open_at_once(plan, board)
        reports = [asyncio.ensure_future(each) for each in _reported(plan, board)]
        code = await run_until_exit(
            plan.dependency_checks,
            board,
            exit_code,
            *plan.reminders(board),
            *reports,
            _exit_when_overdue(plan, board, exit_code),
            _shrink(plan, board, server, answers, reports, exit_code),
        )
        plan.logger.info("gate.stopping", open=board.latch.is_open)
        return code
    finally:
        board.stop()
        await server.close()


def _board(plan: WaitPlan) -> Board:
    settings = plan.settings
    # A disabled gate has checked nothing, so its opening is not remembered.
    path = None if settings.disabled else settings.state_file
    observers = [] if path is None else [_Marker(path, plan).observe]
    return make_board(
        plan,
        timeout=settings.timeout,
        open_on_timeout=settings.on_timeout == "open",
        observers=observers,
    )


def _announce(plan: WaitPlan, sock: socket.socket) -> None:
    host, port = sock.getsockname()[:2]
    is_reached = plan.settings.status and not is_loopback(host)
    ask = pod_identity.how_to_ask(port) if is_reached else ""
    plan.logger.info(
        "gate.started",
        version=__version__,
        listen=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        dependencies=[
            dependency_check.dependency.name for dependency_check in plan.dependency_checks
        ],
        **({"ask": ask} if ask else {}),
    )


def _open_at_once(plan: WaitPlan, board: Board) -> None:
    """Open at once if gate is disabled, or has opened before in this sandbox."""
    if plan.settings.disabled:
        board.open(f"opened without checking: disabled: {plan.settings.disabled}")
    elif _has_opened_before(plan):
        plan.logger.info("gate.restored", state_file=plan.settings.state_file)
        board.open()


def _has_opened_before(plan: WaitPlan) -> bool:
    path = plan.settings.state_file
    try:
        return path is not None and state_file.has_opened(path)
    except OSError as exc:
        plan.complain("state_file.unreadable", path, exc)
        return False


def _reported(plan: WaitPlan, board: Board) -> list[Awaitable[None]]:
    """Return the tasks that report to others, as far as they are wanted; nothing else is loaded."""
    tasks: list[Awaitable[None]] = []
    if plan.settings.events or plan.settings.pod_condition:
        tasks.append(_report(plan, board))
    if _is_traced():
        tasks.append(_trace(plan, board))
    return tasks


async def _report(plan: WaitPlan, board: Board) -> None:
    """Report to the API server. httpx is loaded in a thread, so checks and probes do not wait."""
    reports = await run_in_thread(import_module, "gate.report.pod_events")
    await reports.follow(plan.settings, board, plan.logger)


def _is_traced() -> bool:
    """Whether OpenTelemetry's own variables ask for a trace and name its destination."""
    endpoints = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    is_off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    exporters = (os.environ.get("OTEL_TRACES_EXPORTER") or "otlp").replace(" ", "").split(",")
    return "otlp" in exporters and not is_off and any(map(os.environ.get, endpoints))


async def _trace(plan: WaitPlan, board: Board) -> None:
    """Send the wait as a trace once it is over."""
    await board.opened()
    try:
        reason = await run_in_thread(_send_trace, json.dumps(status.document(board)))
    except Exception as exc:  # noqa: BLE001 -- a trace is an extra: it must never end the gate
        reason = f"{type(exc).__name__}: {exc}"
    if reason:
        plan.logger.warning("trace.not_sent", reason=reason)


def _send_trace(document: str) -> str:
    """Send the trace, in a thread as it takes long; return why that failed, or ""."""
    try:
        tracing = import_module("gate.report.trace")
    except ModuleNotFoundError as exc:
        if not (exc.name or "").startswith("opentelemetry"):
            raise
        return f"OpenTelemetry is not installed; pip install '{DISTRIBUTION}[otel]'"
    reason: str = tracing.send(json.loads(document))
    return reason


async def _shrink(
    plan: WaitPlan,
    board: Board,
    server: Server,
    answers: Answers,
    reports: Sequence[asyncio.Future[None]],
    exit_code: asyncio.Future[int],
) -> None:
    """Become the small responder once nothing is left to do but to answer."""
    if not plan.settings.grows_small(each.dependency for each in plan.dependency_checks):
        return
    await board.opened()
    # What follows takes tens of milliseconds, which no held probe is to wait for.
    await server.let_answer()
    if reports:
        await asyncio.wait(reports)
    failure = await _become_responder(plan, board, server, answers, exit_code.done)
    if failure is not None:
        plan.complain("gate.not_shrunk", sys.executable, failure)


async def _become_responder(
    plan: WaitPlan,
    board: Board,
    server: Server,
    answers: Answers,
    is_ending: Callable[[], bool],
) -> OSError | None:
    template = partial(log.template, level=plan.settings.log_level, form=plan.log_form)
    try:
        handover = import_module("gate.serve.handover")
        ready = handover.table(
            board,
            answers,
            {
                "last_line": template("gate.stopping", open=True),
                "fault": template("gate.fault", reason="REASON"),
            },
        )
    except OSError as exc:
        # No descriptor is to be had for what is yet to be imported.
        server.stay()
        return exc
    failure: OSError | None = await handover.become_responder(ready, server, is_ending)
    return failure


async def _exit_when_overdue(plan: WaitPlan, board: Board, exit_code: asyncio.Future[int]) -> None:
    if plan.settings.on_timeout != "exit":
        return
    while (phase := board.snapshot().phase) is Phase.WAITING:
        await board.changed()
    if phase is Phase.OVERDUE:
        settle(exit_code, 1)


@dataclass(frozen=True, slots=True)
class _Marker:
    """Leaves a mark at the opening, for a gate that restarts in this pod."""

    path: str
    plan: WaitPlan

    def observe(self, transition: Transition, _snapshot: Snapshot) -> None:
        """Write it at the opening."""
        if transition.kind is not TransitionKind.GATE_OPENED:
            return
        try:
            state_file.mark_opened(self.path)
        except OSError as exc:
            self.plan.complain("state_file.unwritable", self.path, exc)
