"""The command: files in, files with gate in them out, what was done on stderr."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

from gate.core.errors import UsageError
from gate.core.names import IMAGE_VARIABLE
from gate.core.suggest import hint
from gate.inject import function
from gate.inject import run as injecting
from gate.inject.plan import InjectOptions
from gate.inject.sources import SOURCES
from gate.pods import files
from gate.pods.editing import rewriting
from gate.report import output

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence


def run(given: Namespace, stdin: BinaryIO) -> tuple[str, int]:
    """Return what to print, and the exit code; raises `UsageError`."""
    inputs = [files.read(name, stdin) for name in given.file]
    function.configure(given, inputs[0][1])
    outcome = injecting.remove(inputs) if given.remove else injecting.inject(inputs, _wish(given))
    for line in outcome.told:
        output.print_error(line)
    if given.check:
        return "", int(outcome.is_changed)
    if given.diff:
        return rewriting.diff(outcome.files), 0
    if given.in_place:
        rewriting.write(outcome.files, "--in-place")
        return "", 0
    return _joined([after for _, _, after in outcome.files]), 0


def _wish(given: Namespace) -> InjectOptions:
    image = given.image or os.environ.get(IMAGE_VARIABLE, "")
    if not image:
        msg = f"inject: which image is gate's? write --image IMAGE, or set {IMAGE_VARIABLE}"
        raise UsageError(msg)
    return InjectOptions(
        image=image,
        form=given.form or "",
        name=given.name,
        is_durable=given.durable == "on",
        dependencies=tuple(given.dependency or ()),
        sources=_sources(given.sources),
        settings=tuple(_setting(text) for text in given.set or ()),
        version=files.version(given.kubernetes_version),
    )


def _sources(text: str | None) -> tuple[str, ...]:
    names = (
        SOURCES if text is None else tuple(each.strip() for each in text.split(",") if each.strip())
    )
    for name in names:
        if name not in SOURCES:
            msg = f"--sources: {name!r} is not known; {hint(name, SOURCES)}"
            raise UsageError(msg)
    return names


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.startswith("GATE_"):
        msg = "--set: write GATE_VARIABLE=VALUE"
        raise UsageError(msg)
    return name, value


def _joined(texts: Sequence[str]) -> str:
    """Return the files as one stream of documents."""
    whole = ""
    for text in texts:
        if whole and not whole.endswith("\n"):
            whole += "\n"
        if whole and not text.startswith("---"):
            whole += "---\n"
        whole += text
    return whole
