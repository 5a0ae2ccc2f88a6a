"""spiffe:///path/of/the/socket -- the Workload API gives an X.509-SVID now; with `id`, that one.

`spiffe:` alone takes the socket of SPIFFE_ENDPOINT_SOCKET. FetchX509SVID of the SPIFFE Workload API
is asked, and left after its first answer. The agent looks at who asks: what it tells gate holds for
the app where both match the same entry, so not where entries name the container or its image. The
private key that comes along is dropped unread.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gate.checks.grpc import protobuf, server
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.grpc.server import GrpcServer
    from gate.core.target import Target

_METHOD = "/SpiffeWorkloadAPI/FetchX509SVID"
_HEADER = (("workload.spiffe.io", "true"),)
_VARIABLE = "SPIFFE_ENDPOINT_SOCKET"
_SVIDS, _ID = 1, 1


@dataclass(frozen=True, slots=True)
class Spiffe:
    """Asks the Workload API for the identity; its socket is looked up where none is given."""

    server: GrpcServer
    wanted: str = ""

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless an identity is given, the wanted one if any."""
        place = self.server if self.server.path else replace(self.server, path=_usual_socket())
        ids = _ids(await place.ask(_METHOD, b"", is_stream=True))
        if not ids:
            msg = "no SVID in the answer"
            raise CheckFailed(msg)
        if self.wanted and self.wanted not in ids:
            msg = f"the identity is {', '.join(ids)}"
            raise CheckFailed(msg)


def parse(target: Target) -> Spiffe:
    """Return the check that *target* describes."""
    wanted, path = target.text("id"), ""
    if target.url.is_opaque:
        target.wants_only("spiffe: or spiffe:///path/of/the/socket")
    else:
        path = server.socket_path(target)
    if wanted and not wanted.startswith("spiffe://"):
        target.problem("id: wants a SPIFFE ID, spiffe://trust-domain/path")
    place = server.GrpcServer(path=path, metadata=_HEADER, call=server.driver())
    return Spiffe(place, wanted)


def _usual_socket() -> str:
    """Return the path in the variable that the SPIFFE Workload Endpoint, 4, has for it."""
    given = os.environ.get(_VARIABLE, "")
    path = given.removeprefix("unix:")
    if path.startswith("///"):
        path = path[2:]
    if not given.startswith("unix:") or not path.startswith("/"):
        what = "is no unix socket" if given else "is not set in gate's container"
        msg = f"{_VARIABLE} {what}; write spiffe:///path/of/the/socket"
        raise CheckFailed(msg)
    return path


def _ids(answer: bytes) -> list[str]:
    try:
        svids = protobuf.fields(answer, _SVIDS)
        found = [protobuf.fields(svid, _ID) for svid in svids]
    except ValueError as exc:
        msg = "the answer is not one of the Workload API"
        raise CheckFailed(msg) from exc
    return [ids[0].decode(errors="replace") for ids in found if ids]
