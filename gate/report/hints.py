"""What usually causes a reason: told once that reason has stood for a minute.

A hint is no finding. It names the few things that are behind such a reason most often, for whoever
looks at a pod that does not start and has never seen the reason before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.core.model import State

if TYPE_CHECKING:
    from gate.core.model import DependencyView, Snapshot

AFTER = 60.0
"""Seconds for which a reason stands before its hint is told: most starts are over by then."""

LOCAL = (
    (
        ("connection refused",),
        "nothing in this pod listens there; a container behind gate starts only once gate is open",
    ),
    (
        ("no such socket",),
        "nobody has made it; the volume it is on must be mounted into this container too",
    ),
)
"""For what is reached by loopback or a unix socket; these come first there."""
USUAL = (
    (
        ("RBAC lacks",),
        "the pod's service account wants a Role with get, list and watch, and a RoleBinding",
    ),
    (
        ("name not found",),
        "no such Service here (elsewhere: NAME.NAMESPACE), or headless and without a ready pod",
    ),
    (
        ("name lookup",),
        "the cluster's DNS is not reached: port 53 closed by a NetworkPolicy, or CoreDNS is down",
    ),
    (
        ("connection refused",),
        "nothing listens on that port, or the Service has no ready endpoint: both look the same",
    ),
    (
        ("no route to host",),
        "a NetworkPolicy that rejects, a node that is gone, or an address nobody has any more",
    ),
    (
        ("network unreachable",),
        "this pod has no route there; often it is IPv6 in a cluster without it",
    ),
    (
        ("connecting: no answer", "connection timed out"),
        "packets are dropped: a NetworkPolicy here or there, a firewall, or a dead address",
    ),
    (
        ("does not speak TLS",),
        "it is the port without TLS: take another port, or the scheme without TLS",
    ),
    (
        ("speaks TLS on this port",),
        "it is the port with TLS: take the scheme with TLS, or another port",
    ),
    (
        ("certificate expired", "certificate expires"),
        "the certificate was not renewed, or the server has yet to load the new one",
    ),
    (
        ("hostname mismatch", "IP address mismatch"),
        "the certificate has other names: write one of them in the URL, or server-name=NAME",
    ),
    (
        ("self-signed", "unable to get local issuer"),
        "this container does not know the authority: mount its certificate and write ca=PATH",
    ),
    (
        ("-file: ",),
        "the Secret is not mounted into this container, or is there under another path or key",
    ),
    (
        ("status 401", "authentication required"),
        "no login, or an outdated one: is the current token or Secret mounted here?",
    ),
    (
        ("status 403",),
        "this login may not do it: a role is missing, or a mesh's AuthorizationPolicy says no",
    ),
    (
        ("status 404",),
        "no such path there; or an Ingress that does not know the Host header (host=NAME)",
    ),
    (
        ("status 301", "status 302", "status 307", "status 308"),
        "redirects are not followed: write the URL that it leads to, or redirects=follow",
    ),
    (
        ("status 502", "status 503", "status 504"),
        "the server says that it is not ready, or a proxy in front of it has none that is",
    ),
    (
        ("login refused", "login failed"),
        "the Secret here is not what the server knows, or nobody has created the user yet",
    ),
    (
        ("has not run yet", "no table ", "schema is at ", "query failed: relation"),
        "the Job that migrates has not run, has failed, or works on another database",
    ),
    (
        ('database "', "unknown database"),
        "nobody has created the database yet, or the URL names another one",
    ),
    (
        ("too many connections", "too many clients"),
        "the server's limit is used up: large pools, or many pods that start at once",
    ),
    (
        ("connection closed", "connection reset"),
        "a proxy or mesh accepts for a server that is not there, or the port wants TLS",
    ),
    (
        ("no answer within",),
        "it accepts connections but is overloaded or still starting; timeout= gives it longer",
    ),
)
"""Words of a reason, one of which must be in it, and its usual cause. The first one counts."""


def pending(snapshot: Snapshot) -> list[tuple[DependencyView, str]]:
    """Return what holds the gate and has a hint, with that."""
    hints = [(view, hint(view, snapshot)) for view in snapshot.held_by]
    return [(view, told) for view, told in hints if told]


def hint(view: DependencyView, snapshot: Snapshot) -> str:
    """Return what usually causes the reason of *view*; empty before a minute, and where unknown."""
    until = snapshot.at if snapshot.opened is None else snapshot.opened
    if view.state is State.READY or not view.reason or until - view.reason_since < AFTER:
        return ""
    return usual_cause(view.reason, is_local=view.dependency.is_local)


def usual_cause(reason: str, *, is_local: bool = False) -> str:
    """Return what is usually behind *reason*, empty where that is not known."""
    for words, told in (*LOCAL, *USUAL) if is_local else USUAL:
        if any(word in reason for word in words):
            return told
    return ""
