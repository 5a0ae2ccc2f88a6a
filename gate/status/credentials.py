"""From a context of a kubeconfig, or the pod's service account, to how to connect now."""

from __future__ import annotations

import base64
import binascii
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gate.checks.k8s.service_account import Account, Login, server_of
from gate.checks.wire import secret_file
from gate.checks.wire.tls_options import Tls
from gate.core import attempt
from gate.core.errors import CheckFailed, ClusterError, ConfigError, Problem
from gate.status import exec_plugin

if TYPE_CHECKING:
    import ssl

    from gate.core.url import Url
    from gate.status.exec_plugin import Credentials
    from gate.status.kubeconfig import Context, Section

_UNKNOWN = {
    "auth-provider": "went with Kubernetes 1.26; use the exec plugin of your provider",
    "username": "is refused since Kubernetes 1.19; use a token or a certificate",
    "as": "is not known to gate; write a context without impersonation",
}
_NO_CLUSTER = (
    "no kubeconfig, and not in a cluster; write --kubeconfig PATH, set KUBECONFIG, or put one "
    "at ~/.kube/config"
)


@dataclass(frozen=True, slots=True)
class _Material:
    """Certificates of a context: a path each, or the content for a file in *folder*."""

    folder: Path = field(repr=False)

    def path(self, section: Section, key: str) -> str:
        """Return the path of *key*, whose content may stand in `KEY-data` instead."""
        name = f"{key}-data"
        encoded = section.text(name)
        if not encoded:
            return section.path(key)
        try:
            return self.put(key, base64.b64decode(encoded, validate=True))
        except binascii.Error:
            section.refuse(name, "is not base64")

    def put(self, name: str, content: bytes) -> str:
        """Return the path of a new file *name* with *content*."""
        path = self.folder / name
        path.write_bytes(content)
        return str(path)


async def in_cluster(*, is_in_cluster: bool) -> Login:
    """Return how to connect as the pod this runs in."""
    if not is_in_cluster:
        raise ConfigError([Problem("--kubeconfig", _NO_CLUSTER)])
    try:
        return await Account(tls=Tls()).login()
    except CheckFailed as exc:
        raise ClusterError(str(exc)) from exc


async def login(context: Context) -> Login:
    """Return how to connect as *context* says; raises `ConfigError` and `ClusterError`.

    An exec plugin is run for it; what it returns is kept by nobody.
    """
    cluster, user = context.cluster, context.user
    _refuse_unknown(cluster, user)
    server = _server(cluster)
    given = (
        await exec_plugin.credentials(user.inner("exec"), cluster) if _has_plugin(user) else None
    )
    token = await _token(user, given)
    attempt.keep_secret(token)
    tls = await _tls(context, server, given) if server.scheme == "https" else None
    return Login(
        host=server.host,
        port=server.port or (443 if server.scheme == "https" else 80),
        prefix=server.path.rstrip("/"),
        tls=tls,
        server_name=Tls(server_name=cluster.text("tls-server-name")).name_for(server.host),
        token=token,
        namespace=context.namespace or "default",
    )


def _has_plugin(user: Section) -> bool:
    """Whether a plugin is asked: as for kubectl, a token or certificate that is written wins."""
    written = ("token", "tokenFile", "client-certificate", "client-certificate-data")
    return user.raw.get("exec") is not None and not any(map(user.text, written))


def _refuse_unknown(cluster: Section, user: Section) -> None:
    for key, why in _UNKNOWN.items():
        if user.raw.get(key):
            user.refuse(key, why)
    if cluster.text("proxy-url"):
        cluster.refuse("proxy-url", "is not known to gate; run gate where no proxy is needed")


def _server(cluster: Section) -> Url:
    try:
        return server_of(cluster.text("server"))
    except ValueError:
        cluster.refuse("server", "wants https://host:port")


async def _token(user: Section, given: Credentials | None) -> str:
    if given is not None:
        return given.token
    if not (path := user.path("tokenFile")):
        return user.text("token")
    try:
        return await secret_file.read(path, "tokenFile")
    except CheckFailed as exc:
        raise ConfigError([Problem(str(user.file), f"{user.what}: {exc}")]) from exc


async def _tls(context: Context, server: Url, given: Credentials | None) -> ssl.SSLContext:
    """Return the TLS of *context*. OpenSSL reads certificates from files alone."""
    cluster, user = context.cluster, context.user
    with tempfile.TemporaryDirectory(prefix="gate-") as folder:
        material = _Material(Path(folder))
        if given is not None and given.certificate:
            cert = material.put("clientCertificateData", given.certificate.encode())
            key = material.put("clientKeyData", given.key.encode())
        else:
            cert = material.path(user, "client-certificate")
            key = material.path(user, "client-key")
        tls = Tls(
            ca=material.path(cluster, "certificate-authority"),
            cert=cert,
            key=key,
            server_name=cluster.text("tls-server-name") or server.host,
            insecure=cluster.flag("insecure-skip-tls-verify"),
            names=("certificate-authority", "client-certificate", "client-key"),
        )
        try:
            return await tls.context(("http/1.1",))
        except CheckFailed as exc:
            text = str(exc).replace(f"{folder}/", "")
            raise ConfigError(
                [Problem(str(cluster.file), f"context {context.name}: {text}")]
            ) from exc
