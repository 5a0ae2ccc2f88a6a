"""k8s:job/migrate -- an object of the cluster is as wanted, found by watch, not by polling.

`k8s:KIND/NAME`; `k8s:KIND?selector=app=db`, at least `min` of those selected; and with
`condition=Type` or `exists` any resource: `k8s:certificates.cert-manager.io/v1/web
condition=Ready`. A Secret and a ConfigMap are ready when they exist; their content is not read.
The plural is asked for, not looked up: the role that lets gate see the object names it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.checks.k8s import options, service_account
from gate.checks.k8s.watch import Watch
from gate.core.errors import Absent, CheckFailed

if TYPE_CHECKING:
    from gate.checks.k8s.options import Wanted
    from gate.core.target import Target

OLDEST_YES = 5.0
"""Seconds: what is ready by an older word of the watch is proven by a new list."""
OLDEST_NO = 20.0
"""Seconds of silence after which a watch is not trusted, and a new list asks the API server.

Bookmarks come once a minute, so a frozen server would else be noticed after more than that.
"""


@dataclass(frozen=True, slots=True)
class K8s:
    """Judges what the watch knows; the watch is all the state there is between attempts."""

    wanted: Wanted
    watch: Watch

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless it is as wanted, `Absent` where there is no such thing."""
        await self.watch.refresh(OLDEST_NO)
        failure = self._failure()
        if failure is None:
            await self.watch.refresh(OLDEST_YES)
            failure = self._failure()
        if failure is not None:
            raise failure

    async def changed(self) -> None:
        """Return when another attempt is worth making."""
        await self.watch.changed()

    def _failure(self) -> CheckFailed | None:
        findings = self.watch.findings.values()
        if not findings:
            return Absent(self._told(self.wanted.missing(self.watch.namespace)))
        ready = {uid for finding in findings for uid in finding.ready}
        if len(ready) >= self.wanted.minimum:
            return None
        reason = next((finding.reason for finding in findings if finding.reason), "")
        return CheckFailed(self._told(self.wanted.too_few(len(ready), reason)))

    def _told(self, reason: str) -> str:
        return f"{reason} (polling: {self.watch.lacks})" if self.watch.lacks else reason


def parse(target: Target) -> K8s:
    """Return the check that *target* describes."""
    wanted = options.parse(target)
    account = service_account.parse(target)
    if wanted.resource.is_cluster_wide and account.namespace:
        target.problem("namespace: does not go with cluster")
    return K8s(wanted, Watch(account, wanted))
