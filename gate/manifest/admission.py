"""`gate manifest --mode admission`: policies by which the API server puts gate into annotated pods.

They need Kubernetes 1.36 (`MutatingAdmissionPolicy` as `admissionregistration.k8s.io/v1`) and
neither webhook, certificate, controller nor RBAC. The containers are those of `--mode sidecar`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gate import config
from gate.core.errors import Problem
from gate.core.names import ANNOTATION_PREFIX, annotation
from gate.manifest import admission_rules as rules
from gate.manifest import cel, container
from gate.manifest.cel import Expression
from gate.pods.editing.emitter import Commented, emit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gate.manifest.container import ManifestOptions

_Spec = dict[str, list[dict[str, object]]]
"""What is added to the lists of a pod's spec."""
_STANDS_IN = {config.LIST: "one tcp://somewhere:1"}
"""The dependencies of a container whose own come from an annotation."""
_CONDITION = "GATE_POD_CONDITION"
_API = "admissionregistration.k8s.io/v1"


def write(wish: ManifestOptions, environ: Mapping[str, str]) -> tuple[str, list[Problem]]:
    """Return the policies as YAML, and what is wrong with *environ*, flags included.

    Its settings become those of every gate; an annotation wins over them.
    """
    given = {name: value for name, value in environ.items() if not _is_of_a_pod(name)}
    read = config.read({**given, **_STANDS_IN})
    wish = replace(wish, mode="sidecar")
    problems = [
        *_unsuitable(environ),
        *read.all_problems(),
        *container.problems(wish, read.settings),
    ]
    if problems:
        return "", problems
    made = container.fragment(wish, read, {**given, **_STANDS_IN})
    containers = [each.value for each in made.containers if isinstance(each.value, dict)]
    spec: _Spec = {
        "initContainers": [_adapted(each, given) for each in containers],
        "volumes": [each for each in made.volumes if isinstance(each, dict)],
    }
    documents = _documents(wish, spec, given)
    return "---\n".join(map(emit, documents)), []


def _is_of_a_pod(name: str) -> bool:
    return name in {config.LIST, config.FROM_ENV} or name.startswith(
        (config.PREFIX, config.OPTIONS)
    )


def _unsuitable(environ: Mapping[str, str]) -> Iterator[Problem]:
    for name in sorted(environ):
        if _is_of_a_pod(name):
            text = (
                f"dependencies come from each pod's annotation {rules.DEPENDENCIES}; leave it out"
            )
            yield Problem(name, text)
    if environ.get(_CONDITION, "").strip():
        yield Problem(_CONDITION, "the policy adds no readiness gate to a pod; leave it out")


def _adapted(made: dict[str, object], given: Mapping[str, str]) -> dict[str, object]:
    """Return a container in which stands CEL where the pod or the parameter decides."""
    changed: dict[str, object] = {**made, "image": Expression("variables.image")}
    if isinstance(args := made.get("args"), list) and args[0] == "hold":
        patience = f'string(variables.failures * {container.HOLD}) + "s"'
        changed["args"] = [*args[:-1], Expression(patience)]
    if isinstance(probe := made.get("startupProbe"), Commented) and isinstance(probe.value, dict):
        changed["startupProbe"] = {
            **probe.value,
            "failureThreshold": Expression("variables.failures"),
        }
        changed["env"] = Expression(_env(given))
    return changed


def _env(given: Mapping[str, str]) -> str:
    """Return CEL for the list of gate's variables, in the order of `gate manifest`."""
    parts = [_entry(config.LIST, 'variables.dependencies.replace("$", "$$")')]
    for setting in config.SETTINGS:
        key = rules.SETTINGS.get(setting.variable, "")
        fixed = given.get(setting.variable, "").strip().replace("$", "$$")
        own = f"variables.annotations[{cel.text(key)}]"
        is_there = f"{cel.text(key)} in variables.annotations"
        if key and fixed:
            parts.append(_entry(setting.variable, f"{is_there} ? {own} : {cel.text(fixed)}"))
        elif key:
            parts.append(f"({is_there} ? {_entry(setting.variable, own)} : [])")
        elif fixed:
            parts.append(_entry(setting.variable, cel.text(fixed)))
    return " +\n".join(parts)


