"""Where the API server is and who asks: the pod's service account, unless options say otherwise."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gate.checks.wire import secret_file, tls_options
from gate.core import url as urls
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    import ssl

    from gate.checks.wire.tls_options import Tls
    from gate.core.target import Target
    from gate.core.url import Url

FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a connection is made with, as things are now."""

    host: str
    port: int
    prefix: str = ""
    tls: ssl.SSLContext | None = None
    server_name: str = ""
    token: str = field(default="", repr=False)
    namespace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The options. What they leave open is looked up at each attempt, because it rotates."""

    server: Url | None = None
    """None: the API server of the cluster this runs in."""
    token_file: str = ""
    namespace: str = ""
    tls: Tls
    folder: str = FOLDER
    """Where the kubelet puts the service account's token, certificate and namespace."""

    async def login(self) -> Login:
        """Return how to connect now; raises `CheckFailed` saying what to set."""
        return await (self._in_cluster() if self.server is None else self._at(self.server))

    async def _in_cluster(self) -> Login:
        host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
        port = os.environ.get("KUBERNETES_SERVICE_PORT", "")
        if not host or not port.isdigit():
            msg = "not in a cluster: KUBERNETES_SERVICE_HOST is not set; give server=https://…"
            raise CheckFailed(msg)
        tls = self.tls if self.tls.ca else replace(self.tls, ca=f"{self.folder}/ca.crt")
        token = self.token_file or f"{self.folder}/token"
        return Login(
            host=host,
            port=int(port),
            token=await self._mounted(token, "token-file"),
            tls=await tls.context(("http/1.1",)),
            server_name=tls.name_for(host),
            namespace=self.namespace
            or await self._mounted(f"{self.folder}/namespace", "namespace", is_secret=False),
        )

    async def _at(self, server: Url) -> Login:
        is_tls = server.scheme == "https"
        return Login(
            host=server.host,
            port=server.port or _PORTS[server.scheme],
            prefix=server.path.rstrip("/"),
            token=await secret_file.read(self.token_file, "token-file") if self.token_file else "",
            tls=await self.tls.context(("http/1.1",)) if is_tls else None,
            server_name=self.tls.name_for(server.host),
            namespace=self.namespace or "default",
        )

    async def _mounted(self, path: str, option: str, *, is_secret: bool = True) -> str:
        try:
            return await secret_file.read(path, option, is_secret=is_secret)
        except CheckFailed as exc:
            if not path.startswith(self.folder):
                raise
            msg = f"{exc}; set automountServiceAccountToken: true, or give {option}=…"
            raise CheckFailed(msg) from exc


def parse(target: Target) -> Account:
    """Return what the options of *target* say."""
    return Account(
        server=target.read("server", server_of, None),
        token_file=secret_file.path_option(target, "token-file"),
        namespace=target.read("namespace", name_of, ""),
        tls=tls_options.parse(target),
    )


def name_of(text: str) -> str:
    """Return *text* if it can be the name of an object; raises `ValueError`."""
    if not text or not all(char.isascii() and (char.isalnum() or char in "-.:") for char in text):
        msg = f"{text[:40]!r} is not the name of an object"
        raise ValueError(msg)
    return text


def server_of(text: str) -> Url:
    """Return *text* if it can be where an API server is; raises `ValueError`."""
    url = urls.parse(text)
    if url.scheme not in _PORTS or len(url.hosts) != 1 or url.username or url.raw_query:
        msg = "wants https://host:port"
        raise ValueError(msg)
    return url
