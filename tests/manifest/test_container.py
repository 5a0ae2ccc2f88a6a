"""`gate manifest`: what it prints, and that a pod made of it starts in the right order."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.config import flags
from gate.lint.run import lint
from gate.manifest.container import MODES
from gate.pods.editing.emitter import Commented, emit
from tests.pod import Pod
from tests.process import run_gate
from tests.stand_ins import Ports, dependency, node

IMAGE = "registry.example.com/gate:0.1.0"
SERVING = [mode for mode in MODES if mode != "init"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def printed(*arguments: str, mode: str = "sidecar", **env: str) -> str:
    """Return what `gate manifest` prints; it must end well and say nothing else."""
    listen = {"GATE_LISTEN": "", "GATE_DEPENDENCIES": "db tcp://db:5432"}
    given = {f"GATE_{name}": value for name, value in env.items()}
    words = ("manifest", "--mode", mode, "--image", IMAGE, *arguments)
    code, out, err = run_gate(*words, env={**listen, **given})
    assert (code, err) == (0, "")
    return out


def spec(*arguments: str, mode: str = "sidecar", **env: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(printed(*arguments, mode=mode, **env))
    return found


def gate(*arguments: str, mode: str = "sidecar", **env: str) -> dict[str, Any]:
    """Return the container in it."""
    return named("gate", spec(*arguments, mode=mode, **env))


def named(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """Return the init container of that name."""
    (container,) = (each for each in found["initContainers"] if each["name"] == name)
    assert isinstance(container, dict)
    return container


def variables(container: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"] if "value" in each}


def secrets(container: dict[str, Any]) -> dict[str, tuple[str, str]]:
    found = {each["name"]: each["valueFrom"] for each in container["env"] if "valueFrom" in each}
    return {
        name: (source["secretKeyRef"]["name"], source["secretKeyRef"]["key"])
        for name, source in found.items()
    }


HOLDS = {
    "sidecar": "startup probe failure",
    "exec-probe": "startup probe failure",
    "poststart": "post-start begun",
    "init": "started",
}
"""What has happened to gate when it holds the app, by mode."""


def quick(text: str) -> str:
    """Return *text* with probes that are not held for long, so that some of them fail."""
    return text.replace("25s", "200ms")


def pod_of(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return a pod with an app, to whose spec *wanted* is added."""
    app = {"name": "app", "image": "registry.example.com/app:1.0.0"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "shop"},
        "spec": {**wanted, "containers": [app]},
    }


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.anyio
async def test_the_app_of_a_pod_made_of_it_starts_when_all_is_ready_and_never_before(
    mode: str,
) -> None:
    ports = Ports()
    dependencies = f"db tcp://127.0.0.1:{ports['db']}"
    text = printed(mode=mode, LISTEN=f":{ports['gate']}", DEPENDENCIES=dependencies)
    async with Pod(pod_of(yaml.safe_load(quick(text))), node(ports["gate"], {})) as pod:
        await pod.until(lambda pod: "connection refused" in pod.logs("gate"))
        await pod.until(lambda pod: pod.moments("gate", HOLDS[mode]))
        assert not pod.moments("app", "created")

        with dependency(ports["db"]):
            await pod.container_running("app")

        passed = "exited 0" if mode == "init" else "startup probe success"
        assert pod.moments("gate", passed)[0] <= pod.moments("app", "created")[0], pod.timeline


@pytest.mark.anyio
async def test_a_gate_of_it_that_restarts_opens_at_once_where_a_state_file_is_asked_for() -> None:
    ports = Ports()
    dependencies = f"db tcp://127.0.0.1:{ports['db']}"
    listen = f":{ports['gate']}"
    wanted = spec(LISTEN=listen, DEPENDENCIES=dependencies, STATE_FILE="/run/gate/opened")
    async with Pod(pod_of(wanted), node(ports["gate"], {})) as pod:
        with dependency(ports["db"]):
            await pod.container_running("app")
        pod.crash("gate")
        await pod.until(lambda pod: pod.containers["gate"].restarts == 1)
        await pod.until(lambda pod: pod.containers["gate"].is_started)

        await pod.until(lambda pod: "gate.restored" in pod.logs("gate"))


