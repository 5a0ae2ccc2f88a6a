"""`make release-check` finds nothing today, and would find what it looks for."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from gate import __version__
from tests.release import check, workflows

CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8"
GOOD = f"""\
permissions: {{}}
jobs:
  build:
    timeout-minutes: 5
    permissions: {{contents: read}}
    steps:
      - uses: {CHECKOUT} # v5.0.0
        with: {{persist-credentials: false}}
      - run: echo "$A"
"""
LOGIN = "docker/login-action@184bdaa0721073962dff0199f1fb9940f07167d1"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return check.build(tmp_path_factory.mktemp("dist"))


def test_nothing_speaks_against_a_release(built: tuple[Path, Path]) -> None:
    assert [*check.versions(""), *check.claims(check.texts()), *workflows.problems()] == []
    assert list(check.contents(*built)) == []


def test_the_same_sources_give_the_same_files(built: tuple[Path, Path], tmp_path: Path) -> None:
    again = check.build(tmp_path)

    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in built]


def test_another_version_is_told() -> None:
    found = list(check.versions("v99.0.0"))

    assert f"the tag is v99.0.0, the version {__version__}" in found


@pytest.mark.parametrize(
    ("text", "tag", "first"),
    [
        ("## Unreleased\n", "", ""),
        ("## Unreleased\n", f"v{__version__}", "Unreleased"),
        (f"## {__version__} (2026-12-01)\n", f"v{__version__}", ""),
        ("## 0.0.1\n", "", "0.0.1"),
        ("", "", "nothing"),
    ],
)
def test_the_changelog_begins_with_the_version(text: str, tag: str, first: str) -> None:
    told = f"CHANGELOG.md: begins with {first}, not with {__version__}"

    assert list(check.changelog(text, tag)) == ([told] if first else [])


def test_a_place_where_nothing_was_published_is_told() -> None:
    (found,) = check.claims({"README.md": "docker pull ghcr.io/someone/gate"})

    assert found == "README.md: ghcr.io names a place where nothing has been published"


def test_what_a_wheel_should_not_have_is_told(tmp_path: Path, built: tuple[Path, Path]) -> None:
    wheel, source = tmp_path / "wheel", tmp_path / "source"
    about = f"podgate-{__version__}.dist-info/entry_points.txt"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tests/x.py", "")
        archive.writestr(about, "[console_scripts]\n")
    with tarfile.open(source, "w:gz") as archive_of_source:
        archive_of_source.add(__file__, f"podgate-{__version__}/secrets.txt")

    found = list(check.contents(wheel, source))

    assert "the wheel: gate/__init__.py is missing" in found
    assert "the wheel: tests/x.py does not belong there" in found
    assert "the wheel: the command gate is not what it should be" in found
    assert "the source: secrets.txt does not belong there" in found


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("", "", None),
        ("permissions: {}\n", "", "wants `permissions: {}` at the top"),
        (" # v5.0.0", "", "line 7: an action is pinned"),
        (
            "@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0",
            "@v5",
            "line 7: an action is pinned",
        ),
        ("    timeout-minutes: 5\n", "", "job build: has no timeout-minutes"),
        ("    permissions: {contents: read}\n", "", "job build: has no permissions"),
        ("    steps", "    needs: tests\n    steps", "job build: needs tests, which is no job"),
        ("credentials: false", "credentials: true", "job build: checks out with credentials"),
        ('"$A"', '"${{ github.head_ref }}"', "job build: an expression in a script"),
        ('"$A"', '"$A', "job build: a script that is none"),
        ('"$A"', "${{ secrets.PYPI_TOKEN }}", "line 9: secret PYPI_TOKEN"),
        (f"{CHECKOUT} # v5.0.0", f"{LOGIN} # v3.5.0", "job build: docker/login-action wants `if"),
        ("permissions: {}", "permissions: {}: {}", "no YAML"),
    ],
)
def test_a_mistake_in_a_workflow_is_told(old: str, new: str, found: str | None) -> None:
    assert old in GOOD
    told = list(workflows.problems_of(GOOD.replace(old, new, 1)))

    assert told == [] if found is None else told[0].startswith(found)


def test_a_release_is_tested_on_each_python_that_gate_runs_on() -> None:
    release, ci = (
        yaml.safe_load((workflows.FOLDER / name).read_text()) for name in ("release.yml", "ci.yml")
    )

    assert release["jobs"]["tests"]["uses"] == "./.github/workflows/ci.yml"
    assert release["jobs"]["build"]["needs"] == "tests"
    pythons = set(ci["jobs"]["pythons"]["strategy"]["matrix"]["python"])
    assert pythons >= {"3.11", "3.12", "3.13", "3.14"}


def test_a_release_is_for_both_architectures_signed_and_published_from_a_tag_only() -> None:
    jobs = yaml.safe_load((workflows.FOLDER / "release.yml").read_text())["jobs"]
    texts = {name: yaml.safe_dump(job) for name, job in jobs.items()}

    assert "linux/amd64,linux/arm64" in texts["image"]
    assert "cosign sign" in texts["image"]
    assert "attest-build-provenance" in texts["image"]
    assert "cosign sign" in texts["chart"]
    assert jobs["pypi"]["if"] == workflows.ON_A_TAG
    assert jobs["pypi"]["permissions"] == {"id-token": "write"}
