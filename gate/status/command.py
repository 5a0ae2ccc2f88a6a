"""The command: a cluster is asked, and what is held is told."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.core import attempt
from gate.core.errors import CheckFailed, ClusterError, UsageError
from gate.core.one_line import one_line
from gate.report import output
from gate.status import credentials, kubeconfig, watching
from gate.status.cluster import Cluster
from gate.status.look import look
from gate.status.outputs import FORMS
from gate.status.seen import LONGEST
from gate.status.services import is_label

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from gate.checks.k8s.service_account import Login
    from gate.status.report import Report


@dataclass(frozen=True, slots=True)
class StatusOptions:
    """What to look at; empty: what the kubeconfig says."""

    namespace: str = ""
    is_everywhere: bool = False
    kubeconfig: str = ""
    context: str = ""


async def run(given: Namespace, put: Callable[[str], int], *, is_screen: bool = False) -> int:
    """Write the report with *put*; return the exit code: 1 where gate holds a pod, else 0.

    With `--watch` it is written again and again, on a screen each in the place of the last, until
    *put* returns something else than 0: nobody reads on. Raises `UsageError`, `ConfigError`, and
    `ClusterError` where the cluster cannot be asked.
    """
    attempt.begin()
    wish = StatusOptions(
        given.namespace or "", given.all_namespaces, given.kubeconfig or "", given.context or ""
    )
    write = FORMS[given.output]
    if not given.watch:
        report = await _Looking(wish)()
        return put(write(report)) or int(bool(report.held))
    if given.output == "dot":
        msg = "--watch goes with --output text and json; a drawing is made of one graph"
        raise UsageError(msg)
    pause = watching.PAUSE_EVERYWHERE if wish.is_everywhere else watching.PAUSE
    show = watching.shown(write, put, is_screen=is_screen and given.output == "text")
    await watching.watch(_Looking(wish), show, _complain, pause)
    return 1


class _Looking:
    """Looks at the cluster at each call; the login is kept until a look fails."""

    def __init__(self, wish: StatusOptions) -> None:
        self._wish = wish
        self._login: Login | None = None

    async def __call__(self) -> Report:
        """Return what there is; raises `ClusterError`."""
        try:
            self._login = self._login or await _login(self._wish)
            return await _looked(self._login, self._wish)
        except CheckFailed as exc:
            self._login = None
            text = one_line(attempt.redacted(str(exc)), LONGEST)
            raise ClusterError(text) from exc


def _complain(text: str) -> None:
    output.print_error(f"gate: {text}")


async def _looked(login: Login, wish: StatusOptions) -> Report:
    namespace = "" if wish.is_everywhere else wish.namespace or login.namespace
    if namespace and not is_label(namespace):
        msg = f"{namespace!r} is not the name of a namespace"
        raise UsageError(msg)
    cluster = Cluster(login)
    try:
        return await look(cluster, namespace)
    finally:
        cluster.close()


async def _login(wish: StatusOptions) -> Login:
    context = kubeconfig.read(os.environ, wish.kubeconfig, wish.context)
    if context is not None:
        return await credentials.login(context)
    return await credentials.in_cluster(
        is_in_cluster=bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and not wish.context
    )