@pytest.mark.parametrize("mode", MODES)
def test_gate_lint_finds_nothing_in_it(mode: str) -> None:
    wanted = spec(mode=mode, TIMEOUT="10m", DEPENDENCIES="db tcp://db:5432; web http://web/")
    report = lint([("pod.yaml", yaml.safe_dump(pod_of(wanted)))])

    assert [str(each) for each in report.findings if each.subject.endswith("gate")] == []


def test_it_reads_well() -> None:
    text = "db tcp://db:5432 timeout=1s; web http://web/"

    assert printed(DEPENDENCIES=text, TIMEOUT="30m", STATE_FILE="/run/gate/opened") == (
        "# For the spec of a pod, made by gate manifest --mode sidecar.\n"
        "enableServiceLinks: false\n"
        "initContainers:\n"
        "  # Runs anew when all containers of the pod restart: gate then waits again.\n"
        "  - name: gate-forget\n"
        "    image: registry.example.com/gate:0.1.0\n"
        "    args: [forget]\n"
        "    env:\n"
        "      - name: GATE_STATE_FILE\n"
        "        value: /run/gate/opened\n"
        "    volumeMounts:\n"
        "      - name: gate\n"
        "        mountPath: /run/gate\n"
        "    resources:\n"
        "      requests: {cpu: 10m, memory: 16Mi}\n"
        "      limits: {memory: 64Mi}\n"
        "    securityContext:\n"
        "      runAsNonRoot: true\n"
        "      runAsUser: 65532\n"
        "      allowPrivilegeEscalation: false\n"
        "      readOnlyRootFilesystem: true\n"
        "      capabilities: {drop: [ALL]}\n"
        "      seccompProfile: {type: RuntimeDefault}\n"
        "  # Behind the other init containers, so that it is in force when the app would start.\n"
        "  - name: gate\n"
        "    image: registry.example.com/gate:0.1.0\n"
        "    restartPolicy: Always\n"
        "    ports:\n"
        "      - name: gate\n"
        "        containerPort: 4283\n"
        "    env:\n"
        "      - name: GATE_DEPENDENCIES\n"
        "        value: |\n"
        "          db tcp://db:5432 timeout=1s\n"
        "          web http://web/\n"
        "      - name: GATE_TIMEOUT\n"
        "        value: 30m\n"
        "      - name: GATE_STATE_FILE\n"
        "        value: /run/gate/opened\n"
        "    volumeMounts:\n"
        "      - name: gate\n"
        "        mountPath: /run/gate\n"
        "    # Each probe is held for up to 25s, so this is patient for 31m15s.\n"
        "    startupProbe:\n"
        '      httpGet: {path: "/startupz?hold=25s", port: 4283}\n'
        "      periodSeconds: 1\n"
        "      timeoutSeconds: 30\n"
        "      failureThreshold: 75\n"
        "    readinessProbe:\n"
        "      httpGet: {path: /readyz, port: 4283}\n"
        "      periodSeconds: 5\n"
        "    resources:\n"
        "      requests: {cpu: 10m, memory: 16Mi}\n"
        "      limits: {memory: 96Mi}\n"
        "    securityContext:\n"
        "      runAsNonRoot: true\n"
        "      runAsUser: 65532\n"
        "      allowPrivilegeEscalation: false\n"
        "      readOnlyRootFilesystem: true\n"
        "      capabilities: {drop: [ALL]}\n"
        "      seccompProfile: {type: RuntimeDefault}\n"
        "  # Holds the app should the kubelet restart while gate waits: "
        "1.35 and 1.36 then start it.\n"
        "  # Costs about half a second at the opening; --durable off leaves it out.\n"
        "  - name: gate-hold\n"
        "    image: registry.example.com/gate:0.1.0\n"
        '    args: [hold, "--timeout", 31m15s]\n'
        "    resources:\n"
        "      requests: {cpu: 10m, memory: 16Mi}\n"
        "      limits: {memory: 64Mi}\n"
        "    securityContext:\n"
        "      runAsNonRoot: true\n"
        "      runAsUser: 65532\n"
        "      allowPrivilegeEscalation: false\n"
        "      readOnlyRootFilesystem: true\n"
        "      capabilities: {drop: [ALL]}\n"
        "      seccompProfile: {type: RuntimeDefault}\n"
        "volumes:\n"
        "  - name: gate\n"
        "    emptyDir: {sizeLimit: 1Mi}\n"
    )


