"""The probe worker: when a probe is sent and when its result takes effect (fact 2)."""

import asyncio
import time
from dataclasses import dataclass

from tests.pod.instance import Instance, Record
from tests.pod.model import Probe, ProbeKind
from tests.pod.probes import Outcome, Prober, Status
from tests.pod.state import PodState


@dataclass(slots=True)
class Counter:
    """Equal results in a row (fact 2.11); it outlives the container's instances (fact 2.12)."""

    probe: Probe
    last: bool | None = None
    run: int = 0

    def takes_effect(self, *, passed: bool) -> bool:
        """Count a result; True if it came often enough in a row."""
        self.run = self.run + 1 if passed is self.last else 1
        self.last = passed
        wanted = self.probe.success_threshold if passed else self.probe.failure_threshold
        return self.run >= wanted

    def reset(self) -> None:
        """Start again, as after a threshold fired."""
        self.run = 0


@dataclass(slots=True)
class Ticker:
    """Ticks at *start* + n * *period*; of those missed one is kept (fact 2.2)."""

    period: float
    next_at: float

    def take(self, now: float) -> float:
        """Consume the next tick; return the seconds to wait for it."""
        if now < self.next_at:
            delay = self.next_at - now
            self.next_at += self.period
            return delay
        missed = (now - self.next_at) // self.period
        self.next_at += (missed + 1) * self.period
        return 0


class Worker:
    """Sends one kind of probe to one container, one at a time, over all its instances (2.1)."""

    def __init__(self, state: PodState, record: Record, kind: ProbeKind) -> None:
        self._state = state
        self._record = record
        self._kind = kind
        self._probe = record.container.probes[kind]
        self._counter = Counter(self._probe)
        self._prober = Prober(state.sandbox, state.node.pod_ip)
        self._instance: Instance | None = None
        self._is_on_hold = False

    async def run(self) -> None:
        """Probe until cancelled; the phase of the ticks was fixed when the pod was added (2.5)."""
        period, phase = self._probe.period, self._state.node.probe_phase
        ticker = Ticker(period, self._state.added_at + (phase or period))
        while True:
            await asyncio.sleep(ticker.take(time.monotonic()))
            instance = self._due()
            if instance is not None:
                # Not "probe": the moments that begin so are results.
                self._state.note(self._record.container, f"{self._kind.value.lower()} probing")
                self._take_in(instance, await self._prober.probe(self._probe, instance))

    def _due(self) -> Instance | None:
        """Return the instance to probe now, if any is."""
        instance = self._record.current
        # Fact 2.8: the status cache must show it running, which a running hook prevents.
        if instance is None or not instance.is_visible or not instance.is_running:
            return None
        if instance is not self._instance:
            # Fact 7.1: a new instance is probed anew, but the counter goes on (fact 2.12).
            self._instance = instance
            self._is_on_hold = False
        if self._is_on_hold or self._is_in_initial_delay(instance):
            return None
        # Facts 2.9, 2.10: startup before started, the other two after.
        is_for_started = self._kind is not ProbeKind.STARTUP
        return instance if instance.is_started == is_for_started else None

    def _is_in_initial_delay(self, instance: Instance) -> bool:
        """Probes in the initial delay are skipped, not counted (fact 2.7)."""
        return time.monotonic() - instance.started_at < self._probe.initial_delay

    def _take_in(self, instance: Instance, outcome: Outcome) -> None:
        self._report(outcome)
        if outcome.is_error:
            return
        passed = outcome.has_passed
        if not self._counter.takes_effect(passed=passed):
            return
        if self._kind is ProbeKind.STARTUP or (self._kind is ProbeKind.LIVENESS and not passed):
            # Facts 2.10, 2.12: nothing more for this instance, and a fresh count.
            self._is_on_hold = True
            self._counter.reset()
        self._set_verdict(instance, passed=passed)

    def _set_verdict(self, instance: Instance, *, passed: bool) -> None:
        """Make the result known; a sync follows at once (fact 1.9)."""
        if instance.verdicts.get(self._kind) is passed:
            return
        instance.verdicts[self._kind] = passed
        if self._kind is not ProbeKind.READINESS:
            self._state.wake.set()
        what = {True: "true", False: "false"}[passed]
        name = {ProbeKind.STARTUP: "started", ProbeKind.READINESS: "ready"}.get(self._kind, "live")
        self._state.note(self._record.container, f"{name}={what}")

    def _report(self, outcome: Outcome) -> None:
        """Put the result into the timeline and, unless it is a success, the events (fact 3.8)."""
        container, kind = self._record.container, self._kind.value
        text = f": {outcome.text}" if outcome.text else ""
        self._state.note(container, f"{kind.lower()} probe {_word(outcome)}{text}")
        if outcome.is_error:
            told = f"errored and resulted in {outcome.status.value} state: {outcome.text}"
            self._state.warn(container, "Unhealthy", f"{kind} probe {told}")
        elif outcome.status is Status.WARNING:
            self._state.warn(container, "ProbeWarning", f"{kind} probe warning: {outcome.text}")
        elif outcome.status is Status.FAILURE:
            self._state.warn(container, "Unhealthy", f"{kind} probe failed: {outcome.text}")


def _word(outcome: Outcome) -> str:
    return "error" if outcome.is_error else outcome.status.value
