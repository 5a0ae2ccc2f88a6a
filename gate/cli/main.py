"""The command line: environment and files in, printing and exit codes out."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO, TypeVar, cast

from gate import checks, config
from gate.core.errors import (
    ConfigError,
    GateError,
    HelpRequested,
    ListenError,
    Problem,
    UsageError,
)
from gate.report import output, termination_message
from gate.runtime.loop import Loop
from gate.runtime.runner import DependencyCheck
from gate.serve import listener, state_file
from gate.wait import exec_command

if TYPE_CHECKING:
    import socket
    from argparse import Namespace
    from collections.abc import Callable, Coroutine, Iterator, Sequence

    from gate.config import Config, Settings
    from gate.report.wait_plan import WaitPlan
    from gate.runtime.board import Board
    from gate.wait.command import Display
    from gate.wait.live_table import Screen

    Listening = socket.socket | ListenError | None

T = TypeVar("T")


def main(arguments: Sequence[str], listening: Listening = None) -> int:
    """Run a command other than `probe` and `hold`; return the exit code. Errors go to stderr.

    *listening* is the socket that `serve` has opened already, or why it could not.
    """
    try:
        return _run(list(arguments), listening)
    except GateError as exc:
        output.print_error(f"gate: {exc}")
        _leave_message(f"gate: {exc}", arguments)
        return exc.exit_code
    except HelpRequested as exc:
        return output.print_output(str(exc))


def _run(arguments: list[str], listening: Listening) -> int:
    if arguments == ["serve"]:
        return _serve(None, listening)  # nothing to parse, and argparse is a tenth of the start
    from gate.cli import tools  # noqa: PLC0415 -- argparse
    from gate.config import flags  # noqa: PLC0415 -- argparse

    own, command = arguments, None
    if "--" in arguments:
        end = arguments.index("--")
        own, command = arguments[:end], arguments[end + 1 :]
    given = flags.parse(own)
    if given.command == "wait":
        return _wait(given, command)
    if command is not None:
        msg = f"{given.command} takes no command after --; gate wait does"
        raise UsageError(msg)
    if given.command in tools.COMMANDS:
        return tools.COMMANDS[given.command](given)
    return _serve(given, listening)


def _serve(given: Namespace | None, listening: Listening) -> int:
    settings, dependency_checks = _load(given)
    if isinstance(listening, ListenError):
        raise listening
    sock = listening or listener.open_socket(*settings.listen)
    with _no_certificates_at_import():
        from gate.serve import command  # noqa: PLC0415 -- aiohttp, only for serve
    return _loop(command.serve(_plan(settings, dependency_checks, "json"), sock))


def _wait(given: Namespace, command: list[str] | None) -> int:
    if command is not None:
        exec_command.check(command)
    if given.once and given.notify:
        msg = "--notify does not go with --once: systemd is told when the wait is over"
        raise UsageError(msg)
    code = _once(given) if given.once else _until_ready(given)
    if code == 0 and command:
        exec_command.exec_command(command)
    return code


def _once(given: Namespace) -> int:
    from gate.wait import command  # noqa: PLC0415 -- only for wait

    # Somebody is debugging, so dependencies are checked even where gate is disabled.
    _, dependency_checks = _load(given, given.dependency, heeds_disabled=False)
    text, is_ready = _loop(command.once(dependency_checks, _summary(given)))
    return output.print_output(text) or int(not is_ready)


def _until_ready(given: Namespace) -> int:
    from gate.wait import command  # noqa: PLC0415 -- only for wait

    settings, dependency_checks = _load(given, given.dependency)
    screen = _screen(given, settings)
    plan = _plan(settings, dependency_checks, "console", screen)
    displays = [_display(given, screen), _notify(given, plan)]
    return _loop(command.wait(plan, [each for each in displays if each]))


def _screen(given: Namespace, settings: Settings) -> Screen | None:
    """Return the terminal to draw on, if there is one and nothing else is asked for."""
    is_dumb = os.environ.get("TERM", "dumb") == "dumb"
    if given.output or settings.log_format or is_dumb or not sys.stderr.isatty():
        return None
    from gate.wait import live_table  # noqa: PLC0415 -- only for a terminal

    return live_table.Screen(sys.stderr, has_colours=not os.environ.get("NO_COLOR"))


def _display(given: Namespace, screen: Screen | None) -> Display | None:
    if given.output == "json":
        from gate.wait import json_lines  # noqa: PLC0415 -- only where asked for

        return json_lines.JsonLines(output.print_output)
    if screen is None:
        return None
    from gate.wait import live_table  # noqa: PLC0415 -- only for a terminal

    return live_table.Live(screen)


def _notify(given: Namespace, plan: WaitPlan) -> Display | None:
    if not given.notify:
        return None
    from gate.wait import command, notify  # noqa: PLC0415 -- only where asked for

    timeout = plan.settings.timeout or command.TIMEOUT
    return notify.Notify(
        os.environ, timeout, partial(plan.complain, "notify.failed", "NOTIFY_SOCKET")
    )


def _summary(given: Namespace) -> Callable[[Board], str] | None:
    if given.output != "json":
        return None
    from gate.wait import json_lines  # noqa: PLC0415 -- only where asked for

    return json_lines.summary


def _load(
    given: Namespace | None, arguments: Sequence[str] = (), *, heeds_disabled: bool = True
) -> tuple[Settings, tuple[DependencyCheck, ...]]:
    """Return settings and checks; raises `ConfigError` with every problem there is."""
    read = config.read(os.environ, flags=_flagged(given), arguments=arguments)
    made = [(wanted, checks.load(wanted.target)) for wanted in read.dependencies]
    problems = _all_problems(read)
    if problems and read.settings.disabled and heeds_disabled:
        # GATE_DISABLED must work in the night in which the configuration is what is wrong.
        output.print_error(f"gate: disabled, so let be: {ConfigError(problems)}")
        return read.settings, ()
    if problems:
        raise ConfigError(problems)
    dependency_checks = [
        DependencyCheck(wanted.dependency_with_secrets, check) for wanted, check in made if check
    ]
    return read.settings, tuple(dependency_checks)


def _flagged(given: Namespace | None) -> dict[str, str]:
    if given is None:
        return {}
    from gate.config import flags  # noqa: PLC0415 -- argparse

    return flags.settings(given)


def _all_problems(read: Config) -> list[Problem]:
    problems = list(read.all_problems())
    path = read.settings.state_file
    if path is not None and (why := state_file.why_unusable(path)):
        problems.append(Problem("GATE_STATE_FILE", why))
    return problems


def _plan(
    settings: Settings,
    dependency_checks: tuple[DependencyCheck, ...],
    form: str,
    screen: Screen | None = None,
) -> WaitPlan:
    from gate.report import log, wait_plan  # noqa: PLC0415 -- structlog, when there is something to log

    chosen = settings.log_format or ("console" if sys.stderr.isatty() else form)
    # A screen has all that the log needs of a stream.
    stream = cast("TextIO | None", screen)
    logger = log.set_up(level=settings.log_level, form=chosen, stream=stream)
    return wait_plan.WaitPlan(
        settings, dependency_checks, logger, log_form=chosen, is_shown=screen is not None
    )


def _loop(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(main)


@contextmanager
def _no_certificates_at_import() -> Iterator[None]:
    """Keep aiohttp from loading the system's certificates twice while it is imported.

    It builds two TLS contexts for its client, which gate does not use: 18 to 90 ms of CPU.
    """
    changed = {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": "/nonexistent"}
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _leave_message(text: str, arguments: Sequence[str]) -> None:
    """Put an error into the termination message, where this is a container's process."""
    setting = listener.given(arguments, os.environ, "--termination-log", "GATE_TERMINATION_LOG")
    path = termination_message.termination_path(setting or None)
    if path is None or not path.startswith("/"):
        return
    try:
        termination_message.write_message(path, text)
    except OSError as exc:
        output.print_error(f"gate: termination message: {path}: {exc.strerror}")
