"""From one entry of `containers` to a `Container`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.pods.pod import Action, Container, EnvVar, Mount, Probe

if TYPE_CHECKING:
    from gate.pods.fields import Fields

_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_HOOKS = ("postStart", "preStop")
_ACTIONS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")


def container(raw: Fields, index: int, *, is_init: bool, user: int | None = None) -> Container:
    """Return the container that *raw* describes; *user* is the pod's."""
    hooks = raw.inner("lifecycle")
    limits = raw.inner("resources").inner("limits")
    security = raw.inner("securityContext")
    return Container(
        name=raw.text("name"),
        image=raw.text("image"),
        line=raw.line,
        index=index,
        is_init=is_init,
        restart_policy=raw.text("restartPolicy"),
        restart_actions=_restart_actions(raw),
        command=raw.texts("command"),
        args=raw.texts("args"),
        env=tuple(_env_var(each) for each in raw.each("env")),
        has_env_from=raw.has("envFrom"),
        ports=tuple(_ports(raw)),
        datagrams=_datagrams(raw),
        mounts=tuple(_mount(each) for each in raw.each("volumeMounts")),
        probes={kind: _probe(raw.inner(kind), kind, raw) for kind in _PROBES if raw.has(kind)},
        hooks={
            name: _action(hooks.inner(name), hooks.line_of(name))
            for name in _HOOKS
            if hooks.has(name)
        },
        limits={name: limits.word_or_number(name) for name in ("cpu", "memory")},
        user=security.number("runAsUser", user),
        lines=raw.raw.lines,
    )


def _restart_actions(raw: Fields) -> tuple[str, ...] | None:
    if not raw.has("restartPolicyRules"):
        return None
    return tuple(each.text("action") for each in raw.each("restartPolicyRules"))


def _datagrams(raw: Fields) -> frozenset[int]:
    found: dict[bool, set[int | None]] = {True: set(), False: set()}
    for each in raw.each("ports"):
        found[each.text("protocol") == "UDP"].add(each.number("containerPort"))
    return frozenset(number for number in found[True] - found[False] if number is not None)


def _ports(raw: Fields) -> list[tuple[str, int]]:
    pairs = ((each.text("name"), each.number("containerPort")) for each in raw.each("ports"))
    return [(name, number) for name, number in pairs if number is not None]


def _env_var(raw: Fields) -> EnvVar:
    source = raw.inner("valueFrom")
    comes_from = next(iter(source.raw), "")
    has_value = not raw.has("valueFrom")
    return EnvVar(
        name=raw.text("name"),
        line=raw.line,
        value=raw.text("value") if has_value else None,
        value_line=raw.line_of("value") + ("value" in raw.raw.blocks),
        source=comes_from,
    )


def _mount(raw: Fields) -> Mount:
    path = raw.text("mountPath")
    return Mount(
        volume=raw.text("name"),
        path=path.rstrip("/") or "/",
        is_read_only=raw.flag("readOnly", default=False),
    )


def _probe(raw: Fields, kind: str, owner: Fields) -> Probe:
    line = owner.line_of(kind)
    return Probe(
        kind=kind,
        line=line,
        action=_action(raw, line),
        initial_delay=raw.count("initialDelaySeconds", 0),
        timeout=raw.count("timeoutSeconds", 1),
        period=raw.count("periodSeconds", 10),
        failures=raw.count("failureThreshold", 3),
        lines=raw.raw.lines,
    )


def _action(raw: Fields, line: int) -> Action:
    kind = next((name for name in _ACTIONS if raw.has(name)), "")
    if not kind:
        return Action(kind="", line=line)
    inner = raw.inner(kind)
    return Action(
        kind=kind,
        line=raw.line_of(kind),
        command=inner.texts("command"),
        port=inner.word_or_number("port") if kind != "sleep" else None,
        path=inner.text("path") or "/",
        scheme=inner.text("scheme").upper() or "HTTP",
        host=inner.text("host"),
        lines=inner.raw.lines,
    )
