"""What loads what: a fresh interpreter imports one module, and its modules are compared.

The layers stand in `pyproject.toml`; this is what only happens at run time shows: lazy imports,
the tables of names, and what a library brings along.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import grimp
import pytest

from gate.checks import SCHEMES

ROOT = Path(__file__).parents[1]
CORE = ["errors", "durations", "address", "backoff", "url", "suggest", "attempt", "model"]
CORE += ["dependency_state", "latch", "attempt_counters", "target"]
CORE = [*(f"core.{module}" for module in CORE), "config"]
CHECKS = [
    f"checks.{scheme}" for scheme in ("tcp", "unix", "tls", "dns.check", "sidecar", "http.check")
]
EDGES = {"aiohttp", "structlog", "prometheus_client"}
OURS = {"gate.core.latch", "gate.runtime.board", "gate.runtime.runner", "gate.config", "gate.cli"}
OURS |= {"gate.serve", "gate.report"}
DRIVERS = {"aiomysql", "asyncpg", "dns", "h2", "pymongo", "grpc"}
WORLD = {"asyncio", "socket", "ssl", "select", "subprocess", "threading", "logging", "pathlib"}


DOORS = {
    "aiohttp": {"serve.endpoints", "serve.server"},
    "structlog": {"report.log"},
    "prometheus_client": {"report.metrics"},
    "opentelemetry": {"report.trace"},
    "requests": {"report.trace"},
    "ruamel": {"pods.editing.documents"},
    "yaml": {"pods.nodes"},
    "h11": {"checks.http.http1"},
    "h2": {"checks.grpc.call", "checks.http.http2"},
    "httpx": {
        *("checks.http.http1", "checks.http.http2", "checks.http.request", "checks.http.options"),
        *("checks.http.routing", "checks.identity.exchange", "checks.k8s.api"),
    },
    "asyncpg": {"checks.postgresql.answers", "checks.postgresql.driver"},
    "dns": {"checks.dns.resolver", "checks.mongodb.srv"},
    "pymongo": {"checks.mongodb.driver"},
}
"""The modules in which each library of others may come in."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(
        "gate", include_external_packages=True, exclude_type_checking_imports=True
    )


def test_each_library_comes_in_by_its_own_door(graph: grimp.ImportGraph) -> None:
    found = {
        library: gates(graph.find_modules_that_directly_import(library))
        for library in graph.modules
        if library.partition(".")[0] not in {"gate", *sys.stdlib_module_names}
    }

    assert found == DOORS


def test_serving_loads_no_library_but_those_it_needs() -> None:
    """Optional ones, which some load where they are installed, are not in the image."""
    optional = {"rich", "pygments", "markdown_it", "mdurl", "colorama", "click", "brotli"}
    modules = ("cli.main", "serve.command", "report.log", "report.wait_plan")
    found = loaded_by(*(f"import gate.{module}" for module in modules))
    library = {*sys.stdlib_module_names, *optional, "gate", "_distutils_hack", "sitecustomize"}
    needed = {"aiohappyeyeballs", "aiohttp", "aiosignal", "attr", "frozenlist", "idna"}
    needed |= {"multidict", "propcache", "structlog", "typing_extensions", "yarl"}

    others = {name for name in tops(found) - library if "cython" not in name}
    assert others == needed
    assert tops(found).isdisjoint({"multiprocessing", "sqlite3", "unittest", "xml"})
    assert not found & {"importlib.metadata", "gate.runtime.path_events"}


def test_serving_without_flags_loads_nothing_to_parse_them() -> None:
    found = loaded_by("from gate.cli import main", "main.main(['serve'])")

    assert "gate.config" in found
    assert not found & {"argparse", "gate.config.flags"}


def test_no_check_leans_on_another_ones(graph: grimp.ImportGraph) -> None:
    checks = set(SCHEMES.values())
    leaning = {
        module: graph.find_modules_directly_imported_by(module) & checks - {module}
        for module in checks
    }

    assert not any(leaning.values()), leaning


