"""The graph for Graphviz: `gate status -A -o dot | dot -Tsvg`; what is stuck is red."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gate.status.graph import Edge
    from gate.status.report import Report
    from gate.status.seen import Workload

_RED = "#c0392b"


def write(report: Report) -> str:
    """Return the workloads of *report*, and who waits for whom."""
    circular = {
        pair for cycle in report.cycles for pair in pairwise((*cycle.workloads, cycle.workloads[0]))
    }
    nodes = [_node(workload, report) for workload in report.shown]
    edges = [_edge(edge, is_circular=(edge.start, edge.end) in circular) for edge in report.edges]
    missing = [_missing(*each) for each in report.missing]
    head = ["digraph gate {", "  rankdir=LR; node [shape=box];"]
    return "\n".join([*head, *nodes, *edges, *missing, "}"]) + "\n"


def _node(workload: Workload, report: Report) -> str:
    count = report.counts[workload]
    text = f"{workload}\n{count.ready} of {count.pods} ready, {count.held} held"
    colour = f", color={_quoted(_RED)}" if count.held else ""
    return f"  {_quoted(workload.full)} [label={_quoted(text)}{colour}];"


def _edge(edge: Edge, *, is_circular: bool) -> str:
    style = "solid" if edge.is_pending else "dashed"
    colour = f", color={_quoted(_RED)}, penwidth=2" if is_circular else ""
    ends = f"{_quoted(edge.start.full)} -> {_quoted(edge.end.full)}"
    return f"  {ends} [label={_quoted(edge.name)}, style={style}{colour}];"


def _missing(workload: Workload, name: str, what: str) -> str:
    return (
        f"  {_quoted(what)} [shape=plaintext];\n"
        f"  {_quoted(workload.full)} -> {_quoted(what)} [label={_quoted(name)}];"
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
