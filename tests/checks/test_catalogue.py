"""What `gate checks` knows, compared with the README and with what the checks really import."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from gate.checks import EXTRAS, SCHEMES, catalogue
from gate.checks.catalogue import Entry
from tests.test_architecture import DOORS

README = (Path(__file__).parents[2] / "README.md").read_text()
TLS = {"ca", "cert", "key", "server-name", "insecure"}


@pytest.fixture(scope="module")
def known() -> dict[str, Entry]:
    return {entry.scheme: entry for entry in catalogue.entries()}


def names(entry: Entry) -> set[str]:
    return {option.name for option in entry.options}


def rows() -> list[tuple[list[str], str, str]]:
    """Return of each row of the README's table its schemes, options and extras."""
    table = README.partition("| scheme | ready means |")[2].partition("\n\n")[0]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines()[2:]]
    return [(re.findall(r"`([a-z0-9+-]+)", row[0]), row[2], row[3]) for row in cells]


def test_each_scheme_says_what_ready_means(known: dict[str, Entry]) -> None:
    assert list(known) == sorted(SCHEMES)
    assert [scheme for scheme, entry in known.items() if not entry.ready] == []
    assert [entry.problem for entry in known.values() if entry.problem] == []


def test_options_are_known_with_how_they_are_written(known: dict[str, Entry]) -> None:
    forms = {option.form for entry in known.values() for option in entry.options}

    assert {"primary", "topic=…", "min=N", "valid-for=DURATION", "role=master|primary"} <= forms
    assert [option.name for option in known["kafka"].options if option.is_repeatable] == ["topic"]
    assert {"file", "port", "json"} <= names(known["sidecar"])


def test_the_readme_has_each_scheme() -> None:
    listed = {scheme for schemes, _, _ in rows() for scheme in schemes}

    assert set(SCHEMES) - listed <= {"grpc+unix"}
    assert {scheme.partition("+")[0] for scheme in listed} <= set(SCHEMES)


@pytest.mark.parametrize(("schemes", "options", "extras"), rows(), ids=lambda row: row[0])
def test_a_row_of_the_readme_is_what_the_checks_take(
    known: dict[str, Entry], schemes: list[str], options: str, extras: str
) -> None:
    entries = [known[scheme] for scheme in schemes if scheme in known]
    taken = {name for entry in entries for name in names(entry)}
    written = set(re.findall(r"`([a-z0-9-]+)", options)) - (set(SCHEMES) - taken)
    summed = TLS if "TLS" in options else set()
    if "those of http" in options:
        summed |= names(known["http"])
    if schemes == ["sidecar"]:
        written.add("file")  # it stands beside the sidecar that has it

    assert written <= taken
    assert taken - written - summed - {"http2"} == set()
    assert {extra.name for entry in entries for extra in entry.extras} - {"http2"} <= set(
        re.findall(r"`([a-z0-9]+)`", extras)
    ) | ({"mongodb"} if "mongodb" in schemes else set())


def test_the_extras_are_those_of_the_modules_that_import_drivers() -> None:
    doors = {(door.split(".")[1], package) for package in EXTRAS for door in DOORS[package]}
    told = {
        (module.split(".")[2], package)
        for module, needs in catalogue.NEEDS.items()
        for package, _, _ in needs
    }

    by_others = {(name, "h2") for name in ("presets", "s3", "sidecar", "spiffe", "temporal")}
    assert told - by_others == doors


def test_what_is_not_installed_is_told_and_its_options_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(catalogue, "find_spec", lambda _: None)
    for module in [name for name in sys.modules if name.partition(".")[0] == "h2"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(sys.modules, "gate.checks.grpc.call", raising=False)
    monkeypatch.setitem(sys.modules, "h2", None)
    entry = {entry.scheme: entry for entry in catalogue.entries()}["grpcs"]

    assert [extra.is_installed for extra in entry.extras] == [False]
    assert names(entry) == {"service", "header", *TLS}
    assert entry.problem == ""


MOON = '''
"""moon://sky -- the moon is full.

It is looked for by night.
"""
READY = {"sun": "the sun shines"}

def parse(target):
    target.text("phase")

def raising(target):
    target.flag("bright")
    return {}["phase"]
'''
ENTRY_POINTS = """
[gate.checks]
moon = gate_moon:parse
sun = gate_moon:raising
gone = gate_gone:parse
tcp = gate_moon:parse
"""


@pytest.fixture
def another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "gate_moon-1.2.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: gate-moon\nVersion: 1.2\n")
    (folder / "entry_points.txt").write_text(ENTRY_POINTS)
    (tmp_path / "gate_moon.py").write_text(MOON)
    monkeypatch.syspath_prepend(tmp_path)
    invalidate_caches()
    yield
    sys.modules.pop("gate_moon", None)


@pytest.mark.usefixtures("another_package")
def test_schemes_of_other_packages_are_listed_with_their_package() -> None:
    gone, moon, sun = catalogue.entries()[-3:]

    assert (moon.scheme, moon.package, moon.version) == ("moon", "gate-moon", "1.2")
    assert (moon.ready, names(moon), moon.problem) == ("the moon is full", {"phase"}, "")
    assert (sun.ready, names(sun)) == ("the sun shines", {"bright"})
    assert sun.problem == "its options cannot be read: KeyError: 'phase'"
    assert gone.problem == (
        "gate_gone:parse cannot be used: ModuleNotFoundError: No module named 'gate_gone'"
    )
