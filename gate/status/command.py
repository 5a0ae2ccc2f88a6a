"""The command: a cluster is asked, and what is held is told."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gate.core import attempt
from gate.core.errors import CheckFailed, ClusterError
from gate.core.one_line import one_line
from gate.status import credentials, kubeconfig
from gate.status.asking import examine
from gate.status.cluster import PODS, Cluster
from gate.status.outputs import FORMS
from gate.status.report import HeldPod, Report
from gate.status.seen import LONGEST, SeenPod, seen

if TYPE_CHECKING:
    from argparse import Namespace

    from gate.checks.k8s.service_account import Login


@dataclass(frozen=True, slots=True)
class StatusOptions:
    """What to look at; empty: what the kubeconfig says."""

    namespace: str = ""
    is_everywhere: bool = False
    kubeconfig: str = ""
    context: str = ""


async def run(given: Namespace) -> tuple[str, int]:
    """Return what to print, and the exit code: 1 where gate holds a pod, else 0.

    Raises `ConfigError`, and `ClusterError` where the cluster cannot be asked.
    """
    attempt.begin()
    wish = StatusOptions(
        given.namespace or "", given.all_namespaces, given.kubeconfig or "", given.context or ""
    )
    try:
        report = await look(await _login(wish), wish)
    except CheckFailed as exc:
        raise ClusterError(_told(exc)) from exc
    return FORMS[given.output](report), int(bool(report.held))


async def look(login: Login, wish: StatusOptions) -> Report:
    """Return which pods are held; raises `CheckFailed` where the pods cannot be listed."""
    cluster = Cluster(login)
    namespace = "" if wish.is_everywhere else wish.namespace or cluster.namespace
    try:
        pods = [pod for thing in await cluster.list(PODS, namespace) if (pod := seen(thing))]
        held = await asyncio.gather(*(_examined(cluster, pod) for pod in pods))
    finally:
        cluster.close()
    return Report(
        where=f"namespace {namespace}" if namespace else "the cluster",
        at=datetime.now(UTC),
        gated=sum(bool(pod.gates) for pod in pods),
        held=tuple(each for each in held if each),
        notes=(),
    )


async def _examined(cluster: Cluster, pod: SeenPod) -> HeldPod | None:
    return await examine(cluster, pod, pod.hold) if pod.hold else None


async def _login(wish: StatusOptions) -> Login:
    context = kubeconfig.read(os.environ, wish.kubeconfig, wish.context)
    if context is not None:
        return await credentials.login(context)
    return await credentials.in_cluster(
        is_in_cluster=bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and not wish.context
    )


def _told(exc: CheckFailed) -> str:
    return one_line(attempt.redacted(str(exc)), LONGEST)
