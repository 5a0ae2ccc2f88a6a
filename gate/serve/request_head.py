"""The head of a request, as far as the small responder heeds it; strict against smuggling."""

from __future__ import annotations

from gate.core import durations

KUBELET, BRIEF, OPENMETRICS = 1, 2, 4
"""What an answer may depend on: who asks, and for which form."""
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_VISIBLE = frozenset(range(0x21, 0x7F))
_STRAY = frozenset({*range(0x20), 0x7F} - {0x09})
"""What no value may hold (RFC 9110, 5.5): some servers end a line or a value at one of them."""
_BAD = "not a request of HTTP/1.0 or HTTP/1.1"


class BadRequestError(Exception):
    """The request cannot be answered; the text says why."""


def parse(head: bytes) -> tuple[bytes, bytes, dict[bytes, bytes], dict[str, int]]:
    """Return method, path, query, and what the headers say; raises `BadRequestError`."""
    line, *fields = head.split(b"\r\n")
    method, _, rest = line.partition(b" ")
    target, _, version = rest.partition(b" ")
    is_well_formed = method and _TOKEN.issuperset(method) and _VISIBLE.issuperset(target)
    if not is_well_formed or version not in {b"HTTP/1.0", b"HTTP/1.1"}:
        raise BadRequestError(_BAD)
    found = {"close": version == b"HTTP/1.0", "body": False, "flags": 0}
    said: dict[bytes, list[bytes]] = {b"host": [], b"body": []}
    for field in fields:
        name, colon, value = field.partition(b":")
        if not colon or not name or not _TOKEN.issuperset(name) or _STRAY & set(value):
            raise BadRequestError(_BAD)
        _heed(name.lower(), value.strip(b" \t"), found, said)
    _demand_one_meaning(said, is_host_needed=version == b"HTTP/1.1")
    found["body"] = said[b"body"] not in ([], [b"0"])
    path, _, query = target.partition(b"?")
    return method, _path(path), _query(query.partition(b"#")[0]), found


def _demand_one_meaning(said: dict[bytes, list[bytes]], *, is_host_needed: bool) -> None:
    """Refuse two lengths, two hosts, or a length that is none: so requests are smuggled."""
    bodies, hosts = said[b"body"], said[b"host"]
    are_lengths = all(each == b"chunked" or each.isdigit() for each in bodies)
    if len(bodies) > 1 or not are_lengths or len(hosts) not in ({1} if is_host_needed else {0, 1}):
        raise BadRequestError(_BAD)


def _path(target: bytes) -> bytes:
    """Return the path of *target*; it may be a whole URL, as it is for a proxy."""
    if target[:1] == b"/" or target == b"*":
        return target
    scheme, mark, rest = target.partition(b"://")
    if not mark or scheme.lower() not in {b"http", b"https"}:
        raise BadRequestError(_BAD)
    return b"/" + rest.partition(b"/")[2]


def _heed(name: bytes, value: bytes, found: dict[str, int], said: dict[bytes, list[bytes]]) -> None:
    """Note what a header means for the answer, and in *said* what may stand there once only."""
    if name in {b"content-length", b"transfer-encoding"}:
        said[b"body"].append(value.lower())
    elif name == b"host":
        said[name].append(value)
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
