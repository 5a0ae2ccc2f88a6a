"""What the URL of a Redis says: as redis-py, and Celery with it, reads path and query."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gate.checks.wire import credentials, tls_options
from gate.checks.wire.stream import Endpoint, endpoints
from gate.core.target import FALSE, whole_number

if TYPE_CHECKING:
    from gate.checks.wire.credentials import Login
    from gate.checks.wire.tls_options import Tls
    from gate.core.target import Target

PORT = 6379
_NO_SECRETS = (
    *("db", "virtualhost", "username", "protocol", "clientname", "decoderesponses"),
    *("sslcertreqs", "sslcacerts", "sslcertfile", "sslkeyfile", "sslcheckhostname"),
    *("sockettimeout", "socketconnecttimeout", "socketkeepalive", "retryontimeout"),
    *("healthcheckinterval", "maxconnections"),
)
"""Parameters that redis-py knows."""
_VERIFYING = ("", "none", "optional", "required")


def servers(target: Target) -> tuple[Endpoint, ...]:
    """Return the servers, over TLS as the options say and the query where they do not."""
    target.show(*_NO_SECRETS)
    plain, tls = {"redis": PORT, "valkey": PORT}, {"rediss": PORT, "valkeys": PORT}
    return tuple(
        replace(place, tls=_with_query(target, place.tls)) if place.tls else place
        for place in endpoints(target, plain, tls)
    )


def login(target: Target) -> Login | None:
    """Return the login, of the query where there is none before the host."""
    query = dict(target.url.query)
    return credentials.parse(
        target, username=query.get("username", ""), password=query.get("password", "")
    )


def database(target: Target) -> int:
    """Return the number of the database, 0 where none is written."""
    query = dict(target.url.query)
    in_query = query.get("db") or query.get("virtual_host")
    is_socket = "+" in target.url.scheme
    text = in_query or ("" if is_socket else unquote(target.url.path).strip("/"))
    try:
        return whole_number(text) if text else 0
    except ValueError:
        target.problem("the URL's path is the number of a database; write redis://host:port/0")
        return 0


def _with_query(target: Target, given: Tls) -> Tls:
    query = dict(target.url.query)
    tls = tls_options.completed(
        given, target, ca="sslcacerts", cert="sslcertfile", key="sslkeyfile"
    )
    tls_options.demand_absolute(tls, target)
    # Celery writes CERT_NONE as well.
    verifying = query.get("ssl_cert_reqs", "").lower().removeprefix("cert_")
    if verifying not in _VERIFYING:
        target.problem("ssl_cert_reqs in the URL: wants none, optional or required")
    return replace(
        tls,
        insecure=tls.insecure or verifying == "none",
        any_name=query.get("ssl_check_hostname", "").lower() in FALSE,
    )
