"""The command line: environment and files in, printing and exit codes out."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, TypeVar, cast

from gate import become, checks, config, flags, listen, output, record, statefile
from gate.errors import ConfigError, GateError, ListenError, Problem, UsageError
from gate.loop import Loop
from gate.runner import Watch

if TYPE_CHECKING:
    import socket
    from argparse import Namespace
    from collections.abc import Callable, Coroutine, Iterator, Sequence

    from gate.board import Board
    from gate.config import Config, Settings
    from gate.live import Screen
    from gate.wait import Display
    from gate.watching import Job

    Listening = socket.socket | ListenError | None

T = TypeVar("T")


def main(arguments: Sequence[str], listening: Listening = None) -> int:
    """Run a command but `probe` and `hold`, return the exit code; errors are told on stderr.

    *listening* is the socket that `serve` has opened already, or why it could not.
    """
    try:
        return _run(list(arguments), listening)
    except GateError as exc:
        output.tell(f"gate: {exc}")
        _leave_message(f"gate: {exc}", arguments)
        return exc.exit_code
    except SystemExit as exc:
        # argparse leaves so after --help and --version.
        return int(exc.code or 0)


def _run(arguments: list[str], listening: Listening) -> int:
    own, command = arguments, None
    if "--" in arguments:
        end = arguments.index("--")
        own, command = arguments[:end], arguments[end + 1 :]
    given = flags.parse(own)
    if given.command == "wait":
        return _wait(given, command)
    if given.command == "lint":
        return _lint(given)
    if command is not None:
        msg = f"{given.command} takes no command after --; gate wait does"
        raise UsageError(msg)
    if given.command == "manifest":
        return _manifest(given)
    return _serve(given, listening)


def _serve(given: Namespace, listening: Listening) -> int:
    settings, watches = _load(given)
    if isinstance(listening, ListenError):
        raise listening
    sock = listening or listen.open_socket(*settings.listen)
    with _no_certificates_at_import():
        from gate import service  # noqa: PLC0415 -- aiohttp, only for serve
    return _loop(service.serve(_job(settings, watches, "json"), sock))


def _wait(given: Namespace, command: list[str] | None) -> int:
    if command is not None:
        become.check(command)
    code = _once(given) if given.once else _until_ready(given)
    if code == 0 and command:
        become.become(command)
    return code


def _once(given: Namespace) -> int:
    from gate import wait  # noqa: PLC0415 -- only for wait

    # Whoever asks this way wants to know, also where the gate is disabled.
    _, watches = _load(given, given.dependency, heeds_disabled=False)
    text, is_ready = _loop(wait.once(watches, _summary(given)))
    return output.put(text) or int(not is_ready)


def _until_ready(given: Namespace) -> int:
    from gate import wait  # noqa: PLC0415 -- only for wait

    settings, watches = _load(given, given.dependency)
    screen = _screen(given, settings)
    job = _job(settings, watches, "console", screen)
    return _loop(wait.wait(job, _display(given, screen)))


def _screen(given: Namespace, settings: Settings) -> Screen | None:
    """Return the terminal to draw on, if there is one and nothing else is asked for."""
    is_dumb = os.environ.get("TERM", "dumb") == "dumb"
    if given.output or settings.log_format or is_dumb or not sys.stderr.isatty():
        return None
    from gate import live  # noqa: PLC0415 -- only for a terminal

    return live.Screen(sys.stderr, has_colours=not os.environ.get("NO_COLOR"))


def _display(given: Namespace, screen: Screen | None) -> Display | None:
    if given.output == "json":
        from gate import json_lines  # noqa: PLC0415 -- only where asked for

        return json_lines.JsonLines(output.put)
    if screen is None:
        return None
    from gate import live  # noqa: PLC0415 -- only for a terminal

    return live.Live(screen)


def _summary(given: Namespace) -> Callable[[Board], str] | None:
    if given.output != "json":
        return None
    from gate import json_lines  # noqa: PLC0415 -- only where asked for

    return json_lines.summary


def _lint(given: Namespace) -> int:
    try:
        from gate.lint import command  # noqa: PLC0415 -- PyYAML, only for lint
    except ModuleNotFoundError as exc:
        if exc.name != "yaml":
            raise
        msg = "lint needs the package PyYAML; pip install 'gate[lint]'"
        raise UsageError(msg) from exc
    text, code = command.run(given, sys.stdin.buffer)
    return output.put(text) or code


def _manifest(given: Namespace) -> int:
    from gate import manifest  # noqa: PLC0415 -- only for manifest

    wish = manifest.Wish(given.mode, given.image, given.name)
    flagged = flags.settings(given)
    read = config.read(os.environ, flags=flagged)
    for wanted in read.wanted:
        checks.load(wanted.target)
    if problems := [*read.all_problems(), *manifest.problems(wish, read.settings)]:
        raise ConfigError(problems)
    return output.put(manifest.write(wish, read, {**os.environ, **flagged}))


def _load(
    given: Namespace, arguments: Sequence[str] = (), *, heeds_disabled: bool = True
) -> tuple[Settings, tuple[Watch, ...]]:
    """Return settings and checks; raises `ConfigError` with every problem there is."""
    read = config.read(os.environ, flags=flags.settings(given), arguments=arguments)
    made = [(wanted, checks.load(wanted.target)) for wanted in read.wanted]
    problems = _all_problems(read)
    if problems and read.settings.disabled and heeds_disabled:
        # The switch is for the night in which the configuration is what is wrong.
        output.tell(f"gate: disabled, so let be: {ConfigError(problems)}")
        return read.settings, ()
    if problems:
        raise ConfigError(problems)
    watches = [Watch(wanted.dependency_with_secrets, check) for wanted, check in made if check]
    return read.settings, tuple(watches)


def _all_problems(read: Config) -> list[Problem]:
    problems = list(read.all_problems())
    path = read.settings.state_file
    if path is not None and (why := statefile.why_unusable(path)):
        problems.append(Problem("GATE_STATE_FILE", why))
    return problems


def _job(
    settings: Settings, watches: tuple[Watch, ...], form: str, screen: Screen | None = None
) -> Job:
    from gate import logs, watching  # noqa: PLC0415 -- structlog, when there is something to log

    chosen = settings.log_format or ("console" if sys.stderr.isatty() else form)
    # A screen is as much of a stream as the log needs.
    stream = cast("TextIO | None", screen)
    logger = logs.set_up(level=settings.log_level, form=chosen, stream=stream)
    return watching.Job(settings, watches, logger, is_shown=screen is not None)


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
    setting = listen.given(arguments, os.environ, "--termination-log", "GATE_TERMINATION_LOG")
    path = record.termination_path(setting or None)
    if path is None or not path.startswith("/"):
        return
    try:
        record.write_message(path, text)
    except OSError as exc:
        output.tell(f"gate: termination message: {path}: {exc.strerror}")
