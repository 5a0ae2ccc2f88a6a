"""`gate status --watch`: the report again and again, until a signal ends it.

Pods are listed anew each time. A watch of the pods would not tell when a gate's reason changes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from gate.core.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gate.status.report import Report

PAUSE = 2.0
"""Seconds between two looks at a namespace."""
PAUSE_EVERYWHERE = 10.0
"""Seconds between two looks at the whole cluster, which lists every pod of it."""
_CLEAR = "\x1b[H\x1b[2J"


async def watch(
    look: Callable[[], Awaitable[Report]],
    show: Callable[[Report], bool],
    complain: Callable[[str], None],
    pause: float,
) -> None:
    """Give *show* each new report, until it returns False.

    Raises `ClusterError` if the first look fails. A later one may: *complain* is told why, and the
    cluster is asked again.
    """
    report: Report | None = await look()
    told = ""
    while report is None or show(report):
        await asyncio.sleep(pause)
        try:
            report = await look()
        except ClusterError as exc:
            report = None
            if str(exc) != told:
                complain(str(exc))
            told = str(exc)
        else:
            told = ""


def shown(
    write: Callable[[Report], str], put: Callable[[str], int], *, is_screen: bool
) -> Callable[[Report], bool]:
    """Return what shows a report: on a screen each in the place of the last, else what is new."""
    last: list[object] = [None]

    def show(report: Report) -> bool:
        if is_screen:
            return not put(_CLEAR + write(report))
        now = _substance(report)
        if now == last[0]:
            return True
        last[0] = now
        return not put(write(report))

    return show


def _substance(report: Report) -> Any:  # noqa: ANN401 -- only compared
    """Return *report* without what changes although nothing happens: times and attempts."""
    pods = [
        (pod.namespace, pod.name, pod.state, pod.reason, pod.source, pod.unasked)
        for pod in report.held
    ]
    needs = [
        (need.name, need.state, need.reason, need.is_pending, need.lead)
        for pod in report.held
        for need in pod.needs
    ]
    return pods, needs, report.gated, report.counts, report.cycles, report.notes
