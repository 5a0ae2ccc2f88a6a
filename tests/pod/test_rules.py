"""The pod player's pure rules: variables, thresholds, ticks, back-off, events, plans."""

from typing import Any

import pytest

from tests.pod import Image, ManifestError, Node, Service, ServicePort, parse
from tests.pod.backoff import Backoff
from tests.pod.building import http, init, main, pod, sidecar
from tests.pod.env import Sources, environment, expand, expand_static, service_variables
from tests.pod.events import Event, Recorder
from tests.pod.model import Container, HttpGet, Probe, ProbeKind
from tests.pod.plan import Plan, View, compute, phase
from tests.pod.worker import Counter, Ticker

RUNNING = View()
STARTED = View(verdicts={ProbeKind.STARTUP: True})
FAILED_STARTUP = View(verdicts={ProbeKind.STARTUP: False})


def exited(code: int) -> View:
    return View(exit_code=code)


class TestVariables:
    @pytest.mark.parametrize(
        ("text", "expanded"),
        [
            ("$(A)", "1"),
            ("x$(A)y$(A)", "x1y1"),
            ("$(B)", "$(B)"),
            ("$$(A)", "$(A)"),
            ("a$$b", "a$b"),
            ("$A $x $", "$A $x $"),
            ("$(A", "$(A"),
        ],
    )
    def test_references_are_replaced(self, text: str, expanded: str) -> None:
        """Fact 11.1."""
        assert expand(text, {"A": "1"}.get) == expanded

    def container(self, **fields: Any) -> Container:
        return parse(pod(main("app", **fields))).main_containers[0]

    def test_only_earlier_names_are_known(self) -> None:
        """Fact 11.1."""
        env = [{"name": "A", "value": "$(B)"}, {"name": "B", "value": "2"}]
        env.append({"name": "C", "value": "$(B) $(SVC) $(FROM)"})
        container = self.container(env=env, envFrom=[{"configMapRef": {"name": "c"}}])
        sources = Sources(service_variables={"SVC": "s"}, config_maps={"c": {"FROM": "$(B)"}})

        variables = environment(container, sources)

        assert variables["A"] == "$(B)"
        assert variables["C"] == "2 s $(B)"

    def test_env_goes_before_env_from_before_services(self) -> None:
        """Fact 11.3."""
        both = [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}, "prefix": "X"}]
        container = self.container(env=[{"name": "A", "value": "env"}], envFrom=both)
        sources = Sources(
            service_variables={"A": "svc", "B": "svc", "D": "svc"},
            config_maps={"c": {"A": "map", "B": "map"}},
            secrets={"s": {"C": "secret"}},
        )

        variables = environment(container, sources)

        assert variables == {"A": "env", "B": "map", "D": "svc", "XC": "secret"}

    def test_a_missing_secret_is_an_error_unless_optional(self) -> None:
        reference = {"name": "s", "key": "k"}
        wanted = self.container(env=[{"name": "A", "valueFrom": {"secretKeyRef": reference}}])
        optional = {"secretKeyRef": {**reference, "optional": True}}
        container = self.container(env=[{"name": "A", "valueFrom": optional}])

        assert environment(container, Sources()) == {}
        with pytest.raises(ManifestError, match="secretKeyRef s"):
            environment(wanted, Sources())

    def test_probe_commands_know_only_raw_values(self) -> None:
        """Fact 4.4."""
        reference = {"secretKeyRef": {"name": "s", "key": "k"}}
        env = [{"name": "A", "value": "$(B)"}, {"name": "S", "valueFrom": reference}]
        container = self.container(env=env)

        assert expand_static(["$(A)", "[$(S)]", "$(SVC)"], container) == ["$(B)", "[]", "$(SVC)"]

    def test_a_service_injects_its_links(self) -> None:
        """Fact 11.5."""
        ports = (ServicePort(name="http", port=80), ServicePort(name="admin", port=8080))

        variables = service_variables([Service(name="gate", cluster_ip="10.0.0.1", ports=ports)])

        assert variables == {
            "GATE_SERVICE_HOST": "10.0.0.1",
            "GATE_SERVICE_PORT": "80",
            "GATE_SERVICE_PORT_HTTP": "80",
            "GATE_SERVICE_PORT_ADMIN": "8080",
            "GATE_PORT": "tcp://10.0.0.1:80",
            "GATE_PORT_80_TCP": "tcp://10.0.0.1:80",
            "GATE_PORT_80_TCP_PROTO": "tcp",
            "GATE_PORT_80_TCP_PORT": "80",
            "GATE_PORT_80_TCP_ADDR": "10.0.0.1",
            "GATE_PORT_8080_TCP": "tcp://10.0.0.1:8080",
            "GATE_PORT_8080_TCP_PROTO": "tcp",
            "GATE_PORT_8080_TCP_PORT": "8080",
            "GATE_PORT_8080_TCP_ADDR": "10.0.0.1",
        }

    def test_ipv6_is_bracketed_and_headless_left_out(self) -> None:
        """Facts 11.4, 11.5."""
        port = (ServicePort(port=53, protocol="UDP"),)
        six = Service(name="my-dns", cluster_ip="fd00::1", ports=port)
        headless = Service(name="db", cluster_ip="None", ports=port)

        variables = service_variables([six, headless])

        assert variables["MY_DNS_PORT"] == "udp://[fd00::1]:53"
        assert not any(name.startswith("DB") for name in variables)


