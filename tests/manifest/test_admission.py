"""`gate manifest --mode admission`: its CEL is evaluated against pods."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gate import config
from gate.core import durations
from gate.core.names import annotation
from gate.core.target import positive_duration
from gate.lint.run import lint
from gate.manifest import container
from tests.manifest.api_server import ApiServer, Failed, Fields, Refused
from tests.pod import Pod
from tests.process import run_gate
from tests.stand_ins import EXAMPLES, Ports, dependency, node

IMAGE = "registry.example.com/gate:0.1.0"
POLICY = EXAMPLES / "admission" / "policy.yaml"
SHOP = EXAMPLES / "admission" / "shop.yaml"
APP: Fields = {"name": "app", "image": "registry.example.com/app:1.0.0"}
DB = "db tcp://db:5432"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@cache
def known_server() -> ApiServer:
    return ApiServer(POLICY.read_text())


@pytest.fixture
def server() -> ApiServer:
    return known_server()


def printed(*arguments: str, **env: str) -> str:
    words = ("manifest", "--mode", "admission", "--image", IMAGE, *arguments)
    code, out, err = run_gate(*words, env={"GATE_LISTEN": "", **env})
    assert (code, err) == (0, "")
    return out


def sidecar(env: dict[str, str]) -> list[Fields]:
    """Return the containers of `gate manifest --mode sidecar`."""
    text = container.write(container.ManifestOptions("sidecar", IMAGE), config.read(env), env)
    found: list[Fields] = yaml.safe_load(text)["initContainers"]
    return found


def pod(*init: Fields, **annotations: str) -> Fields:
    """Return a pod with *annotations* of gate's, `_` for `-`."""
    spec = {"containers": [dict(APP)], **({"initContainers": list(init)} if init else {})}
    keys = {annotation(key.replace("_", "-")): value for key, value in annotations.items()}
    metadata = {"name": "shop", **({"annotations": keys} if keys else {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def init_containers(found: Fields) -> list[Fields]:
    return list(found["spec"].get("initContainers", []))


def plain(containers: list[Fields]) -> list[Fields]:
    """Return *containers* with durations in seconds, however they are written."""
    return [
        {**each, "args": [seconds(word) for word in each.get("args", [])]} for each in containers
    ]


def seconds(word: str) -> str:
    return str(durations.parse(word)) if word[:1].isdigit() else word


def test_the_example_is_what_the_command_prints() -> None:
    assert POLICY.read_text() == printed()


@pytest.mark.parametrize(
    ("annotations", "env"),
    [
        ({}, {}),
        ({"dependencies": "db tcp://db:1\ncache redis://c optional deadline=20s\n"}, {}),
        ({"dependencies": "db tcp://db:1 deadline=1h\nx tcp://x:1\tdeadline=90\n"}, {}),
        ({"dependencies": "db tcp://db:1 deadline=1h30m"}, {}),
        ({"dependencies": 'db postgresql://a:$$b$c@db/x query="select 1"'}, {}),
        ({"timeout": "10m"}, {"GATE_TIMEOUT": "10m"}),
        ({"timeout": "2h"}, {"GATE_TIMEOUT": "2h"}),
        ({"timeout": "5400"}, {"GATE_TIMEOUT": "5400"}),
        ({"timeout": "1.5h", "events": "on"}, {"GATE_TIMEOUT": "1.5h", "GATE_EVENTS": "on"}),
        (
            {"timeout": "1m", "on_timeout": "open", "dependencies": "x tcp://x:1 deadline=3h"},
            {"GATE_TIMEOUT": "1m", "GATE_ON_TIMEOUT": "open"},
        ),
    ],
)
def test_the_containers_are_those_of_the_sidecar_form(
    server: ApiServer, annotations: dict[str, str], env: dict[str, str]
) -> None:
    listed = annotations.get("dependencies", DB)
    admitted = server.admit(pod(**{"dependencies": listed, **annotations}))
    wanted = sidecar({"GATE_DEPENDENCIES": listed, **env})

    if "$" in listed:  # gate manifest puts a password into a Secret
        (variable,) = init_containers(admitted)[0]["env"]
        assert variable["value"] == listed.replace("$", "$$")
        return
    for each in (*wanted, *init_containers(admitted)):
        for variable in each.get("env", []):
            variable["value"] = variable["value"].strip()
    assert plain(init_containers(admitted)) == plain(wanted)


def test_a_pod_may_have_its_own_image(server: ApiServer) -> None:
    admitted = server.admit(pod(dependencies=DB, image="example.com/g:2"))

    assert [each["image"] for each in init_containers(admitted)] == ["example.com/g:2"] * 2


def test_gate_comes_behind_the_other_init_containers(server: ApiServer) -> None:
    before: list[Fields] = [{"name": "zzz", "image": "z"}, {"name": "aaa", "image": "a", "env": []}]
    admitted = server.admit(pod(*before, dependencies=DB))

    assert [each["name"] for each in init_containers(admitted)] == [
        "zzz",
        "aaa",
        "gate",
        "gate-hold",
    ]
    assert init_containers(admitted)[:2] == before


OWN: list[Fields] = [
    {"name": "gate", "image": "x"},
    {"name": "hold", "image": "x", "env": [{"name": "GATE_DEPENDENCIES", "value": DB}]},
    {"name": "wait", "image": "x", "env": [{"name": "GATE_FROM_ENV", "value": "A_URL"}]},
]


@pytest.mark.parametrize("own", OWN)
def test_a_pod_that_has_gate_is_not_touched(server: ApiServer, own: Fields) -> None:
    as_init, as_main = pod(own, dependencies=DB), pod(dependencies=DB)
    as_main["spec"]["containers"].append(own)

    assert server.admit(as_init) == as_init
    assert server.admit(as_main) == as_main


@pytest.mark.parametrize(
    "annotations",
    [{}, {"inject": "false", "dependencies": DB}, {"inject": "off", "dependencies": DB}],
)
def test_who_does_not_want_it_gets_none(server: ApiServer, annotations: dict[str, str]) -> None:
    wanted = pod(**annotations)

    assert server.admit(wanted) == wanted


def test_a_namespace_may_opt_out(server: ApiServer) -> None:
    wanted = pod(dependencies="nonsense")

    assert server.admit(wanted, {annotation("inject"): "false"}) == wanted


def test_the_image_of_a_pod_from_a_file_of_the_kubelet_is_let_be(server: ApiServer) -> None:
    mirror = pod(dependencies=DB)
    mirror["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "x"

    assert server.admit(mirror) == mirror


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ({"dependecies": DB}, "unknown annotation; there are podgate.dev/dependencies"),
        ({"dependencies": "db tcp://db:1 " * 700}, "longer than 8192 characters"),
        ({"dependencies": ""}, "names no URL"),
        ({"dependencies": "db"}, "names no URL"),
        ({"dependencies": "# db tcp://db:1"}, ""),
        (
            {"dependencies": "db tcp://db:1\ncache\n"},
            "a line of podgate.dev/dependencies has no URL",
        ),
        ({"dependencies": "db tcp://$(HOST):1"}, "has a $(…)"),
        ({"dependencies": "db tcp://db:1 deadline=soon"}, "is no duration"),
        ({"dependencies": "db tcp://db:1 deadline=1d"}, "is no duration"),
        ({"timeout": "soon"}, "podgate.dev/timeout is no duration"),
        ({"timeout": "0s"}, "podgate.dev/timeout is no duration"),
        ({"timeout": ""}, "podgate.dev/timeout is no duration"),
        ({"on_timeout": "close"}, "podgate.dev/on-timeout is one of wait, open, exit"),
        ({"events": "yes"}, "podgate.dev/events is one of on, off"),
        ({"inject": "never"}, "podgate.dev/inject is one of true, false, no, off, disabled"),
        ({"image": "a b"}, "podgate.dev/image is no name of an image"),
        ({"dependencies.app": DB, "inject": "true"}, ""),
        ({"form": "init"}, "are read by gate inject alone; leave them out"),
        ({"form": "init", "injected": "gate"}, ""),
    ],
)
def test_an_annotation_that_cannot_be_right_is_refused(
    server: ApiServer, annotations: dict[str, str], message: str
) -> None:
    wanted = pod(**{"dependencies": DB, **annotations})
    if not message:
        server.admit(wanted)
        return

    with pytest.raises(Refused, match=re.escape(message)):
        server.admit(wanted)


@pytest.mark.parametrize("params", [None, {"data": {}}, {}])
def test_without_its_parameter_those_pods_alone_are_refused_that_ask_for_gate(
    params: Fields | None,
) -> None:
    server = ApiServer(POLICY.read_text())
    server.params = params

    assert server.admit(pod()) == pod()
    with pytest.raises(Refused):
        server.admit(pod(dependencies=DB))


def test_the_settings_of_the_environment_are_those_of_every_gate() -> None:
    env = {"GATE_TIMEOUT": "1h", "GATE_LOG_LEVEL": "debug", "GATE_ON_TIMEOUT": "open"}
    server = ApiServer(printed("--listen", ":8081", "--name", "hold-on", "--durable=off", **env))
    (usual,) = init_containers(server.admit(pod(dependencies=DB)))
    (own,) = init_containers(server.admit(pod(dependencies=DB, timeout="2h")))

    assert usual["name"] == "hold-on"
    assert (usual["ports"][0]["containerPort"], usual["startupProbe"]["failureThreshold"]) == (
        8081,
        147,
    )
    assert own["startupProbe"]["failureThreshold"] == 291
    variables = [{each["name"]: each["value"] for each in it["env"]} for it in (usual, own)]
    assert [it["GATE_TIMEOUT"] for it in variables] == ["1h", "2h"]
    assert variables[0] == {
        "GATE_DEPENDENCIES": DB,
        "GATE_LISTEN": ":8081",
        "GATE_TIMEOUT": "1h",
        "GATE_ON_TIMEOUT": "open",
        "GATE_LOG_LEVEL": "debug",
    }


def test_a_state_file_comes_with_its_volume_and_with_what_makes_gate_forget() -> None:
    env = {"GATE_STATE_FILE": "/run/gate/opened"}
    server = ApiServer(printed(**env))
    admitted = server.admit(pod({"name": "own", "image": "x"}, dependencies=DB))

    assert plain(init_containers(admitted)[1:]) == plain(sidecar({"GATE_DEPENDENCIES": DB, **env}))
    assert admitted["spec"]["volumes"] == [{"name": "gate", "emptyDir": {"sizeLimit": "1Mi"}}]


@pytest.mark.parametrize(
    ("env", "problem"),
    [
        (
            {"GATE_DEPENDENCIES": DB},
            "GATE_DEPENDENCIES: dependencies come from each pod's annotation",
        ),
        ({"GATE_OPTIONS_DB": "optional"}, "GATE_OPTIONS_DB: dependencies come from each pod's"),
        ({"GATE_STATE_FILE": "/opened"}, "GATE_STATE_FILE: no volume can stand in for /"),
        ({"GATE_POD_CONDITION": "a.b/c"}, "GATE_POD_CONDITION: the policy adds no readiness gate"),
        ({"GATE_TIMEOUT": "soon"}, "GATE_TIMEOUT: 'soon' is not a duration"),
        ({"GATE_LISTEN": "127.0.0.1:1"}, "GATE_LISTEN: the kubelet cannot reach 127.0.0.1"),
    ],
)
def test_what_a_policy_cannot_do_is_told(env: dict[str, str], problem: str) -> None:
    words = ("manifest", "--mode", "admission", "--image", IMAGE)
    code, out, err = run_gate(*words, env={"GATE_LISTEN": "", **env})

    assert (code, out) == (2, "")
    assert problem in err


def why_refused(**annotations: str) -> str:
    try:
        known_server().admit(pod(**{"dependencies": DB, **annotations}))
    except Failed:
        raise
    except Refused as exc:
        return str(exc)
    return ""


lengths = st.from_regex(r"([1-9]h)?([0-9]m)?([0-9]s)?", fullmatch=True)


@settings(max_examples=30, deadline=None)
@given(text=st.text("0123456789.hms", max_size=6) | lengths)
@example(text="5ms")
@example(text="1m5ms")
@example(text="1s1m")
def test_what_is_accepted_for_a_duration_gate_accepts(text: str) -> None:
    try:
        positive_duration(text)
        is_right = True
    except ValueError:
        is_right = False

    is_accepted = why_refused(timeout=text) == ""
    assert is_right or not is_accepted
    # gate takes `1.h` as well.
    assert is_accepted or not is_right or "." in text


@settings(max_examples=30, deadline=None)
@given(text=st.text("ab :/;#\n\t='$()1", max_size=20))
def test_no_text_fails_an_expression(text: str) -> None:
    why = why_refused(dependencies=text, timeout=text, image=text)

    assert why == "" or "podgate.dev/" in why


def test_gate_lint_finds_nothing_in_an_admitted_pod(server: ApiServer) -> None:
    template = yaml.safe_load(SHOP.read_text())["spec"]["template"]
    admitted = server.admit({"apiVersion": "v1", "kind": "Pod", **template})
    report = lint([("pod.yaml", yaml.safe_dump(admitted))])

    assert [str(each) for each in report.findings if each.subject.endswith("gate")] == []


def quick(found: Fields, port: int) -> Any:
    """Return the pod for a node of this machine: on another port, with probes not held for long."""
    text = yaml.safe_dump(found).replace("25s", "200ms").replace("4283", str(port))
    return yaml.safe_load(text)


@pytest.mark.anyio
async def test_an_admitted_pod_starts_when_all_is_ready_and_never_before(server: ApiServer) -> None:
    ports = Ports()
    admitted = server.admit(pod(dependencies=f"db tcp://127.0.0.1:{ports['db']}"))
    wanted = quick(admitted, ports["gate"])
    async with Pod(wanted, node(ports["gate"], {})) as played:
        await played.until(lambda it: "connection refused" in it.logs("gate"))
        await played.until(lambda it: it.moments("gate", "startup probe failure"))
        assert not played.moments("app", "created")

        with dependency(ports["db"]):
            await played.container_running("app")
