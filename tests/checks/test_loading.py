from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module, invalidate_caches
from pathlib import Path

import pytest

from gate import checks
from tests.conftest import problems_of, run, watch_for, why_not

SPEC = """
    http https http+unix tcp tls unix dns grpc grpcs postgresql postgres mysql mariadb redis
    rediss valkey mongodb mongodb+srv amqp amqps kafka nats memcached mqtt file exec k8s sidecar
"""


@pytest.mark.parametrize("scheme", SPEC.split())
def test_each_scheme_has_its_module(scheme: str) -> None:
    module = checks.SCHEMES[scheme]

    assert callable(import_module(module).parse)
    assert import_module(module).__doc__


def test_what_an_app_puts_behind_the_scheme_is_no_matter() -> None:
    assert type(watch_for("mysql+pymysql://db").check).__name__ == "Mysql"


@pytest.mark.parametrize("scheme", ["https+insecure", "grpcs+tls", "tcp+tls", "exec+x", "k8s+x"])
def test_a_form_that_no_check_knows_is_an_unknown_scheme(scheme: str) -> None:
    (problem,) = problems_of(f"db {scheme}://db:1")

    assert "unknown scheme" in problem


def test_a_slip_of_a_scheme_is_told_with_the_right_one() -> None:
    assert problems_of("db postgersql://db") == [
        "postgersql: unknown scheme; did you mean postgresql?"
    ]


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        ("postgis", "postgis: is postgresql:// in gate; write that"),
        ("mysql2", "mysql2: is mysql:// in gate; write that"),
        ("db2+jcc", "db2+jcc: has no check of its own in gate; write tcp://host:50000"),
        ("redshift+x", "redshift+x: has no check of its own in gate; write tcp://host:5439"),
        ("sqlite", "sqlite: is a database within the app, nothing to wait for; leave it out"),
        ("ldap+x", "ldap+x: unknown scheme; did you mean ldap?"),
    ],
)
def test_a_scheme_of_others_is_told_with_what_to_write_instead(scheme: str, text: str) -> None:
    assert problems_of(f"db {scheme}://db:1") == [text]


def test_a_scheme_that_nobody_has_is_told_with_where_they_are_listed() -> None:
    (problem,) = problems_of("db gopher://db")

    assert problem == "unknown scheme; `gate checks` lists those there are"


PLUGIN = """
from dataclasses import dataclass
from gate.core.errors import CheckFailed

@dataclass(frozen=True)
class Moon:
    phase: str

    async def __call__(self):
        if self.phase != "full":
            raise CheckFailed(f"it is {self.phase}")

def parse(target):
    return Moon(target.text("phase", "new"))

def raising(target):
    return {}["phase"]

def leaving(target):
    raise SystemExit(3)
"""
ENTRY_POINTS = """
[gate.checks]
moon = gate_moon:parse
gone = gate_gone:parse
nameless = gate_moon:no_such_name
driverless = gate_moon_driver:parse
garbled = gate_moon_garbled:parse
raising = gate_moon:raising
leaving = gate_moon:leaving
"""
NOT_LOADED = "{}: its package {} cannot be used: "
METADATA = "Metadata-Version: 2.1\nName: gate-moon\nVersion: 1\n"


