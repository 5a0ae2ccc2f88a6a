"""Variables: what gate would refuse, and what Kubernetes changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods import commands, gates, references
from gate.pods.hit import Hit
from gate.pods.waits import takes_part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.pod import Container, Pod

_DOLLARS = re.compile(r"(?<!\$)(?:\$\$\$\$)*\$\$(?![$(])")
# In a command $$NAME may be meant for $NAME, as in other programs' files.
_OWN_PID = re.compile(r"(?<!\$)(?:\$\$\$\$)*\$\$(?![$({\w?@*#!-])")


@rule("gate-config", Severity.ERROR)
def gate_config(pod: Pod) -> Hits:
    """Gate would refuse its configuration.

    It is read by the parser that reads it at run time: unknown variables and options, bad URLs
    and durations, references that are not defined. Gate would end with code 2 and its reason in
    the termination message, again and again, and the app would not start. Values that come from
    Secrets and ConfigMaps are not known here; nothing is said of them. Remedy: as the message
    says.
    """
    for gate in gates.all_of(pod):
        for line, problem in gate.problems:
            text = f"gate would refuse this and end with 2: {problem.place}: {problem.text}"
            remedy = "correct it"
            yield Hit(line, text, remedy, gate.container.name)


@rule("duplicate-variable", Severity.WARNING, "11.3")
def duplicate_variable(pod: Pod) -> Hits:
    """A variable of a gate, or of a wait, is written twice: the last one counts.

    Said of gate's own container and of those that wait.
    Kubelet fact 11.3 has the order among sources; within `env` the later entry replaces the
    earlier one: what the first GATE_DEPENDENCIES names is not waited for. A server-side apply
    refuses the pod, other clients only warn. Remedy: write it once, a list with all its lines.
    """
    for container in pod.containers:
        if takes_part(container, pod):
            first: dict[str, int] = {}
            for variable in container.env:
                if variable.name in first:
                    text = (
                        f"{variable.name} stands on line {first[variable.name]} already: what it "
                        "says there does not count"
                    )
                    yield Hit(variable.line, text, "write it once", container.name)
                first.setdefault(variable.name, variable.line)


@rule("undefined-reference", Severity.WARNING, "11.1")
def undefined_reference(pod: Pod) -> Hits:
    """A gate, or a wait, refers to a variable that is not defined.

    Said of gate's own container and of those that wait.
    Kubelet facts 11.1 and 11.2: only what stands above in `env`, what `envFrom` brings and the
    Services' own variables can be referred to; any other `$(NAME)` stays in the text as it is
    written. Remedy: define it, above its use; check its spelling.
    """
    for container in pod.containers:
        if container.has_env_from or not takes_part(container, pod):
            continue
        above: set[str] = set()
        own = {variable.name for variable in container.env}
        for variable in container.env:
            is_reported = gates.is_gate(container) and variable.name.startswith("GATE_")
            for name in [] if is_reported else _undefined(variable.value or "", above):
                yield _undefined_hit(name, variable.value_line, container, is_below=name in own)
            above.add(variable.name)
        # In a script $(NAME) may be a command.
        if commands.script(container.words) is None:
            for name in _undefined(" ".join(container.words), own):
                line = container.line_of("args" if container.args else "command")
                yield _undefined_hit(name, line, container, is_below=False)


def _undefined(text: str, known: set[str]) -> Iterator[str]:
    for name in dict.fromkeys(references.names(text)):
        if name not in known and not references.is_injected(name):
            yield name


def _undefined_hit(name: str, line: int, container: Container, *, is_below: bool) -> Hit:
    where = "is defined only below" if is_below else "is not defined"
    text = f"$({name}) {where}, so the text $({name}) stays as it is written"
    return Hit(line, text, "define it above its use", container.name)


@rule("dollar-dollar", Severity.WARNING, "11.1, 11.2")
def dollar_dollar(pod: Pod) -> Hits:
    """The value or the command of a gate, or a wait, holds `$$`: Kubernetes makes it `$`.

    Said of gate's own container and of those that wait.
    Kubelet facts 11.1 and 11.2: `$$` becomes `$` anywhere in a value, in command and in args: a
    password or a pattern with two of them arrives with one, and so does a shell's own `$$`, the
    number of its process. Remedy: write each `$` that is meant twice as `$$$$`, in a URL as
    %24%24, or take the value from a Secret, which is not touched.
    """
    for container in pod.containers:
        if not takes_part(container, pod):
            continue
        for variable in container.env:
            if variable.value and _DOLLARS.search(variable.value):
                text = f"Kubernetes makes one $ of each $$ in the value of {variable.name}"
                remedy = "write %24%24 in a URL, $$$$ elsewhere, or take it from a Secret"
                yield Hit(variable.value_line, text, remedy, container.name)
        for key, words in (("command", container.command), ("args", container.args)):
            if any(_OWN_PID.search(word) for word in words):
                text = f"Kubernetes makes one $ of each $$ in {key}"
                yield Hit(container.line_of(key), text, "write $$$$", container.name)


@rule("service-named-gate", Severity.INFO, "11.5, 11.6")
def service_named_gate(pod: Pod) -> Hits:
    """A Service's name brings GATE_… variables into the pod.

    Kubelet facts 11.5 and 11.6: with service links a Service called `gate` or `gate-…` injects
    GATE_PORT=tcp://… and its relatives into every pod of the namespace. Gate recognises and
    ignores them; scripts and `$(GATE_…)` do not. Remedy: `enableServiceLinks: false`, or
    another name for the Service.
    """
    if not pod.has_service_links or not gates.all_of(pod):
        return
    for service in pod.around.like_gate:
        if not service.is_headless and service.namespace == pod.namespace:
            prefix = service.name.upper().replace("-", "_")
            text = f"the Service {service.name} puts {prefix}_PORT=tcp://… into this pod"
            yield Hit(pod.line, text, "set enableServiceLinks: false")


RULES = (
    gate_config,
    duplicate_variable,
    undefined_reference,
    dollar_dollar,
    service_named_gate,
)