@pytest.mark.parametrize("mode", SERVING)
@pytest.mark.parametrize(
    ("timeout", "dependencies", "failures"),
    [
        ("", "tcp://db:1", 60),  # the recommended block
        ("5s", "tcp://db:1", 30),  # as many seconds for the start
        ("10m", "tcp://db:1", 30),
        ("1h", "tcp://db:1", 147),
        ("", "tcp://db:1 deadline=5m", 60),
        ("", "tcp://db:1 deadline=1h", 147),
        ("1m", "tcp://db:1 optional deadline=1h", 147),  # overdue, and still to be given up
        ("1m", "tcp://db:1 optional", 30),
    ],
)
def test_the_probe_is_more_patient_than_gate(
    mode: str, timeout: str, dependencies: str, failures: int
) -> None:
    probe = gate(mode=mode, TIMEOUT=timeout, DEPENDENCIES=dependencies)["startupProbe"]

    assert probe["failureThreshold"] == failures
    assert (probe["periodSeconds"], probe["timeoutSeconds"]) == (1, 30)


@pytest.mark.parametrize("end", ["open", "exit"])
def test_no_deadline_counts_that_comes_after_the_end(end: str) -> None:
    late = "tcp://db:1 optional deadline=1h"
    bounded = {"TIMEOUT": "1m", "ON_TIMEOUT": end, "DEPENDENCIES": late}

    assert gate(**bounded)["startupProbe"]["failureThreshold"] == 30
    assert longest_hook(**bounded) == "1m30s"


@pytest.mark.parametrize(
    ("mode", "given", "memory"),
    [
        ("sidecar", {}, "16Mi"),
        ("poststart", {}, "16Mi"),
        ("exec-probe", {}, "64Mi"),
        ("init", {}, "48Mi"),
        ("sidecar", {"DEPENDENCIES": "db tcp://db:5432 monitor"}, "48Mi"),
        ("sidecar", {"SHRINK": "off"}, "48Mi"),
    ],
)
def test_what_it_keeps_for_life_is_requested(mode: str, given: dict[str, str], memory: str) -> None:
    assert gate(mode=mode, **given)["resources"]["requests"]["memory"] == memory


def test_the_probe_asks_on_the_port_that_gate_listens_on() -> None:
    container = gate("--listen", ":8081", LISTEN=":9")

    assert container["startupProbe"]["httpGet"]["port"] == 8081
    assert container["ports"] == [{"name": "gate", "containerPort": 8081}]
    assert variables(container)["GATE_LISTEN"] == ":8081"


def test_each_setting_that_was_given_is_in_it_and_no_other() -> None:
    container = gate("--interval=2s", INTERVAL="9s", LOG_LEVEL="debug", SUCCESSES=" ")

    assert variables(container) == {
        "GATE_DEPENDENCIES": "db tcp://db:5432",
        "GATE_INTERVAL": "2s",
        "GATE_LOG_LEVEL": "debug",
    }


def longest_hook(**env: str) -> str:
    command = gate(mode="poststart", **env)["lifecycle"]["postStart"]["exec"]["command"]
    *hook, timeout = command
    assert hook == ["gate", "hold", "--timeout"]
    return str(timeout)


@pytest.mark.parametrize(
    ("timeout", "deadline", "hook", "wait"),
    [
        ("", "", "5m", ["wait"]),
        ("90s", "", "2m", ["wait"]),
        ("", "optional", "5m", ["wait"]),
        ("", "optional deadline=10m", "10m30s", ["wait", "--timeout", "10m30s"]),
        ("1m", "optional deadline=10m", "10m30s", ["wait"]),  # and then exits 1: it was told to
    ],
)
def test_what_ends_by_itself_does_so_after_gate_has_given_up_what_it_may(
    timeout: str, deadline: str, hook: str, wait: list[str]
) -> None:
    env = {"TIMEOUT": timeout, "DEPENDENCIES": f"tcp://db:1 {deadline}"}

    assert longest_hook(**env) == hook
    assert gate(mode="init", **env)["args"] == wait


def test_a_gate_with_a_hook_remembers_that_it_has_opened_lest_a_restart_blocks_the_pod() -> None:
    found = spec(mode="poststart")
    container = named("gate", found)

    assert variables(container)["GATE_STATE_FILE"] == "/run/gate/opened"
    assert container["volumeMounts"] == [{"name": "gate", "mountPath": "/run/gate"}]
    assert found["volumes"] == [{"name": "gate", "emptyDir": {"sizeLimit": "1Mi"}}]
    assert variables(gate(mode="poststart", STATE_FILE="/a/b"))["GATE_STATE_FILE"] == "/a/b"


