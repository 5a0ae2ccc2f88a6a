"""The command line of `gate status`: the words that kubectl uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import argparse

    P = TypeVar("P", bound=argparse.ArgumentParser)

_TEXT = "which pods of a cluster gate holds back, since when, for what, and why"
_CODES = (
    "exit codes: 0 none is held; 1 at least one is; 2 command line or kubeconfig is wrong; "
    "3 the cluster could not be asked"
)


def add(commands: argparse._SubParsersAction[P]) -> None:
    """Add the command to *commands*."""
    status = commands.add_parser(
        "status", help=_TEXT, description=_TEXT, epilog=_CODES, allow_abbrev=False
    )
    status.add_argument("-n", "--namespace", metavar="NAME", help="instead of the context's own")
    status.add_argument("-A", "--all-namespaces", action="store_true", help="of the whole cluster")
    status.add_argument("--context", metavar="NAME", help="of the kubeconfig, not the current one")
    status.add_argument("--kubeconfig", metavar="PATH", help="instead of KUBECONFIG")
    status.add_argument("-w", "--watch", action="store_true", help="again and again, till Ctrl-C")
    status.add_argument("--output", "-o", choices=("text", "json", "dot"), default="text")
