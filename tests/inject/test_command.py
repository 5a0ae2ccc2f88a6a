"""The command: files and streams, what goes to stderr, exit codes."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from gate.cli import main
from tests.inject.building import IMAGE, app_with, variable
from tests.process import run_gate

TEXT = app_with(variable("REDIS_HOST", "cache"), kind="Deployment")


def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.json"
    path.write_text(TEXT)
    return path


def test_in_place_diff_check_and_remove(tmp_path: Path) -> None:
    path = shop(tmp_path)
    name = str(path)
    path.chmod(0o640)

    assert run_gate("inject", "--image", IMAGE, "--check", name)[0] == 1
    code, out, err = run_gate("inject", "--image", IMAGE, "--diff", name)
    assert (code, err.splitlines()[0]) == (0, "Deployment shop: gate waits for")
    assert out.startswith(f"--- {name}\n+++ {name}\n")
    assert path.read_text() == TEXT
    assert run_gate("inject", "--image", IMAGE, "--in-place", name)[:2] == (0, "")
    assert '"gate-hold"' in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o640
    assert run_gate("inject", "--image", IMAGE, "--check", name)[0] == 0
    assert run_gate("inject", "--remove", "--in-place", name)[0] == 0
    assert path.read_text() == TEXT
    assert [each.name for each in tmp_path.iterdir()] == ["shop.json"]


def test_a_stream_and_a_file_become_one_stream(tmp_path: Path) -> None:
    code, out, err = run_gate(
        "inject", "-", str(shop(tmp_path)), stdin="kind: Namespace", env={"GATE_IMAGE": IMAGE}
    )

    assert code == 0
    assert out.startswith('kind: Namespace\n---\n{"kind": "Deployment"')
    assert "redis://cache (variable REDIS_HOST of container app)" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-"], "inject: which image is gate's? write --image IMAGE, or set GATE_IMAGE"),
        (["--image", IMAGE, "--sources", "envs", "-"], "--sources: 'envs' is not known; did you"),
        (["--image", IMAGE, "--sources", "x", "-"], "there are annotation, sidecars, waits, env"),
        (["--image", IMAGE, "--set", "TIMEOUT=1", "-"], "--set: write GATE_VARIABLE=VALUE"),
        (["--image", IMAGE, "--set", "GATE_TIMEOUT=x", "-"], "Deployment shop: GATE_TIMEOUT: "),
        (["--image", "a b", "-"], "--image: 'a b' is not the name of an image"),
        (["--image", IMAGE, "--in-place", "-"], "--in-place: standard input cannot be written"),
        (["--image", IMAGE, "/nowhere.yaml"], "/nowhere.yaml: no such file"),
        (["--image", IMAGE], "the following arguments are required: FILE"),
        (["--image", IMAGE, "--imag", "-"], "did you mean --image?"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(arguments: list[str], said: str) -> None:
    code, out, err = run_gate("inject", *arguments, stdin=TEXT)

    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_a_broken_document_hides_no_other_and_nothing_is_written() -> None:
    code, out, err = run_gate("inject", "--image", IMAGE, "-", stdin="a: [\n---\nb: {{ x }}\n")

    assert (code, out) == (2, "")
    assert "stdin:2: not YAML" in err or "stdin:1: not YAML" in err
    assert "helm template" in err


def test_a_file_that_cannot_be_written_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk cannot be had here, so replacing the file fails instead."""
    path = shop(tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)

    assert main.main(["inject", "--image", IMAGE, "--in-place", str(path)]) == 2
    assert f"{path}: no space left on device" in capsys.readouterr().err
    assert path.read_text() == TEXT
    assert list(tmp_path.iterdir()) == [path]


def test_what_helm_prints_goes_through_a_pipe() -> None:
    """Helm itself cannot be had here, so a file stands for what it prints."""
    rendered = f"---\n# Source: shop/templates/shop.yaml\n{TEXT}\n"

    _, out, _ = run_gate("inject", "--image", IMAGE, "-", stdin=rendered)

    assert out.startswith("---\n# Source: shop/templates/shop.yaml\n")
    assert run_gate("lint", "-", stdin=out)[:2] == (0, "1 pod in 1 file: nothing found\n")
