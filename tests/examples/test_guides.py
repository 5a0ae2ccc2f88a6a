"""examples/README.md: every file is listed there and used by a test, every new line works."""

from __future__ import annotations

import ast
import re
import shlex
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from gate import checks, config
from gate.config import flags
from tests.conftest import free_port
from tests.process import run_gate
from tests.stand_ins import EXAMPLES

TESTS = Path(__file__).parents[1]
README = (EXAMPLES / "README.md").read_text()
PLAYED_BY = {
    "README.md": "examples/test_guides.py",
    "inject/Dockerfile": "inject/test_function.py",
    "inject/function.yaml": "inject/test_function.py",
    "inject/gate-inject": "inject/test_function.py",
    "inject/helm-4/plugin.yaml": "inject/test_function.py",
    "admission/policy.yaml": "manifest/test_admission.py",
    "admission/shop.yaml": "manifest/test_admission.py",
    "ci/github-action.yaml": "examples/test_guides.py",
    "cloud-run/service.yaml": "examples/test_beyond.py",
    "curl-hook.yaml": "examples/test_examples.py",
    "docker-compose-serve.yaml": "examples/test_beyond.py",
    "docker-compose.yaml": "examples/test_examples.py",
    "ecs/task-definition.json": "examples/test_beyond.py",
    "exec-probe.yaml": "examples/test_examples.py",
    "helm/gate/Chart.yaml": "examples/test_helm.py",
    "helm/gate/README.md": "examples/test_helm.py",
    "helm/gate/templates/_gate.tpl": "examples/test_helm.py",
    "helm/gate/values.schema.json": "examples/test_helm.py",
    "helm/gate/values.yaml": "examples/test_helm.py",
    "helm/shop/Chart.yaml": "examples/test_helm.py",
    "helm/shop/templates/deployment.yaml": "examples/test_helm.py",
    "helm/shop/values.yaml": "examples/test_helm.py",
    "init.yaml": "examples/test_examples.py",
    "job.yaml": "examples/test_examples.py",
    "kustomize/base/kustomization.yaml": "examples/test_kustomize.py",
    "kustomize/base/shop.yaml": "examples/test_kustomize.py",
    "kustomize/base/worker.yaml": "examples/test_kustomize.py",
    "kustomize/gate/gate.yaml": "examples/test_kustomize.py",
    "kustomize/gate/kustomization.yaml": "examples/test_kustomize.py",
    "kustomize/overlay/dependencies.txt": "examples/test_kustomize.py",
    "kustomize/overlay/kustomization.yaml": "examples/test_kustomize.py",
    "krew/gate.yaml": "status/test_plugin.py",
    "krew/rbac-status.yaml": "status/test_plugin.py",
    "mesh.yaml": "examples/test_examples.py",
    "monitoring/alerts.yaml": "report/test_metrics.py",
    "monitoring/dashboard.json": "report/test_metrics.py",
    "monitoring/scrape.yaml": "report/test_scrape.py",
    "nomad/app.nomad.hcl": "examples/test_beyond.py",
    "poststart-container.yaml": "examples/test_examples.py",
    "poststart-sidecar.yaml": "examples/test_examples.py",
    "quadlet/app.container": "examples/test_beyond.py",
    "quadlet/gate.container": "examples/test_beyond.py",
    "rbac-events.yaml": "report/test_pod_events.py",
    "rbac-k8s.yaml": "checks/test_k8s_rbac.py",
    "screenshots/opened.png": "examples/test_guides.py",
    "screenshots/waiting.png": "examples/test_guides.py",
    "sidecar.yaml": "examples/test_examples.py",
    "state-file.yaml": "examples/test_examples.py",
    "systemd/app.service": "examples/test_beyond.py",
}
"""Every file, and the test that uses it."""
WHOLE = {"helm": "shop", "kustomize": "overlay"}
"""Folders that a test builds, and what of each it builds."""


def files() -> list[str]:
    return sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*") if path.is_file())


def test_every_file_is_used_by_a_test() -> None:
    assert files() == sorted(PLAYED_BY)


