"""`kubectl gate`: the manifest for krew, and the archive that it names, run without any package."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from gate import __version__
from gate.status.cluster import EVENTS, PODS, PROXY, SERVICES
from tests.checks.servers.kubernetes import Kubernetes
from tests.conftest import run
from tests.process import PATIENCE
from tests.stand_ins import EXAMPLES
from tests.status.world import TOKEN, pod, sidecar, write_kubeconfig

BUILD = Path(__file__).parents[2] / ".ci" / "plugin"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plugin")
    subprocess.run([sys.executable, str(BUILD), str(folder)], check=True, capture_output=True)
    (found,) = folder.iterdir()
    return found


def test_the_manifest_names_what_is_in_the_archive(archive: Path) -> None:
    manifest = yaml.safe_load((EXAMPLES / "krew" / "gate.yaml").read_text())
    spec = manifest["spec"]
    (platform,) = spec["platforms"]
    with tarfile.open(archive) as opened:
        modes = {each.name: each.mode for each in opened.getmembers()}

    assert manifest["apiVersion"] == "krew.googlecontainertools.github.com/v1alpha2"
    assert (manifest["kind"], manifest["metadata"]["name"]) == ("Plugin", "gate")
    assert spec["version"] == f"v{__version__}"
    assert platform["uri"].endswith(f"/v{__version__}/{archive.name}")
    assert {each["from"] for each in platform["files"]} == set(modes)
    assert modes[platform["bin"]] & 0o111
    assert len(platform["sha256"]) == 64
    assert len(spec["shortDescription"]) <= 60


def test_the_program_asks_a_cluster_with_nothing_installed(
    archive: Path, server_tls: ssl.SSLContext, ca_file: Path, tmp_path: Path
) -> None:
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    alone = [sys.executable, "-I", "-S", str(tmp_path / "kubectl-gate")]

    async def whole() -> tuple[int | None, str, str]:
        async with Kubernetes(server_tls) as server:
            server.tokens = {TOKEN}
            server.put("pods", "shop-1", **pod(sidecar("db tcp://db:5432")))
            cluster = {"server": server.url, "certificate-authority": str(ca_file)}
            path = write_kubeconfig(tmp_path / "config", cluster, {"token": TOKEN})
            process = await asyncio.create_subprocess_exec(
                *alone,
                *("status", "--kubeconfig", str(path)),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            async with asyncio.timeout(PATIENCE):
                out, err = await process.communicate()
            return process.returncode, out.decode(), err.decode()

    code, out, err = run(whole())
    served = subprocess.run([*alone, "serve"], check=False, capture_output=True, text=True)

    assert (code, err) == (1, "")
    assert "prod  deployment/shop\n  shop-1  held for" in out
    assert served.returncode == 2
    assert served.stderr == "gate: the plug-in for kubectl has no serve; gate's image has\n"


def test_the_rights_are_those_that_it_uses() -> None:
    role, binding = yaml.safe_load_all((EXAMPLES / "krew" / "rbac-status.yaml").read_text())
    granted = {
        (verb, resource)
        for rule in role["rules"]
        for verb in rule["verbs"]
        for resource in rule["resources"]
    }

    listed = {("list", each.plural) for each in (PODS, SERVICES, EVENTS)}
    assert granted == {*listed, ("get", PROXY.plural)}
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