class TestImages:
    node = Node(
        images={"gate": Image(entrypoint=["python", "-m", "gate"], cmd=["serve"])},
        commands={"gate": ["python", "-m", "gate"]},
    )

    def argv(self, **fields: Any) -> list[str]:
        raw = {"kind": "main", "name": "a", "image": "ghcr.io:443/x/gate:1.0", **fields}
        return self.node.argv(parse(pod(raw)).main_containers[0])

    def test_the_image_says_what_runs(self) -> None:
        assert self.argv() == ["python", "-m", "gate", "serve"]

    def test_args_replace_cmd(self) -> None:
        assert self.argv(args=["wait"]) == ["python", "-m", "gate", "wait"]

    def test_command_replaces_both(self) -> None:
        assert self.argv(command=["gate"]) == ["gate"]
        assert self.argv(command=["gate"], args=["x"]) == ["gate", "x"]

    def test_a_command_of_the_image_is_found(self) -> None:
        assert self.node.resolve(["gate", "probe"]) == ("python", "-m", "gate", "probe")
        assert self.node.resolve(["sh", "gate"]) == ("sh", "gate")

    def test_an_unknown_image_is_an_error(self) -> None:
        with pytest.raises(ManifestError, match="no local command for image 'nginx'"):
            self.argv(image="nginx:1")


class TestCounter:
    def counter(self, **thresholds: int) -> Counter:
        return Counter(Probe(action=HttpGet(path="/", port=1), **thresholds))

    def test_a_threshold_needs_equal_results_in_a_row(self) -> None:
        """Fact 2.11."""
        counter = self.counter(failure_threshold=2, success_threshold=2)
        results = [False, True, False, False, True, True]

        effects = [counter.takes_effect(passed=passed) for passed in results]

        assert effects == [False, False, False, True, False, True]

    def test_failures_count_on_until_reset(self) -> None:
        """Fact 2.12: only a threshold that fired resets the run, a new instance does not."""
        counter = self.counter(failure_threshold=3)
        counter.takes_effect(passed=False)
        counter.takes_effect(passed=False)

        assert counter.takes_effect(passed=False)
        counter.reset()
        assert not counter.takes_effect(passed=False)


