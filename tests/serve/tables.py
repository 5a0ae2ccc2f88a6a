"""A table for the small responder, with bodies that say which answer it is."""

from __future__ import annotations

from typing import Any

from gate.serve.answers import Answer
from gate.serve.handover import prepared
from gate.serve.request_head import BRIEF, KUBELET, OPENMETRICS


def made(status: int, body: str) -> tuple[bytes, bytes]:
    return prepared(Answer(status, body.encode()))


TABLE: dict[str, Any] = {
    "routes": {
        b"/startupz": (
            KUBELET | BRIEF,
            {
                0: made(200, "verbose"),
                BRIEF: made(200, "brief"),
                KUBELET: made(300, "degraded"),
                KUBELET | BRIEF: made(300, "degraded"),
            },
            False,
        ),
        b"/livez": (0, {0: made(200, "ok")}, False),
        b"/status": (0, {0: made(200, "status")}, True),
        b"/metrics": (
            OPENMETRICS,
            {0: made(200, "prometheus"), OPENMETRICS: made(200, "openmetrics")},
            False,
        ),
    },
    "unknown": made(404, "unknown"),
    "not_allowed": made(405, "not allowed"),
    "no_part": made(404, "no part"),
    "bad": made(400, "")[0],
    "stopping": made(503, "stopping"),
    "revision": b"7",
    "most": 512,
    "last_line": ("", "%H:%M:%S", " gate.stopping\n"),
    "fault": ("", "%H:%M:%S", " gate.fault reason=REASON\n"),
    "connections": [],
}
