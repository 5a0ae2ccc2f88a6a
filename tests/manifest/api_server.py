"""An API server's admission policies, as far as those of gate need it: CEL is really evaluated.

The facts of Kubernetes 1.36 that it keeps: each object of an ApplyConfiguration is named by its
path, lists that are replaced as a whole are refused in it, mutations are applied in their order, a
failed expression refuses the pod (`failurePolicy: Fail`), and without its parameter a policy whose
binding allows that does nothing.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

import cel
import yaml

Fields = dict[str, Any]
_CONSTRUCTOR = re.compile(r"(?<![\"\w.])((?:Object|JSONPatch)[\w.]*)\{")
_KEY = re.compile(r"(?<=[{,\n ])([A-Za-z]\w*): ")
_ATOMIC = {"args", "command", "add", "drop"}
_NAMED = "<name>"


class Refused(Exception):  # noqa: N818 -- an answer, not a fault
    """The pod is refused; the text says why."""


class Failed(Refused):
    """An expression could not be evaluated."""


class ApiServer:
    """Admits pods by the policies of *text*; `params` is None where there is no ConfigMap."""

    def __init__(self, text: str) -> None:
        self.documents = [each for each in yaml.safe_load_all(text) if each]
        maps = [each for each in self.documents if each["kind"] == "ConfigMap"]
        self.params: Fields | None = maps[0]

    def spec(self, kind: str) -> Fields:
        (found,) = (each for each in self.documents if each["kind"] == kind)
        spec: Fields = found["spec"]
        return spec

    def admit(self, pod: Fields, namespace_labels: dict[str, str] | None = None) -> Fields:
        """Return *pod* as it is stored; raises `Refused`."""
        pod = deepcopy(pod)
        binding = self.spec("MutatingAdmissionPolicyBinding")
        if self._is_bound(binding, namespace_labels or {}) and self._has_parameter(binding):
            pod = self._mutated(pod)
        if self._is_bound(self.spec("ValidatingAdmissionPolicyBinding"), namespace_labels or {}):
            self._validate(pod)
        return pod

    def _is_bound(self, binding: Fields, labels: dict[str, str]) -> bool:
        (rule,) = binding["matchResources"]["namespaceSelector"]["matchExpressions"]
        assert rule["operator"] == "NotIn"
        return labels.get(rule["key"]) not in rule["values"]

    def _has_parameter(self, binding: Fields) -> bool:
        assert binding["paramRef"]["parameterNotFoundAction"] == "Allow"
        return self.params is not None

    def _mutated(self, pod: Fields) -> Fields:
        policy = self.spec("MutatingAdmissionPolicy")
        if not self.matches(policy, pod):
            return pod
        known = self._variables(policy, pod)
        for mutation in policy["mutations"]:
            if mutation["patchType"] == "ApplyConfiguration":
                expression = mutation["applyConfiguration"]["expression"]
                _apply(pod, _unnamed(evaluated(_as_maps(expression), known, pod), "Object"))
            else:
                expression = mutation["jsonPatch"]["expression"]
                for patch in evaluated(_as_maps(expression), known, pod):
                    _patch(pod, patch)
        return pod

    def matches(self, policy: Fields, pod: Fields) -> bool:
        """Whether all conditions hold; as in Kubernetes one that is false outweighs a failure."""
        failure: Failed | None = None
        for condition in policy["matchConditions"]:
            try:
                if evaluated(condition["expression"], {}, pod) is False:
                    return False
            except Failed as exc:
                failure = exc
        if failure:
            raise failure
        return True

    def _validate(self, pod: Fields) -> None:
        policy = self.spec("ValidatingAdmissionPolicy")
        if not self.matches(policy, pod):
            return
        known = self._variables(policy, pod)
        for validation in policy["validations"]:
            if evaluated(validation["expression"], known, pod) is not True:
                raise Refused(validation["message"])

    def _variables(self, policy: Fields, pod: Fields) -> Fields:
        known: Fields = {"params": self.params, "variables": {}}
        for variable in policy["variables"]:
            value = evaluated(variable["expression"], known, pod)
            known["variables"][variable["name"]] = value
        return known


def evaluated(expression: str, known: Fields, pod: Fields) -> Any:
    """Return the value of *expression*; a failure refuses the pod."""
    context = cel.Context(
        variables={"object": pod, **known},
        functions={
            "findAll": lambda text, pattern: [m[0] for m in re.finditer(pattern, text)],
            "split": lambda text, separator: text.split(separator),
            "replace": lambda text, old, new: text.replace(old, new),
            "max": max,
            "indexOf": lambda items, item: items.index(item),
        },
    )
    try:
        return cel.evaluate(expression, context)
    except (KeyError, RuntimeError, TypeError, ValueError) as exc:
        msg = f"{expression}: {exc}"
        raise Failed(msg) from exc


def _as_maps(expression: str) -> str:
    """Return *expression* with a map, which says its type's name, for each object."""
    with_names = _CONSTRUCTOR.sub(rf'{{"{_NAMED}": "\1", ', expression)
    return _KEY.sub(r'"\1": ', with_names)


def _unnamed(value: Any, path: str) -> Any:
    """Return *value* without names of types, each of which must be the path of its field."""
    if isinstance(value, list):
        return [_unnamed(item, path) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(_NAMED, path) != path:
        msg = f'unexpected type name "{value[_NAMED]}", expected "{path}"'
        raise Refused(msg)
    if atomic := _ATOMIC & set(value):
        msg = f"may not mutate atomic arrays, maps or structs: {path}.{atomic}"
        raise Refused(msg)
    return {k: _unnamed(item, f"{path}.{k}") for k, item in value.items() if k != _NAMED}


def _apply(pod: Fields, configuration: Fields) -> None:
    """Add what is new to the lists of the spec, behind what they hold."""
    assert list(configuration) == ["spec"]
    for key, items in configuration["spec"].items():
        held = pod["spec"].setdefault(key, [])
        assert not {each["name"] for each in items} & {each["name"] for each in held}
        held += items


def _patch(pod: Fields, patch: Fields) -> None:
    assert patch["op"] == "add"
    *way, last = patch["path"].split("/")[1:]
    place: Any = pod
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    place[last] = patch["value"]
