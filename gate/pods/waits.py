"""Who holds the containers behind it back, and for what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gate.pods import clients, commands, gates, listening, references
from gate.pods.commands import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.gates import Gate
    from gate.pods.pod import Action, Container, Pod, Probe

JOBS = {"Job", "CronJob"}
"""Kinds whose pods have to be done, not ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Something that lets nothing behind *container* start before *needs* answer."""

    container: Container
    line: int
    what: str
    needs: list[tuple[Place, ...]]
    """Of each, one place is enough."""
    sidecars: list[str] = field(default_factory=list)
    """Well-known ones (`sidecar:istio`)."""
    objects: list[str] = field(default_factory=list)
    """Of the cluster (`service/db`)."""
    is_own: bool = False
    """Whether it may be its own container that answers: of a hook or a probe."""


def waits(pod: Pod) -> list[Wait]:
    """Return every wait of *pod*, in the order of starting."""
    if "waits" not in pod.known:
        found = [wait for container in pod.containers for wait in _of(container, pod)]
        pod.known["waits"] = [w for w in found if w.needs or w.sidecars or w.objects]
    every: list[Wait] = pod.known["waits"]
    return every


def every(pod: Pod) -> list[Wait]:
    """Return every wait of *pod*, those of main containers before they become the app too."""
    return [*waits(pod), *(wait for each in pod.main for wait in before_it_works(each, pod))]


def before_it_is_done(pod: Pod) -> list[Wait]:
    """Return every wait without which *pod* is neither ready nor, if it belongs to a Job, done."""
    own = pod.main if pod.kind in JOBS else ()
    return [*waits(pod), *(wait for each in own for wait in before_it_works(each, pod))]


def takes_part(container: Container, pod: Pod) -> bool:
    """Whether *container* is gate, or waits: what else it does is not lint's subject."""
    if "takes part" not in container.known:
        container.known["takes part"] = _takes_part(container, pod)
    is_part: bool = container.known["takes part"]
    return is_part


def _takes_part(container: Container, pod: Pod) -> bool:
    if gates.is_gate(container) or any(wait.container is container for wait in waits(pod)):
        return True
    actions = [*container.hooks.values(), *(probe.action for probe in container.probes.values())]
    commands_of = [words_of(container), *(action.command for action in actions)]
    return any(commands.is_wait(words) for words in commands_of)


def commands_of(container: Container) -> list[tuple[tuple[str, ...], int]]:
    """Return every command of *container* that waits, and its line; gate's own left out."""
    if "commands" not in container.known:
        container.known["commands"] = list(_commands_of(container))
    found: list[tuple[tuple[str, ...], int]] = container.known["commands"]
    return found


def _commands_of(container: Container) -> Iterator[tuple[tuple[str, ...], int]]:
    yield from own_command(container)
    hook = container.post_start
    if hook and commands.is_wait(hook.command) and not commands.gate_words(hook.command):
        yield hook.command, hook.line


def own_command(container: Container) -> Iterator[tuple[tuple[str, ...], int]]:
    """Return what *container* runs, and its line, if that waits; gate's own left out."""
    words = words_of(container)
    if not gates.is_gate(container) and commands.is_wait(words):
        yield words, _command_line(container)


def before_it_works(container: Container, pod: Pod) -> list[Wait]:
    """Return what a main container waits for by itself, before it becomes the app."""
    if container.is_init:
        return []
    if gates.is_gate(container):
        gate = gates.of(container, pod)
        return [_by_gate(gate, container.line)] if gate.mode == "wait" else []
    words = words_of(container)
    return [_by_words(container, words, container.line)] if commands.is_wait(words) else []


def _of(container: Container, pod: Pod) -> Iterator[Wait]:
    gate = gates.of(container, pod) if gates.is_gate(container) else None
    if container.is_plain_init:
        if gate is not None:
            yield _by_gate(gate, container.line_of("env"))
        elif commands.is_wait(words := words_of(container)):
            yield _by_words(container, words, _command_line(container))
    elif gate is not None:
        if gate.mode == "serve" and (container.startup or _is_hold(container.post_start)):
            yield _by_gate(gate, container.line_of("env"))
    else:
        yield from _hook_and_probe(container)


def words_of(container: Container) -> tuple[str, ...]:
    """Return what *container* runs; an image of a waiter is called like its program."""
    is_whole = container.command or commands.is_wait(container.args)
    return container.words if is_whole else (container.image_name, *container.args)


def _command_line(container: Container) -> int:
    return container.line_of("args" if "args" in container.lines else "command")


def _hook_and_probe(container: Container) -> Iterator[Wait]:
    hook, startup = container.post_start, container.startup
    if hook and commands.is_wait(hook.command):
        yield _by_words(container, hook.command, hook.line, "its postStart hook")
    if startup and container.is_sidecar:
        yield _by_probe(container, startup)


def _is_hold(hook: Action | None) -> bool:
    return hook is not None and commands.is_wait(hook.command)


def _by_words(
    container: Container, words: tuple[str, ...], line: int, what: str = "its command"
) -> Wait:
    needs = commands.needs(words, environment(container))
    if commands.starts_another(words):
        # What it started itself may be what answers.
        needs = [each for each in needs if not any(place.is_local for place in each)]
    return Wait(
        container=container,
        line=line,
        what=what,
        needs=needs,
        sidecars=commands.sidecars(words),
        objects=commands.objects(words),
        is_own=not container.is_plain_init,
    )


def environment(container: Container) -> dict[str, str]:
    """Return the variables of *container*, `$` for what is not known."""
    elsewhere = clients.environment_names() if container.has_env_from else ()
    values = references.resolved(container)
    known = {each.name: value for each, value in values if value and not _is_open(value)}
    unknown = {each.name for each in container.env} - known.keys()
    return dict.fromkeys({*elsewhere, *unknown} - known.keys(), "$") | known


def _is_open(value: str) -> bool:
    return references.UNKNOWN in value or "$" in value


def _by_probe(container: Container, probe: Probe) -> Wait:
    action = probe.action
    asked = commands.needs(action.command, environment(container))
    needs = [each for each in asked if all(place.is_local for place in each)]
    number = listening.number_of(action, container)
    if number is not None and not action.host:
        needs.append((Place("localhost", number),))
    return Wait(
        container=container,
        line=action.line,
        what="its startup probe",
        needs=needs,
        is_own=True,
    )


def _by_gate(gate: Gate, line: int) -> Wait:
    needed = [wanted.target.url for wanted in gate.needed if not wanted.dependency.group]
    return Wait(
        container=gate.container,
        line=line,
        what="gate",
        needs=gate.needs(),
        sidecars=[url.path or url.host for url in needed if url.scheme == "sidecar"],
        objects=[url.path for url in needed if url.scheme == "k8s" and url.is_opaque],
    )
