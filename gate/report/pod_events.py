"""Events of the pod, and a condition: what the API server is told, where that is wanted.

Tasks of their own write them, so nothing waits for it. A failure is one warning, and writing is
tried again later, because rights are often granted a moment after the pod starts.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from gate.checks.k8s.api import Resource
from gate.core import attempt, durations
from gate.core.errors import CheckFailed
from gate.report import plain_text
from gate.report.api_server import Change, Cluster

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import FilteringBoundLogger

    from gate.config import Settings
    from gate.core.model import Snapshot
    from gate.report.pod_identity import Pod
    from gate.runtime.board import Board

_TRIES = 5
_MOST_WARNINGS = 10
_LONGEST_PAUSE = 60.0
_LONGEST_MESSAGE = 1024
_EVENTS = Resource(plural="events")
_PODS = Resource(plural="pods")
_STATUS = Resource(plural="pods/status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often something is written to the API server; seconds."""

    grace: float = 10.0
    """Time of waiting before the first event: most starts are over by then."""
    events: float = 60.0
    """Time between two events that say what is waited for."""
    condition: float = 10.0
    """Time between two texts of the condition; a change of its status is written at once."""
    retry: float = 1.0
    """Time until writing the condition is tried again; it doubles up to a minute."""


async def follow(
    settings: Settings,
    board: Board,
    logger: FilteringBoundLogger,
    cluster: Cluster | None = None,
    pace: Pace | None = None,
) -> None:
    """Write what *settings* ask for about *board*, until nothing more can change."""
    cluster, pace = cluster or Cluster(), pace or Pace()
    async with asyncio.TaskGroup() as tasks:
        if settings.events:
            teller = _Teller(cluster, logger, "events.not_written")
            tasks.create_task(Events(teller, pace).follow(board))
        if settings.pod_condition:
            teller = _Teller(cluster, logger, "condition.not_written")
            tasks.create_task(Condition(teller, pace, settings.pod_condition).follow(board))


class _Teller:
    """Writes changes, and warns of failures, once for each reason."""

    def __init__(self, cluster: Cluster, logger: FilteringBoundLogger, event: str) -> None:
        self._cluster = cluster
        self._logger = logger
        self._event = event
        self._warned: set[str] = set()

    async def tell(self, change_of: Callable[[Pod], Change]) -> bool | None:
        """Return whether it was written; None if the object to change does not exist."""
        try:
            is_there = await self._cluster.write(change_of)
        except CheckFailed as exc:
            self.warn(attempt.redacted(str(exc)))
            return False
        except Exception as exc:  # noqa: BLE001 -- telling is an extra: it must never end the gate
            self.warn(attempt.redacted(f"{type(exc).__name__}: {exc}"))
            return False
        return True if is_there else None

    def warn(self, reason: str) -> None:
        """Warn of *reason* once; after a few different reasons no more are logged."""
        if reason not in self._warned and len(self._warned) < _MOST_WARNINGS:
            self._warned.add(reason)
            self._logger.warning(self._event, reason=reason)