def test_the_name_is_that_of_container_and_volume() -> None:
    found = spec("--name", "hold-on", STATE_FILE="/tmp/opened")

    assert found["volumes"] == [{"name": "hold-on", "emptyDir": {"sizeLimit": "1Mi"}}]
    names = [each["name"] for each in found["initContainers"]]
    assert names == ["hold-on-forget", "hold-on", "hold-on-hold"]
    for each in found["initContainers"][:2]:
        assert each["volumeMounts"] == [{"name": "hold-on", "mountPath": "/tmp"}]


@pytest.mark.parametrize("mode", SERVING)
def test_a_container_behind_it_holds_as_long_as_the_probe_is_patient(mode: str) -> None:
    found = spec(mode=mode, TIMEOUT="30m", LISTEN=":8081")
    hold = found["initContainers"][-1]

    assert (hold["name"], hold["image"]) == ("gate-hold", IMAGE)
    assert hold["args"] == ["hold", "--timeout", "31m15s"]
    assert variables(hold) == {"GATE_LISTEN": ":8081"}
    assert "restartPolicy" not in hold


@pytest.mark.parametrize("mode", MODES)
def test_who_does_not_want_it_leaves_it_out(mode: str) -> None:
    found = spec("--durable", "off", mode=mode)

    assert "gate-hold" not in [each["name"] for each in found["initContainers"]]
    assert "readinessProbe" not in named("gate", found)


def test_what_is_no_sidecar_needs_none() -> None:
    assert [each["name"] for each in spec(mode="init")["initContainers"]] == ["gate"]


@pytest.mark.parametrize("mode", SERVING)
def test_with_a_state_file_one_in_front_makes_it_forget(mode: str) -> None:
    first = spec(mode=mode, STATE_FILE="/run/gate/opened")["initContainers"][0]

    assert (first["name"], first["args"]) == ("gate-forget", ["forget"])
    assert variables(first) == {"GATE_STATE_FILE": "/run/gate/opened"}
    assert "restartPolicy" not in first


SECRET = "Pa55-w0rd"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"db postgresql://app:{SECRET}@db/app timeout=1s", "GATE_DEPENDENCY_DB"),
        (f"web https://web/?token={SECRET}", "GATE_DEPENDENCY_WEB"),
        (f'web https://web/ header="X-Key: {SECRET}"', "GATE_DEPENDENCY_WEB"),
        (f"nats://{SECRET}@mq:4222", "GATE_DEPENDENCY_MQ"),
        (f"# was redis://:{SECRET}@old\ntcp://db:1", None),
    ],
)
def test_a_secret_is_a_reference_and_is_in_no_comment(text: str, named: str | None) -> None:
    out = printed(DEPENDENCIES=f"{text}\ntcp://other:1")
    container = yaml.safe_load(out)["initContainers"][0]

    assert SECRET not in out
    assert list(secrets(container)) == ([named] if named else [])
    assert "tcp://other:1" in variables(container)["GATE_DEPENDENCIES"]


def test_a_password_of_one_character_is_one_too() -> None:
    for url in ("redis://:7@cache", "postgresql://a@db/app?password=7"):
        assert secrets(gate(DEPENDENCIES=f"x {url}")) == {"GATE_DEPENDENCY_X": ("gate", "x")}


def test_a_comment_says_what_the_secret_has_to_hold() -> None:
    out = printed(
        DEPENDENCIES="", DEPENDENCY_DB=f'postgresql://a:{SECRET}@db/app query="select 1" timeout=1s'
    )

    assert (
        "      # Fill in the Secret and the key which hold:\n"
        "      #   postgresql://db/app with its user, password, then query=… timeout=1s\n"
        "      - name: GATE_DEPENDENCY_DB\n"
        "        valueFrom:\n"
        "          secretKeyRef: {name: gate, key: db}\n"
    ) in out


def test_a_dependency_in_a_variable_of_its_own_stays_there() -> None:
    container = gate(DEPENDENCIES="", DEPENDENCY_MAIN_DB="tcp://db:5432 timeout=1s")

    assert variables(container) == {"GATE_DEPENDENCY_MAIN_DB": "tcp://db:5432 timeout=1s"}


