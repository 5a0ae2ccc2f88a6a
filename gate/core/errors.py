"""Every exception of gate.

::

    GateError                 ends a command; carries its exit code
    ├── ConfigError       2   the user must act; holds every problem found
    ├── UsageError       2   the command line is wrong
    ├── ListenError       1   the address cannot be listened on
    ├── ClusterError      3   the cluster could not be asked
    ├── NotReady          1   not everything became ready in time
    └── CommandError  126/127 the command after `--` cannot be run
    CheckFailed               not ready, and why; expected, tried again
    └── Absent                positively not there: what `until=down` waits for
        └── NameNotFound      the name does not exist: what `until=gone` also waits for
"""

from __future__ import annotations

from collections import namedtuple

# Not from typing: it and dataclasses would triple what `serve` costs before it listens.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class GateError(Exception):
    """Ends a command with `exit_code`; the text is for the user."""

    exit_code = 1


class Problem(namedtuple("Problem", ("place", "text"))):  # noqa: PYI024 -- typing is dear, see above
    """One thing that is wrong with the configuration.

    `place` is where the user finds it, `text` is what is wrong and the remedy; neither
    ever holds a secret.
    """

    __slots__ = ()
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class ConfigError(GateError):
    """The configuration is wrong: never retried, all problems at once."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = "1 problem" if count == 1 else f"{count} problems"
        lines = "".join(f"\n  {problem}" for problem in self.problems)
        super().__init__(f"the configuration has {head}:{lines}")


class UsageError(GateError):
    """The command line is wrong."""

    exit_code = 2


class ListenError(GateError):
    """The address cannot be listened on: a gate that nobody can probe ends at once.

    If it went on, another process on that port would answer the kubelet's probe.
    """


class ClusterError(GateError):
    """The cluster could not be asked, so that nothing is known of it."""

    exit_code = 3


class HelpRequested(Exception):  # noqa: N818 -- it is no error
    """The command line asks for help or the version; the text is what to print."""


class NotReady(GateError):  # noqa: N818 -- an outcome, not a fault
    """Not everything became ready in time."""


class CommandError(GateError):
    """The command after `--` cannot be run: 127 not found, 126 not executable."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class CheckFailed(Exception):  # noqa: N818 -- the field's word for "not ready yet"
    """The dependency is not ready; the text names stage and cause in a few words."""


class Absent(CheckFailed):
    """The dependency is positively not there: refused, 404, no such file, the API's NotFound."""


class NameNotFound(Absent):
    """The name of the host does not exist, which a typo looks like too.

    So `until=down` does not take it for absence; `until=gone` does.
    """


def common_kind(failures: Iterable[CheckFailed]) -> type[CheckFailed]:
    """Return the class for several failures together: absent only if each of them is."""
    all_of_them = tuple(failures)
    if any(isinstance(each, NameNotFound) for each in all_of_them):
        return (
            NameNotFound if all(isinstance(each, Absent) for each in all_of_them) else CheckFailed
        )
    return Absent if all(isinstance(each, Absent) for each in all_of_them) else CheckFailed
