"""The role in examples/rbac-k8s.yaml: what the dependencies there ask for, and nothing else."""

from __future__ import annotations

from itertools import product
from typing import Any

import yaml

from tests.checks.servers.kubernetes import Kubernetes
from tests.checks.servers.kubernetes_api import Asked
from tests.conftest import run, why_not
from tests.stand_ins import EXAMPLES

Right = tuple[str, str, str, str]
"""Verb, group, resource, and the name of the object, empty for all."""


def documents() -> dict[str, Any]:
    text = (EXAMPLES / "rbac-k8s.yaml").read_text()
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def granted() -> set[Right]:
    return {
        right
        for rule in documents()["Role"]["rules"]
        for right in product(
            rule["verbs"], rule["apiGroups"], rule["resources"], rule.get("resourceNames", [""])
        )
    }


def dependencies() -> list[str]:
    gate, _ = documents()["Pod"]["spec"]["initContainers"]
    return list(gate["env"][0]["value"].splitlines())


def right(asked: Asked) -> Right:
    name = asked.query.get("fieldSelector", "").removeprefix("metadata.name=")
    return asked.verb, asked.group, asked.resource, name


async def ask(server: Kubernetes, line: str) -> None:
    """Make an attempt and let its watch begin."""
    before = server.count("watch")
    await why_not(f"{line} server={server.url}")
    await server.until(lambda: server.count("watch") > before)


def test_the_role_grants_what_gate_asks_for_and_nothing_else() -> None:
    async def main() -> set[Right]:
        async with Kubernetes() as server:
            for line in dependencies():
                await ask(server, line)
            return {right(asked) for asked in server.asked}

    assert run(main()) == granted()


def test_the_binding_joins_the_pods_account_to_the_role() -> None:
    found = documents()
    (subject,) = found["RoleBinding"]["subjects"]

    assert found["RoleBinding"]["roleRef"]["name"] == found["Role"]["metadata"]["name"]
    assert subject["name"] == found["ServiceAccount"]["metadata"]["name"]
    assert subject["name"] == found["Pod"]["spec"]["serviceAccountName"]