def test_secrets_whose_names_come_to_the_same_get_variables_of_their_own() -> None:
    lines = ["a.b redis://:pass@one", "a-b redis://:pass@two", "a_b tcp://three:1"]
    container = gate(DEPENDENCIES="\n".join(lines))

    assert list(secrets(container)) == ["GATE_DEPENDENCY_A_B_2", "GATE_DEPENDENCY_A_B_3"]


def told(*dependencies: str, mode: str = "sidecar", **env: str) -> list[str]:
    """Return the comments on top."""
    text = printed(mode=mode, DEPENDENCIES="\n".join(dependencies), **env)
    return text.split("enableServiceLinks")[0].splitlines()[1:]


def test_what_the_pod_needs_besides_is_said() -> None:
    dependencies = ("file:///run/x", "job k8s:job/migrate", "app exec:/app/check", "tcp://db:1")

    assert told(*dependencies, EVENTS="on") == [
        "# Give it the volumes that hold /run/x.",
        "# Give it an image that has what app runs: gate's has Python only.",
        "# Give the pod a serviceAccountName that may see what it waits for (rbac-k8s.yaml).",
        "# Give the pod a serviceAccountName that may tell of it (rbac-events.yaml).",
    ]


@pytest.mark.parametrize(
    ("dependency", "paths"),
    [
        ("file:///data/a%20b", "/data/a b"),
        ("unix:///run/a.sock", "/run/a.sock"),
        ("http+unix://%2Frun%2Fa.sock/path", "/run/a.sock"),
        ("grpc+unix:///run/a.sock", "/run/a.sock"),
        ("redis+unix:///run/a.sock", "/run/a.sock"),
        ("postgresql:///app?host=/run/pg&sslrootcert=/tls/ca", "/run/pg, /tls/ca"),
        ("mysql://a@db/app?unix_socket=/run/a.sock&ssl_ca=/tls/ca", "/run/a.sock, /tls/ca"),
        ("mongodb://%2Frun%2Fa.sock/?tlsCAFile=/tls/ca", "/tls/ca, /run/a.sock"),
        ("https://web/ ca=/tls/ca cert=/tls/cert key=/tls/key", "/tls/ca, /tls/cert, /tls/key"),
        ("http://web/ bearer-file=/run/token", "/run/token"),
        ("redis://db password-file=/run/secret", "/run/secret"),
        ("k8s:job/a token-file=/run/token", "/run/token"),
        ("sidecar:vault-agent file=a file=/b", "/vault/secrets/a, /b"),
    ],
)
def test_every_path_that_a_check_looks_at_is_one_for_a_volume(dependency: str, paths: str) -> None:
    assert told(dependency)[0] == f"# Give it the volumes that hold {paths}."


def test_a_condition_is_one_that_the_pod_is_ready_by() -> None:
    wanted = spec(POD_CONDITION="example.com/ready")

    assert wanted["readinessGates"] == [{"conditionType": "example.com/ready"}]
    assert "readinessGates" not in spec()


