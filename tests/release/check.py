"""`make release-check [TAG=vX.Y.Z]`: what can be known of a release without a network.

The version stands in `gate/__init__.py`; everything else that names one agrees with it. The wheel
and the source are built into `dist`, and hold what they should and nothing else. The workflows
keep to their rules. No text says that something was published.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from gate import DISTRIBUTION, __version__
from tests.release import workflows

ROOT = Path(__file__).parents[2]
_IMAGE = re.compile(r"registry\.example\.com/gate:([\w.-]+)")
_AT_TAG = re.compile(r"/gate@v([\w.]+)")
_PUBLISHED = re.compile(r"ghcr\.io|pypi\.org/project|docker\.io/\w+/gate\b|cosign verify")
_ENTRY = "[console_scripts]\ngate = gate.__main__:run\n"


def texts() -> dict[str, str]:
    """Return what is written for users: guides and examples, by path."""
    paths = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    paths += [path for path in (ROOT / "examples").rglob("*") if path.suffix != ".png"]
    return {str(path.relative_to(ROOT)): path.read_text() for path in paths if path.is_file()}


def versions(tag: str) -> Iterator[str]:
    """Yield where another version stands than that of `gate/__init__.py`."""
    if tag and tag != f"v{__version__}":
        yield f"the tag is {tag}, the version {__version__}"
    for name, text in texts().items():
        for found in _IMAGE.findall(text) + _AT_TAG.findall(text):
            if found != __version__:
                yield f"{name}: names gate {found}, the version is {__version__}"
    yield from changelog((ROOT / "CHANGELOG.md").read_text(), tag)
    yield from charts()


def changelog(text: str, tag: str) -> Iterator[str]:
    """Yield what is wrong with the first heading of the changelog."""
    headings = re.findall(r"^## (\S+)", text, re.MULTILINE)
    first = headings[0] if headings else "nothing"
    if first != __version__ and (tag or first != "Unreleased"):
        yield f"CHANGELOG.md: begins with {first}, not with {__version__}"


def charts() -> Iterator[str]:
    """Yield what is wrong with the charts' versions."""
    folder = ROOT / "examples" / "helm"
    gate = yaml.safe_load((folder / "gate" / "Chart.yaml").read_text())
    shop = yaml.safe_load((folder / "shop" / "Chart.yaml").read_text())
    found = {
        "version": gate["version"],
        "appVersion": gate["appVersion"],
        "the dependency of shop": shop["dependencies"][0]["version"],
    }
    for what, version in found.items():
        if version != __version__:
            yield f"examples/helm: {what} is {version}, the version is {__version__}"


def claims(written: dict[str, str]) -> Iterator[str]:
    """Yield where a text says that something was published: nothing has been."""
    for name, text in written.items():
        for found in _PUBLISHED.findall(text):
            yield f"{name}: {found} names a place where nothing has been published"


def build(folder: Path) -> tuple[Path, Path]:
    """Build wheel and source into *folder*, from what is here; return both."""
    for old in folder.glob(f"{DISTRIBUTION}-*"):
        old.unlink()
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)],
        check=True,
        cwd=ROOT,
        capture_output=True,
        timeout=120,
    )
    stem = f"{DISTRIBUTION}-{__version__}"
    return folder / f"{stem}-py3-none-any.whl", folder / f"{stem}.tar.gz"


def files() -> set[str]:
    """Return the files of the package."""
    paths = (path for path in (ROOT / "gate").rglob("*") if path.is_file())
    return {str(path.relative_to(ROOT)) for path in paths if "__pycache__" not in path.parts}


def contents(wheel: Path, source: Path) -> Iterator[str]:
    """Yield what is missing in *wheel* and *source*, and what does not belong there."""
    about = f"{DISTRIBUTION}-{__version__}.dist-info"
    notes = ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    with zipfile.ZipFile(wheel) as archive:
        yield from differences("the wheel", archive.namelist(), {f"{about}/{n}" for n in notes})
        if archive.read(f"{about}/entry_points.txt").decode() != _ENTRY:
            yield "the wheel: the command gate is not what it should be"
    more = {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "PKG-INFO", ".gitignore"}
    with tarfile.open(source) as archive:
        names = [each.name.partition("/")[2] for each in archive.getmembers() if each.isfile()]
    yield from differences("the source", names, more)


def differences(what: str, names: list[str], more: set[str]) -> Iterator[str]:
    wanted = files() | more
    yield from (f"{what}: {name} is missing" for name in sorted(wanted - set(names)))
    yield from (f"{what}: {name} does not belong there" for name in sorted(set(names) - wanted))


def problems(tag: str, folder: Path) -> list[str]:
    """Return everything that speaks against a release."""
    found = [*versions(tag), *claims(texts()), *workflows.problems()]
    return found + list(contents(*build(folder)))


def main() -> int:
    tag = sys.argv[1] if len(sys.argv) > 1 else ""
    found = problems(tag, ROOT / "dist")
    sys.stdout.writelines(f"release-check: {text}\n" for text in found)
    sys.stdout.write("" if found else f"gate {__version__}: nothing speaks against it, offline\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
