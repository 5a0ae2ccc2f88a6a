"""The expressions of the admission policies: which pods, what is derived, what is refused.

A condition that fails would refuse every pod of the cluster, so each asks first whether there is
what it looks at. Texts are bounded before a pattern is put to them, as the API server bounds what
an expression may cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.core.names import ANNOTATION_PREFIX, annotation
from gate.manifest import cel
from gate.manifest.cel import text
from gate.manifest.container import HOLD, LEAST, MARGIN, USUAL

if TYPE_CHECKING:
    from collections.abc import Mapping

DEPENDENCIES = annotation("dependencies")
SETTINGS = {
    "GATE_TIMEOUT": annotation("timeout"),
    "GATE_ON_TIMEOUT": annotation("on-timeout"),
    "GATE_EVENTS": annotation("events"),
}
"""The settings that a pod may say by an annotation."""
LONGEST = 8192
"""Characters of the list of dependencies."""
_TIMEOUT, _ON_TIMEOUT, _EVENTS = SETTINGS.values()
_INJECT, _IMAGE = annotation("inject"), annotation("image")
_NO = ["false", "no", "off", "disabled"]
"""What opts out, as for `gate inject`."""
_MIRROR = "kubernetes.io/config.mirror"
"""On the image in the API server of a pod that a kubelet has from a file: nothing can be added."""
_INJECTED = annotation("injected")
"""On pods of `gate inject`."""
_OTHERS = [annotation(name) for name in ("form", "from-env", "state-file")]
"""Those that `gate inject` alone reads, before a pod comes to the API server."""
_NUMBER = "[0-9]+([.][0-9]+)?"
_UNITS = "".join(f"({_NUMBER}{unit})?" for unit in ("h", "m", "s", "ms"))
_DURATION = text(f"^({_UNITS}|{_NUMBER})$")
_NOTHING = text("^[0.hms]*$")
_SECONDS = text("^[0-9.]+$")
_DEADLINE = text(r"[ \t]deadline=[^ \t\n;]+")
_SCHEME = text(r"(^|[ \t\n;])['\"]?[A-Za-z][A-Za-z0-9+.-]*:")
_LINE_WITHOUT = text(r"(?m)^[ \t]*[^ \t\n#;:][^\n:]*$")
_WORD = text(r"^[^ \t\n]+$")
_ALL = "object.metadata.annotations"
_ANNOTATIONS = "variables.annotations"
_UNASKED = "!variables.asks || variables.opted_out"
_TOO_LONG = f"size(variables.dependencies) > {LONGEST}"


def conditions(name: str) -> dict[str, str]:
    """Return which pods get the gate called *name*."""
    timeout, inject = f"{_ALL}[{text(_TIMEOUT)}]", f"{_ALL}[{text(_INJECT)}]"
    return {
        "asks-for-gate": f"{_has(DEPENDENCIES)} && size({_ALL}[{text(DEPENDENCIES)}]) <= {LONGEST}",
        "has-not-opted-out": f"!({_has(_INJECT)}) || !({inject} in {cel.plain(_NO)})",
        "is-no-mirror": f"!({_has(_MIRROR)})",
        "can-be-right": f"!({_has(_TIMEOUT)}) || ({_is_duration(timeout)})",
        "has-no-gate": f"!({_has_gate(name)})",
    }


def variables(given: Mapping[str, str]) -> dict[str, str]:
    """Return what the containers are made from; *given* are the settings of every gate."""
    timeout, on_timeout = given.get("GATE_TIMEOUT", ""), given.get("GATE_ON_TIMEOUT", "")
    values = f'variables.dependencies.findAll({_DEADLINE}).map(d, d.split("=")[1])'
    return {
        "annotations": _ALL,
        "dependencies": f"{_ANNOTATIONS}[{text(DEPENDENCIES)}]",
        "image": _or(_IMAGE, "params.data.image"),
        "limit": _or(_TIMEOUT, text(timeout.strip() or "0")),
        "timeout": _seconds("variables.limit"),
        "gives_up": f'({_or(_ON_TIMEOUT, text(on_timeout.strip()))}) in ["open", "exit"]',
        "deadlines": f"{values}.filter(d, d.matches({_DURATION})).map(d, {_seconds('d')})",
        "longest": (
            "variables.timeout > 0 && variables.gives_up ? variables.timeout : "
            "([variables.timeout] + variables.deadlines).max()"
        ),
        "failures": (
            f"[variables.timeout > 0 ? {LEAST} : {USUAL}, "
            f"(variables.longest + {int(MARGIN) + HOLD - 1}) / {HOLD}].max()"
        ),
    }


def matches() -> dict[str, str]:
    """Return which pods are looked at: those with an annotation of gate's."""
    prefix = text(f"{ANNOTATION_PREFIX}/")
    return {
        "has-annotations": f"has({_ALL}) && {_ALL}.exists(k, k.startsWith({prefix}))",
        "is-no-mirror": f"!({_has(_MIRROR)})",
    }


