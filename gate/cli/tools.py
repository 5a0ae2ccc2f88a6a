"""The commands that end by themselves and check nothing, as `lint`."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gate import DISTRIBUTION, checks, config
from gate.config import flags
from gate.core.errors import ConfigError, GateError, UsageError
from gate.report import output
from gate.runtime.loop import Loop
from gate.serve import state_file

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator


def lint(given: Namespace) -> int:
    """Run `gate lint`; return the exit code."""
    with _yaml_for("lint"):
        from gate.lint import command  # noqa: PLC0415 -- PyYAML, only for lint
    text, code = command.run(given, sys.stdin.buffer)
    return output.print_output(text) or code


def inject(given: Namespace) -> int:
    """Run `gate inject`; return the exit code."""
    with _yaml_for("inject", "inject"):
        from gate.inject import command  # noqa: PLC0415 -- YAML, only for inject
    text, code = command.run(given, sys.stdin.buffer)
    return output.print_output(text) or code


def manifest(given: Namespace) -> int:
    """Run `gate manifest`; return the exit code."""
    from gate.manifest import container  # noqa: PLC0415 -- only for manifest

    wish = container.ManifestOptions(
        given.mode, given.image, given.name, is_durable=given.durable == "on"
    )
    flagged = flags.settings(given)
    if given.mode == "admission":
        from gate.manifest import admission  # noqa: PLC0415 -- only for this mode

        text, problems = admission.write(wish, {**os.environ, **flagged})
        if problems:
            raise ConfigError(problems)
        return output.print_output(text)
    read = config.read(os.environ, flags=flagged)
    for wanted in read.dependencies:
        checks.load(wanted.target)
    if problems := [*read.all_problems(), *container.problems(wish, read.settings)]:
        raise ConfigError(problems)
    return output.print_output(container.write(wish, read, {**os.environ, **flagged}))


def list_checks(given: Namespace) -> int:
    """Run `gate checks`; return the exit code."""
    from gate.checks import catalogue  # noqa: PLC0415 -- every check and package metadata, for this only
    from gate.report import check_list  # noqa: PLC0415 -- the same

    entries = check_list.chosen(catalogue.entries(), given.scheme)
    if given.output == "json":
        return output.print_output(check_list.as_json(entries))
    return output.print_output(check_list.as_text(entries, is_whole=bool(given.scheme)))


def forget(given: Namespace) -> int:
    """Run `gate forget`; return the exit code."""
    flagged = flags.settings(given)
    place = "--state-file" if flagged else "GATE_STATE_FILE"
    own = {"GATE_STATE_FILE": os.environ.get("GATE_STATE_FILE", ""), **flagged}
    settings, problems = config.read_settings(own, {"GATE_STATE_FILE": place})
    if problems:
        raise ConfigError(problems)
    if settings.state_file is None:
        msg = "forget: no file is named; set GATE_STATE_FILE, or write --state-file PATH"
        raise UsageError(msg)
    try:
        state_file.forget(settings.state_file)
    except OSError as exc:
        msg = f"{place}: {settings.state_file}: {(exc.strerror or str(exc)).lower()}"
        raise GateError(msg) from exc
    return 0


def status(given: Namespace) -> int:
    """Run `gate status`; return the exit code."""
    with _yaml_for("status"):
        from gate.status import command  # noqa: PLC0415 -- PyYAML and httpx, only for status
    with asyncio.Runner(loop_factory=Loop) as runner:
        is_screen = sys.stdout is not None and sys.stdout.isatty()
        return runner.run(command.run(given, output.print_output, is_screen=is_screen))


COMMANDS: dict[str, Callable[[Namespace], int]] = {
    "checks": list_checks,
    "forget": forget,
    "inject": inject,
    "lint": lint,
    "manifest": manifest,
    "status": status,
}


@contextmanager
def _yaml_for(command: str, extra: str = "lint") -> Iterator[None]:
    """Say what to install where *command* cannot be imported for want of PyYAML."""
    try:
        yield
    except ModuleNotFoundError as exc:
        if exc.name != "yaml":
            raise
        msg = f"{command} needs the package PyYAML; pip install '{DISTRIBUTION}[{extra}]'"
        raise UsageError(msg) from exc
