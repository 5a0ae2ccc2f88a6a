"""Where the API server is, who asks it, and what is said about options that do not fit."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gate.checks.k8s import options, service_account
from gate.checks.k8s.check import K8s
from gate.checks.k8s.service_account import Account
from gate.checks.k8s.watch import Watch
from gate.checks.wire.tls_options import Tls
from gate.core import attempt
from gate.core.errors import CheckFailed
from tests.checks.servers.kubernetes import Kubernetes
from tests.conftest import problems_of, run, watch_for, why_not

COMPLETE: Any = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}


@pytest.fixture
def folder(tmp_path: Path, ca_file: Path) -> Path:
    """The folder that the kubelet mounts into a pod, made by links as it does."""
    data = tmp_path / "..data"
    data.mkdir()
    (data / "ca.crt").write_bytes(ca_file.read_bytes())
    (data / "token").write_text("first-token")
    (data / "namespace").write_text("prod")
    for name in ("ca.crt", "token", "namespace"):
        (tmp_path / name).symlink_to(data / name)
    return tmp_path


def in_pod(line: str, folder: Path) -> K8s:
    """Return the check of *line* as in a pod whose service account is in *folder*."""
    check = watch_for(line).check
    assert isinstance(check, K8s)
    account = Account(tls=Tls(), folder=str(folder))
    wanted = check.wanted
    return replace(check, watch=Watch(account, wanted))


async def failure_of(check: Callable[[], Awaitable[None]]) -> str:
    try:
        await check()
    except CheckFailed as exc:
        return str(exc)
    return ""


def test_a_pod_asks_with_its_service_account_in_its_namespace(
    folder: Path, server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> str:
        async with Kubernetes(server_tls) as server:
            server.tokens = {"first-token"}
            server.put("jobs", "migrate", namespace="prod", **COMPLETE)
            monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
            return await failure_of(in_pod("k8s:job/migrate", folder))

    assert run(main()) == ""


def test_a_rotated_token_is_read_anew(folder: Path) -> None:
    async def main() -> tuple[str, str]:
        async with Kubernetes() as server:
            server.put("jobs", "migrate", **COMPLETE)
            token = folder / "..data" / "token"
            line = f"k8s:job/migrate server={server.url} token-file={folder}/token namespace=prod"
            check = watch_for(line).check
            server.tokens = {"second-token"}
            expired = await failure_of(check)
            token.write_text("second-token\n")
            return expired, await failure_of(check)

    assert run(main()) == ("API server: the token is refused (status 401)", "")


def test_outside_of_a_cluster_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    reason = run(why_not("k8s:job/migrate"))

    assert reason == "not in a cluster: KUBERNETES_SERVICE_HOST is not set; give server=https://…"


def test_a_pod_without_a_token_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")

    reason = run(failure_of(in_pod("k8s:job/migrate", tmp_path)))

    assert reason == (
        f"token-file: cannot read {tmp_path}/token: no such file or directory; "
        "set automountServiceAccountToken: true, or give token-file=…"
    )


def test_the_namespace_is_no_secret(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "..data" / "namespace").write_text("job")

    async def main() -> Any:
        async with Kubernetes() as server:
            monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            check = in_pod("k8s:job/migrate", folder)
            attempt.begin()
            monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
            return await check.watch.account.login(), attempt.redacted("no job in namespace job")

    login, text = run(main())
    assert login.namespace == "job"
    assert text == "no job in namespace job"


def test_a_final_dot_is_not_part_of_the_name_in_the_certificate(
    server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    async def main() -> str:
        async with Kubernetes(server_tls) as server:
            there = f"server=https://localhost.:{server.port} ca={ca_file}"
            return await why_not(f"k8s:job/migrate {there}")

    assert run(main()) == "no job migrate in namespace default"


def test_a_certificate_that_is_not_the_clusters_says_so(server_tls: ssl.SSLContext) -> None:
    async def main() -> str:
        async with Kubernetes(server_tls) as server:
            return await why_not(f"k8s:job/migrate server={server.url}")

    assert run(main()) == "API server: TLS: unable to get local issuer certificate"


def test_a_server_behind_a_path_is_asked_there() -> None:
    check = watch_for("k8s:job/x server=https://rancher/k8s/clusters/c-1/").check
    assert isinstance(check, K8s)

    assert run(check.watch.account.login()).prefix == "/k8s/clusters/c-1"


def test_a_token_is_never_shown(folder: Path) -> None:
    async def main() -> str:
        async with Kubernetes() as server:
            server.failure = (500, "bad token first-token")
            return await why_not(f"k8s:job/x server={server.url} token-file={folder}/token")

    assert run(main()) == "API server: status 500: bad token ***"


PROBLEMS = {
    "k8s:job": [f"the URL wants a name or a selector, one of the two; write {options.FORMS}"],
    "k8s:pod/a?selector=app=a": [
        f"the URL wants a name or a selector, one of the two; write {options.FORMS}"
    ],
    "k8s://job/migrate": [
        f"the URL names no kind of object; write {options.FORMS}",
    ],
    "k8s:deploymnt/db": [
        f"the URL names no kind of object; write {options.FORMS}; did you mean deployment?"
    ],
    "k8s:job/a%20b": ["the URL: 'a b' is not the name of an object"],
    "k8s:certificates.cert-manager.io/v1/web": [
        "condition: what makes certificates.cert-manager.io ready? write condition=Type, or exists"
    ],
    "k8s:service?selector=app=db": ["selector: does not go with a service; write k8s:service/NAME"],
    "k8s:pod?selector=a&namespace=b": [
        "the URL takes ?selector=… only; what else there is goes into options"
    ],
    "k8s:pod?selector=a selector=b": ["selector: is in the URL and in the options; write it once"],
    "k8s:job/a min=2": ["min: goes with a selector, a service or a workload"],
    "k8s:pod?selector=a min=0": ["min: '0' is not a whole number from 1"],
    "k8s:job/a cluster": ["cluster: a job is always in a namespace"],
    "k8s:nodes/v1/a condition=Ready cluster namespace=b": ["namespace: does not go with cluster"],
    "k8s:job/a server=ftp://x": ["server: wants https://host:port"],
    "k8s:job/a namespace=a/b": ["namespace: 'a/b' is not the name of an object"],
}


@pytest.mark.parametrize(("line", "problems"), PROBLEMS.items())
def test_what_does_not_fit_is_told_with_its_remedy(line: str, problems: list[str]) -> None:
    assert problems_of(f"x {line}") == problems


def test_the_folder_is_where_the_kubelet_mounts_it() -> None:
    assert service_account.FOLDER == "/var/run/secrets/kubernetes.io/serviceaccount"
