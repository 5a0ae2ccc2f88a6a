"""What gate inject finds in a pod, where it puts gate, and what it leaves alone."""

from __future__ import annotations

import difflib
import json
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate.core.errors import UsageError
from gate.core.names import annotation
from gate.inject.run import inject, remove
from gate.lint import lint
from gate.lint.finding import Severity
from gate.pods import nodes
from tests.inject.building import IMAGE, OPTIONS, app_with, pod_with, told, variable, written
from tests.stand_ins import EXAMPLES

CORPUS = Path(__file__).parent.parent / "lint"
WAIT = {"image": "busybox", "command": ["sh", "-c", "until nc -z db 5432; do sleep 1; done"]}
SECRET = {"secretKeyRef": {"name": "shop", "key": "url"}}
BLOCK = """\
# The shop.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop   # a comment
spec:
  template:
    metadata:
      labels: {app: shop}
    spec:
      initContainers:
      # Waits.
      - name: wait
        image: busybox
        command: [sh, -c, 'until nc -z db 5432; do sleep 1; done']
      # Migrates.
      - name: migrate
        image: shop
      # Serves.
      containers:
      - name: app
        image: shop    # the app
        args:
          - |
            # not a comment
            run
        env: [{name: REDIS_URL, value: "redis://:pw@cache:6379/0"}]
"""


def names(outcome: Any) -> list[str]:
    spec = written(outcome)["spec"]
    spec = spec.get("template", {}).get("spec", spec)
    return [str(each["name"]) for each in spec.get("initContainers", [])]


def dependencies(text: str, **options: Any) -> list[str]:
    """Return what gate waits for in the only pod of *text*."""
    outcome = inject([("x", text)], replace(OPTIONS, **options))
    spec = written(outcome)["spec"]
    spec = spec.get("template", {}).get("spec", spec)
    found = [each for each in spec.get("initContainers", []) if each["name"] == "gate"]
    if not found:
        return []
    values = {each["name"]: each.get("value", "") for each in found[0]["env"]}
    return str(values.get("GATE_DEPENDENCIES", "")).splitlines()


def annotated(**notes: str) -> str:
    pod = json.loads(app_with(variable("REDIS_HOST", "cache")))
    pod["metadata"]["annotations"] = {
        annotation(name.replace("_", "-")): value for name, value in notes.items()
    }
    return json.dumps(pod)


def test_every_line_that_is_not_changed_stays_as_it_was() -> None:
    after = inject([("x", BLOCK)], OPTIONS).files[0][2]

    assert [line.split() for line in gone_from(after)] == [
        ["#", "Waits."],
        ["-", "name:", "wait"],
        ["image:", "busybox"],
        [
            "command:",
            "[sh,",
            "-c,",
            "'until",
            "nc",
            "-z",
            "db",
            "5432;",
            "do",
            "sleep",
            "1;",
            "done']",
        ],
    ]


def gone_from(after: str) -> list[str]:
    """Return the lines of BLOCK that are not in *after*."""
    found = difflib.unified_diff(BLOCK.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line[1:] for line in found if line.startswith("-") and not line.startswith("---")]


def test_gate_comes_in_front_of_what_may_need_what_was_waited_for() -> None:
    outcome = inject([("x", BLOCK)], OPTIONS)

    assert names(outcome) == ["gate-forget", "gate", "gate-hold", "migrate"]


def test_gate_comes_last_where_nothing_else_waited() -> None:
    pod = json.loads(pod_with({"image": "shop"}))
    pod["spec"]["containers"][0]["env"] = [variable("REDIS_HOST", "cache")]

    assert names(inject([("x", json.dumps(pod))], OPTIONS)) == ["wait", "gate", "gate-hold"]


def test_gate_comes_behind_the_sidecar_that_it_waits_for() -> None:
    sidecar = {
        "name": "proxy",
        "image": "proxy",
        "restartPolicy": "Always",
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "admin"}},
        "ports": [{"name": "admin", "containerPort": 9901}],
    }
    pod = json.loads(pod_with(WAIT))
    pod["spec"]["initContainers"] += [{"name": "migrate", "image": "x"}, sidecar]
    pod["spec"]["initContainers"] += [{"name": "load", "image": "x"}]
    text = json.dumps(pod)

    assert names(inject([("x", text)], OPTIONS)) == [
        "migrate",
        "proxy",
        "gate",
        "gate-hold",
        "load",
    ]
    assert dependencies(text) == ["http://localhost:9901/ready", "tcp://db:5432"]


