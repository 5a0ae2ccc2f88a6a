"""What lint says of sound manifests (nothing), and of the blog post's four experiments."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gate.lint import lint
from tests.lint.corpus import linted, names
from tests.lint.playing import SLOW, Stage
from tests.stand_ins import EXAMPLES

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


# A chart's templates are no YAML yet: test_helm.py has them rendered, then looked at.
READABLE = sorted(path for path in EXAMPLES.rglob("*.yaml") if path.parent.name != "templates")


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.name)
def test_nothing_is_found_in_the_examples(path: Path) -> None:
    assert lint([(path.name, path.read_text())]).findings == ()


def test_a_step_of_the_workflow_fails_with_the_first_command_of_its_pipe() -> None:
    """The default shell of a step has no pipefail; `shell: bash` has."""
    workflow = yaml.safe_load((EXAMPLES / "ci" / "github-action.yaml").read_text())

    piped = [step for step in workflow["jobs"]["lint"]["steps"] if " | " in step.get("run", "")]

    assert piped
    assert all(step.get("shell") == "bash" for step in piped)


@pytest.mark.parametrize("name", names("sound"))
def test_nothing_is_found_in_sound_manifests(name: str) -> None:
    assert linted("sound", name).findings == ()


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("readiness-probe", ["sidecar-probe-does-not-hold"]),
        ("startup-probe", []),
        ("poststart-hook", ["poststart-not-durable", "poststart-without-end"]),
        ("liveness-probe", ["liveness-kills-start", "sidecar-probe-does-not-hold"]),
    ],
)
def test_lint_says_of_an_experiment_what_the_post_found(name: str, rules: list[str]) -> None:
    assert [finding.rule for finding in linted("blog", name).findings] == rules


@pytest.mark.parametrize(
    ("name", "waits"),
    [
        ("readiness-probe", False),
        ("startup-probe", True),
        ("poststart-hook", True),
        ("liveness-probe", False),
    ],
)
async def test_the_app_waits_in_the_experiments_that_the_post_says(
    name: str, waits: object, tmp_path: Path
) -> None:
    # Where it does not wait, the sidecar is not to serve before it by chance.
    slow = SLOW if waits else 600.0
    async with Stage(tmp_path).play("blog", name, slow=slow) as pod:
        await pod.container_running("app", timeout=60)

        assert ("serving" in pod.logs("agent")) is waits
