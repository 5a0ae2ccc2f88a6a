"""`kustomize build`: the real one where there is one, else a merge that does the same.

Only what examples/kustomize uses is here: resources, a component, a generated ConfigMap (its
name without the hash), a merge, a JSON patch that moves. test_kustomize.py compares the two.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

Raw = dict[str, Any]


def command() -> list[str]:
    """Return the real tool's command, empty where it is not installed."""
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    return ["kubectl", "kustomize"] if shutil.which("kubectl") else []


def really_built(folder: Path) -> str:
    """Return what the real kustomize makes of *folder*."""
    done = subprocess.run(
        [*command(), str(folder)], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def merged(folder: Path) -> str:
    """Return what kustomize would make of *folder*."""
    return yaml.safe_dump_all(_build(folder), sort_keys=False)


def _build(folder: Path) -> list[Raw]:
    own = yaml.safe_load((folder / "kustomization.yaml").read_text())
    found: list[Raw] = []
    for name in own.get("resources", []):
        path = folder / name
        found += _build(path) if path.is_dir() else [yaml.safe_load(path.read_text())]
    found += [_config_map(folder, each) for each in own.get("configMapGenerator", [])]
    for name in own.get("components", []):
        _apply(folder / name, found)
    return found


def _config_map(folder: Path, wanted: Raw) -> Raw:
    data = dict(text.split("=", 1) for text in wanted.get("literals", []))
    files = dict(text.split("=", 1) for text in wanted.get("files", []))
    data |= {key: (folder / name).read_text() for key, name in files.items()}
    metadata = {"name": wanted["name"]}
    return {"apiVersion": "v1", "data": data, "kind": "ConfigMap", "metadata": metadata}


def _apply(component: Path, resources: list[Raw]) -> None:
    own = yaml.safe_load((component / "kustomization.yaml").read_text())
    assert own["kind"] == "Component"
    for patch in own["patches"]:
        for resource in resources:
            if resource["kind"] != patch["target"]["kind"]:
                continue
            if "path" in patch:
                wanted = yaml.safe_load((component / patch["path"]).read_text())
                _merge(resource["spec"], wanted["spec"])
            else:
                _move(resource, yaml.safe_load(patch["patch"]))


def _merge(into: Raw, patch: Raw) -> None:
    """Merge as kustomize does: what is new in a list comes in front of what is there."""
    for key, value in patch.items():
        if isinstance(value, dict):
            _merge(into.setdefault(key, {}), value)
        elif isinstance(value, list):
            names = {each["name"] for each in into.get(key, [])}
            assert not names & {each["name"] for each in value}
            into[key] = [*value, *into.get(key, [])]
        else:
            into[key] = value


def _move(resource: Raw, operations: list[Raw]) -> None:
    for operation in operations:
        assert operation["op"] == "move"
        *path, first = operation["from"].strip("/").split("/")
        assert operation["path"] == "/" + "/".join([*path, "-"])
        found: Any = resource
        for step in path:
            found = found[step]
        found.append(found.pop(int(first)))
