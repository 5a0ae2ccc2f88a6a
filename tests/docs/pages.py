"""What is written for people, `docs/` and more: its blocks of code, commands and manifests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path.name for path in DOCS.glob("*.md"))
TEXTS = [f"docs/{page}" for page in PAGES] + [
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"),
    *("examples/README.md", "examples/helm/gate/README.md"),
]
"""All that is written for people, by its path."""

_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_POD = """\
kind: Pod
apiVersion: v1
metadata: {name: shop}
spec:
  enableServiceLinks: false
  initContainers:
    - name: gate
      image: registry.example.com/gate:0.1.0
      restartPolicy: Always
      PARTS
    - name: gate-hold
      image: registry.example.com/gate:0.1.0
      args: [hold, --timeout, 25m]
  containers:
    - name: app
      image: registry.example.com/app:1.0.0
"""
_PARTS = {
    "env": "env: [{name: GATE_DEPENDENCIES, value: 'tcp://db:5432'}]\n",
    "startupProbe": (
        'startupProbe: {httpGet: {path: "/startupz?hold=25s", port: 4283},'
        " periodSeconds: 1, timeoutSeconds: 30, failureThreshold: 60}\n"
    ),
}
"""What a part of gate's container needs beside it to be a whole one."""


class Block(NamedTuple):
    """A block of code: where it stands, its language and its text."""

    place: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text.strip()[:30]}"


def blocks(language: str, text: str = "") -> list[Block]:
    """Return the blocks in *language* of all texts, or of *text* alone."""
    where = [text] if text else TEXTS
    return [block for name in where for block in _blocks(name) if block.language == language]


def _blocks(name: str) -> Iterator[Block]:
    for indent, language, text in _BLOCK.findall((ROOT / name).read_text()):
        yield Block(name, language, re.sub(f"^{indent}", "", text, flags=re.MULTILINE))


def lines(block: Block) -> list[str]:
    """Return the commands behind a `$` in *block*, continued lines as one."""
    joined = block.text.replace("\\\n", " ")
    return re.findall(r"^\$ (.*)$", joined, re.MULTILINE)


def manifest(block: Block) -> str:
    """Return *block* as a whole manifest: a part of a pod or of gate's container is completed."""
    first = re.search(r"^(\w+):", block.text, re.MULTILINE)
    assert first, block.text
    if first[1] == "initContainers":
        head, _, tail = _POD.partition("  initContainers:\n")
        return head + indented(block.text, 2) + "  containers:" + tail.partition("  containers:")[2]
    if first[1] in _PARTS:
        rest = "".join(text for name, text in _PARTS.items() if name != first[1])
        return _POD.replace("      PARTS\n", indented(block.text + rest, 6))
    return block.text


def indented(text: str, by: int) -> str:
    return re.sub(r"^(?=.)", " " * by, text, flags=re.MULTILINE)
