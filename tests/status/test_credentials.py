"""Which cluster `gate status` asks, and as whom: by token, certificate, plugin or account."""

from __future__ import annotations

import base64
import json
import os
import ssl
import stat
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from gate.checks.k8s import service_account
from gate.checks.k8s.service_account import Login
from gate.core.errors import ClusterError, ConfigError
from gate.status import credentials, kubeconfig
from gate.status.cluster import Cluster
from gate.status.look import look
from tests.checks.servers.kubernetes import Kubernetes
from tests.conftest import run
from tests.process import run_gate
from tests.status.world import write_kubeconfig

SERVER = {"server": "https://localhost:6443/k8s/"}
V1 = "client.authentication.k8s.io/v1"


def login(tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any] | None = None) -> Login:
    path = write_kubeconfig(tmp_path / "config", cluster or SERVER, user)
    context = kubeconfig.read({}, str(path), "")
    assert context is not None
    found: Login = run(credentials.login(context))
    return found


def why_not(tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any] | None = None) -> str:
    """Return what is wrong, without the path of the file."""
    with pytest.raises(ConfigError) as wrong:
        login(tmp_path, user, cluster)
    return str(wrong.value.problems[0]).replace(f"{tmp_path}/", "")


def plugin(tmp_path: Path, script: str, **more: Any) -> dict[str, Any]:
    """Return a user whose credentials come from a shell script in *tmp_path*."""
    path = tmp_path / "plugin"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": V1, "command": "./plugin", "interactiveMode": "Never", **more}}


def says(**status: str) -> str:
    document = {"apiVersion": V1, "kind": "ExecCredential", "status": status}
    return f"echo '{json.dumps(document)}'"


def test_a_token_and_where_the_server_is_come_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("in-a-file\n")

    written = login(tmp_path, {"token": "secret"})
    read = login(tmp_path, {"tokenFile": "token", "token": "old"}, {"server": "http://[::1]"})

    assert (written.host, written.port, written.prefix) == ("localhost", 6443, "/k8s")
    assert (written.token, written.namespace, written.server_name) == (
        "secret",
        "prod",
        "localhost",
    )
    assert (read.token, read.host, read.port, read.tls) == ("in-a-file", "::1", 80, None)
    assert "secret" not in repr(written)


@pytest.mark.parametrize("form", ["paths", "data"])
def test_a_certificate_logs_in(
    authority: trustme.CA, server_tls: ssl.SSLContext, ca_file: Path, tmp_path: Path, form: str
) -> None:
    """The server demands one that its authority has signed."""
    server_tls.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(server_tls)
    mine = authority.issue_cert("admin@example.com")
    files = {"client-certificate": mine.cert_chain_pems[0], "client-key": mine.private_key_pem}
    user: dict[str, str] = {}
    for name, blob in files.items():
        (tmp_path / name).write_bytes(blob.bytes())
        data = base64.b64encode(blob.bytes()).decode()
        user |= {name: name} if form == "paths" else {f"{name}-data": data}
    trust: dict[str, Any] = {"certificate-authority": str(ca_file)}
    if form == "data":
        trust = {"certificate-authority-data": base64.b64encode(ca_file.read_bytes()).decode()}

    async def whole() -> int:
        async with Kubernetes(server_tls) as server:
            path = write_kubeconfig(tmp_path / "config", {"server": server.url, **trust}, user)
            context = kubeconfig.read({"KUBECONFIG": str(path)}, "", "")
            assert context is not None
            cluster = Cluster(await credentials.login(context))
            report = await look(cluster, "")
            cluster.close()
            return report.gated

    assert run(whole()) == 0


