"""`/metrics`: the figures, the forms, promtool, a real Prometheus, and the examples for it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from gate.core.latch import Latch
from gate.core.model import Dependency, Result
from gate.report.metrics import Exposition
from gate.runtime.board import Board
from tests import virtual
from tests.conftest import free_port, needs
from tests.process import GateProcess, listening
from tests.stand_ins import EXAMPLES
from tests.test_architecture import loaded_by

MONITORING = EXAMPLES / "monitoring"
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
DB = Dependency(name="db", url="tcp://db:5432", monitor=True)
CACHE = Dependency(name="cache", url="redis://cache", optional=True, deadline=2.0)


Samples = dict[tuple[str, ...], float]


def scraped(
    *happened: Result, now: float = 1.0, of: tuple[Dependency, ...] = (DB, CACHE)
) -> Samples:
    """Return the samples *now* seconds after the start, by name and the values of labels."""

    async def main() -> str:
        start = virtual.now()
        board = Board(Latch(of, now=start))
        for one in happened:
            began, ended = start + one.started, start + one.finished
            board.record(replace(one, started=began, finished=ended))
        await asyncio.sleep(now)
        board.tick()
        return Exposition(board).render(OPENMETRICS)[0].decode()

    families = text_string_to_metric_families(virtual.play(main()))  # type: ignore[no-untyped-call]
    samples = [sample for family in families for sample in family.samples]
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


def attempt(name: str, end: float, *, ok: bool = False, took: float = 0.002) -> Result:
    return Result(name=name, ok=ok, reason="" if ok else "no", started=end - took, finished=end)


def test_while_it_waits() -> None:
    samples = scraped(attempt("db", 0.5, ok=True), attempt("cache", 0.6), now=1.0)

    assert samples["gate_open",] == 0
    assert samples["gate_open_duration_seconds",] == 1.0
    assert samples["gate_dependency_ready", "db"] == 1
    assert samples["gate_dependency_ready", "cache"] == 0
    assert samples["gate_dependency_wait_seconds", "db"] == pytest.approx(0.5)
    assert samples["gate_dependency_wait_seconds", "cache"] == pytest.approx(1.0)


def held_by_db_alone(*more: Result, now: float) -> Samples:
    """Return the samples of a gate with a group that is met, and an optional one given up."""
    group = [Dependency(name=f"broker-{name}", url="tcp://b:1", group="g") for name in "ab"]
    failed = [attempt(name, 0.5) for name in ("broker-a", "cache", "db")]
    ready = attempt("broker-b", 0.6, ok=True)
    return scraped(*failed, ready, *more, now=now, of=(*group, CACHE, DB))


def test_pending_is_what_holds_the_gate_and_nothing_that_is_merely_not_ready() -> None:
    samples = held_by_db_alone(now=9.0)

    assert named(samples, "gate_dependency_ready", 0) == {"broker-a", "cache", "db"}
    assert named(samples, "gate_dependency_pending", 1) == {"db"}


def test_nothing_is_pending_once_it_is_open() -> None:
    confirmed = attempt("broker-b", 7.1, ok=True)
    samples = held_by_db_alone(attempt("db", 7.0, ok=True), confirmed, now=9.0)

    assert samples["gate_open",] == 1
    assert named(samples, "gate_dependency_pending", 1) == set()


def named(samples: Samples, name: str, value: float) -> set[str]:
    """Return the dependencies of which the metric *name* has that *value*."""
    return {key[1] for key, found in samples.items() if key[0] == name and found == value}


def test_once_it_is_open_the_duration_stands_still() -> None:
    confirmed = attempt("db", 0.6, ok=True)
    ready = attempt("db", 0.5, ok=True), attempt("cache", 0.6, ok=True), confirmed
    samples = scraped(*ready, now=100.0)

    assert samples["gate_open",] == 1
    assert samples["gate_open_duration_seconds",] == pytest.approx(0.6)
    assert samples["gate_open_degraded",] == 0


def test_a_degraded_opening_is_marked() -> None:
    samples = scraped(attempt("cache", 0.6), attempt("db", 2.5, ok=True), now=3.0)

    assert (samples["gate_open",], samples["gate_open_degraded",]) == (1, 1)


def test_a_monitored_dependency_that_is_not_fit_is_not_ready() -> None:
    opened = attempt("db", 0.5, ok=True), attempt("cache", 0.6, ok=True)
    samples = scraped(*opened, *(attempt("db", end) for end in (1.0, 2.0, 3.0)), now=4.0)

    assert samples["gate_dependency_ready", "db"] == 0


def test_attempts_are_counted_by_result_and_duration() -> None:
    samples = scraped(
        attempt("db", 0.1, took=0.004),
        attempt("db", 0.5, took=0.3),
        attempt("db", 20.0, took=15.0, ok=True),
        now=21.0,
    )
    bucket = "gate_check_duration_seconds_bucket"

    assert samples["gate_check_attempts_total", "db", "failure"] == 2
    assert samples["gate_check_attempts_total", "db", "success"] == 1
    assert samples["gate_check_attempts_total", "cache", "failure"] == 0
    assert [samples[bucket, "db", le] for le in ("0.005", "0.25", "0.5", "10.0", "+Inf")] == [
        *(1, 1, 2, 2, 3)
    ]
    assert samples["gate_check_duration_seconds_count", "db"] == 3
    assert samples["gate_check_duration_seconds_sum", "db"] == pytest.approx(15.304)


def test_starting_to_serve_does_not_load_prometheus_client() -> None:
    found = loaded_by("import gate.serve.command, gate.serve.endpoints, gate.report.page")

    assert "prometheus_client" not in found


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (OPENMETRICS, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        ("text/plain;version=0.0.4", "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
    ],
)
def test_the_form_is_the_one_that_is_asked_for(accept: str, kind: str) -> None:
    with waiting() as gate:
        answer = gate.ask("/metrics", Accept=accept)

    assert answer.status == 200
    assert answer.headers["content-type"].startswith(kind)
    assert ("# EOF" in answer.body) == ("openmetrics" in kind)


def test_promtool_finds_nothing_to_complain_of() -> None:
    promtool = needs("promtool", "prometheus")
    with waiting() as gate:
        text = gate.ask("/metrics").body
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_alert_rules_are_valid_and_fire_when_they_should(tmp_path: Path) -> None:
    check_rules(RULE_TESTS, tmp_path)


def test_alert_and_dashboard_name_only_what_holds_the_app(tmp_path: Path) -> None:
    (panel,) = (one for title, one in dashboard() if title == "What holds apps back now")
    written = [
        series(name, f"{value}x1", "".join(f',dependency="{one}"' for one in labels))
        for (name, *labels), value in held_by_db_alone(now=400.0).items()
        if name.startswith(("gate_open", "gate_dependency"))
    ]
    test = rule_test(written, at_1m=[("GateHoldsAppBack", DB_LABEL)])
    shown = {"labels": '{dependency="db", instance="a", job="gate"}', "value": 400}
    test["promql_expr_test"] += [{"expr": panel, "eval_time": "1m", "exp_samples": [shown]}]

    check_rules({**RULE_TESTS, "tests": [test]}, tmp_path)


def check_rules(tests: dict[str, Any], folder: Path) -> None:
    """Have promtool run *tests*, which must hold."""
    promtool = needs("promtool", "prometheus")
    (folder / "test.yaml").write_text(yaml.safe_dump(tests))
    checks = (["check", "rules", str(MONITORING / "alerts.yaml")], ["test", "rules", "test.yaml"])
    for arguments in checks:
        done = subprocess.run(
            [promtool, *arguments], cwd=folder, capture_output=True, text=True, check=False
        )

        assert done.returncode == 0, done.stdout + done.stderr


def series(name: str, values: str, labels: str = "") -> dict[str, str]:
    return {"series": f'{name}{{job="gate",instance="a"{labels}}}', "values": values}


def rule_test(series: list[dict[str, str]], **firing: list[tuple[str, str]]) -> dict[str, Any]:
    """Return a test that at each time just these alerts fire, with these labels."""
    by = "count by (alertname, dependency)"
    expected = [
        {
            "expr": f'{by} (ALERTS{{alertstate="firing"}})',
            "eval_time": time.removeprefix("at_"),
            "exp_samples": [
                {"labels": f'{{alertname="{alert}"{dependency}}}', "value": 1}
                for alert, dependency in alerts
            ],
        }
        for time, alerts in firing.items()
    ]
    return {"interval": "1m", "input_series": series, "promql_expr_test": expected}


DB_LABEL, OTHER_LABEL = ',dependency="db"', ',dependency="other"'
FAILURES = ',dependency="db",result="failure"'
RULE_TESTS = {
    "rule_files": [str(MONITORING / "alerts.yaml")],
    "tests": [
        rule_test(
            [
                series("gate_open", "0x10"),
                series("gate_open_duration_seconds", "0+60x10"),
                series("gate_dependency_pending", "1x10", DB_LABEL),
                series("gate_dependency_pending", "0x10", OTHER_LABEL),
            ],
            at_5m=[],
            at_6m=[("GateHoldsAppBack", DB_LABEL)],
        ),
        rule_test(
            [
                series("gate_open", "1x20"),
                series("gate_open_degraded", "0x5 1x15"),
                series("gate_open_duration_seconds", "900x20"),
                series("gate_dependency_ready", "1x5 0x15", DB_LABEL),
                series("gate_dependency_ready", "0x20", OTHER_LABEL),
                series("gate_check_attempts_total", "0x5 1+30x15", FAILURES),
            ],
            at_4m=[],
            at_7m=[("GateOpenedDegraded", "")],
            at_12m=[("GateDependencyLost", DB_LABEL), ("GateOpenedDegraded", "")],
        ),
    ],
}


def test_prometheus_scrapes_a_gate_and_knows_what_the_dashboard_asks(tmp_path: Path) -> None:
    port = free_port()
    with listening() as proxy:
        env = {
            "GATE_DEPENDENCIES": f"proxy tcp://127.0.0.1:{proxy}\ndb tcp://127.0.0.1:{port}",
        }
        with GateProcess("serve", env=env) as gate, prometheus(gate.port, tmp_path) as ask:
            gate.event("dependency.waiting")
            until(lambda: value(ask("gate_open")) == 0)
            until(lambda: value(ask('rate(gate_check_attempts_total{dependency="db"}[5s])')) > 0)
            for _, expression in dashboard():
                until(partial(ask, expression))
            with listening(port):
                until(lambda: value(ask("gate_open")) == 1)

            until(lambda: ask("gate_build_info"))
            until(lambda: value(ask('gate_dependency_wait_seconds{dependency="db"}')) > 0)


def test_every_metric_of_the_examples_is_one_that_gate_has() -> None:
    with waiting() as gate:
        known = gate.ask("/metrics").body
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"][0]["rules"]
    asked = [rule["expr"] for rule in rules] + [expression for _, expression in dashboard()]
    words = " ".join(asked).replace("(", " ").replace("{", " ").replace("[", " ").split()

    assert {
        word for word in words if word.startswith("gate_") and f"\n{word}" not in known
    } == set()


def dashboard() -> list[tuple[str, str]]:
    """Return title and expression of each panel, its variables put in."""
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    return [
        (
            panel["title"],
            target["expr"].replace("$job", ".*").replace("$__rate_interval", "5s"),
        )
        for panel in panels
        for target in panel["targets"]
    ]


@contextmanager
def waiting() -> Iterator[GateProcess]:
    env = {"GATE_DEPENDENCIES": f"db tcp://127.0.0.1:{free_port()}"}
    with GateProcess("serve", env=env) as gate:
        gate.event("dependency.waiting")
        yield gate


Ask = Callable[[str], list[dict[str, Any]]]


def value(found: list[dict[str, Any]]) -> float:
    return float(found[0]["value"][1]) if found else -1.0


def until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end, is_so
        time.sleep(0.1)


@contextmanager
def prometheus(target: int, folder: Path) -> Iterator[Ask]:
    """Run a Prometheus that scrapes *target*; yield what answers an expression."""
    program, port = needs("prometheus", "prometheus"), free_port()
    scrape = {"job_name": "gate", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}
    intervals = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    config = {"global": intervals, "scrape_configs": [scrape]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    options = [
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]

    def ask(expression: str) -> list[dict[str, Any]]:
        query = urlencode({"query": expression})
        with urlopen(f"http://127.0.0.1:{port}/api/v1/query?{query}", timeout=60) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
            return found

    with subprocess.Popen([program, *options], stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: answers(port))
            yield ask
        finally:
            process.terminate()


def answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=60):
            return True
    except OSError:
        return False
