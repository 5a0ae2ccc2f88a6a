"""The command: a cluster is asked, and what is held is told."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.core import attempt
from gate.core.errors import CheckFailed, ClusterError
from gate.core.one_line import one_line
from gate.status import credentials, kubeconfig
from gate.status.cluster import Cluster
from gate.status.look import look
from gate.status.outputs import FORMS
from gate.status.seen import LONGEST

if TYPE_CHECKING:
    from argparse import Namespace

    from gate.checks.k8s.service_account import Login
    from gate.status.report import Report


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
        report = await _looked(await _login(wish), wish)
    except CheckFailed as exc:
        raise ClusterError(_told(exc)) from exc
    return FORMS[given.output](report), int(bool(report.held))


async def _looked(login: Login, wish: StatusOptions) -> Report:
    cluster = Cluster(login)
    try:
        return await look(cluster, "" if wish.is_everywhere else wish.namespace or login.namespace)
    finally:
        cluster.close()


async def _login(wish: StatusOptions) -> Login:
    context = kubeconfig.read(os.environ, wish.kubeconfig, wish.context)
    if context is not None:
        return await credentials.login(context)
    return await credentials.in_cluster(
        is_in_cluster=bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and not wish.context
    )


def _told(exc: CheckFailed) -> str:
    return one_line(attempt.redacted(str(exc)), LONGEST)