def loaded_by(*statements: str) -> set[str]:
    """Return the modules that *statements* bring into a fresh interpreter."""
    code = (
        "import sys; before = set(sys.modules)\n"
        + "\n".join(statements)
        + "\nprint(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def tops(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def gates(modules: set[str]) -> set[str]:
    return {module.removeprefix("gate.") for module in modules if module.startswith("gate.")}


def test_the_core_does_no_i_o() -> None:
    found = tops(loaded_by(*(f"import gate.{module}" for module in CORE)))

    assert not found & (WORLD | EDGES | DRIVERS | {"random", "httpx", "h11", "jmespath", "difflib"})
    assert found <= sys.stdlib_module_names | {"gate"}


@pytest.mark.parametrize("module", ["core.address", "core.durations", "core.backoff"])
def test_what_a_probe_imports_brings_nothing(module: str) -> None:
    # Which is loaded already where coverage is measured.
    found = loaded_by(f"import gate.{module}") - {"__future__"}

    assert found == {"gate", "gate.core", f"gate.{module}"}


@pytest.mark.parametrize(
    ("module", "below"),
    [
        (
            "core.latch",
            {
                f"core.{each}"
                for each in ("model", "history", "dependency_state", "needs", "proofs")
            },
        ),
        ("core.dependency_state", {"core.model", "core.dependency_state"}),
        ("core.url", {"core.url"}),
        (
            "core.target",
            {f"core.{each}" for each in ("durations", "errors", "attempt", "suggest", "target")},
        ),
        (
            "checks",
            {"core"}
            | {f"core.{each}" for each in ("attempt", "durations", "errors", "suggest", "target")},
        ),
        (
            "runtime.board",
            {f"core.{each}" for each in ("attempt_counters", "model", "parts")}
            | {"core", "runtime.suspension"},
        ),
        (
            "runtime.runner",
            {"core", "core.one_line", "runtime.lookout", "runtime.lookups", "runtime.watched_paths"}
            | {"runtime.listening_sockets"}
            | {"runtime.loop", "runtime.selector", "runtime.threads", "runtime.time_limit"}
            | {f"core.{each}" for each in ("backoff", "durations", "errors", "model", "attempt")},
        ),
    ],
)
def test_a_module_loads_of_gate_only_what_is_below_it(module: str, below: set[str]) -> None:
    assert gates(loaded_by(f"import gate.{module}")) <= below | {module, module.partition(".")[0]}


@pytest.mark.parametrize("module", CHECKS)
def test_a_check_knows_neither_latch_nor_runner_nor_edges(module: str) -> None:
    found = loaded_by(f"import gate.{module}")
    others = {f"gate.{each}" for each in CHECKS} - {f"gate.{module}"}

    assert not found & (OURS | others)
    assert not tops(found) & (EDGES | DRIVERS)
    assert module == "checks.http.check" or not tops(found) & {"httpx", "h11", "jmespath"}


@pytest.mark.parametrize("module", ["runtime.runner", "runtime.board"])
def test_the_runner_knows_neither_checks_nor_edges(module: str) -> None:
    found = loaded_by(f"import gate.{module}")

    assert not gates(found) & {"checks", "config", "serve", "report"}
    assert not tops(found) & (EDGES | DRIVERS | {"httpx", "h11"})


LOAD = "from gate import checks, config; read = config.read({}, arguments=[%r])"


def test_configuring_a_scheme_loads_the_module_of_that_scheme_only() -> None:
    found = loaded_by(LOAD % "tcp://db:1", "checks.load(read.dependencies[0].target)")
    modules = {name for name in gates(found) if name.startswith("checks.")}

    assert {name for name in modules if not name.startswith("checks.wire")} == {"checks.tcp"}
    assert not tops(found) & {"httpx", "aiohttp", "structlog"}
    assert not found & {"importlib.metadata", "gate.runtime.path_events"}


def test_reading_a_configuration_loads_no_check() -> None:
    found = loaded_by(LOAD % "http://h:1/")

    assert not {name for name in gates(found) if name.startswith("checks.")}
    assert not tops(found) & WORLD


def test_only_a_mistake_loads_what_makes_suggestions() -> None:
    fine, slip = (
        loaded_by(LOAD % f"tcp://db:1 {option}=1s", "checks.load(read.dependencies[0].target)")
        for option in ("timeout", "timout")
    )

    assert "difflib" not in fine
    assert "difflib" in slip


@pytest.mark.parametrize("module", ["probe.client", "serve.listener"])
def test_a_probe_loads_nothing_but_sockets(module: str) -> None:
    found = loaded_by(f"import gate.{module}")

    below = {"address", "command_line", "durations", "errors", "probe_arguments"}
    wings = {"core", "probe", "report", "report.output", "serve"}
    assert gates(found) <= {f"core.{each}" for each in below} | wings | {module}
    assert not tops(found) & {"asyncio", "ssl", "re", "argparse", "json", "typing", "dataclasses"}
    assert tops(found) <= sys.stdlib_module_names | {"gate"}


def test_the_responder_loads_what_is_part_of_the_interpreter() -> None:
    found = loaded_by("import gate.serve.responder") - {"__future__"}

    ours = {"gate", "gate.core", "gate.core.durations", "gate.serve"}
    ours |= {"gate.runtime", "gate.runtime.unused_pages"}
    ours |= {f"gate.serve.{each}" for each in ("exchange", "request_head", "responder")}
    assert found <= ours | {"_socket", "select"}


def test_each_scheme_has_its_module() -> None:
    """Found without importing any: the drivers are extras."""
    assert [name for name in sorted(set(SCHEMES.values())) if find_spec(name) is None] == []


def test_each_program_that_a_test_needs_is_in_the_list_that_ci_installs() -> None:
    tests = Path(__file__).parent
    listed = (tests / "debian-packages.txt").read_text().split()
    needed = {
        package
        for path in tests.rglob("*.py")
        for package in re.findall(r'\bneeds\("[^"]+",\s*"([^"]+)"\)', path.read_text())
    }

    assert "redis-tools" in needed
    assert needed <= set(listed)


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


def test_the_drawing_shows_the_wings_of_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = (each["layers"] for each in contracts["contracts"] if each["type"] == "layers")
    drawing = ARCHITECTURE.split("```")[1].strip().splitlines()

    assert [re.split(r"\s{2,}", line)[0] for line in drawing] == layers


STEPS = re.findall(r"^\|.*\| `(gate/\S+\.py)` \| `([\w.]+)` \|$", ARCHITECTURE, re.MULTILINE)


@pytest.mark.parametrize(("path", "name"), STEPS)
def test_each_step_of_the_architecture_page_stands_where_it_says(path: str, name: str) -> None:
    found: ast.AST = ast.parse((ROOT / path).read_text())
    for part in name.split("."):
        found = next(
            node for node in ast.iter_child_nodes(found) if getattr(node, "name", "") == part
        )


def test_each_path_that_the_architecture_page_names_exists() -> None:
    named = set(re.findall(r"`(gate/[\w/.]+)`", ARCHITECTURE))

    assert len(STEPS) > 15
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
