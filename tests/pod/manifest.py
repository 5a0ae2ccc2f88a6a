"""Turns a manifest into a `PodSpec`: finds the pod in it, checks it, fills in the defaults."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.pod.model import (
    Action,
    Container,
    EnvSource,
    EnvVar,
    Exec,
    Grpc,
    HttpGet,
    ManifestError,
    Mount,
    PodSpec,
    Probe,
    ProbeKind,
    RestartPolicy,
    RestartRule,
    Sleep,
    TcpSocket,
    Volume,
    VolumeFile,
)
from tests.pod.validation import problems_of

Raw = Mapping[str, Any]

_TEMPLATE_PATHS = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


def load(source: str | Path) -> PodSpec:
    """Return the first pod, or pod template, in a YAML file or YAML text."""
    text = source.read_text() if isinstance(source, Path) else source
    documents = [raw for raw in yaml.safe_load_all(text) if isinstance(raw, dict)]
    for raw in documents:
        if raw.get("kind") == "Pod" or raw.get("kind") in _TEMPLATE_PATHS:
            return parse(raw)
    raise ManifestError(["no Pod and no pod template found"])


def parse(raw: Raw) -> PodSpec:
    """Return the pod that *raw*, a Pod or a workload, describes; ManifestError if it is invalid."""
    pod = _pod_of(raw)
    problems = problems_of(pod.get("spec") or {})
    if problems:
        raise ManifestError(problems)
    return _pod_spec(pod.get("metadata") or {}, pod["spec"])


def _pod_of(raw: Raw) -> Raw:
    kind = raw.get("kind", "Pod")
    if kind == "Pod":
        return raw
    if kind not in _TEMPLATE_PATHS:
        raise ManifestError([f"kind {kind} has no pod template"])
    template: Raw = raw
    for step in _TEMPLATE_PATHS[kind]:
        template = template.get(step) or {}
    return {**template, "metadata": {**(template.get("metadata") or {}), **_naming(raw)}}


def _naming(workload: Raw) -> Raw:
    """Pods of a workload are named after it, with a suffix that varies."""
    metadata = workload.get("metadata") or {}
    name = f"{metadata.get('name', 'pod')}-0"
    return {"name": name, "namespace": metadata.get("namespace", "default")}


def _pod_spec(metadata: Raw, spec: Raw) -> PodSpec:
    return PodSpec(
        name=metadata.get("name", "pod"),
        namespace=metadata.get("namespace", "default"),
        init_containers=tuple(
            _container(each, is_init=True) for each in spec.get("initContainers") or ()
        ),
        main_containers=tuple(_container(each, is_init=False) for each in spec["containers"]),
        restart_policy=RestartPolicy(spec.get("restartPolicy", "Always")),
        grace=spec.get("terminationGracePeriodSeconds", 30),
        active_deadline=spec.get("activeDeadlineSeconds"),
        service_links=spec.get("enableServiceLinks", True),
        volumes=tuple(_volume(each) for each in spec.get("volumes") or ()),
    )


def _container(raw: Raw, *, is_init: bool) -> Container:
    lifecycle = raw.get("lifecycle") or {}
    policy = raw.get("restartPolicy")
    return Container(
        name=raw["name"],
        image=raw.get("image", ""),
        is_init=is_init,
        command=_words(raw.get("command")),
        args=_words(raw.get("args")),
        working_dir=raw.get("workingDir", ""),
        env=tuple(_env_var(each) for each in raw.get("env") or ()),
        env_from=tuple(_env_from(each) for each in raw.get("envFrom") or ()),
        ports={p["name"]: p["containerPort"] for p in raw.get("ports") or () if "name" in p},
        mounts=tuple(_mount(each) for each in raw.get("volumeMounts") or ()),
        probes=_probes(raw),
        post_start=_optional_action(lifecycle.get("postStart")),
        pre_stop=_optional_action(lifecycle.get("preStop")),
        restart_policy=RestartPolicy(policy) if policy else None,
        restart_rules=tuple(_rule(each) for each in raw.get("restartPolicyRules") or ()),
        message_path=raw.get("terminationMessagePath", "/dev/termination-log"),
        message_from_logs=raw.get("terminationMessagePolicy") == "FallbackToLogsOnError",
    )


def _rule(raw: Raw) -> RestartRule:
    codes = raw["exitCodes"]
    return RestartRule(
        action=raw["action"],
        is_in=codes["operator"] == "In",
        codes=frozenset(codes.get("values") or ()),
    )


def _words(raw: Iterable[object] | None) -> tuple[str, ...]:
    return tuple(str(word) for word in raw or ())


def _mount(raw: Raw) -> Mount:
    path = raw["mountPath"].rstrip("/") or "/"
    return Mount(volume=raw["name"], path=path, sub_path=raw.get("subPath", ""))


def _probes(raw: Raw) -> dict[ProbeKind, Probe]:
    fields = {kind: raw.get(f"{kind.value.lower()}Probe") for kind in ProbeKind}
    return {kind: _probe(each) for kind, each in fields.items() if each}


def _probe(raw: Raw) -> Probe:
    """Zero means unset for the API server, so it gets the default too (facts 2.3, 2.4)."""
    return Probe(
        action=_action(raw),
        initial_delay=raw.get("initialDelaySeconds") or 0,
        timeout=raw.get("timeoutSeconds") or 1,
        period=raw.get("periodSeconds") or 10,
        success_threshold=raw.get("successThreshold") or 1,
        failure_threshold=raw.get("failureThreshold") or 3,
        grace=raw.get("terminationGracePeriodSeconds"),
    )


def _optional_action(raw: Raw | None) -> Action | None:
    return _action(raw) if raw else None


def _action(raw: Raw) -> Action:
    if "exec" in raw:
        return Exec(command=_words(raw["exec"]["command"]))
    if "httpGet" in raw:
        return _http_get(raw["httpGet"])
    if "tcpSocket" in raw:
        return TcpSocket(port=raw["tcpSocket"]["port"], host=raw["tcpSocket"].get("host", ""))
    if "grpc" in raw:
        return Grpc(port=raw["grpc"]["port"], service=raw["grpc"].get("service", ""))
    return Sleep(seconds=raw["sleep"]["seconds"])


def _http_get(raw: Raw) -> HttpGet:
    path = raw.get("path") or "/"
    return HttpGet(
        path=path if path.startswith("/") else f"/{path}",
        port=raw["port"],
        host=raw.get("host", ""),
        scheme=raw.get("scheme", "HTTP"),
        headers=tuple((each["name"], each["value"]) for each in raw.get("httpHeaders") or ()),
    )


def _env_var(raw: Raw) -> EnvVar:
    source = raw.get("valueFrom")
    if not source:
        return EnvVar(name=raw["name"], value=str(raw.get("value") or ""))
    kind, reference = next(iter(source.items()))
    return EnvVar(name=raw["name"], source=_reference(kind, reference))


def _reference(kind: str, raw: Raw) -> EnvSource:
    if kind == "fieldRef":
        return EnvSource(kind=kind, name=raw["fieldPath"])
    return EnvSource(
        kind=kind, name=raw["name"], key=raw["key"], optional=raw.get("optional", False)
    )


def _env_from(raw: Raw) -> EnvSource:
    kind = "secretRef" if "secretRef" in raw else "configMapRef"
    return EnvSource(
        kind=kind,
        name=raw[kind]["name"],
        optional=raw[kind].get("optional", False),
        prefix=raw.get("prefix", ""),
    )


def _volume(raw: Raw) -> Volume:
    if "projected" in raw:
        sources = raw["projected"].get("sources") or ()
        files = [file for source in sources for file in _volume_files(source)]
        return Volume(name=raw["name"], files=tuple(files))
    return Volume(name=raw["name"], files=tuple(_volume_files(raw)))


def _volume_files(raw: Raw) -> list[VolumeFile]:
    for kind, name_field in (("secret", "secretName"), ("configMap", "name")):
        if kind in raw:
            source = raw[kind]
            name = source.get(name_field) or source.get("name", "")
            return _keys(f"{kind}Ref", name, source)
    return []


def _keys(kind: str, name: str, raw: Raw) -> list[VolumeFile]:
    optional = raw.get("optional", False)
    items = raw.get("items") or [{"key": "", "path": ""}]
    return [
        VolumeFile(
            source=EnvSource(kind=kind, name=name, key=item["key"], optional=optional),
            path=item["path"],
        )
        for item in items
    ]
