"""`gate lint --fix`: what has one right remedy is written, and all else stays as it was."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from gate.cli import main
from gate.lint import fixes, lint
from tests.lint import playing
from tests.lint.corpus import text_of
from tests.lint.played_symptoms import trouble_of

FIXED = [
    "sidecar-probe-does-not-hold",
    "liveness-kills-start",
    "hold-not-below-timeout",
    "hold-not-below-timeout.exec",
    "short-probe-budget",
    "probe-budget-below-timeout",
    "startup-probe-period",
    "state-file-volume",
]
UNSAFE = ["sidecar-among-main-containers"]


class Manifest:
    """A manifest in a file of its own, and what `gate lint` does with it."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self._capsys = capsys

    def lint(self, *words: str) -> int:
        return main.main(["lint", *words, str(self.path)])

    def told(self) -> str:
        out, err = self._capsys.readouterr()
        return out or err

    def rules(self) -> set[str]:
        return {each.rule for each in lint([("x", self.path.read_text())]).findings}


@pytest.fixture
def manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Manifest:
    return Manifest(tmp_path / "shop.yaml", capsys)


@pytest.mark.parametrize("name", FIXED + UNSAFE)
def test_what_is_fixed_lints_clean_and_keeps_its_other_lines(name: str, manifest: Manifest) -> None:
    before = text_of("bad", name)
    rule = name.partition(".")[0]
    manifest.path.write_text(before)

    manifest.lint("--fix=unsafe" if name in UNSAFE else "--fix")

    after = manifest.path.read_text()
    assert rule not in manifest.rules()
    assert after != before
    if name not in UNSAFE:
        gone = set(before.splitlines()) - set(after.splitlines())
        assert all("# HERE" in line or "imeoutSeconds" in line or "ailure" in line for line in gone)


def test_each_fix_is_shown() -> None:
    assert {name.partition(".")[0] for name in FIXED} == set(fixes.SAFE)
    assert set(UNSAFE) == set(fixes.UNSAFE)


@pytest.mark.parametrize("name", UNSAFE)
def test_what_changes_the_order_is_written_when_asked_for_only(
    name: str, manifest: Manifest
) -> None:
    manifest.path.write_text(text_of("bad", name))

    assert manifest.lint("--fix") == 1
    assert manifest.path.read_text() == text_of("bad", name)


def test_a_comment_behind_a_number_stays(manifest: Manifest) -> None:
    text = text_of("good", "gate-not-durable")
    manifest.path.write_text(text.replace("timeoutSeconds: 30", "timeoutSeconds: 3 # or so"))

    assert manifest.lint("--fix") == 0
    assert "timeoutSeconds: 30 # or so\n" in manifest.path.read_text()


def test_of_two_budgets_the_greater_one_is_written(manifest: Manifest) -> None:
    text = text_of("bad", "probe-budget-below-timeout").replace("hold=25s", "hold=1s")
    manifest.path.write_text(text)

    manifest.lint("--fix")

    assert not manifest.rules() & {"probe-budget-below-timeout", "short-probe-budget"}


def test_a_diff_writes_nothing(manifest: Manifest) -> None:
    before = text_of("bad", "startup-probe-period")
    manifest.path.write_text(before)

    assert manifest.lint("--diff") == 0
    told = manifest.told()
    assert "+        periodSeconds: 1\n" in told
    assert "+        failureThreshold: 30\n" in told
    assert manifest.path.read_text() == before


def test_what_is_silenced_is_let_be(manifest: Manifest) -> None:
    before = text_of("bad", "startup-probe-period").replace(
        "# HERE", "# gate-lint: ignore=startup-probe-period it is slow"
    )
    manifest.path.write_text(before)

    assert manifest.lint("--fix") == 0
    assert manifest.path.read_text() == before


@pytest.mark.parametrize("probe", ["5", "{periodSeconds: 5}"])
def test_a_probe_that_asks_nothing_is_not_copied(probe: str, manifest: Manifest) -> None:
    text = text_of("bad", "sidecar-probe-does-not-hold")
    head, _, rest = text.partition("      readinessProbe:")
    tail = rest.partition("  containers:")[2]
    manifest.path.write_text(f"{head}      readinessProbe: {probe}\n  containers:{tail}")

    manifest.lint("--fix")

    assert "startupProbe" not in manifest.path.read_text()


def test_what_is_written_in_braces_is_changed_too(manifest: Manifest) -> None:
    probe = '{httpGet: {path: "/startupz?hold=25s", port: 4283}, periodSeconds: 1, '
    probe += "failureThreshold: 60, timeoutSeconds: 5}"
    manifest.path.write_text(
        f"""kind: Pod # kept
spec:
  initContainers:
    - name: gate
      image: gate
      restartPolicy: Always
      env: [{{name: GATE_DEPENDENCIES, value: "tcp://db:1"}}]
      startupProbe: {probe}
  containers: [{{name: app, image: app}}]
"""
    )

    assert manifest.lint("--fix") == 0
    after = manifest.path.read_text()
    assert "# kept" in after
    (gate,) = yaml.safe_load(after)["spec"]["initContainers"]
    assert gate["startupProbe"]["timeoutSeconds"] == 30


