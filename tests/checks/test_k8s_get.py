"""What needs no `list`: one object by name, and objects that only have to exist."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.servers.kubernetes import Kubernetes
from tests.conftest import outcome, problems_of, run, why_not

COMPLETE: Any = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}


def of(server: Kubernetes, what: str, options: str = "namespace=prod") -> str:
    return f"k8s:{what} server={server.url} {options}"


def reason(what: str, resource: str = "", name: str = "", **thing: Any) -> str:
    async def main() -> str:
        async with Kubernetes() as server:
            if resource:
                namespace = "" if resource == "namespaces" else "prod"
                server.put(resource, name, namespace=namespace, **thing)
            options = "" if what.startswith(("ns", "namespace")) else "namespace=prod"
            return await why_not(of(server, what, options))

    text: str = run(main())
    return text


def test_without_list_a_named_object_is_fetched() -> None:
    async def main() -> tuple[list[str], str]:
        async with Kubernetes() as server:
            server.denied = {("list", "jobs")}
            server.put("jobs", "migrate", **COMPLETE)
            why = await why_not(of(server, "job/migrate"))
            return [asked.verb for asked in server.asked][:2], why

    assert run(main()) == (["list", "get"], "")


def test_without_list_a_missing_object_is_still_absent() -> None:
    async def main() -> tuple[str, bool]:
        async with Kubernetes() as server:
            server.denied = {("list", "jobs")}
            there = of(server, "job/migrate")
            return await why_not(there), (await outcome(f"{there} until=down")).ok

    assert run(main()) == ("no job migrate in namespace prod", True)


def test_without_list_and_watch_the_missing_verb_is_named() -> None:
    async def main() -> str:
        async with Kubernetes() as server:
            server.denied = {("list", "jobs"), ("get", "jobs")}
            return await why_not(of(server, "job/migrate"))

    assert run(main()).startswith(
        "may not get jobs in namespace prod: RBAC lacks verb get on resource jobs (batch)"
    )


@pytest.mark.parametrize(
    ("what", "resource"), [("secret/tls", "secrets"), ("cm/tls", "configmaps")]
)
def test_a_secret_and_a_config_map_only_have_to_exist(what: str, resource: str) -> None:
    kind = "secret" if resource == "secrets" else "configmap"

    assert reason(what) == f"no {kind} tls in namespace prod"
    assert reason(what, resource, "tls", data={"key": "aHVzaA=="}) == ""


def test_only_the_metadata_of_a_secret_is_asked_for() -> None:
    async def main() -> set[str]:
        async with Kubernetes() as server:
            server.put("secrets", "tls", data={"key": "aHVzaA=="})
            await why_not(of(server, "secret/tls"))
            return {asked.accept.split(";")[1] for asked in server.asked}

    assert run(main()) <= {"as=PartialObjectMetadataList", "as=PartialObjectMetadata"}


@pytest.mark.parametrize(("phase", "why"), [("Pending", "claim not bound: Pending"), ("Bound", "")])
def test_a_claim_is_ready_when_bound(phase: str, why: str) -> None:
    assert reason("pvc/data", "persistentvolumeclaims", "data", status={"phase": phase}) == why


@pytest.mark.parametrize(
    ("phase", "why"), [("Terminating", "namespace is Terminating"), ("Active", "")]
)
def test_a_namespace_is_ready_when_active(phase: str, why: str) -> None:
    assert reason("ns/shop", "namespaces", "shop", status={"phase": phase}) == why


def test_any_object_can_be_wanted_to_exist() -> None:
    what = "certificates.cert-manager.io/v1/web exists"

    assert reason(what, "certificates", "web") == ""
    assert reason(what).startswith("no certificates.cert-manager.io web")


def test_exists_and_condition_are_two_things() -> None:
    assert problems_of("x k8s:job/a exists condition=Ready") == [
        "exists: does not go with condition; write one of the two"
    ]
