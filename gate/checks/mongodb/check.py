"""mongodb://host:port, mongodb+srv://name -- `hello` is answered; with credentials: login works.

`hello` is sent by hand, and pymongo is used only once the server says that it is ready. So the
reasons are the same with and without credentials, and waiting needs no driver.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

from gate.checks.mongodb.member_state import COMMAND_NOT_FOUND, Wanted, judge
from gate.checks.mongodb.protocol import command
from gate.checks.mongodb.seeds import FindSeeds, Seeds
from gate.checks.wire import credentials, tls_options
from gate.checks.wire.several_hosts import first_ready
from gate.checks.wire.stream import Conversation, Endpoint
from gate.core import attempt
from gate.core.target import TRUE

if TYPE_CHECKING:
    from gate.checks.mongodb.documents import Document
    from gate.core.target import Target
    from gate.core.url import Host

DEFAULT_PORT = 27017
_BY_CERTIFICATE = "MONGODB-X509"
_MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", _BY_CERTIFICATE)
_INSECURE = ("tlsinsecure", "tlsallowinvalidcertificates")
_NO_SECRETS = (
    *("replicaset", "appname", "authsource", "authmechanism", "srvservicename", "srvmaxhosts"),
    *("ssl", "tls", "tlscafile", "tlscertificatekeyfile", "tlscrlfile", *_INSECURE),
    *("tlsallowinvalidhostnames", "directconnection", "loadbalanced", "compressors"),
    *("readpreference", "readpreferencetags", "readconcernlevel", "retryreads", "retrywrites"),
    *("w", "wtimeoutms", "journal", "maxpoolsize", "minpoolsize", "maxidletimems", "timeoutms"),
    *("connecttimeoutms", "sockettimeoutms", "serverselectiontimeoutms", "waitqueuetimeoutms"),
    *("heartbeatfrequencyms", "localthresholdms", "uuidrepresentation"),
)
"""Parameters that drivers know; not authMechanismProperties, which may hold a token."""


class LogIn(Protocol):
    """Logs in to one host; raises `CheckFailed`."""

    async def __call__(self, host: Host, auth_source: str) -> None: ...  # noqa: D102 -- the class says it


@dataclass(frozen=True, slots=True, kw_only=True)
class Mongodb:
    """Asks every host who it is; one that is as wanted is enough."""

    seeds: FindSeeds
    wanted: Wanted
    tls: tls_options.Tls | None
    login: LogIn | None

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless a host is as wanted and lets the user in."""
        seeds = await self.seeds()
        options = dict(seeds.options)
        wanted = replace(
            self.wanted, set_name=self.wanted.set_name or options.get("replicaset", "")
        )
        asks = {str(host): partial(self._ask, host, wanted) for host in seeds.hosts}
        host = await first_ready(asks)
        if self.login is not None:
            attempt.enter_stage("login")
            await self.login(host, options.get("authsource", ""))

    async def _ask(self, host: Host, wanted: Wanted) -> Host:
        """Return *host*; raises `CheckFailed` unless it is as *wanted*."""
        async with self._endpoint(host).open() as talk:
            attempt.enter_stage("hello")
            judge(await _hello(talk), wanted)
        return host

    def _endpoint(self, host: Host) -> Endpoint:
        if host.name.startswith("/"):
            return Endpoint(path=host.name)
        return Endpoint(host=host.name, port=host.port or DEFAULT_PORT, tls=self.tls)


async def _hello(talk: Conversation) -> Document:
    """Return the answer to `hello`, of old servers that to `isMaster` (before 4.4.2)."""
    answer = await command(talk, {"hello": 1})
    if answer.get("code") == COMMAND_NOT_FOUND:
        answer = await command(talk, {"isMaster": 1})
    return answer


def parse(target: Target) -> Mongodb:
    """Return the check that *target* describes."""
    target.show(*_NO_SECRETS)
    options = {key.lower(): value for key, value in target.url.query}
    tls = _tls_of(target, options)
    return Mongodb(
        seeds=_seeds_of(target, options),
        wanted=Wanted(primary=target.flag("primary"), set_name=options.get("replicaset", "")),
        tls=tls,
        login=_login_of(target, options, tls),
    )


def _seeds_of(target: Target, options: dict[str, str]) -> FindSeeds:
    hosts = target.url.hosts
    target.keep_path(*(host.name for host in hosts))
    if target.url.scheme == "mongodb":
        if not hosts:
            target.problem("the URL wants a host; write mongodb://host:port")
        return Seeds(hosts)
    if len(hosts) != 1 or hosts[0].port is not None:
        target.problem("the URL wants one name without a port; write mongodb+srv://name")
    service = options.get("srvservicename", "mongodb")
    seeds: FindSeeds = import_module("gate.checks.mongodb.srv").Srv(target.url.host, service)
    return seeds


def _tls_of(target: Target, options: dict[str, str]) -> tls_options.Tls | None:
    """Return what the TLS options and the query, as drivers have it, say together."""
    given = tls_options.parse(target)
    tls = tls_options.completed(given, target, ca="tlscafile", cert="tlscertificatekeyfile")
    tls_options.demand_absolute(tls, target)
    tls = replace(
        tls,
        insecure=given.insecure or any(_is_on(options.get(key)) for key in _INSECURE),
        any_name=_is_on(options.get("tlsallowinvalidhostnames")),
    )
    asked = options.get("tls", options.get("ssl"))
    wanted = target.flag("tls") or tls != tls_options.Tls() or target.url.scheme == "mongodb+srv"
    return tls if (_is_on(asked) if asked else wanted) else None


def _is_on(text: str | None) -> bool:
    return (text or "").lower() in TRUE


def _login_of(target: Target, options: dict[str, str], tls: tls_options.Tls | None) -> LogIn | None:
    """Return how to log in where there are credentials; notes what does not go together."""
    login = credentials.parse(target)
    mechanism = options.get("authmechanism", "")
    if mechanism and mechanism not in _MECHANISMS:
        target.problem(f"authMechanism in the URL: wants one of {', '.join(_MECHANISMS)}")
    if login is None and mechanism != _BY_CERTIFICATE:
        return None
    if mechanism != _BY_CERTIFICATE:
        _judge_login(target, login)
    if tls and (tls.server_name or tls.key):
        target.problem(
            "server-name, key: not with a login, for which the driver takes the name from the "
            "URL, and certificate and key from one file, cert=PATH"
        )
    log_in: LogIn = import_module("gate.checks.mongodb.driver").LogIn(
        login=login,
        mechanism=mechanism,
        auth_source=options.get("authsource", ""),
        database=unquote(target.url.path.strip("/")),
        tls=tls,
        timeout=target.timeout,
    )
    return log_in


def _judge_login(target: Target, login: credentials.Login | None) -> None:
    has_password = login is not None and (login.password_file or login.written_password)
    if login is None or not login.username or not has_password:
        target.problem(
            "a login wants user and password; write mongodb://user:password@host, or "
            "mongodb://user@host and password-file=PATH"
        )