class TestTicker:
    def test_ticks_keep_their_phase(self) -> None:
        """Fact 2.5."""
        ticker = Ticker(1, 10)

        assert ticker.take(9.5) == 0.5
        assert ticker.take(10.25) == 0.75

    def test_of_missed_ticks_one_is_kept(self) -> None:
        """Fact 2.2: after a long probe the next starts at once, then the phase is as before."""
        ticker = Ticker(1, 10)

        assert ticker.take(13.5) == 0
        assert ticker.take(13.5) == 0.5


class TestBackoff:
    def test_the_first_restart_is_immediate_and_then_it_doubles(self) -> None:
        """Facts 2.16, 2.17."""
        backoff, finished, delays = Backoff(base=10, longest=300), 0.0, []

        for _ in range(8):
            remaining = backoff.remaining(finished, finished)
            delays.append(remaining)
            backoff.note_restart(finished, finished + remaining)
            finished += remaining

        assert delays == [0, 10, 20, 40, 80, 160, 300, 300]

    def test_the_delay_counts_from_the_exit(self) -> None:
        backoff = Backoff(base=10)
        backoff.note_restart(0, 0)

        assert backoff.remaining(100, 104) == 6
        assert backoff.remaining(100, 111) == 0

    def test_a_long_life_resets_it(self) -> None:
        """Fact 2.16."""
        backoff = Backoff(base=10, longest=300)
        backoff.note_restart(0, 0)

        assert backoff.remaining(601, 601) == 0
        backoff.note_restart(601, 601)
        assert backoff.delay == 10


class TestEvents:
    def warning(self, message: str = "no", container: str = "gate") -> Event:
        return Event(type="Warning", reason="Unhealthy", message=message, container=container)

    def test_equal_events_are_counted(self) -> None:
        recorder = Recorder()
        recorder.record(self.warning(), 1)
        recorder.record(self.warning(), 5)

        (event,) = recorder.events
        assert (event.count, event.first, event.last) == (2, 1, 5)

    def test_after_25_warnings_the_pods_other_warnings_are_lost(self) -> None:
        """Fact 3.13."""
        recorder = Recorder()
        for second in range(25):
            assert recorder.record(self.warning(), second)

        assert not recorder.record(self.warning(container="app"), 26)
        assert recorder.dropped == 1
        normal = Event(type="Normal", reason="Started", message="", container="app")
        assert recorder.record(normal, 26)

    def test_one_more_is_allowed_after_5_minutes(self) -> None:
        """Fact 3.13."""
        recorder = Recorder(burst=1)
        recorder.record(self.warning(), 0)

        assert not recorder.record(self.warning(), 299)
        assert recorder.record(self.warning(), 301)

    def test_the_10th_differing_text_is_combined(self) -> None:
        """Fact 3.13."""
        recorder = Recorder()
        for number in range(12):
            recorder.record(self.warning(f"text {number}"), number)

        messages = [event.message for event in recorder.events]
        assert messages[:9] == [f"text {number}" for number in range(9)]
        assert messages[9:] == ["(combined from similar events): text 11"]
        assert recorder.events[-1].count == 3

    def test_without_the_spam_rule_all_are_kept(self) -> None:
        recorder = Recorder(burst=None)

        assert all(recorder.record(self.warning(), 0) for _ in range(100))


PROBED: dict[str, Any] = {"startupProbe": http(80), "livenessProbe": http(80)}