def test_what_is_put_in_is_taken_out_again_and_put_in_twice_changes_nothing() -> None:
    without_wait = BLOCK.replace("      # Waits.\n", "").replace(
        "      - name: wait\n        image: busybox\n"
        "        command: [sh, -c, 'until nc -z db 5432; do sleep 1; done']\n",
        "",
    )
    after = inject([("x", without_wait)], OPTIONS)

    assert after.is_changed
    assert not inject([("x", after.files[0][2])], OPTIONS).is_changed
    assert remove([("x", after.files[0][2])]).files[0][2] == without_wait


@pytest.mark.parametrize(
    "path",
    [
        *chain(EXAMPLES.glob("*.yaml"), EXAMPLES.glob("kustomize/**/*.yaml")),
        *chain(CORPUS.glob("sound/*.yaml"), CORPUS.glob("good/*.yaml"), CORPUS.glob("blog/*")),
    ],
    ids=lambda path: path.name,
)
def test_over_all_of_the_corpus_it_says_the_same_twice_and_lints_clean(path: Path) -> None:
    text = path.read_text()

    after = inject([("x", text)], OPTIONS).files[0][2]

    assert inject([("x", after)], OPTIONS).files[0][2] == after
    assert findings(after) - findings(text) == set()
    assert findings(remove([("x", after)]).files[0][2]) - findings(text) == set()


def findings(text: str) -> set[str]:
    found = lint([("x", text)]).findings
    return {each.rule for each in found if each.severity > Severity.INFO}


@pytest.mark.parametrize(
    ("env", "wanted"),
    [
        ([variable("DATABASE_URL", "postgres://u:pw@db:5432/shop?sslmode=require")],
         ["postgresql://db:5432/shop?sslmode=require"]),
        ([variable("SPRING_DATASOURCE_URL", "jdbc:mysql://db/shop")], ["mysql://db/shop"]),
        ([variable("REDIS_HOST", "cache"), variable("REDIS_PORT", "6380")], ["redis://cache:6380"]),
        ([variable("KAFKA_BROKERS", "a:9092,b:9092")], ["kafka://a:9092,b:9092"]),
        ([variable("DB_HOST", "$(PREFIX)-db"), variable("PREFIX", "x")], []),
        ([variable("PREFIX", "x"), variable("REDIS_HOST", "$(PREFIX)-r")], ["redis://x-r"]),
        ([variable("REDIS_HOST", "localhost")], []),
        ([variable("DATABASE_URL", "sqlite:///x.db")], []),
        ([variable("SEARCH_SERVICE_URL", "https://search.example.com/v1")], []),
        ([variable("CART_SERVICE_ADDR", "cart.shop.svc:7070")], ["tcp://cart.shop.svc:7070"]),
        ([variable("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel:4317")], []),
        ([variable("PORT", "8080"), variable("HOST", "0.0.0.0")], []),
    ],
)  # fmt: skip
def test_variables_by_value(env: list[dict[str, Any]], wanted: list[str]) -> None:
    assert dependencies(app_with(*env)) == wanted


def test_no_password_is_written_again_nor_told() -> None:
    outcome = inject([("x", app_with(variable("DATABASE_URL", "postgres://u:hush@db/x")))], OPTIONS)

    assert outcome.files[0][2].count("hush") == 1
    assert "hush" not in told(outcome)