class Events:
    """Events of the pod: `DependencyNotReady`, at most one a minute, and `GateOpened`."""

    def __init__(self, teller: _Teller, pace: Pace) -> None:
        self._teller = teller
        self._pace = pace
        self._last: dict[str, Any] = {}
        self._name = ""

    async def follow(self, board: Board) -> None:
        """Write events about the wait until it is over, and then one about the opening."""
        await board.until(lambda: board.latch.is_open, self._pace.grace)
        while not board.latch.is_open:
            text = plain_text.pending(board.snapshot())
            await self._tell(reason="DependencyNotReady", type="Warning", message=text)
            await board.until(lambda: board.latch.is_open, self._pace.events)
        snapshot = board.snapshot()
        kind = "Warning" if snapshot.degraded else "Normal"
        for _ in range(_TRIES):
            if await self._tell(reason="GateOpened", type=kind, message=_opened(snapshot)):
                return
            await asyncio.sleep(self._pace.events)

    async def _tell(self, **said: str) -> bool:
        """Write an event, or increase the count of the last one if it says the same."""
        now = _now()
        said["message"] = said["message"][:_LONGEST_MESSAGE]
        if self._last and all(self._last[key] == value for key, value in said.items()):
            again = {"count": self._last["count"] + 1, "lastTimestamp": now}
            told = await self._teller.tell(lambda me: self._patch(me, again))
            if told is not None:
                self._last |= again if told else {}
                return told
        # Each has its own name, like the kubelet's events; the last one may have expired.
        self._name = f"{time.time_ns():x}"
        new = {**said, "count": 1, "firstTimestamp": now, "lastTimestamp": now}
        told = await self._teller.tell(lambda me: self._post(me, new))
        self._last = new if told else {}
        return bool(told)

    def _post(self, me: Pod, fields: dict[str, Any]) -> Change:
        about = {"apiVersion": "v1", "kind": "Pod", "name": me.name, "namespace": me.namespace}
        document = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{me.name}.{self._name}", "namespace": me.namespace},
            # `kubectl describe pod` finds events by the pod's uid.
            "involvedObject": {**about, **({"uid": me.uid} if me.uid else {})},
            "source": {"component": "gate"},
            "reportingComponent": "gate",
            "reportingInstance": me.name,
            **fields,
        }
        path = _EVENTS.path(me.namespace)
        return Change(method="POST", resource=_EVENTS, path=path, document=document)

    def _patch(self, me: Pod, fields: dict[str, Any]) -> Change:
        path = f"{_EVENTS.path(me.namespace)}/{me.name}.{self._name}"
        return Change(method="PATCH", resource=_EVENTS, path=path, document=fields)


class Condition:
    """A condition of the pod that is true while the gate is ready, for `readinessGates`."""

    def __init__(self, teller: _Teller, pace: Pace, kind: str) -> None:
        self._teller = teller
        self._pace = pace
        self._kind = kind
        self._changed = ("", "")
        """The last status, and since when."""

    async def follow(self, board: Board) -> None:
        """Keep the condition up to date with the board."""
        pause = self._pace.retry
        while True:
            wanted = _wanted(board)
            has_turned = partial(_has_turned, board, wanted[0])
            if await self._tell(*wanted):
                pause = self._pace.retry
                await board.until(has_turned, self._pace.condition)
                while _wanted(board) == wanted:
                    await board.changed()
            else:
                await board.until(has_turned, pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _tell(self, status: str, message: str) -> bool:
        if status != self._changed[0]:
            self._changed = (status, _now())
        condition = {
            "type": self._kind,
            "status": status,
            "reason": "DependenciesReady" if status == "True" else "DependenciesNotReady",
            "message": message[:_LONGEST_MESSAGE],
            "lastTransitionTime": self._changed[1],
        }
        told = await self._teller.tell(lambda me: self._patch(me, condition))
        if told is None:
            self._teller.warn("there is no pod of this name; set POD_NAME from metadata.name")
        return bool(told)

    def _patch(self, me: Pod, condition: dict[str, str]) -> Change:
        path = f"{_PODS.path(me.namespace)}/{me.name}/status"
        document = {"status": {"conditions": [condition]}}
        return Change(method="PATCH", resource=_STATUS, path=path, document=document)


def _has_turned(board: Board, status: str) -> bool:
    return _wanted(board)[0] != status


def _wanted(board: Board) -> tuple[str, str]:
    """Return status and message of the condition."""
    snapshot = board.snapshot()
    if not snapshot.is_open:
        return "False", plain_text.brief(snapshot)
    unfit = [
        f"{view.dependency.name}: {view.reason}"
        for view in snapshot.dependencies
        if not view.is_fit
    ]
    return ("False", "; ".join(unfit)) if unfit else ("True", snapshot.degraded)


def _opened(snapshot: Snapshot) -> str:
    text = f"open after {durations.show(snapshot.elapsed) or '0s'}"
    if snapshot.degraded:
        return f"{snapshot.degraded} ({text})"
    slowest = plain_text.slowest(snapshot)
    return f"{text}, slowest: {slowest[0].dependency.name}" if slowest else text


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