def _entry(name: str, value: str) -> str:
    entry = {"name": name, "value": Expression(value)}
    fields = ", ".join(f"{key}: {cel.plain(item)}" for key, item in entry.items())
    return f"[Object.spec.initContainers.env{{{fields}}}]"


def _documents(wish: ManifestOptions, spec: _Spec, given: Mapping[str, str]) -> Iterator[object]:
    space = f"{wish.name}-system"
    first = (
        "Made by gate manifest --mode admission. For Kubernetes 1.36 or newer.",
        f"A pod with the annotation {rules.DEPENDENCIES} gets gate when it is created.",
    )
    names = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}}
    yield Commented(names, first)
    parameter = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": wish.name, "namespace": space},
        "data": {"image": wish.image},
    }
    yield Commented(
        parameter, ("The image of every gate, unless a pod's annotation says another.",)
    )
    yield _policy("MutatingAdmissionPolicy", wish, _mutating(wish, spec, given))
    # Without the parameter nothing is put in, and then the second policy refuses those pods alone:
    # Deny here would refuse every pod of the cluster.
    reference = {"name": wish.name, "namespace": space, "parameterNotFoundAction": "Allow"}
    yield _binding("MutatingAdmissionPolicyBinding", wish, {"paramRef": reference})
    yield _policy("ValidatingAdmissionPolicy", wish, _validating(wish))
    yield _binding("ValidatingAdmissionPolicyBinding", wish, {"validationActions": ["Deny"]})


def _policy(kind: str, wish: ManifestOptions, spec: dict[str, object]) -> object:
    constraints = {
        "resourceRules": [
            {
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "operations": ["CREATE"],
                "resources": ["pods"],
            }
        ]
    }
    return {
        "apiVersion": _API,
        "kind": kind,
        "metadata": {"name": f"{wish.name}.{ANNOTATION_PREFIX}"},
        "spec": {"failurePolicy": "Fail", "matchConstraints": constraints, **spec},
    }


def _binding(kind: str, wish: ManifestOptions, spec: dict[str, object]) -> object:
    name = f"{wish.name}.{ANNOTATION_PREFIX}"
    no = {"key": annotation("inject"), "operator": "NotIn", "values": ["false"]}
    note = f'Not for namespaces with the label {annotation("inject")}: "false".'
    selector = Commented({"matchExpressions": [no]}, (note,))
    return {
        "apiVersion": _API,
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"policyName": name, **spec, "matchResources": {"namespaceSelector": selector}},
    }


def _mutating(wish: ManifestOptions, spec: _Spec, given: Mapping[str, str]) -> dict[str, object]:
    applied = cel.applied({"spec": {key: items for key, items in spec.items() if items}})
    containers = spec["initContainers"]
    patches = cel.several([patch for each in containers for patch in cel.patches(each)])
    return {
        "reinvocationPolicy": "Never",
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "matchConditions": _named(rules.conditions(wish.name)),
        "variables": _named(rules.variables(given)),
        "mutations": [
            {
                "patchType": "ApplyConfiguration",
                "applyConfiguration": {"expression": f"{applied}\n"},
            },
            Commented(
                {"patchType": "JSONPatch", "jsonPatch": {"expression": f"{patches}\n"}},
                ("Lists that an ApplyConfiguration may not touch.",),
            ),
        ],
    }


def _validating(wish: ManifestOptions) -> dict[str, object]:
    return {
        "matchConditions": _named(rules.matches()),
        "variables": _named(rules.facts(wish.name)),
        "validations": [
            {"expression": f"{expression}\n", "message": message, "reason": "Invalid"}
            for expression, message in rules.validations()
        ],
    }


def _named(expressions: Mapping[str, str]) -> list[object]:
    return [{"name": name, "expression": f"{text}\n"} for name, text in expressions.items()]
