"""What stands beside the workloads in manifests: Services, namespaces, budgets and autoscalers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.pods.around import Budget, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.around import Around
    from gate.pods.fields import Fields

_CORE = "v1"


def read(top: Fields, kind: str, around: Around) -> bool:
    """Take *top* into *around*; return whether it is anything of this sort."""
    if kind == "Service":
        # A Service of Knative has pods of its own.
        is_core = str(top.raw.get("apiVersion")) == _CORE
        if is_core:
            around.add_service(_service(top))
        return is_core
    reader = _READERS.get(kind)
    if reader:
        reader(top, around)
    return reader is not None


def _service(top: Fields) -> Service:
    spec, meta = top.inner("spec"), top.inner("metadata")
    return Service(
        name=meta.text("name"),
        namespace=meta.text("namespace"),
        selector=spec.pairs("selector"),
        is_headless=spec.raw.get("clusterIP") == "None",
        is_elsewhere=spec.raw.get("type") == "ExternalName",
        ports=tuple(_ports(spec)),
        publishes_not_ready=spec.flag("publishNotReadyAddresses", default=False),
    )


def _ports(spec: Fields) -> Iterator[tuple[int, str | int]]:
    for each in spec.each("ports"):
        number, target = each.number("port"), each.word_or_number("targetPort")
        if number is not None:
            yield number, target if isinstance(target, str | int) else number


def _namespace(top: Fields, around: Around) -> None:
    meta = top.inner("metadata")
    around.namespaces[meta.text("name")] = meta.pairs("labels")


def _budget(top: Fields, around: Around) -> None:
    spec, meta = top.inner("spec"), top.inner("metadata")
    selector = spec.inner("selector")
    if selector.has("matchExpressions"):
        return  # which pods it counts is not known
    around.add_budget(
        Budget(
            name=meta.text("name"),
            namespace=meta.text("namespace"),
            selector=selector.pairs("matchLabels"),
            least=spec.word_or_number("minAvailable"),
            most=spec.word_or_number("maxUnavailable"),
        )
    )


def _autoscaler(top: Fields, around: Around) -> None:
    what = top.inner("spec").inner("scaleTargetRef")
    kind = what.text("kind", "Deployment").lower()
    around.add_scaler(top.inner("metadata").text("namespace"), kind, what.text("name"))


_READERS = {
    "Namespace": _namespace,
    "PodDisruptionBudget": _budget,
    "HorizontalPodAutoscaler": _autoscaler,
    "ScaledObject": _autoscaler,
}