def test_gate_as_an_init_container_tells_nobody_so_nothing_is_needed_for_that() -> None:
    env = {"mode": "init", "EVENTS": "on", "POD_CONDITION": "example.com/ready"}

    assert "readinessGates" not in spec(**env)
    assert "ports" not in gate(**env)
    assert told("tcp://db:1", **env) == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--timeout", "soon"], "--timeout: 'soon' is not a duration; write"),
        (["--dependencies", "tpc://db:1"], "tpc: unknown scheme; did you mean tcp?"),
        (["--listen", "127.0.0.1:80"], "GATE_LISTEN: the kubelet cannot reach 127.0.0.1; leave"),
        (["--state-file", "/opened"], "GATE_STATE_FILE: no volume can stand in for /; write"),
        (["--name", "Gate"], "--name: 'Gate' names no container; write small letters"),
        (["--image", "a b"], "--image: 'a b' is not the name of an image"),
        (["--mode", "deployment"], "argument --mode: invalid choice; there are sidecar"),
        (["--nmae", "x"], "unknown argument --nmae; did you mean --name?"),
        (["--", "app"], "manifest takes no command after --; gate wait does"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_printed(arguments: list[str], text: str) -> None:
    words = ("manifest", "--mode=sidecar", "--image=x", *arguments)
    code, out, err = run_gate(*words, env={"GATE_DEPENDENCIES": "tcp://db:1"})

    assert (code, out) == (2, "")
    assert text in err
    assert "Traceback" not in err


def test_a_gate_on_a_loopback_address_can_be_probed_by_exec() -> None:
    container = gate("--listen=127.0.0.1:80", mode="exec-probe")

    assert container["startupProbe"]["exec"]["command"] == ["gate", "probe", "--hold", "25s"]
    assert "ports" not in container  # nobody could scrape it there


def test_the_modes_of_the_command_line_are_those_there_are() -> None:
    for mode in MODES:
        assert flags.parse(["manifest", "--mode", mode, "--image", "x"]).mode == mode


def test_a_dollar_arrives_as_it_was_written() -> None:
    """Kubernetes makes one $ of each two (fact 11.1)."""
    container = gate(DEPENDENCIES="", DEPENDENCY_A="unix:///run/a$$b")

    assert variables(container) == {"GATE_DEPENDENCY_A": "unix:///run/a$$$$b"}


TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(["on", "1e3", "0x1s", "~", "a: b", "a:", "- a", "#a", "12:30m", "a\nb\n"]),
    st.from_regex(r"[a-z0-9:/ .+-]{1,8}\n?", fullmatch=True),
    st.lists(st.text("ab:#- \t'")).map(lambda lines: "".join(f"{line}\n" for line in lines)),
)
KEYS = st.from_regex(r"[a-z]{2,9}[A-Z]", fullmatch=True)
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(), st.booleans()),
    lambda inner: st.one_of(st.dictionaries(KEYS, inner, min_size=1), st.lists(inner, min_size=1)),
    max_leaves=9,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(KEYS, VALUES, min_size=1))
def test_yaml_says_what_was_written(value: dict[str, object]) -> None:
    assert yaml.safe_load(emit(value)) == value


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS)
def test_a_comment_changes_nothing(text: str, comment: str) -> None:
    noted = {"a": Commented([Commented({"b": text}, (comment,))], (comment,))}

    assert yaml.safe_load(emit(noted)) == {"a": [{"b": text}]}


def of_the_app(from_env: str, **environ: str) -> dict[str, Any]:
    """Return the container of a gate that reads *environ*, the app's variables."""
    given = {"GATE_LISTEN": "", "GATE_FROM_ENV": from_env, **environ}
    code, out, err = run_gate("manifest", "--mode", "init", "--image", IMAGE, env=given)
    assert (code, err) == (0, "")
    assert SECRET not in out
    found: dict[str, Any] = yaml.safe_load(out)["initContainers"][0]
    return found


def test_the_app_s_variables_are_in_it_with_the_name_of_each() -> None:
    app = {"REDIS_HOST": "r", "REDIS_PORT": "6379", "DB_URL": f"postgresql://a:{SECRET}@db/app"}
    container = of_the_app("REDIS_*,DB_URL", GATE_OPTIONS_REDIS="deadline=1m", **app)

    assert secrets(container) == {"DB_URL": ("gate", "db")}
    assert variables(container) == {
        "REDIS_HOST": "r",
        "REDIS_PORT": "6379",
        "GATE_OPTIONS_REDIS": "deadline=1m",
        "GATE_FROM_ENV": "REDIS_*,DB_URL",
    }


def test_the_password_of_libpq_s_variables_is_a_reference() -> None:
    app = {"PGHOST": "db", "PGPORT": "5432", "PGUSER": "app", "PGPASSWORD": SECRET}
    container = of_the_app("PG*", **app)

    assert secrets(container) == {"PGPASSWORD": ("gate", "pgpassword")}
    assert variables(container) == {
        "PGHOST": "db",
        "PGPORT": "5432",
        "PGUSER": "app",
        "GATE_FROM_ENV": "PG*",
    }


def test_options_that_may_be_secret_are_a_reference() -> None:
    options = {"GATE_OPTIONS_API": f"header='X: {SECRET}' timeout=1s"}

    container = of_the_app("API_URL", API_URL="http://api:80", **options)

    assert secrets(container)["GATE_OPTIONS_API"] == ("gate", "options-api")


def test_a_part_is_told_of() -> None:
    text = printed(DEPENDENCIES="db tcp://db:5432; id tcp://id:1 group=proxy")

    assert "# What needs a part alone (proxy): `gate hold PART` in front of it.\n" in text
