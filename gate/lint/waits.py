"""Who holds the containers behind it back, and for what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gate.lint import commands, gates, listening
from gate.lint.commands import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.lint.gates import Gate
    from gate.lint.pod import Action, Container, Pod, Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Something that lets nothing behind *container* start before *places* answer."""

    container: Container
    line: int
    what: str
    places: list[Place]
    sidecars: list[str] = field(default_factory=list)
    """Well-known ones (`sidecar:istio`)."""
    objects: list[str] = field(default_factory=list)
    """Of the cluster (`service/db`)."""
    is_own: bool = False
    """Whether it may be its own container that answers: of a hook or a probe."""


def waits(pod: Pod) -> list[Wait]:
    """Return every wait of *pod*, in the order of starting."""
    found = [wait for container in pod.containers for wait in _of(container, pod)]
    return [wait for wait in found if wait.places or wait.sidecars or wait.objects]


def _of(container: Container, pod: Pod) -> Iterator[Wait]:
    gate = gates.of(container, pod) if gates.is_gate(container) else None
    if container.is_plain_init:
        if gate is not None:
            yield _by_gate(gate, container.line_of("env"))
        elif commands.is_wait(words := _words(container)):
            yield _by_words(container, words, _command_line(container))
    elif gate is not None:
        if container.startup or _is_hold(container.post_start):
            yield _by_gate(gate, container.line_of("env"))
    else:
        yield from _hook_and_probe(container)


def _words(container: Container) -> tuple[str, ...]:
    """Return what it runs; an image of a waiter is called like its program."""
    return container.words if container.command else (container.image_name, *container.args)


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
    places = commands.places(words)
    # What it started in the background itself may be what answers.
    is_own = not container.is_plain_init or commands.starts_another(words)
    return Wait(container=container, line=line, what=what, places=places, is_own=is_own)


def _by_probe(container: Container, probe: Probe) -> Wait:
    action = probe.action
    places = [place for place in commands.places(action.command) if place.is_local]
    number = listening.number_of(action, container)
    if number is not None and not action.host:
        places.append(Place("localhost", number))
    return Wait(
        container=container,
        line=action.line,
        what="its startup probe",
        places=places,
        is_own=True,
    )


def _by_gate(gate: Gate, line: int) -> Wait:
    needed = [
        wanted.target.url
        for wanted in gate.wanted
        if not (wanted.dependency.optional or wanted.dependency.until_down)
    ]
    return Wait(
        container=gate.container,
        line=line,
        what="gate",
        places=gate.places(),
        sidecars=[url.path or url.host for url in needed if url.scheme == "sidecar"],
        objects=[url.path for url in needed if url.scheme == "k8s" and url.is_opaque],
    )
