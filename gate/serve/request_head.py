"""The head of a request, as far as the small responder heeds it; strict against smuggling."""

from __future__ import annotations

from gate.core import durations

KUBELET, BRIEF, OPENMETRICS = 1, 2, 4
"""What an answer may depend on: who asks, and for which form."""
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_STRAY = frozenset(b"\0")
_BAD = "not a request of HTTP/1.0 or HTTP/1.1"


class BadRequestError(Exception):
    """The request cannot be answered; the text says why."""


def parse(head: bytes) -> tuple[bytes, bytes, dict[bytes, bytes], dict[str, int]]:
    """Return method, path, query, and what the headers say; raises `BadRequestError`."""
    line, *fields = head.split(b"\r\n")
    method, _, rest = line.partition(b" ")
    target, _, version = rest.partition(b" ")
    is_well_formed = method and target and target.isascii() and _TOKEN.issuperset(method)
    if not is_well_formed or version not in {b"HTTP/1.0", b"HTTP/1.1"} or _STRAY & set(head):
        raise BadRequestError(_BAD)
    found = {"close": version == b"HTTP/1.0", "body": False, "flags": 0}
    bodies: list[bytes] = []
    for field in fields:
        name, colon, value = field.partition(b":")
        if not colon or not name or not _TOKEN.issuperset(name) or b"\n" in value:
            raise BadRequestError(_BAD)
        _heed(name.lower(), value.strip(), found, bodies)
    # Two lengths, or a length that is none, is how requests are smuggled.
    if len(bodies) > 1 or not all(each == b"chunked" or each.isdigit() for each in bodies):
        raise BadRequestError(_BAD)
    found["body"] = bodies not in ([], [b"0"])
    path, _, query = target.partition(b"?")
    if b"://" in path:
        path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
    return method, path, _query(query.partition(b"#")[0]), found


def _heed(name: bytes, value: bytes, found: dict[str, int], bodies: list[bytes]) -> None:
    """Note what a header means for the answer, and in *bodies* how long a body it announces."""
    if name in {b"content-length", b"transfer-encoding"}:
        bodies.append(value.lower())
    elif name == b"connection":
        options = {each.strip() for each in value.lower().split(b",")}
        found["close"] = b"close" in options or (found["close"] and b"keep-alive" not in options)
    elif name == b"user-agent" and value.startswith(b"kube-probe/"):
        found["flags"] |= KUBELET
    elif name == b"accept" and b"application/openmetrics-text" in value:
        found["flags"] |= OPENMETRICS


def _query(text: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for pair in text.split(b"&"):
        name, _, value = pair.partition(b"=")
        if name == b"hold" and name in found:
            msg = "hold: given more than once"
            raise BadRequestError(msg)
        found[name] = value
    return found


def hold(query: dict[bytes, bytes]) -> float:
    """Return the seconds of `hold`, 0 where it is not given; raises `BadRequestError`."""
    text = query.get(b"hold", b"").decode(errors="replace")
    try:
        return durations.parse(text) if text else 0.0
    except ValueError as exc:
        msg = f"hold: {exc}"
        raise BadRequestError(msg) from exc
