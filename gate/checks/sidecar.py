"""sidecar:NAME -- a well-known sidecar of the pod is truly ready.

The table has the port and path where each sidecar says so. `port` and `path` change them, and every
option of the underlying check (`http` or `file`) is accepted. Vault Agent does not say that it has
rendered its templates, so its files are checked as by `file://`: `file=NAME`, repeatable, below
/vault/secrets or an absolute path.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import quote

from gate.checks import SCHEMES
from gate.core import url as urls
from gate.core.errors import CheckFailed
from gate.core.suggest import closest

if TYPE_CHECKING:
    from gate.checks import Check
    from gate.core.target import Target

_HTTP = {
    # With --health-check. Not /readiness: that may dial the databases, for every pod at once.
    "cloud-sql-proxy": (9090, "/startup"),
    # Not /v1.0/healthz: it waits for the app, which waits for gate.
    "dapr": (3500, "/v1.0/healthz/outbound"),
    "envoy": (9901, "/ready"),
    # Not port 15000, which is open before Envoy can be used.
    "istio": (15021, "/healthz/ready"),
    "linkerd": (4191, "/ready"),
    "otel-collector": (13133, "/"),
}
"""Port and path that answer 2xx when the sidecar can be used, and 4xx or 5xx before."""

_VAULT = "vault-agent"
_VAULT_FOLDER = "/vault/secrets"
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Rendered:
    """Looks at each of the files that a sidecar writes."""

    files: tuple[tuple[str, Check], ...]

    async def __call__(self) -> None:
        """Raise `CheckFailed` naming the first file that is not there and whole."""
        for path, check in self.files:
            try:
                await check()
            except CheckFailed as exc:
                msg = f"{path}: {exc}"
                raise type(exc)(msg) from exc


def parse(target: Target) -> Check:
    """Return the check that *target* describes."""
    name = target.url.path if target.url.is_opaque else target.url.host
    if name == _VAULT:
        return _vault(target)
    if name not in _HTTP:
        known = sorted((*_HTTP, _VAULT))
        near = closest(name, known)
        hint = f"did you mean {near}?" if near else f"gate knows {', '.join(known)}"
        target.problem(f"unknown sidecar; {hint}")
    port, path = _HTTP.get(name, _HTTP["envoy"])
    port = target.number("port", port, least=1)
    path = target.text("path", path)
    if port > _HIGHEST_PORT or not path.startswith("/"):
        target.problem("port and path: want a port up to 65535 and a path that begins with /")
        port, path = 1, "/"
    check = _as("http", f"http://localhost:{port}{path}", target)
    target.wants_only("sidecar:NAME", is_path_read=target.url.is_opaque)
    return check


def _vault(target: Target) -> Rendered:
    names = target.many("file")
    if not names:
        target.problem(
            f"{_VAULT} tells nowhere that it is ready; name the files it renders: "
            f"file=NAME, below {_VAULT_FOLDER}"
        )
    paths = [name if name.startswith("/") else f"{_VAULT_FOLDER}/{name}" for name in names]
    files = tuple((path, _as("file", f"file://{quote(path)}", target)) for path in paths)
    target.wants_only(f"sidecar:{_VAULT}", is_path_read=target.url.is_opaque)
    return Rendered(files)


def _as(scheme: str, url: str, target: Target) -> Check:
    """Return the check of *scheme* for *url* with the options of *target*.

    It is loaded by name, as checks do not import each other.
    """
    check: Check = import_module(SCHEMES[scheme]).parse(target.toward(urls.parse(url)))
    return check