@pytest.mark.parametrize("word", ["on", "12:30"])
def test_a_text_that_looks_like_something_else_stays_a_text_in_braces(
    word: str, manifest: Manifest
) -> None:
    probe = f"{{exec: {{command: [check, '{word}']}}, periodSeconds: 2}}"
    agent = f"{{name: agent, image: agent, restartPolicy: Always, readinessProbe: {probe}}}"
    app = "{name: app, image: app, env: [{name: AGENT, value: 'http://localhost:8080'}]}"
    manifest.path.write_text(
        f"kind: Pod\nspec:\n  initContainers: [{agent}]\n  containers: [{app}]\n"
    )

    assert manifest.lint("--fix") == 0
    (written,) = yaml.safe_load(manifest.path.read_text())["spec"]["initContainers"]
    assert written["startupProbe"]["exec"]["command"] == ["check", word]


def test_without_the_library_that_writes_braces_it_says_what_to_install(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = '{httpGet: {path: "/startupz?hold=25s", port: 4283}, failureThreshold: 60}'
    name = '{name: GATE_DEPENDENCIES, value: "tcp://db:1"}'
    gate = (
        f"{{name: gate, image: gate, restartPolicy: Always, env: [{name}], startupProbe: {probe}}}"
    )
    before = (
        f"kind: Pod\nspec:\n  initContainers: [{gate}]\n  containers: [{{name: a, image: a}}]\n"
    )
    manifest.path.write_text(before)
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)

    assert manifest.lint("--fix") == 2
    assert "needs ruamel.yaml; pip install" in manifest.told()
    assert manifest.path.read_text() == before


def test_a_mount_is_added_to_those_that_there_are(manifest: Manifest) -> None:
    text = text_of("bad", "state-file-volume")
    mounted = text.replace(
        "      startupProbe:",
        "      volumeMounts:\n        - {name: other, mountPath: /other}\n      startupProbe:",
    )
    manifest.path.write_text(mounted + "  volumes:\n    - {name: other, emptyDir: {}}\n")

    manifest.lint("--fix")

    spec = yaml.safe_load(manifest.path.read_text())["spec"]
    mounts = spec["initContainers"][0]["volumeMounts"]
    assert [each["name"] for each in mounts] == ["other", "gate-state"]
    assert [each["name"] for each in spec["volumes"]] == ["other", "gate-state"]


OWN_PROBE = "      startupProbe:\n        exec: {command: [check]}\n        periodSeconds: 1\n"
MAIN = """kind: Pod
spec:
  containers:
    - name: app
      image: app
      env: [{name: AGENT, value: "http://localhost:8080/"}]
    - name: agent
      image: agent
%s
"""


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("      ports: [{containerPort: 8080}]", "tcpSocket"),
        ("      readinessProbe:\n        httpGet: {path: /, port: 8080}", "httpGet"),
        (OWN_PROBE + "      ports: [{containerPort: 8080}]", "exec"),
    ],
)
def test_what_moves_to_the_sidecars_is_probed_there(
    written: str, key: str, manifest: Manifest
) -> None:
    manifest.path.write_text(MAIN % written)

    assert manifest.lint("--fix=unsafe") == 0
    (agent,) = yaml.safe_load(manifest.path.read_text())["spec"]["initContainers"]
    assert agent["restartPolicy"] == "Always"
    assert key in agent["startupProbe"]


def test_a_proxy_that_says_nothing_of_its_port_is_not_moved(manifest: Manifest) -> None:
    text = "kind: Pod\nspec:\n  containers:\n    - {name: a, image: a}\n"
    manifest.path.write_text(text + "    - {name: sql, image: cloud-sql-proxy}\n")

    assert manifest.lint("--fix=unsafe") == 1


USER = """kind: Pod
spec:
%s
  containers:
  - name: app
    image: app
    env: [{name: CACHE, value: "redis://localhost:6379"}, {name: PROXY, value: "http://localhost:9901"}]
  # holds the sessions
  - name: cache
    image: redis:7 # as everywhere

    # for a long time
    args:
      - --save
      - |
        60 1

  - name: envoy
    image: envoyproxy/envoy
    ports: [{containerPort: 9901}]
  # the end
  volumes: []
"""
FIRST = "  initContainers:\n%s- name: first\n%s  image: first"
MOVED = """# holds the sessions
- name: cache
  image: redis:7 # as everywhere

  # for a long time
  args:
    - --save
    - |
      60 1
  restartPolicy: Always
  startupProbe:
    tcpSocket: {port: 6379}
    periodSeconds: 1
    failureThreshold: 120
- name: envoy
  image: envoyproxy/envoy
  ports: [{containerPort: 9901}]
  restartPolicy: Always
"""