class TestPlan:
    """Facts 1.1-1.8, 2.14, 2.15, 6.8, 6.10, 9.1."""

    spec = parse(pod(init("pre", "true"), sidecar("gate", **PROBED), main("app", **PROBED)))
    never = parse(
        pod(init("pre", "true"), sidecar("gate"), main("app", **PROBED), restartPolicy="Never")
    )

    def names(self, plan: Plan) -> list[str]:
        return [each.name for each in (*plan.start_init, *plan.start_main)]

    def starts(self, **views: View) -> list[str]:
        return self.names(compute(self.spec, views))

    def test_one_init_container_starts_at_a_time(self) -> None:
        assert self.starts() == ["pre"]
        assert self.starts(pre=RUNNING) == []
        assert self.starts(pre=exited(0)) == ["gate"]

    def test_a_sidecar_holds_until_its_startup_probe_passed(self) -> None:
        """Facts 1.2, 1.4."""
        assert self.starts(pre=exited(0), gate=RUNNING) == []
        assert self.starts(pre=exited(0), gate=STARTED) == ["app"]

    def test_without_startup_probe_running_is_enough(self) -> None:
        """Fact 1.3."""
        plan = compute(self.never, {"pre": exited(0), "gate": RUNNING})

        assert self.names(plan) == ["app"]

    def test_a_failed_startup_probe_restarts_the_sidecar_in_the_same_pass(self) -> None:
        """Fact 2.14."""
        plan = compute(self.spec, {"pre": exited(0), "gate": FAILED_STARTUP})

        assert plan.kill == {"gate": ProbeKind.STARTUP}
        assert self.names(plan) == ["gate"]

    def test_a_running_main_proves_that_the_gate_was_passed(self) -> None:
        """Fact 1.5."""
        assert self.starts(pre=exited(0), gate=exited(1), app=RUNNING) == ["gate"]
        spec = parse(pod(sidecar("gate", **PROBED), main("app"), main("web")))

        plan = compute(spec, {"gate": RUNNING, "app": RUNNING, "web": exited(1)})

        assert self.names(plan) == ["web"]

    def test_with_all_mains_ended_the_gate_is_asked_again(self) -> None:
        """Fact 1.6."""
        assert self.starts(pre=exited(0), gate=STARTED, app=exited(1)) == ["app"]
        assert self.starts(pre=exited(0), gate=RUNNING, app=exited(1)) == []
        assert self.starts(pre=exited(0), gate=exited(1), app=exited(1)) == ["gate"]

    def test_a_gate_that_is_not_last_is_just_restarted(self) -> None:
        """Fact 1.7."""
        spec = parse(pod(sidecar("gate", **PROBED), sidecar("log"), main("app")))

        plan = compute(spec, {"gate": exited(1), "log": RUNNING})

        assert self.names(plan) == ["gate", "app"]

    def test_a_failed_init_container_is_restarted_or_ends_the_pod(self) -> None:
        """Facts 6.10, 9.1."""
        assert self.starts(pre=exited(1)) == ["pre"]
        assert compute(self.never, {"pre": exited(1)}).kill_pod
        assert phase(self.never, {"pre": exited(1)}) == "Failed"

    def test_a_main_that_failed_liveness_is_restarted_unless_never(self) -> None:
        """Fact 2.15."""
        view = View(verdicts={ProbeKind.STARTUP: True, ProbeKind.LIVENESS: False})
        plan = compute(self.spec, {"pre": exited(0), "gate": STARTED, "app": view})
        never = compute(self.never, {"pre": exited(0), "gate": RUNNING, "app": view})

        assert plan.kill == never.kill == {"app": ProbeKind.LIVENESS}
        assert self.names(plan) == ["app"]
        assert self.names(never) == []

    def test_when_all_mains_are_done_the_pod_is_ended(self) -> None:
        """Fact 6.8."""
        assert compute(self.never, {"pre": exited(0), "gate": RUNNING, "app": exited(0)}).kill_pod

    def test_the_phase_counts_main_containers_and_running_sidecars(self) -> None:
        """Fact 6.9."""
        done = {"pre": exited(0), "app": exited(0)}

        assert phase(self.never, {"pre": exited(0), "gate": RUNNING}) == "Pending"
        assert phase(self.never, {**done, "gate": RUNNING}) == "Running"
        assert phase(self.never, {**done, "gate": exited(137)}) == "Succeeded"
        assert phase(self.never, {**done, "app": exited(3), "gate": exited(0)}) == "Failed"
