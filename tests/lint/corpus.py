"""The manifests of these tests, and what is expected of each.

In a bad one the comment `# HERE` marks the lines that its rule names, `# also: RULE` at the top
what other rules say of it, and `# at: N` a line that cannot bear a comment.
"""

from __future__ import annotations

import re
from pathlib import Path

from gate.lint import Report, lint
from gate.lint.run import LintOptions

HERE = Path(__file__).parent
OLD = (1, 28)
ADVICE = frozenset({"gate-not-durable"})
"""What would be said of nearly every gate here: looked for in its own manifests only."""


def names(folder: str) -> list[str]:
    """Return the manifests of *folder* without their suffix."""
    return sorted(path.stem for path in (HERE / folder).glob("*.yaml"))


def rule_of(name: str) -> str:
    """Return the rule that the manifest *name* is about: `rule` or `rule.variant`."""
    return name.partition(".")[0]


def text_of(folder: str, name: str) -> str:
    return (HERE / folder / f"{name}.yaml").read_text()


def version_for(name: str) -> tuple[int, int] | None:
    """Return the cluster's version where the rule of *name* is about it."""
    return {"kubernetes-version": OLD, "sidecar-lost-in-job": (1, 30)}.get(rule_of(name))


def linted(folder: str, name: str) -> Report:
    wish = LintOptions(version=version_for(name), ignore=ADVICE - {rule_of(name)})
    return lint([(f"{name}.yaml", text_of(folder, name))], wish)


def expected_lines(text: str) -> list[int]:
    at = [int(number) for number in re.findall(r"^# at: (\d+)$", text, re.MULTILINE)]
    return at + [
        number for number, line in enumerate(text.split("\n"), start=1) if line.endswith("# HERE")
    ]


def also(text: str) -> set[str]:
    return set(re.findall(r"^# also: (\S+)$", text, re.MULTILINE))


def found(text: str) -> list[str]:
    """Return the rules that say something of *text*."""
    return [finding.rule for finding in lint([("manifest.yaml", text)]).findings]