def test_of_several_files_the_first_wins_and_missing_ones_do_not_matter(tmp_path: Path) -> None:
    first = {
        "current-context": "b",
        "clusters": [{"name": "c", "cluster": {"server": "https://x"}}],
    }
    second = {
        "current-context": "a",
        "contexts": [{"name": "b", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://y"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    paths = [tmp_path / name for name in ("none", "one", "two")]
    paths[1].write_text(yaml.safe_dump(first))
    paths[2].write_text(yaml.safe_dump(second))

    context = kubeconfig.read({"KUBECONFIG": os.pathsep.join(map(str, paths))}, "", "")

    assert context is not None
    assert (context.name, context.namespace) == ("b", "")
    assert (context.cluster.text("server"), context.user.text("token")) == ("https://x", "t")


def test_without_a_kubeconfig_it_is_the_pod_s_own_account(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    assert service_account.FOLDER.startswith("/var/run/")

    with pytest.raises(ClusterError, match="automountServiceAccountToken"):
        run(credentials.in_cluster(is_in_cluster=True))

    assert kubeconfig.read({"HOME": str(tmp_path)}, "", "") is None


def test_without_any_it_is_said_what_to_do(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "KUBECONFIG": "", "KUBERNETES_SERVICE_HOST": ""}

    code, out, err = run_gate("status", env=env)

    assert (code, out) == (2, "")
    assert "--kubeconfig: no kubeconfig, and not in a cluster; write --kubeconfig PATH" in err


def test_a_plugin_is_asked(tmp_path: Path) -> None:
    user = plugin(
        tmp_path,
        'test "$A" = b -a "$1" = x || exit 3\n'
        'printf "%s" "$KUBERNETES_EXEC_INFO" >"$(dirname "$0")/info"\n' + says(token="fresh"),
        env=[{"name": "A", "value": "b"}],
        args=["x"],
        provideClusterInfo=True,
    )

    found = login(tmp_path, user, {**SERVER, "insecure-skip-tls-verify": True})

    info = json.loads((tmp_path / "info").read_text())
    assert (found.token, info["apiVersion"]) == ("fresh", V1)
    assert info["spec"]["interactive"] is False
    assert info["spec"]["cluster"] == {**SERVER, "insecure-skip-tls-verify": True}


def test_a_plugin_may_give_a_certificate(authority: trustme.CA, tmp_path: Path) -> None:
    mine = authority.issue_cert("admin@example.com")
    pems = {
        "clientCertificateData": mine.cert_chain_pems[0].bytes().decode(),
        "clientKeyData": mine.private_key_pem.bytes().decode(),
    }

    found = login(tmp_path, plugin(tmp_path, "cat <<'X'\n" + json.dumps({"status": pems}) + "\nX"))

    assert found.tls is not None
    assert found.token == ""


def test_a_token_that_is_written_stands_over_the_plugin(tmp_path: Path) -> None:
    assert login(tmp_path, {**plugin(tmp_path, "exit 1"), "token": "t"}).token == "t"


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("exit 7", "the command has failed (exit code 7)"),
        ("echo '{\"status\": {}}'", "the command has written no ExecCredential with a token"),
        ("echo secret", "the command has written no ExecCredential with a token"),
    ],
)
def test_a_plugin_that_fails_is_told(tmp_path: Path, script: str, text: str) -> None:
    with pytest.raises(ClusterError) as failed:
        login(tmp_path, plugin(tmp_path, script))

    assert str(failed.value).startswith(f"user admin, exec: {text}")


def test_a_plugin_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.status.exec_plugin._PATIENCE", 0.05)

    with pytest.raises(ClusterError, match="has not ended within 50ms"):
        login(tmp_path, plugin(tmp_path, "exec sleep 60"))


PLUGINS = {
    "exec: apiVersion is not one of client.authentication.k8s.io/v1, client": {"apiVersion": "v9"},
    "exec: interactiveMode is Always, and there is no terminal": {"interactiveMode": "Always"},
    "exec: command is missing": {"command": ""},
    "exec: command cannot be run: no such file or directory; get it": {
        "command": "gate-no-such",
        "installHint": "get\nit",
    },
    "exec: args is not a list": {"args": "x"},
}


@pytest.mark.parametrize("text", PLUGINS)
def test_a_plugin_that_cannot_be_run_is_a_mistake_in_the_file(tmp_path: Path, text: str) -> None:
    told = why_not(tmp_path, plugin(tmp_path, "exit 0", **PLUGINS[text]))

    assert f"user admin, {text}" in told


NO_LOGIN: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"auth-provider": {"name": "gcp"}}, SERVER, "user admin: auth-provider went with Kubernetes"),
    ({"username": "u", "password": "secret"}, SERVER, "user admin: username is refused since"),
    ({"as": "root"}, SERVER, "user admin: as is not known to gate"),
    ({"token": 5}, SERVER, "user admin: token is not a text; write it in quotes"),
    ({"tokenFile": "none"}, SERVER, "user admin: tokenFile: cannot read none: no such file"),
    ({"exec": "x"}, SERVER, "user admin: exec is not a mapping"),
    ({"client-certificate": "no"}, SERVER, "client-certificate: cannot read no: no such file"),
    ({"client-certificate-data": "?"}, SERVER, "client-certificate-data is not base64"),
    (
        {"client-certificate-data": "c2VjcmV0", "client-key-data": "c2VjcmV0"},
        SERVER,
        "client-certificate: client-certificate holds no usable certificate or key",
    ),
    ({}, {"server": "ftp://x"}, "cluster prod: server wants https://host:port"),
    ({}, {"server": "https://x", "proxy-url": "http://p"}, "cluster prod: proxy-url is not known"),
    ({}, {"server": "https://x", "insecure-skip-tls-verify": "x"}, "is not true or false"),
]


@pytest.mark.parametrize(("user", "cluster", "text"), NO_LOGIN, ids=[each[2] for each in NO_LOGIN])
def test_what_cannot_be_a_login_is_told(
    tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any], text: str
) -> None:
    told = why_not(tmp_path, user, cluster)

    assert told.startswith("config")
    assert text in told
    assert "secret" not in told


CONFIGS = {
    "{}": ":1: kubeconfig: current-context is not set; write --context NAME",
    "a: [": ":1: not YAML: did not find expected node content",
    "[]": ": is no kubeconfig",
    "": ": is no kubeconfig",
    "{current-context: a}": ":1: kubeconfig: contexts has no a; there are none",
    "{current-context: ab, contexts: [{name: abc}, 5]}": "contexts has no ab; did you mean abc?",
    "{current-context: a, contexts: [{name: b}]}": "contexts has no a; there are b",
    "{current-context: a, contexts: [{name: a}]}": "clusters has no name; there are none",
    "{current-context: a, contexts: 5}": "contexts is not a list",
}


@pytest.mark.parametrize("text", CONFIGS)
def test_a_kubeconfig_that_is_none_is_told_with_its_place(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)

    with pytest.raises(ConfigError) as wrong:
        kubeconfig.read({}, str(path), "")

    assert str(wrong.value.problems[0]).removeprefix(str(path)).endswith(CONFIGS[text])


def test_a_kubeconfig_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"\xff")
    told = []
    for name in ("none", "latin"):
        with pytest.raises(ConfigError) as wrong:
            kubeconfig.read({}, str(tmp_path / name), "")
        told.append(str(wrong.value.problems[0]).removeprefix(f"{tmp_path}/"))

    assert told == ["none: no such file or directory", "latin: is not a text in UTF-8"]