def test_a_secret_is_given_to_gate_by_reference() -> None:
    host = {"secretKeyRef": {"name": "shop", "key": "host"}}
    text = app_with(
        {"name": "DATABASE_URL", "valueFrom": SECRET},
        {"name": "REDIS_HOST", "valueFrom": host},
        variable("REDIS_PORT", "6379"),
        {
            "name": "MONGO_URL",
            "valueFrom": {"secretKeyRef": {**host["secretKeyRef"], "optional": True}},
        },
    )

    outcome = inject([("x", text)], OPTIONS)

    env = written(outcome)["spec"]["initContainers"][0]["env"]
    assert env == [
        {"name": "DATABASE_URL", "valueFrom": SECRET},
        {"name": "REDIS_HOST", "valueFrom": host},
        {"name": "REDIS_PORT", "value": "6379"},
        {"name": "GATE_FROM_ENV", "value": "DATABASE_URL,REDIS_HOST:REDIS_PORT"},
    ]
    assert "MONGO_URL of container app is left out: its source is optional" in told(outcome)


def test_what_comes_by_env_from_is_named_by_an_annotation() -> None:
    pod = json.loads(app_with(envFrom=[{"secretRef": {"name": "shop"}}]))
    pod["metadata"]["annotations"] = {annotation("from-env"): "DATABASE_URL, MISSING:PORT"}

    (gate, _) = written(inject([("x", json.dumps(pod))], OPTIONS))["spec"]["initContainers"]

    assert gate["envFrom"] == [{"secretRef": {"name": "shop"}}]
    assert gate["env"] == [{"name": "GATE_FROM_ENV", "value": "DATABASE_URL,MISSING:PORT"}]


def test_what_a_config_map_of_the_input_brings_is_known() -> None:
    pod = app_with(envFrom=[{"configMapRef": {"name": "shop"}, "prefix": "APP_"}])
    shop = {"kind": "ConfigMap", "metadata": {"name": "shop"}, "data": {"REDIS_HOST": "cache"}}

    outcome = inject([("x", pod), ("y", json.dumps(shop))], OPTIONS)

    assert "redis://cache (variable APP_REDIS_HOST of container app)" in told(outcome)


SERVICE = """\
kind: Service
apiVersion: v1
metadata: {name: %s}
spec: {selector: {app: %s}}
---
kind: Deployment
metadata: {name: %s}
spec:
  template:
    metadata: {labels: {app: %s}}
    spec:
      containers:
        - name: app
          image: app
          env: [{name: %s_SERVICE_ADDR, value: "%s:80"}]
"""


def test_what_is_only_guessed_closes_no_circle() -> None:
    text = SERVICE % (*("a",) * 4, "B", "b") + "---\n" + SERVICE % (*("b",) * 4, "A", "a")

    place = "A_SERVICE_ADDR of container app"

    outcome = inject([("x", text)], OPTIONS)

    assert told(outcome).splitlines() == [
        "Deployment a: gate waits for",
        "  tcp://b:80 (variable B_SERVICE_ADDR of container app)",
        "Deployment b: nothing found to wait for",
        f"  note: variable {place} is left out: a waits for this workload itself",
    ]


