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
  dependencies   name, url, state ("unknown" too), reason, attempts (or null), pending
notes            what could not be looked at
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from gate.status.report import HeldPod, Need, Report

VERSION = 1


def write(report: Report) -> str:
    """Return *report* as a line of JSON."""
    document = {
        "version": VERSION,
        "where": report.where,
        "now": _time(report.at),
        "gated": report.gated,
        "held": [_pod(each, report.at) for each in report.held],
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
    }


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
