"""Well-known servers that say over HTTP whether they are ready: the right path and its meaning.

`elasticsearch://host[:port]` asks the server's own health endpoint. A path in the URL replaces that
of the table, `tls` asks over TLS, and every option of `http` is accepted. Sources are the servers'
own documents of their health endpoints.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from gate.checks import SCHEMES
from gate.core.url import Host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gate.checks import Check
    from gate.core.target import Target

_GREEN = "status=='green' || status"
_YELLOW = f"status=='yellow' || {_GREEN}"
_UP = "status=='UP' || status"
_KEY = base64.b64encode(b"gate asks if up.").decode()
"""Of a WebSocket handshake; any 16 bytes will do, as nothing is sent after it."""
_ACCEPT = base64.b64encode(
    hashlib.sha1(  # noqa: S324 -- RFC 6455, 1.3
        f"{_KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()
    ).digest()
).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Where a server is asked, and which answer means that it is ready."""

    ready: str
    """What ready means, for people."""
    host: str = ""
    """Of a URL without one."""
    port: int
    path: str
    query: str = ""
    is_tls: bool = False
    options: tuple[tuple[str, str], ...] = ()
    """Options of `http` where none are given."""
    label: str = ""
    """What the expression in `json` finds, in words."""
    words: Mapping[int, str] = field(default_factory=dict)
    """What a status means to this server."""
    header: tuple[tuple[str, str], ...] = ()
    answer_header: tuple[str, str] | None = None
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """An option of its own to the fields that it changes."""


_SEARCH = Preset(
    ready="cluster health is at least yellow; with `green`, green",
    port=9200,
    path="/_cluster/health",
    options=(("json", _YELLOW),),
    label="cluster health",
    variants={"green": {"options": (("json", _GREEN),)}},
)
_VAULT = Preset(
    ready="initialised and unsealed, standby or not; with `active`, the active node",
    port=8200,
    path="/v1/sys/health",
    query="standbyok=true&perfstandbyok=true",
    words={
        429: "standby",
        472: "replication secondary for disaster recovery",
        473: "performance standby",
        501: "not initialised",
        503: "sealed",
    },
    variants={"active": {"query": ""}},
)
_MODELS = Preset(
    ready="a model is loaded; with `model=NAME`, that one",
    port=8000,
    path="/v1/models",
    options=(("json", "length(data) > `0`"),),
    label="a model is loaded",
)
_WEBSOCKET = Preset(
    ready="the WebSocket handshake succeeds",
    port=80,
    path="/",
    options=(("status", "101"),),
    header=(
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", _KEY),
    ),
    answer_header=("sec-websocket-accept", _ACCEPT),
)

PRESETS: dict[str, Preset] = {
    "clickhouse": Preset(
        ready="answers; with `replicas`, no replica lags behind",
        port=8123,
        path="/ping",
        variants={"replicas": {"path": "/replicas_status"}},
    ),
    "consul": Preset(
        ready="the cluster has a leader",
        port=8500,
        path="/v1/status/leader",
        options=(("json", "length(@) > `0`"),),
        label="a leader is known",
    ),
    "elasticsearch": _SEARCH,
    "etcd": Preset(
        ready="the member is healthy and has a leader",
        port=2379,
        path="/health",
        options=(("json", "health=='true' || health"),),
        label="health",
    ),
    "gcp-metadata": Preset(
        ready="the metadata server gives the pod a token now",
        host="metadata.google.internal",
        port=80,
        path="/computeMetadata/v1/instance/service-accounts/default/token",
        options=(("json", "type(access_token)=='string' && length(access_token) > `0`"),),
        label="a token is given",
        header=(("metadata-flavor", "Google"),),
    ),
    "influxdb": Preset(
        ready="health is pass",
        port=8086,
        path="/health",
        options=(("json", "status=='pass' || status"),),
        label="health",
    ),
    "microprofile": Preset(
        ready="the application's readiness checks are UP",
        port=9080,
        path="/health/ready",
        options=(("json", _UP),),
        label="health",
    ),
    "minio": Preset(
        ready="the node is ready; with `cluster`, the cluster has write quorum",
        port=9000,
        path="/minio/health/ready",
        variants={"cluster": {"path": "/minio/health/cluster"}},
    ),
    "openai": _MODELS,
    "opensearch": _SEARCH,
    "pulsar": Preset(
        ready="the broker's own health check, which sends and reads a message, is ok",
        port=8080,
        path="/admin/v2/brokers/health",
        options=(("body-regex", "^ok"),),
    ),
    "quarkus": Preset(
        ready="the application's readiness checks are UP",
        port=8080,
        path="/q/health/ready",
        options=(("json", _UP),),
        label="health",
    ),
    "spring": Preset(
        ready="the readiness group of Spring Boot's actuator is UP",
        port=8080,
        path="/actuator/health/readiness",
        options=(("json", _UP),),
        label="health",
    ),
    "vault": _VAULT,
    "vllm": _MODELS,
    "ws": _WEBSOCKET,
    "wss": replace(_WEBSOCKET, port=443, is_tls=True),
}
"""Scheme to preset."""

READY = {scheme: preset.ready for scheme, preset in PRESETS.items()}
"""Scheme to what ready means, for `gate checks`."""


def parse(target: Target) -> Check:
    """Return the check that *target* describes."""
    preset = _varied(PRESETS[target.url.scheme], target)
    url, scheme = target.url, "https" if preset.is_tls else "http"
    hosts = url.hosts or ((Host(preset.host),) if preset.host else ())
    there = replace(
        url,
        scheme=scheme,
        is_opaque=False,
        hosts=tuple(Host(host.name, host.port or preset.port) for host in hosts),
        path=url.path if url.path.strip("/") and not url.is_opaque else preset.path,
        raw_query=url.raw_query or preset.query,
    )
    if not hosts:
        target.problem(f"the URL wants a host; write {url.scheme}://host:{preset.port}")
        there = replace(there, hosts=(Host("localhost", preset.port),))
    # By name, as checks do not import each other.
    check: Any = import_module(SCHEMES[scheme]).parse(target.toward(there, preset.options))
    expected = replace(
        check.expected,
        label="" if target.text("json") else preset.label,
        words=dict(preset.words),
        header=preset.answer_header,
    )
    ask = replace(check.ask, header=(*check.ask.header, *preset.header))
    made: Check = replace(check, ask=ask, expected=expected)
    return made


def _varied(preset: Preset, target: Target) -> Preset:
    """Return *preset* as the options of *target* change it."""
    for option, changes in preset.variants.items():
        if target.flag(option):
            preset = replace(preset, **changes)
    if preset is _MODELS and (model := target.text("model")):
        name = model.replace("\\", "\\\\").replace("'", "\\'")
        preset = replace(
            preset,
            options=(("json", f"contains(data[].id, '{name}')"),),
            label=f"model {model} is loaded",
        )
    return replace(preset, is_tls=True) if target.flag("tls") else preset