def facts(name: str) -> dict[str, str]:
    """Return what `validations` looks at, once the gate called *name* has been put in."""
    return {
        "annotations": _ALL,
        "dependencies": _or(DEPENDENCIES, '""'),
        # Whatever looks for a pattern looks here.
        "listed": f'size(variables.dependencies) <= {LONGEST} ? variables.dependencies : ""',
        "asks": _in(DEPENDENCIES),
        "opted_out": f"({_or(_INJECT, text('true'))}) in {cel.plain(_NO)}",
        "has_gate": _has_gate(name),
    }


def validations() -> list[tuple[str, str]]:
    """Return what must hold of a pod, and what to say where it does not."""
    known = [DEPENDENCIES, *SETTINGS.values(), _INJECT, _INJECTED, _IMAGE, *_OTHERS]
    own = f"!k.startsWith({text(f'{ANNOTATION_PREFIX}/')}) || k in {cel.plain(known)}"
    others = cel.plain(_OTHERS)
    parts = f"k.startsWith({text(DEPENDENCIES + '.')})"
    listed = "variables.listed"
    deadlines = f'{listed}.findAll({_DEADLINE}).all(d, d.split("=")[1].matches({_DURATION}))'
    return [
        (
            f"{_ANNOTATIONS}.all(k, {own} || {parts})",
            f"unknown annotation; there are {', '.join(known)}",
        ),
        (
            f"!({_TOO_LONG})",
            f"{DEPENDENCIES} is longer than {LONGEST} characters; name fewer",
        ),
        (
            f"!variables.asks || {_TOO_LONG} || {listed}.matches({_SCHEME})",
            f"{DEPENDENCIES} names no URL; write [name] scheme://host:port [option=value …]",
        ),
        (
            f"!{listed}.matches({_LINE_WITHOUT})",
            f"a line of {DEPENDENCIES} has no URL; write one dependency a line, # before a comment",
        ),
        (
            f'!{listed}.contains("$(")',
            f"{DEPENDENCIES} has a $(…), which nothing puts a value in for; write the value",
        ),
        (deadlines, f"a deadline in {DEPENDENCIES} is no duration; write 90s, 1m30s or 2h"),
        (
            f"!({_in(_TIMEOUT)}) || ({_is_duration(_own(_TIMEOUT))})",
            f"{_TIMEOUT} is no duration; write 90s, 1m30s or 2h",
        ),
        _one_of(_ON_TIMEOUT, ["wait", "open", "exit"]),
        _one_of(_EVENTS, ["on", "off"]),
        _one_of(_INJECT, ["true", *_NO]),
        (
            f"!({_in(_IMAGE)}) || {_own(_IMAGE)}.matches({_WORD})",
            f"{_IMAGE} is no name of an image; write registry/gate:tag",
        ),
        (
            f"{_UNASKED} || {_in(_INJECTED)} || !{_ANNOTATIONS}.exists(k, k in {others})",
            f"{', '.join(_OTHERS)} are read by gate inject alone; leave them out",
        ),
        (
            f"{_UNASKED} || variables.has_gate",
            "gate has not been put in: is its ConfigMap there, and does it have an image?",
        ),
    ]


def _one_of(key: str, values: list[str]) -> tuple[str, str]:
    return (
        f"!({_in(key)}) || {_own(key)} in {cel.plain(values)}",
        f"{key} is one of {', '.join(values)}",
    )


def _has(key: str) -> str:
    return f"has({_ALL}) && {text(key)} in {_ALL}"


def _in(key: str) -> str:
    return f"{text(key)} in {_ANNOTATIONS}"


def _own(key: str) -> str:
    return f"{_ANNOTATIONS}[{text(key)}]"


def _or(key: str, otherwise: str) -> str:
    return f"{_in(key)} ? {_own(key)} : {otherwise}"


def _is_duration(value: str) -> str:
    return f"{value}.matches({_DURATION}) && !{value}.matches({_NOTHING})"


def _seconds(value: str) -> str:
    return f"{value}.matches({_SECONDS}) ? int(double({value})) : duration({value}).getSeconds()"


def _has_gate(name: str) -> str:
    """Return whether a container of the pod is gate: by its name, or by what it is told."""
    names = cel.plain([name, f"{name}-forget", f"{name}-hold"])
    told = 'e.name.startsWith("GATE_DEPENDENC") || e.name == "GATE_FROM_ENV"'
    is_gate = f"c.name in {names} || (has(c.env) && c.env.exists(e, {told}))"
    init = f"has(object.spec.initContainers) && object.spec.initContainers.exists(c, {is_gate})"
    return f"({init}) ||\nobject.spec.containers.exists(c, {is_gate})"