def test_the_annotation_and_its_settings() -> None:
    text = annotated(
        dependencies="db postgresql://db; queue amqp://q",
        timeout="10m",
        on_timeout="open",
        image="mine/gate:2",
        form="exec-probe",
        state_file="/state/opened",
    )

    outcome = inject([("x", text)], OPTIONS)

    containers = {each["name"]: each for each in written(outcome)["spec"]["initContainers"]}
    gate = containers["gate"]
    values = {each["name"]: each["value"] for each in gate["env"]}
    assert values["GATE_DEPENDENCIES"].split("\n") == [
        "db postgresql://db", "queue amqp://q", "redis://cache", ""
    ]  # fmt: skip
    assert (values["GATE_TIMEOUT"], values["GATE_ON_TIMEOUT"]) == ("10m", "open")
    assert gate["image"] == containers["gate-hold"]["image"] == "mine/gate:2"
    assert gate["startupProbe"]["exec"]["command"] == ["gate", "probe", "--hold", "25s"]
    assert written(outcome)["spec"]["volumes"] == [
        {"name": "gate", "emptyDir": {"sizeLimit": "1Mi"}}
    ]


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        ({"dependencies": "tcp:/db"}, "Pod shop: GATE_DEPENDENCIES line 1"),
        ({"timeout": "soon"}, "GATE_TIMEOUT"),
        (
            {"time-out": "3m"},
            f"annotation {annotation('time-out')}: is not known; did you mean timeout?",
        ),
        ({"qqqq": "3m"}, "is not known; there are "),
    ],
)
def test_what_is_wrong_is_told_with_its_pod_and_nothing_is_written(
    notes: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        inject([("shop.yaml", annotated(**notes))], OPTIONS)

    assert said in str(caught.value)
    assert "shop.yaml:1: Pod shop: " in str(caught.value)


@pytest.mark.parametrize("word", ["false", "disabled"])
def test_who_opts_out_is_left_alone(word: str) -> None:
    outcome = inject([("x", annotated(inject=word))], OPTIONS)

    assert not outcome.is_changed
    assert told(outcome) == f"Pod shop: annotation {annotation('inject')} says no"


def test_where_two_pods_would_want_one_port_gate_is_a_plain_init_container() -> None:
    pod = json.loads(app_with(variable("REDIS_HOST", "cache")))
    pod["spec"]["hostNetwork"] = True

    (gate,) = written(inject([("x", json.dumps(pod))], OPTIONS))["spec"]["initContainers"]

    assert gate["args"] == ["wait"]
    assert "restartPolicy" not in gate


def test_before_native_sidecars_gate_is_a_plain_init_container() -> None:
    options = replace(OPTIONS, version=(1, 28))
    outcome = inject([("x", app_with(variable("REDIS_HOST", "cache")))], options)

    assert names(outcome) == ["gate"]


def test_dependencies_for_every_pod_and_sources_that_are_asked() -> None:
    text = annotated(dependencies="db tcp://db:1")

    assert dependencies(text, sources=(), dependencies=("tcp://x:1",)) == ["tcp://x:1"]
    assert dependencies(text, sources=("annotation",)) == ["db tcp://db:1"]


@pytest.mark.parametrize(
    ("probe", "wanted"),
    [
        ({"tcpSocket": {"port": 1}}, ["tcp://localhost:1"]),
        ({"grpc": {"port": 1}}, ["grpc://localhost:1"]),
        ({"httpGet": {"port": 1, "scheme": "HTTPS"}}, ["https://localhost:1/ insecure"]),
        ({"httpGet": {"port": 1, "path": "up"}}, ["http://localhost:1/up"]),
        ({"httpGet": {"port": 1, "host": "elsewhere"}}, []),
        ({"exec": {"command": ["true"]}}, []),
    ],
)
def test_sidecars_that_nothing_waits_for(probe: dict[str, Any], wanted: list[str]) -> None:
    sidecar = {"image": "x", "restartPolicy": "Always", "readinessProbe": probe}

    assert dependencies(pod_with(sidecar)) == wanted
    assert dependencies(pod_with({**sidecar, "startupProbe": probe})) == []


FORMS = sorted((Path(__file__).parent / "forms").glob("*.yaml"))
HEADS = {
    "with annotations": "metadata:\n  name: shop\n  annotations:\n    a: b\n",
    "flow": "metadata: {name: shop}\n",
    "null annotations": "metadata:\n  name: shop\n  annotations:\n",
    "none": "",
}


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
@pytest.mark.parametrize("head", HEADS)
def test_however_a_pod_is_written(form: Path, head: str) -> None:
    text = f"kind: Pod\n{HEADS[head]}{form.read_text()}"
    before = yaml.safe_load(text)
    options = replace(
        OPTIONS, dependencies=("tcp://db:1",), settings=(("GATE_STATE_FILE", "/m/o"),)
    )

    after = inject([("x", text)], options).files[0][2]

    found = yaml.safe_load(after)
    first = [each["name"] for each in before["spec"].get("initContainers") or []]
    assert [each["name"] for each in found["spec"]["initContainers"]] == [
        *first, "gate-forget", "gate", "gate-hold"
    ]  # fmt: skip
    assert found["spec"]["volumes"][-1]["name"] == "gate"
    assert found["metadata"]["annotations"][annotation("injected")] == "gate"
    back = yaml.safe_load(remove([("x", after)]).files[0][2])
    assert without_empty(back) == without_empty(before)


def without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: without_empty(each) for key, each in value.items() if each not in (None, [], {})
        }
    return value


