"""JSON, for programs: one document.

version          1; a field may be added without a new version, none goes or changes
where, now       what was looked at, and when (UTC)
gated            how many of its pods have gate
held             pods that gate holds back:
  namespace, pod, workload, container
  state          "waiting", "overdue", "starting", "failing"
  since          UTC, or null; held_seconds: until now, or null
  reason         what is known beyond the dependencies, or ""
  source         who said so: "status" (gate), "event", "termination message", "pod"
  unasked        why gate itself could not be asked, or ""
  dependencies   name, url, state ("unknown" too), reason, attempts (or null), pending, required;
                 via: the Service it names, or ""; leads_to: ids of workloads; missing: what
                 should be there and is not, or ""
workloads        those that wait or are waited for: id, namespace, workload, pods, held, ready
edges            from, to: ids of workloads; dependency, pending, required
cycles           workloads: ids, each waits for the next one and the last for the first;
                 stuck: each is held for the next one now, and no pod of that is ready
roots            what is waited for in the end: url, reason, pods (how many it holds)
notes            what could not be looked at
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from gate.status.graph import Count, Edge
    from gate.status.report import HeldPod, Need, Report
    from gate.status.seen import Workload

VERSION = 1


def write(report: Report) -> str:
    """Return *report* as a line of JSON."""
    document = {
        "version": VERSION,
        "where": report.where,
        "now": _time(report.at),
        "gated": report.gated,
        "held": [_pod(each, report.at) for each in report.held],
        "workloads": [_workload(each, report.counts[each]) for each in report.shown],
        "edges": [_edge(each) for each in report.edges],
        "cycles": [
            {"workloads": [one.full for one in each.workloads], "stuck": each.is_stuck}
            for each in report.cycles
        ],
        "roots": [
            {"url": url, "reason": reason, "pods": count} for url, reason, count in report.roots
        ],
        "notes": list(report.notes),
    }
    return json.dumps(document) + "\n"


def _pod(pod: HeldPod, now: datetime) -> dict[str, Any]:
    return {
        "namespace": pod.namespace,
        "pod": pod.name,
        "workload": str(pod.workload),
        "container": pod.container,
        "state": pod.state,
        "since": pod.since and _time(pod.since),
        "held_seconds": pod.since and round((now - pod.since).total_seconds()),
        "reason": pod.reason,
        "source": pod.source,
        "unasked": pod.unasked,
        "dependencies": [_need(each) for each in pod.needs],
    }


def _need(need: Need) -> dict[str, Any]:
    return {
        "name": need.name,
        "url": need.url,
        "state": need.state,
        "reason": need.reason,
        "attempts": need.attempts,
        "pending": need.is_pending,
        "required": need.is_required,
        "via": need.lead.via,
        "leads_to": [each.full for each in need.lead.workloads],
        "missing": need.lead.missing,
    }


def _workload(workload: Workload, count: Count) -> dict[str, Any]:
    return {
        "id": workload.full,
        "namespace": workload.namespace,
        "workload": str(workload),
        "pods": count.pods,
        "held": count.held,
        "ready": count.ready,
    }


def _edge(edge: Edge) -> dict[str, Any]:
    return {
        "from": edge.start.full,
        "to": edge.end.full,
        "dependency": edge.name,
        "pending": edge.is_pending,
        "required": edge.is_required,
    }


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