@pytest.mark.parametrize(
    ("above", "indent"),
    [
        ("  hostname: shop", 2),
        ("  initContainers: []", 2),
        ("  initContainers:", 2),
        (FIRST % ("  ", "  "), 2),
        (FIRST % ("      ", "      "), 6),
    ],
)
def test_what_moves_is_moved_with_its_comments(above: str, indent: int, manifest: Manifest) -> None:
    manifest.path.write_text(USER % above)

    assert manifest.lint("--fix=unsafe") == 0
    after = manifest.path.read_text()
    assert textwrap.indent(MOVED, " " * indent) in after
    assert "\n  # the end\n  volumes: []\n" in after
    spec = yaml.safe_load(after)["spec"]
    assert [each["name"] for each in spec["containers"]] == ["app"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("%s\n", "  initContainers: [{name: first, image: first}]\n"),
        ("%s\n", "  initContainers: {}\n"),
        ("  - name: cache\n    image: redis:7 # as everywhere", "  - {name: cache, image: redis}"),
        ("%s\n  containers:", "  containers: &all"),
    ],
)
def test_what_cannot_be_moved_line_by_line_is_written_anew(
    old: str, new: str, manifest: Manifest
) -> None:
    before = USER.replace(old, new).replace("%s", "  hostname: shop")
    if "{name: cache" in new:
        head, _, rest = before.partition("\n\n    # for")
        before = head + "\n  - name: envoy" + rest.partition("- name: envoy")[2]
    manifest.path.write_text(before)

    code = manifest.lint("--fix=unsafe")

    names = [
        each["name"] for each in yaml.safe_load(manifest.path.read_text())["spec"]["containers"]
    ]
    assert (code, names) == (0, ["app"])


DEEP = """kind: Pod
spec:
  initContainers:
  - name: first
    image: first
  containers:
      - name: app
        image: app
        env: [{name: CACHE, value: "redis://localhost:6379"}]
      - name: cache # in memory
        image: redis
        ports: [{containerPort: 6379}]
        args: [--save,
%s""]
"""


@pytest.mark.parametrize(("column", "is_kept"), [(12, True), (3, False)])
def test_what_moves_to_the_left_has_room_or_is_written_anew(
    column: int, manifest: Manifest, *, is_kept: bool
) -> None:
    manifest.path.write_text(DEEP % (" " * column))

    assert manifest.lint("--fix=unsafe") == 0
    after = manifest.path.read_text()
    assert ("\n  - name: cache # in memory\n    image: redis\n" in after) is is_kept
    assert yaml.safe_load(after)["spec"]["initContainers"][1]["args"] == ["--save", ""]


def test_what_has_a_policy_of_its_own_stays_where_it_is(manifest: Manifest) -> None:
    text = (USER % "  hostname: shop").replace(
        "image: redis:7", "restartPolicy: Never\n    image: redis"
    )
    manifest.path.write_text(text)

    manifest.lint("--fix=unsafe")

    spec = yaml.safe_load(manifest.path.read_text())["spec"]
    assert [each["name"] for each in spec["containers"]] == ["app", "cache"]


def test_one_main_container_is_left(manifest: Manifest) -> None:
    one = "    - name: %s\n      image: redis\n      ports: [{containerPort: %d}]\n"
    one += '      env: [{name: OTHER, value: "redis://localhost:%d"}]\n'
    before = "kind: Pod\nspec:\n  containers:\n" + one % ("a", 1001, 1002) + one % ("b", 1002, 1001)
    manifest.path.write_text(before)

    assert manifest.lint("--fix=unsafe") == 1
    assert manifest.path.read_text() == before


@pytest.mark.parametrize("path", ["/opened", "/run/no-gate-here/opened"])
def test_a_volume_is_mounted_where_one_can_be(path: str, manifest: Manifest) -> None:
    text = text_of("bad", "state-file-volume")
    taken = text.replace("      startupProbe:", MOUNT + "      startupProbe:")
    manifest.path.write_text(taken.replace("/run/no-gate-here/opened", path) + VOLUME)

    manifest.lint("--fix")

    assert "state-file-volume" in manifest.rules()


MOUNT = "      volumeMounts:\n        - {name: config, mountPath: /run/no-gate-here}\n"
VOLUME = "  volumes:\n    - {name: config, configMap: {name: a}}\n"


def test_what_cannot_be_read_is_not_written(manifest: Manifest) -> None:
    manifest.path.write_text("a: [\n")

    assert manifest.lint("--fix") == 2
    assert "nothing is written" in manifest.told()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_what_is_fixed_holds_when_it_is_played(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = "sidecar-probe-does-not-hold"
    manifest.path.write_text(text_of("bad", name))
    manifest.lint("--fix")
    monkeypatch.setattr(playing, "text_of", lambda *_: manifest.path.read_text())

    assert not await trouble_of(name)(playing.Stage(tmp_path), "good", name)