def test_lists_streams_and_line_ends_stay_what_they_are() -> None:
    items = [json.loads(app_with(variable("REDIS_HOST", f"r{n}"))) for n in range(2)]
    whole = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=4)
    stream = "--- # one\r\nkind: Namespace\r\n---\r\n" + BLOCK.replace("\n", "\r\n")

    outcome = inject([("a", whole), ("b", stream)], OPTIONS)

    listed = json.loads(outcome.files[0][2])
    assert [len(each["spec"]["initContainers"]) for each in listed["items"]] == [2, 2]
    assert outcome.files[0][2].startswith('{\n    "apiVersion"')
    assert "\n" not in outcome.files[1][2].replace("\r\n", "")
    assert outcome.files[1][2].startswith("--- # one\r\nkind: Namespace\r\n---\r\n# The shop.")


def test_a_resource_list_of_kustomize_is_changed_within() -> None:
    items = [json.loads(app_with(variable("REDIS_HOST", "r")))]
    whole = yaml.safe_dump(
        {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": items}
    )

    found = yaml.safe_load(inject([("x", whole)], OPTIONS).files[0][2])

    assert found["kind"] == "ResourceList"
    assert found["items"][0]["spec"]["initContainers"][0]["image"] == IMAGE


def test_one_anchor_for_two_pods_is_refused_rather_than_changed_by_halves() -> None:
    shared = f"kind: List\nitems:\n- &a {app_with()}\n- *a\n"

    with pytest.raises(UsageError, match="cannot be rewritten without changing what it means"):
        inject([("x", shared)], replace(OPTIONS, dependencies=("tcp://db:1",)))


@pytest.mark.parametrize(
    ("own", "url", "wanted"),
    [
        ("nc -z db 5432", "postgres://db:5432/x", ["postgresql://db:5432/x"]),
        ("pg_isready -h db", "tcp://db:5432", ["postgresql://db:5432"]),
        ("nc -z db 5432", "postgres://db2:5432/x", ["tcp://db:5432", "postgresql://db2:5432/x"]),
        ("pg_isready -h db", "postgres://db:5432/x", ["postgresql://db:5432", "postgresql://db:5432/x"]),
    ],
)  # fmt: skip
def test_of_two_for_one_place_the_one_that_says_more_stays(
    own: str, url: str, wanted: list[str]
) -> None:
    pod = json.loads(pod_with({"image": "x", "command": ["sh", "-c", f"until {own}; do :; done"]}))
    pod["spec"]["containers"][0]["env"] = [variable("DATABASE_URL", url)]
    service = '{"kind": "Service", "apiVersion": "v1", "metadata": {"name": "db"}}'

    outcome = inject([("x", json.dumps(pod)), ("y", service)], OPTIONS)

    (gate, _) = written(outcome)["spec"]["initContainers"]
    assert gate["env"][0]["value"].splitlines() == wanted


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("postgres://u:p@$(HOST)/x", ""),
        ("http://[bad", "is left out: it "),
        ("postgres://a b/x", "is left out: "),
    ],
)
def test_a_value_that_cannot_be_read_is_told(value: str, why: str) -> None:
    outcome = inject([("x", app_with(variable("DATABASE_URL", value)))], OPTIONS)

    assert why in told(outcome)
    assert not outcome.is_changed or "GATE_FROM_ENV" in outcome.files[0][2]


def test_a_template_that_is_no_pod_is_no_matter() -> None:
    text = "kind: Deployment\nspec: {template: {spec: {containers: [{name: a, image: a}, 3]}}}\n"

    assert not inject([("x", text)], OPTIONS).is_changed


def in_parts() -> str:
    """Return a pod whose proxy needs the identity service, and whose app needs the database too."""
    proxy = {"name": "proxy", "image": "proxy", "restartPolicy": "Always"}
    pod = json.loads(pod_with({"name": "load", "image": "load"}))
    pod["spec"]["initContainers"].append(proxy)
    pod["metadata"]["annotations"] = {
        annotation("dependencies"): "db tcp://db:5432",
        annotation("dependencies.proxy"): "id http://identity/ready",
        annotation("dependencies.app"): "cache redis://cache",
    }
    return json.dumps(pod)


