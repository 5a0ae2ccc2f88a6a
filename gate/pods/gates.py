"""Which containers run gate, in which mode, and what they were told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate import config
from gate.core.model import Until
from gate.pods import commands, shell
from gate.pods.commands import Place
from gate.pods.gate_configuration import MODES, Reading, is_setting

if TYPE_CHECKING:
    from gate.config import ConfiguredDependency, Settings
    from gate.core.errors import Problem
    from gate.pods.pod import Container, Pod


@dataclass(frozen=True, slots=True)
class Gate:
    """A container that runs gate, and what it was told."""

    container: Container
    mode: str
    """`serve`, `wait`, `probe`, `hold`; empty: something else of the image."""
    settings: Settings
    dependencies: tuple[ConfiguredDependency, ...]
    problems: tuple[tuple[int, Problem], ...]
    """What is wrong, with the line it is in."""
    has_unknown: bool
    """Whether some of it comes from elsewhere."""

    @property
    def has_unknown_listen(self) -> bool:
        """Whether its address comes from elsewhere, or may."""
        return self._may_come_from_elsewhere("GATE_LISTEN")

    @property
    def has_unknown_timeout(self) -> bool:
        """Whether its time comes from elsewhere, or may."""
        return self._may_come_from_elsewhere("GATE_TIMEOUT")

    def line_of_setting(self, name: str) -> int:
        """Return the line of the variable *name*, or of the flag that mirrors it."""
        lines = [each.line for each in self.container.env if each.name == name]
        written = self.container
        return next(iter(lines), written.line_of("args" if written.args else "command"))

    def _may_come_from_elsewhere(self, name: str) -> bool:
        values = [v.value for v in self.container.env if v.name == name]
        return self.container.has_env_from or any(v is None or "$(" in v for v in values)

    @property
    def needed(self) -> tuple[ConfiguredDependency, ...]:
        """What it cannot do without, but for what may stand in for it (`any=GROUP`)."""
        if self.settings.disabled:
            return ()
        return tuple(each for each in self.dependencies if not _can_do_without(each))

    def needs(self) -> list[tuple[Place, ...]]:
        """Return whose answers it cannot do without; of each, one place is enough."""
        groups: dict[str, list[ConfiguredDependency]] = {}
        for number, wanted in enumerate(() if self.settings.disabled else self.dependencies):
            groups.setdefault(wanted.dependency.group or f" {number}", []).append(wanted)
        needed = (each for each in groups.values() if not any(map(_can_do_without, each)))
        return [places for places in map(_places, needed) if places]

    def connections(self) -> list[Place]:
        """Return where it only connects (`tcp://`), and must."""
        bare = [wanted.target.url for wanted in self.needed if wanted.target.url.scheme == "tcp"]
        return [Place(host.name, host.port) for url in bare for host in url.hosts]


def _can_do_without(wanted: ConfiguredDependency) -> bool:
    return wanted.dependency.optional or wanted.dependency.until is not Until.READY


def _places(group: list[ConfiguredDependency]) -> tuple[Place, ...]:
    """Return the hosts of *group*, none where one of its members has none."""
    hosts = [wanted.target.url.hosts for wanted in group]
    return tuple(Place(host.name, host.port) for each in hosts if all(hosts) for host in each)


def is_gate(container: Container) -> bool:
    """Whether *container* runs gate: by its command, its image's name or its dependencies."""
    if "is gate" not in container.known:
        container.known["is gate"] = _is_gate(container)
    is_one: bool = container.known["is gate"]
    return is_one


def _is_gate(container: Container) -> bool:
    if _own_words(container) is not None or _has_dependencies(container):
        return True
    if container.command or container.image_name != "gate":
        return False
    mode = next(iter(container.args), "")
    return container.is_init or mode in MODES or _is_surely_gate(container)


def _is_surely_gate(container: Container) -> bool:
    """Whether it has more of gate than a name, which other programs have too."""
    has_settings = any(is_setting(variable.name) for variable in container.env)
    return has_settings or _is_probed(container)


def _is_probed(container: Container) -> bool:
    paths = [probe.action.path for probe in container.probes.values()]
    return any(path.startswith("/startupz") for path in paths)


def _has_dependencies(container: Container) -> bool:
    names = [variable.name for variable in container.env]
    whole = {config.LIST, config.FROM_ENV}
    return any(name in whole or name.startswith(config.PREFIX) for name in names)


def _own_words(container: Container) -> list[str] | None:
    """Return what gate is told where the command is gate's, None where it is not."""
    words, _ = shell.unwrapped(container.words) if container.command else ([], False)
    return words[1:] if commands.program(words) == "gate" else None


def _words(container: Container) -> list[str]:
    """Return gate's words; none where it is not known what runs."""
    own = _own_words(container)
    if own is None and container.command:
        return []
    if own is not None:
        return own or ["serve"]
    if container.args:
        # Of another image they may be those of the command that gate becomes.
        is_named = "gate" in container.image_name.replace("_", "-").split("-")
        return list(container.args) if is_named or container.args[0] in MODES else []
    is_default = container.is_sidecar or container.image_name == "gate"
    return ["serve"] if is_default or _is_probed(container) else []


def of(container: Container, pod: Pod) -> Gate:
    """Return what the gate in *container* was told, read once."""
    if container.index not in pod.known:
        pod.known[container.index] = read(container)
    gate: Gate = pod.known[container.index]
    return gate


def all_of(pod: Pod) -> list[Gate]:
    """Return every gate of *pod*."""
    return [of(container, pod) for container in pod.containers if is_gate(container)]


def read(container: Container) -> Gate:
    """Return what the gate in *container* was told."""
    words = _words(container)
    reading = Reading(container, is_surely_gate=_is_surely_gate(container))
    given = reading.flags(words)
    mode = words[0] if words and words[0] in MODES else ""
    is_read = mode in ("serve", "wait") or (not words and _has_dependencies(container))
    found = reading.config(given) if is_read else None
    reading.clients()
    return Gate(
        container=container,
        mode=mode,
        settings=found.settings if found else config.Settings(),
        dependencies=found.dependencies if found else (),
        problems=tuple(reading.problems),
        has_unknown=reading.has_unknown,
    )
