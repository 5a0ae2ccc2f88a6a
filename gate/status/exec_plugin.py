"""Credentials from a command, as kubeconfigs of clouds have it (`user.exec`).

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gate.checks.k8s.api import parsed
from gate.core import durations
from gate.core.errors import ClusterError
from gate.core.one_line import one_line
from gate.pods.nodes import Map

if TYPE_CHECKING:
    from gate.status.kubeconfig import Section

_PATIENCE = 120.0
"""Seconds: a login in a browser takes its time."""
_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_CLUSTER = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data")
_LONGEST_HINT = 300


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a plugin has said; a certificate and its key are in PEM."""

    token: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)


async def credentials(plugin: Section, cluster: Section) -> Credentials:
    """Return what the command of *plugin* says; raises `ConfigError`, `ClusterError`.

    Its stderr is that of gate: it may ask a person something.
    """
    if plugin.text("apiVersion") not in _VERSIONS:
        plugin.refuse("apiVersion", f"is not one of {', '.join(_VERSIONS)}")
    mode = plugin.text("interactiveMode")
    may_ask = mode != "Never" and sys.stdin is not None and sys.stdin.isatty()
    if mode == "Always" and not may_ask:
        plugin.refuse("interactiveMode", "is Always, and there is no terminal; run it on one")
    said = await _output(plugin, _environment(plugin, cluster, may_ask=may_ask), may_ask=may_ask)
    found = _read(parsed(said))
    if found is None:
        msg = (
            f"{plugin.what}: the command has written no ExecCredential with a token or certificate"
        )
        raise ClusterError(msg)
    return found


async def _output(plugin: Section, env: dict[str, str], *, may_ask: bool) -> bytes:
    command = _command(plugin)
    words = [each for each in plugin.items("args") if isinstance(each, str)]
    try:
        process = await asyncio.create_subprocess_exec(
            command,
            *words,
            env=env,
            stdin=None if may_ask else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
    except (OSError, ValueError) as exc:
        hint = one_line(plugin.text("installHint"), _LONGEST_HINT)
        why = (getattr(exc, "strerror", None) or str(exc)).lower()
        plugin.refuse("command", f"cannot be run: {why}{hint and '; '}{hint}")
    try:
        async with asyncio.timeout(_PATIENCE):
            said, _ = await process.communicate()
    except TimeoutError as exc:
        process.kill()
        await process.wait()
        msg = f"{plugin.what}: the command has not ended within {durations.show(_PATIENCE)}"
        raise ClusterError(msg) from exc
    if process.returncode:
        msg = f"{plugin.what}: the command has failed (exit code {process.returncode})"
        raise ClusterError(msg)
    return said


def _command(plugin: Section) -> str:
    """Return the command: one with a slash is relative to the file, another one is in PATH."""
    command = plugin.text("command")
    if not command:
        plugin.refuse("command", "is missing")
    return plugin.path("command") if "/" in command and not Path(command).is_absolute() else command


def _environment(plugin: Section, cluster: Section, *, may_ask: bool) -> dict[str, str]:
    spec: dict[str, Any] = {"interactive": may_ask}
    if plugin.flag("provideClusterInfo"):
        spec["cluster"] = {key: cluster.raw[key] for key in _CLUSTER if cluster.raw.get(key)}
    info = {"apiVersion": plugin.text("apiVersion"), "kind": "ExecCredential", "spec": spec}
    own = {
        str(each.get("name")): str(each.get("value"))
        for each in plugin.items("env")
        if isinstance(each, Map)
    }
    return {**os.environ, **own, "KUBERNETES_EXEC_INFO": json.dumps(info)}


def _read(said: object) -> Credentials | None:
    status = said.get("status") if isinstance(said, dict) else None
    if not isinstance(status, dict):
        return None
    keys = ("token", "clientCertificateData", "clientKeyData")
    found = Credentials(*(str(status.get(key) or "") for key in keys))
    return found if found.token or (found.certificate and found.key) else None
