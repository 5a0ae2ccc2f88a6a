"""What one pass of the kubelet's pod sync is to do; a pure function of the containers' states."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from tests.pod.model import Container, PodSpec, ProbeKind, RestartPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The newest instance of a container as the pass sees it; no exit code means running."""

    exit_code: int | None = None
    is_to_restart: bool = False
    """A restart rule of the container says so, whatever its policy."""
    verdicts: Mapping[ProbeKind, bool] = field(default_factory=dict)

    @property
    def is_running(self) -> bool:
        """True until the process has ended."""
        return self.exit_code is None

    def has_failed(self, kind: ProbeKind) -> bool:
        """True if the running instance used up that probe's failure threshold."""
        return self.is_running and self.verdicts.get(kind) is False


Views = Mapping[str, View]


@dataclass(slots=True)
class Plan:
    """The containers to kill, with the probe that failed, and those to start."""

    is_initialised: bool = False
    kill_pod: bool = False
    kill: dict[str, ProbeKind] = field(default_factory=dict)
    start_init: list[Container] = field(default_factory=list)
    start_main: list[Container] = field(default_factory=list)


def compute(spec: PodSpec, views: Views) -> Plan:
    """Return the next pass's plan."""
    plan = Plan()
    _InitPass(spec, views, plan).run()
    if plan.is_initialised and not plan.kill_pod:
        _plan_main(spec, views, plan)
    return plan


@dataclass(slots=True)
class _InitPass:
    """Scans the init containers from the last to the first (fact 1.1)."""

    spec: PodSpec
    views: Views
    plan: Plan

    def run(self) -> None:
        containers = self.spec.init_containers
        # Fact 1.5: one running main container proves that everything was initialised once.
        is_past = any(
            view.is_running
            for view in (self.views.get(c.name) for c in self.spec.main_containers)
            if view
        )
        self.plan.is_initialised = is_past or not containers
        for index in reversed(range(len(containers))):
            is_past = self._visit(index, is_past=is_past)
            if self.plan.kill_pod:
                return
        if containers and not is_past:
            self.plan.start_init.append(containers[0])
        self.plan.start_init.reverse()

    def _visit(self, index: int, *, is_past: bool) -> bool:
        """Plan for one container; the first one found with a status decides (fact 1.1)."""
        container = self.spec.init_containers[index]
        view = self.views.get(container.name)
        if view is None:
            if is_past and container.is_sidecar:
                self.plan.start_init.append(container)
            return is_past
        if container.is_sidecar:
            self._visit_sidecar(index, view, is_past=is_past)
        elif not is_past:
            self._visit_regular(index, view)
        return True

    def _visit_sidecar(self, index: int, view: View, *, is_past: bool) -> None:
        container = self.spec.init_containers[index]
        if not view.is_running:
            # Fact 2.14: whatever the pod's policy, a sidecar is always restarted.
            self.plan.start_init.append(container)
        elif view.has_failed(ProbeKind.STARTUP):
            self._restart(container, ProbeKind.STARTUP)
        elif has_started(container, view):
            self._pass_on(index, is_past=is_past)
            if view.has_failed(ProbeKind.LIVENESS):
                self._restart(container, ProbeKind.LIVENESS)

    def _visit_regular(self, index: int, view: View) -> None:
        if view.exit_code == 0:
            self._pass_on(index, is_past=False)
        elif view.exit_code is None:
            return
        elif self.spec.restart_policy is RestartPolicy.NEVER and not view.is_to_restart:
            # Facts 6.10, 9.1: failed for good, and everything with it.
            self.plan.kill_pod = True
            self.plan.start_init.clear()
        else:
            self.plan.start_init.append(self.spec.init_containers[index])

    def _pass_on(self, index: int, *, is_past: bool) -> None:
        """This container is done with: the next one, or the main containers, may start (1.7)."""
        if index == len(self.spec.init_containers) - 1:
            self.plan.is_initialised = True
        elif not is_past:
            self.plan.start_init.append(self.spec.init_containers[index + 1])

    def _restart(self, container: Container, kind: ProbeKind) -> None:
        self.plan.kill[container.name] = kind
        self.plan.start_init.append(container)


def has_started(container: Container, view: View) -> bool:
    """True if running and, with a startup probe, that probe succeeded (facts 1.2-1.4)."""
    if not view.is_running:
        return False
    return container.startup_probe is None or view.verdicts.get(ProbeKind.STARTUP) is True


def _plan_main(spec: PodSpec, views: Views, plan: Plan) -> None:
    """Keep, kill or start each main container (facts 1.6, 2.15)."""
    kept = 0
    for container in spec.main_containers:
        view = views.get(container.name)
        failed = _failed_probe(view)
        if failed:
            plan.kill[container.name] = failed
        if view is not None and view.is_running and not failed:
            kept += 1
        elif will_restart(spec, view, container, is_probe_kill=failed is not None):
            plan.start_main.append(container)
    if not kept and not plan.start_main:
        # Fact 6.8: nothing runs and nothing will, so sidecars are told to end too.
        plan.kill_pod = True
        plan.start_init.clear()


def _failed_probe(view: View | None) -> ProbeKind | None:
    if view is None:
        return None
    failed = (kind for kind in (ProbeKind.LIVENESS, ProbeKind.STARTUP) if view.has_failed(kind))
    return next(failed, None)


def will_restart(
    spec: PodSpec, view: View | None, container: Container, *, is_probe_kill: bool = False
) -> bool:
    """True if a main container that is not running, or about to be killed, is to be started.

    A policy of the container's own stands over the pod's, and its rules over both (1.35).
    """
    if view is None or view.is_to_restart:
        return True
    policy = container.restart_policy or spec.restart_policy
    if policy is RestartPolicy.ON_FAILURE:
        return is_probe_kill or view.exit_code != 0
    return policy is RestartPolicy.ALWAYS


def phase(spec: PodSpec, views: Views) -> str:
    """Return the pod's phase; it counts main containers only, but for running sidecars (6.9)."""
    if _has_failed_initialisation(spec, views):
        return "Failed"
    mains = [views.get(container.name) for container in spec.main_containers]
    if any(view is None for view in mains):
        return "Pending"
    codes = [view.exit_code for view in mains if view]
    if None in codes or any(_running_sidecars(spec, views)):
        return "Running"
    if any(map(partial(will_restart, spec), mains, spec.main_containers)):
        return "Running"
    return "Failed" if any(codes) else "Succeeded"


def _has_failed_initialisation(spec: PodSpec, views: Views) -> bool:
    if spec.restart_policy is not RestartPolicy.NEVER:
        return False
    regular = [views.get(c.name) for c in spec.init_containers if not c.is_sidecar]
    return any(view is not None and view.exit_code not in {None, 0} for view in regular)


def _running_sidecars(spec: PodSpec, views: Views) -> Iterator[bool]:
    for container in spec.init_containers:
        view = views.get(container.name)
        yield container.is_sidecar and view is not None and view.is_running
