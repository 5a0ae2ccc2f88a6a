"""The command lines of the commands that read manifests, ask a cluster, or tell of gate itself."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, TypeVar

from gate.core import command_line

if TYPE_CHECKING:
    P = TypeVar("P", bound=argparse.ArgumentParser)

_STATUS = "which pods of a cluster gate holds back, since when, for what, and why"
_STATUS_CODES = (
    "exit codes: 0 none is held; 1 at least one is; 2 command line or kubeconfig is wrong; "
    "3 the cluster could not be asked"
)


def add(commands: argparse._SubParsersAction[P]) -> None:
    """Add each of them to *commands*."""
    _add_forget(commands)
    _add_lint(commands)
    _add_inject(commands)
    _add_checks(commands)
    _add_status(commands)


def value(text: str) -> str:
    """Return the value of a flag. A URL means that the value was forgotten before a dependency."""
    if command_line.is_url(text):
        msg = "wants a value, not a dependency"
        raise argparse.ArgumentTypeError(msg)
    return text


def _add_forget(commands: argparse._SubParsersAction[P]) -> None:
    text = "remove the state file, so that gate waits again: for a plain init container in front"
    why = (
        "Such a container runs anew exactly when all containers of the pod restart. Then the app "
        "is started again too, and what it depends on may be down."
    )
    forget = commands.add_parser(
        "forget", help=text, description=text, epilog=why, allow_abbrev=False
    )
    forget.add_argument(
        "--state-file", dest="GATE_STATE_FILE", type=value, metavar="PATH", help="GATE_STATE_FILE"
    )


def _add_lint(commands: argparse._SubParsersAction[P]) -> None:
    text = "find start-order mistakes in manifests; no cluster is asked"
    codes = (
        "exit codes: 0 nothing, or info only; 1 an error or a warning; "
        "2 not everything could be looked at"
    )
    lint = commands.add_parser(
        "lint", help=text, description=text, epilog=codes, allow_abbrev=False
    )
    lint.add_argument("file", nargs="*", metavar="FILE", help="YAML or JSON; - is standard input")
    lint.add_argument("--select", action="append", metavar="RULE,…", help="only these rules")
    lint.add_argument("--ignore", action="append", metavar="RULE,…", help="all but these rules")
    forms = ("text", "json", "github", "sarif", "junit")
    lint.add_argument("--output", choices=forms, default="text")
    lint.add_argument("--kubernetes-version", metavar="1.N", help="of the cluster it is meant for")
    mend = "write what has one right remedy; =unsafe: what changes order or restarts, too"
    lint.add_argument("--fix", action="store_const", const="safe", help=mend)
    # A name of its own: as a value, a file behind the flag would be taken for it.
    lint.add_argument(
        "--fix=unsafe", dest="fix", action="store_const", const="unsafe", help=argparse.SUPPRESS
    )
    lint.add_argument("--diff", action="store_true", help="show what --fix would write")
    lint.add_argument("--baseline", metavar="FILE", help="leave out what this JSON report has")
    lint.add_argument("--explain", metavar="RULE", help="what a rule is about; `all` lists them")


def _add_inject(commands: argparse._SubParsersAction[P]) -> None:
    text = "put gate into manifests: what to wait for is found in them"
    inject = commands.add_parser("inject", help=text, description=text, allow_abbrev=False)
    inject.add_argument("file", nargs="+", metavar="FILE", help="YAML or JSON; - is standard input")
    inject.add_argument("--image", type=value, help="gate's image; GATE_IMAGE stands for it")
    inject.add_argument(
        "--dependency", action="append", metavar="TEXT", help="one for every pod, '[name] URL …'"
    )
    inject.add_argument(
        "--sources",
        metavar="LIST",
        help="where else to look, of annotation,sidecars,waits,env (all of them)",
    )
    forms = ("sidecar", "exec-probe", "init")
    inject.add_argument("--form", choices=forms, help="how it holds the app (sidecar)")
    inject.add_argument("--name", type=value, default="gate", help="of its container (gate)")
    durable = "hold the app through a restart of the kubelet, by gate hold behind gate (on)"
    inject.add_argument("--durable", choices=("on", "off"), default="on", help=durable)
    inject.add_argument(
        "--set", action="append", metavar="GATE_NAME=VALUE", help="a setting of every gate"
    )
    inject.add_argument(
        "--kubernetes-version", metavar="1.N", help="of the cluster it is meant for"
    )
    what = inject.add_mutually_exclusive_group()
    what.add_argument("--in-place", action="store_true", help="write the files themselves")
    what.add_argument("--diff", action="store_true", help="print what would change")
    what.add_argument("--check", action="store_true", help="exit 1 if something would change")
    inject.add_argument("--remove", action="store_true", help="take out what inject has put in")


def _add_checks(commands: argparse._SubParsersAction[P]) -> None:
    text = "list the schemes there are, what ready means, their options and the extras they need"
    checks = commands.add_parser("checks", help=text, description=text, allow_abbrev=False)
    checks.add_argument("scheme", nargs="*", help="only these, with all that is said of them")
    checks.add_argument("--output", choices=("text", "json"), default="text")


def _add_status(commands: argparse._SubParsersAction[P]) -> None:
    """Add the command to *commands*."""
    status = commands.add_parser(
        "status", help=_STATUS, description=_STATUS, epilog=_STATUS_CODES, allow_abbrev=False
    )
    status.add_argument("-n", "--namespace", metavar="NAME", help="instead of the context's own")
    status.add_argument("-A", "--all-namespaces", action="store_true", help="of the whole cluster")
    status.add_argument("--context", metavar="NAME", help="of the kubeconfig, not the current one")
    status.add_argument("--kubeconfig", metavar="PATH", help="instead of KUBECONFIG")
    status.add_argument("-w", "--watch", action="store_true", help="again and again, till Ctrl-C")
    status.add_argument("--output", "-o", choices=("text", "json", "dot"), default="text")