@pytest.fixture
def another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with checks, as pip would install it."""
    folder = tmp_path / "gate_moon-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(METADATA)
    (folder / "entry_points.txt").write_text(ENTRY_POINTS)
    (tmp_path / "gate_moon.py").write_text(PLUGIN)
    (tmp_path / "gate_moon_driver.py").write_text("import no_such_driver")
    (tmp_path / "gate_moon_garbled.py").write_text("def parse(")
    monkeypatch.syspath_prepend(tmp_path)
    invalidate_caches()
    yield tmp_path
    sys.modules.pop("gate_moon", None)


@pytest.mark.usefixtures("another_package")
def test_another_package_adds_a_scheme() -> None:
    assert run(why_not("moon://sky phase=full")) == ""
    assert run(why_not("moon://sky phase=half")) == "it is half"


@pytest.mark.usefixtures("another_package")
def test_options_of_another_package_are_checked_like_our_own() -> None:
    assert problems_of("sky moon://sky pahse=full") == [
        "pahse: unknown option; did you mean phase?"
    ]


@pytest.mark.usefixtures("another_package")
@pytest.mark.parametrize(
    ("scheme", "problem"),
    [
        (
            "gone",
            NOT_LOADED.format("gone", "gate_gone:parse")
            + "ModuleNotFoundError: No module named 'gate_gone'",
        ),
        (
            "nameless",
            NOT_LOADED.format("nameless", "gate_moon:no_such_name")
            + "AttributeError: module 'gate_moon' has no attribute 'no_such_name'",
        ),
        (
            "driverless",
            NOT_LOADED.format("driverless", "gate_moon_driver:parse")
            + "ModuleNotFoundError: No module named 'no_such_driver'",
        ),
        (
            "garbled",
            NOT_LOADED.format("garbled", "gate_moon_garbled:parse")
            + "SyntaxError: '(' was never closed (gate_moon_garbled.py, line 1)",
        ),
        (
            "raising",
            NOT_LOADED.format("raising", "gate_moon:raising") + "KeyError: 'phase'",
        ),
        ("leaving", NOT_LOADED.format("leaving", "gate_moon:leaving") + "SystemExit: 3"),
    ],
)
def test_a_broken_package_is_a_problem_that_names_it(scheme: str, problem: str) -> None:
    assert problems_of(f"it {scheme}://x") == [problem]


@pytest.mark.usefixtures("another_package")
def test_another_package_cannot_replace_a_scheme_of_ours(another_package: Path) -> None:
    entry_points = another_package / "gate_moon-1.dist-info" / "entry_points.txt"
    entry_points.write_text("[gate.checks]\ntcp = gate_moon:parse\n")

    assert type(watch_for("tcp://db:1").check).__name__ == "Tcp"


DRIVERS = {
    "asyncpg": ("postgresql://user:pw@db/app query='select 1'", "postgresql"),
    "dns": ("dns://db type=SRV", "dns"),
    "h2": ("https://db http2", "http2"),
    "pymongo": ("mongodb://user:pw@db/app", "mongodb"),
}
MISSING = """
import sys
sys.modules[sys.argv[1]] = None
from gate import checks, config
(wanted,) = config.read({"GATE_DEPENDENCIES": sys.argv[2]}).dependencies
checks.load(wanted.target)
print(*(problem.text for problem in wanted.target.problems), sep="\\n")
"""


def without(package: str, line: str) -> str:
    """Return the problems of *line* where *package* is not installed."""
    done = subprocess.run(
        [sys.executable, "-c", MISSING, package, line],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("package", DRIVERS)
def test_a_missing_driver_is_told_with_what_to_install(package: str) -> None:
    line, extra = DRIVERS[package]
    scheme = line.partition(":")[0]
    expected = f"{scheme}: needs the package {package}; pip install 'podgate[{extra}]'"

    assert without(package, line) == expected


def test_a_module_of_ours_that_is_missing_is_a_fault_and_no_problem() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        without("gate.checks.wire.dial", "tcp://db:1")


LOADED = """
import sys
from gate import checks, config
(wanted,) = config.read({"GATE_DEPENDENCIES": sys.argv[1]}).dependencies
assert checks.load(wanted.target)
names = {name.partition(".")[0] for name in sys.modules}
print(*sorted(names - set(sys.stdlib_module_names)))
"""


@pytest.mark.parametrize(
    ("line", "loaded"),
    [
        ("tcp://db:1", ""),
        ("unix:///run/x", ""),
        ("file:///x", ""),
        ("exec:true", ""),
        ("dns://db", ""),
        ("dns://db type=SRV", "dns"),
        ("sidecar:vault-agent file=x", ""),
    ],
)
def test_a_check_loads_what_it_needs_and_no_more(line: str, loaded: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, line],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    drivers = {package.partition(".")[0] for package in (*checks.EXTRAS, "httpx")}

    assert drivers.intersection(done.stdout.split()) == set(loaded.split())
