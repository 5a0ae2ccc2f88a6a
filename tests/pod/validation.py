"""The API server's refusals that matter to start order, all found at once."""

from collections.abc import Iterator, Mapping
from typing import Any

Raw = Mapping[str, Any]

_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_ACTIONS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_SECONDS = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)


def problems_of(spec: Raw) -> list[str]:
    """Return what the API server would refuse in a pod's *spec*, each with its place."""
    return [*_pod(spec), *_init_containers(spec), *_main_containers(spec)]


def _pod(spec: Raw) -> Iterator[str]:
    if not spec.get("containers"):
        yield "spec.containers: Required value"
    if spec.get("restartPolicy", "Always") not in {"Always", "OnFailure", "Never"}:
        yield f"spec.restartPolicy: Unsupported value: {spec['restartPolicy']!r}"
    yield from _names(spec)
    yield from _mounts(spec)


def _all(spec: Raw) -> list[Raw]:
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]


def _names(spec: Raw) -> Iterator[str]:
    seen: set[str] = set()
    for container in _all(spec):
        name = str(container.get("name") or "")
        if not name:
            yield "container without a name: Required value"
        elif name in seen:
            yield f"container {name}: Duplicate value"
        seen.add(name)


def _mounts(spec: Raw) -> Iterator[str]:
    volumes = {each["name"] for each in spec.get("volumes") or ()}
    for container in _all(spec):
        for mount in container.get("volumeMounts") or ():
            if mount["name"] not in volumes:
                yield f"container {container.get('name')}: volumeMount {mount['name']}: Not found"


def _init_containers(spec: Raw) -> Iterator[str]:
    for index, container in enumerate(spec.get("initContainers") or ()):
        place = f"spec.initContainers[{index}]"
        if container.get("restartPolicy") == "Always":
            yield from _probes_and_hooks(place, container)
        else:
            yield from _regular_init_container(place, container)


def _regular_init_container(place: str, container: Raw) -> Iterator[str]:
    """Probes and hooks are for sidecars only (facts 9.2, 10.1)."""
    for field in (*_PROBES, "lifecycle"):
        if container.get(field):
            problem = "may not be set for init containers without restartPolicy=Always"
            yield f"{place}.{field}: {problem}"
    if "restartPolicy" in container:
        yield f"{place}.restartPolicy: the player plays Always only"


def _main_containers(spec: Raw) -> Iterator[str]:
    for index, container in enumerate(spec.get("containers") or ()):
        place = f"spec.containers[{index}]"
        yield from _rules(place, container)
        yield from _probes_and_hooks(place, container)


def _rules(place: str, container: Raw) -> Iterator[str]:
    """Rules need a policy of the container's own (restart rules of containers, 1.35)."""
    rules = container.get("restartPolicyRules") or ()
    if rules and "restartPolicy" not in container:
        yield f"{place}.restartPolicyRules: must specify restartPolicy when restart rules are used"
    for rule in rules:
        if rule.get("action") not in {"Restart", "RestartAllContainers"}:
            yield f"{place}.restartPolicyRules: Unsupported action: {rule.get('action')!r}"


def _probes_and_hooks(place: str, container: Raw) -> Iterator[str]:
    for field in _PROBES:
        if container.get(field):
            yield from _probe(f"{place}.{field}", container[field])
    for hook, action in (container.get("lifecycle") or {}).items():
        yield from _action(f"{place}.lifecycle.{hook}", action)


def _probe(place: str, probe: Raw) -> Iterator[str]:
    yield from _action(place, probe)
    if "sleep" in probe:
        yield f"{place}.sleep: unknown field"
    for field in _SECONDS:
        if probe.get(field, 0) < 0:
            yield f"{place}.{field}: must be greater than or equal to 0"
    # Fact 2.4: only readiness may ask for several successes.
    if not place.endswith("readinessProbe") and probe.get("successThreshold", 1) not in {0, 1}:
        yield f"{place}.successThreshold: must be 1"
    if place.endswith("readinessProbe") and "terminationGracePeriodSeconds" in probe:
        yield f"{place}.terminationGracePeriodSeconds: must not be set for readinessProbes"


def _action(place: str, raw: Raw) -> Iterator[str]:
    given = [name for name in _ACTIONS if name in raw]
    if len(given) != 1:
        yield f"{place}: must specify exactly one handler type, not {given or 'none'}"
    elif given == ["grpc"] and "lifecycle" in place:
        yield f"{place}.grpc: unknown field"
    elif given == ["exec"] and not raw["exec"].get("command"):
        yield f"{place}.exec.command: Required value"
    elif given in (["httpGet"], ["tcpSocket"]):
        yield from _port(f"{place}.{given[0]}.port", raw[given[0]].get("port"))


def _port(place: str, port: object) -> Iterator[str]:
    highest = 65535
    if isinstance(port, int) and not 1 <= port <= highest:
        yield f"{place}: must be between 1 and {highest}, inclusive"
    if port is None:
        yield f"{place}: Required value"
