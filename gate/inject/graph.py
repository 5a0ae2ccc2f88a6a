"""Which workloads wait for which: what is only guessed must not close a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.pods import waits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gate.inject.workloads import Workload
    from gate.pods.around import Around, Service
    from gate.pods.pod import Pod

_LOCAL_DOMAINS = ("svc", "cluster")


class Graph:
    """Workloads, the Services in front of them, and who waits for whom."""

    def __init__(self, workloads: Sequence[Workload], around: Around) -> None:
        self._numbers = {id(each.pod): number for number, each in enumerate(workloads)}
        self._around = around
        self._waits: dict[int, set[int]] = {}
        for workload in workloads:
            for wait in waits.waits(workload.pod):
                self.add(workload, [place.host for need in wait.needs for place in need])

    def knows(self, host: str, workload: Workload) -> bool:
        """Whether *host* is a Service of the input, or of the cluster by its name."""
        parts = host.split(".")
        is_of_cluster = len(parts) > 2 and parts[2] in _LOCAL_DOMAINS  # noqa: PLR2004 -- NAME.NAMESPACE.svc
        return is_of_cluster or self._service(host, workload) is not None

    def add(self, workload: Workload, hosts: Iterable[str]) -> None:
        """Take it that *workload* waits for *hosts*."""
        behind = {number for host in hosts for number in self._behind(host, workload)}
        self._waits.setdefault(self._number(workload.pod), set()).update(behind)

    def would_wait_for_itself(self, workload: Workload, hosts: Iterable[str]) -> bool:
        """Whether one of *hosts* waits for *workload*, directly or not."""
        own = self._number(workload.pod)
        left = [number for host in hosts for number in self._behind(host, workload)]
        seen: set[int] = set()
        while left:
            number = left.pop()
            if number == own:
                return True
            if number not in seen:
                seen.add(number)
                left += self._waits.get(number, ())
        return False

    def _number(self, pod: Pod) -> int:
        return self._numbers[id(pod)]

    def _service(self, host: str, workload: Workload) -> Service | None:
        name, _, rest = host.partition(".")
        return self._around.service(name, rest.partition(".")[0] or workload.pod.namespace)

    def _behind(self, host: str, workload: Workload) -> Iterator[int]:
        """Yield the numbers of the workloads whose pods the Service *host* selects."""
        service = self._service(host, workload)
        if service is not None:
            yield from (self._number(pod) for pod in self._around.selected_by(service))
