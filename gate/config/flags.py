"""The command line: a flag for each setting, and clear errors for everything else."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NoReturn

from gate import __version__, config
from gate.config import tool_flags
from gate.core import command_line
from gate.core.errors import HelpRequested, UsageError
from gate.core.suggest import closest, hint

if TYPE_CHECKING:
    from collections.abc import Sequence

_DESCRIPTION = """\
Holds an app back until everything it depends on is ready.

commands:
  serve   answer the startup probe of a pod, and stay (the image's default)
  wait    wait here, then end, or become the command after --
  probe   ask the gate running in this pod (gate probe --help)
  hold    block until the gate running in this pod opens (gate hold --help)
  forget  remove the state file, so that gate waits again (gate forget --help)
  lint    find start-order mistakes in manifests (gate lint --help)
  manifest  print the container that this configuration asks for (gate manifest --help)
  inject  put gate into manifests (gate inject --help)
  checks  list the schemes, their options and what ready means (gate checks --help)
  status  which pods of a cluster are held, and why (gate status --help)
"""
_EPILOG = """\
Dependencies come from GATE_DEPENDENCIES, one a line, and GATE_DEPENDENCY_<NAME>:
  [name] URL [option=value …]      e.g.  db tcp://db:5432 timeout=1s deadline=2m
"""

_DEPENDENCY = "'[name] URL [option=value …]', as one text; the environment's are left out then"
_ONCE = "one attempt each (GATE_DISABLED or not), a table, exit 0 or 1"
_NOTIFY = "tell systemd what is waited for, and when the wait is over (Type=notify)"
_OUTPUT = "lines on stderr, or JSON, a line for each change, on stdout (on a terminal a live table)"
_LINT = ("--select", "--ignore", "--output", "--kubernetes-version", "--baseline", "--explain")
_LINT_FIX = ("--fix", "--fix=unsafe")
_INJECT = ("--sources", "--form", "--set", "--remove", "--check", "--diff", "--in-place")
_MANIFEST = ("--mode", "--image", "--name", "--durable")
_STATUS = ("--namespace", "--all-namespaces", "--context", "--kubeconfig", "--watch")
_TOOLS = ("forget", "lint", "manifest", "inject", "checks", "status")
_COMMANDS = ("serve", "wait", "probe", "hold", *_TOOLS)
_WORDS = {"wait": "dependency", "lint": "file", "inject": "file", "checks": "scheme"}
"""The positional argument of each command that has one, as argparse calls it."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors show no word that was given: any may be a URL with a password."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of exiting: there is one place for exit codes."""
        # Behind "ignored explicit argument" argparse quotes it.
        told = message.partition(" '")[0].partition(' "')[0]
        text = f"{told} ({self.prog} --help)"
        raise UsageError(text)

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is None or value in action.choices:
            return
        if action.dest == "command":
            raise argparse.ArgumentError(None, _no_command(str(value)))
        text = f"invalid choice; there are {', '.join(action.choices)}"
        raise argparse.ArgumentError(action, text)

    def _print_message(self, message: str, file: object = None) -> NoReturn:  # noqa: ARG002 -- argparse gives it
        """Hand help or version to whoever prints: what cannot be written is no success."""
        raise HelpRequested(message)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what *arguments* say; raises `UsageError`, and `HelpRequested` for --help.

    Flags that mirror a variable are attributes of its name, None where not given.
    """
    given, left = _parser().parse_known_args(arguments)
    for word in left:
        # argparse takes positional words that stand together only; those after a later flag are
        # left over.
        if given.command not in _WORDS or (word.startswith("-") and word != "-"):
            _refuse(word, arguments, given.command)
        getattr(given, _WORDS[given.command]).append(word)
    if getattr(given, "dependency", None) and given.GATE_DEPENDENCIES is not None:
        msg = "dependencies both as arguments and by --dependencies; leave one of the two out"
        raise UsageError(msg)
    return given


def settings(given: argparse.Namespace) -> dict[str, str]:
    """Return the values of the flags that were given, by the variable that each overrides."""
    return {
        name: value
        for name, value in vars(given).items()
        if name.startswith("GATE_") and value is not None
    }


def _refuse(word: str, arguments: Sequence[str], command: str) -> NoReturn:
    flag = word.partition("=")[0]
    known = [setting.flag for setting in config.SETTINGS]
    own = (
        "--once",
        "--notify",
        "--dependencies",
        *_LINT,
        *_LINT_FIX,
        *_MANIFEST,
        *_INJECT,
        *_STATUS,
    )
    near = closest(flag, [*known, *own])
    if not word.startswith("-"):
        hint = f"{command} takes no dependencies: set GATE_DEPENDENCIES"
    else:
        hint = f"did you mean {near}?" if near else "see gate --help"
    # The words that are left over come after those that were taken.
    number = len(arguments) - list(reversed(arguments)).index(word)
    msg = f"unknown argument {command_line.label(word, number)}; {hint}"
    raise UsageError(msg)


def _no_command(word: str) -> str:
    if command_line.is_url(word):
        return "a dependency is no command; gate wait takes dependencies"
    return f"unknown command; {hint(word, _COMMANDS)}"


def _parser() -> _Parser:
    flags = _flags()
    parser = _Parser(
        prog="gate",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"gate {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    _add(commands, "serve", "answer the startup probe of a pod, and stay", flags)
    wait = _add(commands, "wait", "wait here, then end, or become the command after --", flags)
    wait.add_argument("dependency", nargs="*", help=_DEPENDENCY)
    wait.add_argument("--once", action="store_true", help=_ONCE)
    wait.add_argument("--notify", action="store_true", help=_NOTIFY)
    wait.add_argument("--output", choices=("lines", "json"), help=_OUTPUT)
    _add_manifest(commands, flags)
    tool_flags.add(commands)
    return parser


def _add_manifest(commands: argparse._SubParsersAction[_Parser], flags: _Parser) -> None:
    text = "print the container that this configuration asks for, to put into a pod's spec"
    manifest = _add(commands, "manifest", text, flags)
    modes = ("sidecar", "poststart", "init", "exec-probe", "admission")
    manifest.add_argument("--mode", choices=modes, required=True, help="how it holds the app")
    manifest.add_argument(
        "--image", type=tool_flags.value, required=True, help="gate's image, with registry and tag"
    )
    manifest.add_argument(
        "--name",
        type=tool_flags.value,
        default="gate",
        help="of container, volume and Secret (gate)",
    )
    manifest.add_argument(
        "--durable",
        choices=("on", "off"),
        default="on",
        help="hold the app through a restart of the kubelet, by a plain init container behind gate "
        "(on; about half a second from opened to app, instead of a tenth)",
    )


def _flags() -> _Parser:
    flags = _Parser(add_help=False, allow_abbrev=False)
    group = flags.add_argument_group("settings", "each stands over the variable of its name")
    for setting in config.SETTINGS:
        group.add_argument(
            setting.flag,
            dest=setting.variable,
            # A reason may well be the address of a ticket.
            type=str if setting.variable == "GATE_DISABLED" else tool_flags.value,
            metavar=setting.metavar,
            help=setting.help,
        )
    group.add_argument(
        "--dependencies", dest="GATE_DEPENDENCIES", metavar="TEXT", help="one a line, or ;"
    )
    return flags


def _add(
    commands: argparse._SubParsersAction[_Parser],
    name: str,
    text: str,
    flags: _Parser,
) -> _Parser:
    return commands.add_parser(
        name,
        help=text,
        description=text,
        epilog=_EPILOG,
        parents=[flags],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