@pytest.mark.parametrize("name", sorted(PLAYED_BY))
def test_the_test_uses_the_file(name: str) -> None:
    folder = name.partition("/")[0]
    named = set(strings(TESTS / PLAYED_BY[name]))

    if folder in WHOLE:
        assert {folder, WHOLE[folder]} <= named
    else:
        assert Path(name).name in named


def strings(path: Path) -> Iterator[str]:
    """Yield the texts in a test's code: not its comments, not the table above."""
    for statement in ast.parse(path.read_text()).body:
        names = {target.id for target in getattr(statement, "targets", ()) if hasattr(target, "id")}
        if "PLAYED_BY" not in names:
            constants = (node for node in ast.walk(statement) if isinstance(node, ast.Constant))
            yield from (node.value for node in constants if isinstance(node.value, str))


def test_what_is_built_is_built_of_every_file_of_the_folder() -> None:
    built = {
        *chart_files(EXAMPLES / "helm" / WHOLE["helm"]),
        *kustomize_files(EXAMPLES / "kustomize" / WHOLE["kustomize"]),
    }

    assert sorted(str(path.relative_to(EXAMPLES)) for path in built) == [
        name for name in files() if name.partition("/")[0] in WHOLE
    ]


def chart_files(folder: Path) -> Iterator[Path]:
    """Yield what helm reads of a chart and of those that it depends on."""
    names = ("Chart.yaml", "README.md", "values.yaml", "values.schema.json", "templates/*.yaml")
    for name in (*names, "templates/*.tpl"):
        yield from folder.glob(name)
    about = yaml.safe_load((folder / "Chart.yaml").read_text())
    for other in about.get("dependencies", []):
        yield from chart_files((folder / other["repository"].removeprefix("file://")).resolve())


def kustomize_files(folder: Path) -> Iterator[Path]:
    """Yield what kustomize reads to build *folder*."""
    yield folder / "kustomization.yaml"
    own = yaml.safe_load((folder / "kustomization.yaml").read_text())
    maps = own.get("configMapGenerator", [])
    sources = [text.partition("=")[2] for each in maps for text in each["files"]]
    patches = [patch["path"] for patch in own.get("patches", []) if "path" in patch]
    for name in (*own.get("resources", []), *own.get("components", []), *patches, *sources):
        path = (folder / name).resolve()
        yield from kustomize_files(path) if path.is_dir() else [path]


@pytest.mark.parametrize("name", sorted(set(PLAYED_BY) - {"README.md"}))
def test_the_guide_lists_the_file(name: str) -> None:
    assert f"[{name}]({name})" in README


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)

    assert links
    assert [link for link in links if not (EXAMPLES / link).is_file()] == []


@pytest.mark.parametrize("name", ["opened.png", "waiting.png"])
def test_a_screenshot_is_an_image(name: str) -> None:
    assert (EXAMPLES / "screenshots" / name).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


TABLE = README.partition("| from | old | new |\n|---|---|---|\n")[2].partition("\n\n")[0]
_CODE = r"(`+)([^|]+?)\{}"
_ROW = rf"^\|[^|]*\| {_CODE.format(1)} \| {_CODE.format(3)} \|$"
MOVED = [(row[1], row[3]) for row in re.findall(_ROW, TABLE, re.MULTILINE)]
TOOLS = (
    "wait4x",
    "dockerize",
    "wait-for-it",
    "docker-compose-wait",
    "k8s-wait-for",
    "kubernetes-entrypoint",
    "linkerd-await",
)


def split(line: str) -> tuple[dict[str, str], list[str]]:
    """Return the variables and the arguments of gate in a line for the shell."""
    words = shlex.split(line)
    start = words.index("gate")
    return dict(word.split("=", 1) for word in words[:start]), words[start + 1 :]


def read(line: str) -> config.Config:
    """Return what gate reads from a line for the shell; mistaken flags raise."""
    env, own = split(line)
    own = own[: own.index("--")] if "--" in own else own
    given = flags.parse(own)
    arguments = getattr(given, "dependency", ())
    found = config.read(env, flags=flags.settings(given), arguments=arguments)
    for wanted in found.dependencies:
        checks.load(wanted.target)
    return found


