"""Text, for a person: pods of one workload that wait for the same are told together."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from gate.core import durations

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from gate.status.graph import Cycle
    from gate.status.report import HeldPod, Need, Report
    from gate.status.services import Lead

_DAY = 24 * 3600
_WORDS = {
    "waiting": "held",
    "overdue": "held, overdue",
    "starting": "gate is not running yet",
    "failing": "gate fails",
}


def write(report: Report) -> str:
    """Return *report* as text."""
    blocks = [_block(list(alike), report) for _, alike in groupby(_sorted(report), _likeness)]
    notes = [f"not looked at: {note}\n" for note in report.notes]
    cycles = ["".join(map(_cycle, report.cycles))] if report.cycles else []
    return "\n".join([*blocks, *cycles, *_roots(report), _verdict(report)]) + "".join(notes)


def _sorted(report: Report) -> list[HeldPod]:
    return sorted(report.held, key=lambda pod: (pod.workload, str(_likeness(pod)), pod.name))


def _likeness(pod: HeldPod) -> tuple[object, ...]:
    """Return what pods have in common that are told together."""
    needs = [(need.name, need.state, need.reason, need.is_pending) for need in pod.needs]
    return pod.workload, pod.reason, pod.source, pod.unasked, needs


def _block(pods: list[HeldPod], report: Report) -> str:
    first = pods[0]
    lines = [f"{first.namespace}  {first.workload}"]
    lines += [f"  {row}" for row in _table([_pod(pod, report.at) for pod in pods])]
    if first.reason:
        lines.append(f"    {first.reason}")
    lines += [f"    {row}" for row in _table([_need(need, report) for need in first.needs])]
    if first.source != "status":
        lines.append(f"    {_source(first)}")
    return "".join(f"{line}\n" for line in lines)


def _pod(pod: HeldPod, now: datetime) -> tuple[str, ...]:
    if pod.since is None:
        return pod.name, _WORDS[pod.state]
    return pod.name, f"{_WORDS[pod.state]} for {_took(round((now - pod.since).total_seconds()))}"


def _took(seconds: int) -> str:
    if seconds >= _DAY:
        return f"{seconds // _DAY}d{seconds % _DAY // 3600}h"
    return durations.show(max(0, seconds)) or "0s"


def _need(need: Need, report: Report) -> tuple[str, ...]:
    mark = "-" if need.is_pending else "+" if need.state == "ready" else "?"
    what = need.reason or ("no answer yet" if need.is_pending else need.state)
    tries = f" ({need.attempts} attempts)" if need.is_pending and need.attempts else ""
    return f"[{mark}]{need.name}", need.url, f"{what}{tries}", _lead(need.lead, report)


def _lead(lead: Lead, report: Report) -> str:
    """Return where a dependency leads, and how the pods there are."""
    ways = []
    for workload in lead.workloads:
        count = report.counts[workload]
        state = f"{count.ready} of {count.pods} ready" + (f", {count.held} held" * bool(count.held))
        ways.append(f"-> {workload.full}: {state}")
    return ", ".join([*ways, *([f"-> {lead.missing}"] if lead.missing else [])])


def _roots(report: Report) -> list[str]:
    """Return what several workloads wait for in the end, as a block."""
    if len({pod.workload for pod in report.held}) == 1 or not report.roots:
        return []
    rows = _table((url, reason, f"holds {_pods(count)}") for url, reason, count in report.roots)
    return ["waited for in the end:\n" + "".join(f"  {row}\n" for row in rows)]


def _cycle(cycle: Cycle) -> str:
    names = " -> ".join(each.full for each in (*cycle.workloads, cycle.workloads[0]))
    if cycle.is_stuck:
        return f"cycle: {names}: each is held for the next one, so none can start\n"
    return f"cycle: {names}: not stuck now, but none can start when all start anew\n"


def _source(pod: HeldPod) -> str:
    """Return where it is known from, and why not from gate itself."""
    known = {"pod": "nothing tells why"}.get(pod.source, f"known from its last {pod.source}")
    logs = f"kubectl logs -n {pod.namespace} {pod.name} -c {pod.container}"
    asked = f"; gate could not be asked: {pod.unasked}" if pod.unasked else ""
    return f"({known}{asked}; see {logs})"


def _table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    rows = list(rows)
    columns = max((len(row) for row in rows), default=0)
    widths = [max(len(row[column]) for row in rows) for column in range(columns)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _verdict(report: Report) -> str:
    count = len(report.held)
    pods = _pods(report.gated)
    verb = "is" if count in {0, 1} else "are"
    return f"{report.where}: {count or 'none'} of {pods} with gate {verb} held\n"


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"