def test_a_container_that_needs_a_part_waits_for_that_alone() -> None:
    outcome = inject([("x", in_parts())], OPTIONS)

    containers = {each["name"]: each for each in written(outcome)["spec"]["initContainers"]}
    assert list(containers) == ["load", "gate", "gate-hold-proxy", "proxy", "gate-hold"]
    assert containers["gate-hold-proxy"]["args"] == ["hold", "proxy", "--timeout", "25m"]
    assert containers["gate-hold"]["args"] == ["hold", "--timeout", "25m"]
    assert "startupProbe" not in containers["gate"]
    assert containers["gate"]["env"][0]["value"].splitlines() == [
        "db tcp://db:5432",
        "cache redis://cache group=app",
        "id http://identity/ready group=proxy",
    ]
    assert findings(outcome.files[0][2]) - {"sidecar-without-startup-probe"} == set()
    assert not inject([("x", outcome.files[0][2])], OPTIONS).is_changed
    assert json.loads(remove([("x", outcome.files[0][2])]).files[0][2]) == json.loads(in_parts())


def test_in_yaml_the_parts_come_in_front_of_their_containers_as_well() -> None:
    text = yaml.safe_dump(json.loads(in_parts()))

    assert names(inject([("x", text)], replace(OPTIONS, is_durable=False))) == [
        "load", "gate", "gate-hold-proxy", "proxy", "gate-hold"
    ]  # fmt: skip


def test_where_gate_replaces_a_wait_it_comes_in_front_of_every_part() -> None:
    pod = json.loads(in_parts())
    pod["spec"]["initContainers"].insert(0, {"name": "w", **WAIT})

    assert names(inject([("x", json.dumps(pod))], OPTIONS)) == [
        "gate", "load", "gate-hold-proxy", "proxy", "gate-hold"
    ]  # fmt: skip


def test_a_part_of_a_container_that_is_not_there_is_told() -> None:
    pod = json.loads(in_parts())
    pod["metadata"]["annotations"][annotation("dependencies.prox")] = "tcp://x:1"

    with pytest.raises(UsageError, match=r"dependencies.prox: the pod has no such container; did"):
        inject([("x", json.dumps(pod))], OPTIONS)


def test_a_url_of_a_service_of_the_input_is_waited_for_whatever_its_variable_is_called() -> None:
    service = '{"kind": "Service", "apiVersion": "v1", "metadata": {"name": "catalog"}}'
    env = (variable("CATALOG", "http://catalog/v1"), variable("HOME", "http://elsewhere"))

    outcome = inject([("x", app_with(*env)), ("y", service)], OPTIONS)

    assert told(outcome).splitlines() == [
        "Pod shop: gate waits for",
        "  http://catalog/v1 (variable CATALOG of container app)",
    ]


def test_what_cannot_be_seen_is_told_with_the_remedy() -> None:
    outcome = inject([("x", app_with(envFrom=[{"secretRef": {"name": "shop"}}]))], OPTIONS)

    assert f"name what of it to wait for by the annotation {annotation('from-env')}" in told(
        outcome
    )


def test_a_list_is_read_and_compared_once_however_many_pods_are_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads = []
    document = nodes.document

    def counted(text: str, offset: int) -> nodes.Document:
        reads.append(offset)
        return document(text, offset)

    monkeypatch.setattr(nodes, "document", counted)
    items = [json.loads(app_with(variable("REDIS_HOST", f"r{n}"))) for n in range(5)]
    text = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items})

    changed = inject([("x", text)], OPTIONS)
    found = yaml.safe_load(changed.files[0][2])["items"]
    assert [len(each["spec"]["initContainers"]) for each in found] == [2] * 5
    assert len(reads) == 2

    assert yaml.safe_load(remove(changed_again(changed)).files[0][2])["items"] == items
    assert len(reads) == 4


def changed_again(outcome: Any) -> list[tuple[str, str]]:
    """Return what has come out as what goes in."""
    return [(name, after) for name, _, after in outcome.files]


def test_an_anchor_within_itself_is_walked_through_once() -> None:
    text = f"kind: List\nx: &x [*x]\nitems:\n- {app_with()}\n"

    assert not inject([("x", text)], OPTIONS).is_changed