@pytest.mark.parametrize(("old", "new"), MOVED, ids=lambda line: line[:40])
def test_a_line_of_another_tool_has_one_of_gate_that_it_reads(old: str, new: str) -> None:
    found = read(new)

    assert "gate" not in old
    assert found.dependencies
    assert found.all_problems() == ()


class Answers(BaseHTTPRequestHandler):
    """What the table's web servers say: nothing at /empty, else a field that is there."""

    def do_GET(self) -> None:
        body = {"/empty": b"", "/bare": b"{}"}.get(self.path, b'{"status": false}')
        self.send_response(200 if body else 204)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def web() -> Iterator[int]:
    """Yield the port of what stands for the table's web servers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


NEEDS_MORE = ("k8s:", "postgresql:")
"""What only a cluster or a database has; their checks have tests of their own."""
RUN = [(old, new) for old, new in MOVED if not any(each in new for each in NEEDS_MORE)]


@pytest.mark.parametrize(("old", "new"), RUN, ids=lambda line: line[:40])
def test_a_line_of_gate_ends_well_where_that_of_the_other_tool_does(
    old: str, new: str, web: int, tmp_path: Path
) -> None:
    (tmp_path / "ready").write_text("yes")
    places = {
        "https://api/up": f"http://127.0.0.1:{web}/empty",
        "http://api/up": f"http://127.0.0.1:{web}/up",
        "http://web/": f"http://127.0.0.1:{web}/",
        "db:5432": f"127.0.0.1:{web}",
        "mq:5672": f"localhost:{web}",
        "cache:6379": f"127.0.0.1:{free_port()}",
        "sidecar:linkerd": f"'sidecar:linkerd port={web}'",
        "/run/": f"{tmp_path}/",
        "./app": "echo app",
    }
    for place, here in places.items():
        new = new.replace(place, here)
    env, own = split(new)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "app.sock"))
        listener.listen()
        code, out, err = run_gate(*own, env=env)

    assert code == 0, err
    assert out.endswith("app\n") == old.endswith("./app")


def test_a_field_that_is_not_there_is_not_ready(web: int) -> None:
    """As with wait4x, for which it has to exist."""
    (line,) = (new for old, new in MOVED if "--expect-body-json" in old)
    _, (command, wanted) = split(line.replace("http://api/up", f"http://127.0.0.1:{web}/bare"))

    assert run_gate(command, "--once", wanted)[0] == 1


def test_every_tool_has_its_line() -> None:
    for tool in TOOLS:
        assert re.search(rf"^\| {tool} \| `", TABLE, re.MULTILINE), tool
    assert len(MOVED) >= len(TOOLS)


def test_no_line_of_the_table_goes_unread() -> None:
    assert len(TABLE.splitlines()) == len(MOVED)


def test_a_line_that_is_wrong_would_be_found() -> None:
    assert read("gate wait 'tcp://db:5432 timout=3s'").all_problems()
    assert read("GATE_DEPENDENCIES=tpc://db:1 gate wait").all_problems()


def test_the_budget_of_the_guide_is_that_of_the_examples() -> None:
    (failures, hold, minutes) = re.findall(r"(\d+) \S (\d+)s = (\d+) minutes", README)[0]
    text = (EXAMPLES / "sidecar.yaml").read_text()

    assert int(failures) * int(hold) == int(minutes) * 60
    assert f"failureThreshold: {failures} " in text
    assert f"/startupz?hold={hold}s" in text


def test_the_workflow_runs_gate_lint_with_flags_that_it_has() -> None:
    (job,) = yaml.safe_load((EXAMPLES / "ci" / "github-action.yaml").read_text())["jobs"].values()
    lines = [line for step in job["steps"] for line in step.get("run", "").splitlines()]
    found = [line[line.index("gate lint") :] for line in lines if "gate lint" in line]

    assert found
    for line in found:
        assert flags.parse(shlex.split(line)[1:]).command == "lint"
