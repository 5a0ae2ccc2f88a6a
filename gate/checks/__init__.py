"""The checks: one module for each scheme, found by name, imported only when configured.

A check is called without arguments and awaited. It makes one attempt: it returns when the
dependency is ready, and raises `CheckFailed` (or `Absent`) with the reason when it is not. It never
retries, times out, logs or counts; the runner does. Its module has def parse(target: Target) ->
Check which reads the URL and the options from *target*, and notes there what is wrong. A driver is
imported at the top of a module of its own, which `parse` imports by name. If the driver is not
installed, that becomes a problem that says what to install. Other packages add schemes by the
entry-point group `gate.checks`: scheme = `module:parse`. They import `CheckFailed`, `Absent` and
`Target` from here. The first line of its docstring says what ready means, for `gate checks`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from gate import DISTRIBUTION
from gate.core.errors import Absent, CheckFailed
from gate.core.suggest import closest
from gate.core.target import Target

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "EXTRAS",
    "GROUP",
    "SCHEMES",
    "Absent",
    "Check",
    "CheckFailed",
    "Parse",
    "Target",
    "load",
]

Check = Callable[[], Awaitable[None]]
Parse = Callable[[Target], "Check | None"]

SCHEMES: dict[str, str] = {
    "amqp": "gate.checks.amqp.check",
    "amqps": "gate.checks.amqp.check",
    "aws-irsa": "gate.checks.identity.aws",
    "aws-pod-identity": "gate.checks.identity.eks",
    "azure-workload-identity": "gate.checks.identity.azure",
    "cassandra": "gate.checks.cassandra.check",
    "clickhouse": "gate.checks.presets",
    "consul": "gate.checks.presets",
    "dns": "gate.checks.dns.check",
    "elasticsearch": "gate.checks.presets",
    "etcd": "gate.checks.presets",
    "exec": "gate.checks.exec.check",
    "file": "gate.checks.file",
    "gcp-metadata": "gate.checks.presets",
    "grpc": "gate.checks.grpc.check",
    "grpc+unix": "gate.checks.grpc.check",
    "grpcs": "gate.checks.grpc.check",
    "http": "gate.checks.http.check",
    "http+unix": "gate.checks.http.check",
    "https": "gate.checks.http.check",
    "influxdb": "gate.checks.presets",
    "k8s": "gate.checks.k8s.check",
    "kafka": "gate.checks.kafka.check",
    "ldap": "gate.checks.ldap.check",
    "ldaps": "gate.checks.ldap.check",
    "mariadb": "gate.checks.mysql.check",
    "memcached": "gate.checks.memcached",
    "microprofile": "gate.checks.presets",
    "minio": "gate.checks.presets",
    "mongodb": "gate.checks.mongodb.check",
    "mongodb+srv": "gate.checks.mongodb.check",
    "mqtt": "gate.checks.mqtt",
    "mqtts": "gate.checks.mqtt",
    "mssql": "gate.checks.mssql.check",
    "mysql": "gate.checks.mysql.check",
    "nats": "gate.checks.nats",
    "nvidia": "gate.checks.nvidia",
    "openai": "gate.checks.presets",
    "opensearch": "gate.checks.presets",
    "oracle": "gate.checks.oracle",
    "postgres": "gate.checks.postgresql.check",
    "postgresql": "gate.checks.postgresql.check",
    "pulsar": "gate.checks.presets",
    "pyamqp": "gate.checks.amqp.check",
    "quarkus": "gate.checks.presets",
    "redis": "gate.checks.redis.check",
    "rediss": "gate.checks.redis.check",
    "s3": "gate.checks.s3.check",
    "scylla": "gate.checks.cassandra.check",
    "sidecar": "gate.checks.sidecar",
    "smtp": "gate.checks.smtp",
    "smtps": "gate.checks.smtp",
    "spiffe": "gate.checks.spiffe",
    "spring": "gate.checks.presets",
    "sqlserver": "gate.checks.mssql.check",
    "ssh": "gate.checks.ssh",
    "tcp": "gate.checks.tcp",
    "temporal": "gate.checks.temporal",
    "tls": "gate.checks.tls",
    "unix": "gate.checks.unix",
    "valkey": "gate.checks.redis.check",
    "valkeys": "gate.checks.redis.check",
    "vault": "gate.checks.presets",
    "vllm": "gate.checks.presets",
    "ws": "gate.checks.presets",
    "wss": "gate.checks.presets",
    "zookeeper": "gate.checks.zookeeper",
}
"""Scheme to module; strings, so that only what is configured is imported."""

_WITH_FORMS = frozenset(
    {
        *("amqp", "kafka", "memcached", "mqtt", "nats", "redis", "smtp", "valkey"),
        *("mariadb", "mssql", "mysql", "oracle", "postgres", "postgresql", "sqlserver"),
    }
)
"""Schemes whose checks read what follows a `+`: the app's driver, or a way to connect."""

EXTRAS: dict[str, str] = {
    "asyncpg": "postgresql",
    "dns": "dns",
    "h2": "http2",
    "pymongo": "mongodb",
}
"""Optional top-level package to the extra that installs it."""

GROUP = "gate.checks"


def load(target: Target) -> Check | None:
    """Return the check for *target*, or None with the problems noted in *target*."""
    try:
        parse = _find(target)
        check = parse(target) if parse is not None else None
    except ModuleNotFoundError as exc:
        _missing(target, exc)
        return None
    if check is not None:
        target.unknown_options()
    return None if target.problems else check


def _find(target: Target) -> Parse | None:
    scheme = target.url.scheme
    base = scheme.partition("+")[0]
    module = SCHEMES.get(scheme) or (SCHEMES[base] if base in _WITH_FORMS else None)
    if module is None:
        return _entry_point(target, scheme)
    parse: Parse = import_module(module).parse
    return parse


def _entry_point(target: Target, scheme: str) -> Parse | None:
    """Look in other packages; only for unknown schemes, as reading package metadata costs 25 ms."""
    from importlib.metadata import entry_points  # noqa: PLC0415 -- costs 25 ms, see above

    for entry in entry_points(group=GROUP, name=scheme):
        return partial(_parse_elsewhere, entry)
    target.problem(_unknown(scheme))
    return None


def _unknown(scheme: str) -> str:
    """Return what to do about *scheme*.

    It is shown only where it is known or close to one that is: it may be a piece of a password
    with a `;` in it.
    """
    from gate.core import other_schemes  # noqa: PLC0415 -- only where something is wrong

    text = other_schemes.instead(scheme)
    if text and scheme.partition("+")[0] not in SCHEMES:
        return f"{scheme}: {text}"
    if near := closest(scheme, SCHEMES):
        return f"{scheme}: unknown scheme; did you mean {near}?"
    return "unknown scheme; `gate checks` lists those there are"


def _parse_elsewhere(entry: EntryPoint, target: Target) -> Check | None:
    """Let another package make the check; whatever it raises becomes a problem."""
    try:
        parse: Parse = entry.load()
        return parse(target)
    except (Exception, SystemExit) as exc:  # noqa: BLE001 -- whatever that package does
        why = f"{type(exc).__name__}: {exc}"
        target.problem(f"{entry.name}: its package {entry.value} cannot be used: {why}")
        return None


def _missing(target: Target, exc: ModuleNotFoundError) -> None:
    """Note a problem for a driver that is not installed; any other missing module is a fault."""
    package = (exc.name or "").partition(".")[0]
    extra = EXTRAS.get(package)
    if extra is None:
        raise exc
    install = f"pip install '{DISTRIBUTION}[{extra}]'"
    target.problem(f"{target.url.scheme}: needs the package {package}; {install}")
