"""Secrets that are written into a manifest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gate.core.target import FALSE, TRUE
from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods.hit import Hit
from gate.pods.waits import takes_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gate.pods.pod import Container, EnvVar, Pod

_REMEDY = "take it from a Secret: valueFrom.secretKeyRef"
_BY_FILE = "take it from a Secret: GATE_DEPENDENCY_<NAME>, a variable or a file"
# A password with a bracket or a $ in it stands for another text, or is part of a pattern.
_USERINFO = re.compile(r"://[^/\s:@]*:(?![*x…]+@)[^/\s@$(){}\[\]<>|\"'`]+@")
_NAME = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|PASS|TOKEN|API_KEY|SECRET_KEY|SECRET_ACCESS_KEY|CLIENT_SECRET)$"
    r"|_PWD$|^PGPASSWORD$|^REDISCLI_AUTH$"
)
# A path, a URL, what a controller or a template puts in for it, or stars.
_NO_SECRET = re.compile(
    r"/|[a-z][a-z0-9+.-]*:|<[^<>]*>$|[*x…]+$|\$\w+$|.*(?:\$[({]|\{\{)", re.DOTALL
)
_WORDS = TRUE | FALSE | {"enabled", "disabled", "always", "never", "none"}
_AMOUNT = re.compile(r"[\d.]+[a-zA-Z]{0,2}")


@rule("plain-secret", Severity.WARNING)
def plain_secret(pod: Pod) -> Hits:
    """A secret of a gate, or of a wait, is written into the manifest in plain text.

    Everyone who may read the pod, or the repository, can read it, and it is in every backup.
    Said of gate's own container and of those that wait.
    Of a URL with a password, in a variable or a command, and of a variable called
    …_PASSWORD, _TOKEN, _API_KEY or the like with a value of its own; not of what another program
    puts the secret in for (`${NAME}`, `vault:…`, `op://…`). Remedy: `valueFrom.secretKeyRef`;
    GATE_DEPENDENCY_<NAME> takes a URL whole from a Secret.
    """
    for container in pod.containers:
        if not takes_part(container, pod):
            continue
        for variable in container.env:
            if _is_plain(variable):
                text = f"the value of {variable.name} holds a secret that anyone can read"
                yield Hit(variable.line, text, _REMEDY, container.name)
        for line, what in _commands(container):
            text = f"{what} holds a URL with a password that anyone can read"
            yield Hit(line, text, _BY_FILE, container.name)


def _is_plain(variable: EnvVar) -> bool:
    value = variable.value or ""
    if _USERINFO.search(value):
        return True
    if not value or value.lower() in _WORDS or _NO_SECRET.match(value):
        return False
    # A TOKEN may be counted, as a PASSWORD is not.
    is_counted = variable.name.endswith("TOKEN") and _AMOUNT.fullmatch(value)
    return not is_counted and _NAME.search(variable.name) is not None


def _commands(container: Container) -> Iterator[tuple[int, str]]:
    """Return line and name of each command line with a password in it."""
    for key, words in (("command", container.command), ("args", container.args)):
        if _has_userinfo(words):
            yield container.line_of(key), key
    for kind, probe in container.probes.items():
        if _has_userinfo(probe.action.command):
            yield probe.action.line_of("command"), kind
    for kind, hook in container.hooks.items():
        if _has_userinfo(hook.command):
            yield hook.line_of("command"), kind


def _has_userinfo(words: Iterable[str]) -> bool:
    return any(_USERINFO.search(word) for word in words)


RULES = (plain_secret,)
