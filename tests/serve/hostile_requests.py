"""What is no request, or means one thing to one server and another to the next.

The full server and the small responder refuse all of them, so that what stands in front of gate,
or a client that shares its connection, cannot be led to take one answer for another.
"""

from __future__ import annotations

HOST = b"Host: x\r\n"


def _with(*fields: bytes, body: bytes = b"") -> bytes:
    return (
        b"GET /livez HTTP/1.1\r\n" + HOST + b"".join(f + b"\r\n" for f in fields) + b"\r\n" + body
    )


def _target(target: bytes) -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n"


REFUSED: dict[str, bytes] = {
    "HTTP/0.9": b"GET /livez\r\n\r\n",
    "HTTP/0.9 with its number": b"GET /livez HTTP/0.9\r\n" + HOST + b"\r\n",
    "HTTP/1.2": b"GET /livez HTTP/1.2\r\n" + HOST + b"\r\n",
    "HTTP/2.0": b"GET /livez HTTP/2.0\r\n" + HOST + b"\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another protocol": b"GET /livez http/1.1\r\n" + HOST + b"\r\n",
    "a space in front": b" GET /livez HTTP/1.1\r\n" + HOST + b"\r\n",
    "tabs for spaces": b"GET\t/livez\tHTTP/1.1\r\n" + HOST + b"\r\n",
    "a method that is none": b"G\x00T /livez HTTP/1.1\r\n" + HOST + b"\r\n",
    "no host": b"GET /livez HTTP/1.1\r\n\r\n",
    "two hosts": _with(b"Host: y"),
    "two lengths": _with(b"Content-Length: 1", b"Content-Length: 2", body=b"ab"),
    "one length twice": _with(b"Content-Length: 1", b"Content-Length: 1", body=b"a"),
    "a list of lengths": _with(b"Content-Length: 1, 1", body=b"a"),
    "a length below zero": _with(b"Content-Length: -1"),
    "a length with a sign": _with(b"Content-Length: +1", body=b"a"),
    "a length in hexadecimal": _with(b"Content-Length: 0x1", body=b"a"),
    "an empty length": _with(b"Content-Length:"),
    "a length and chunks": _with(
        b"Content-Length: 4", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"
    ),
    "chunks and a length": _with(
        b"Transfer-Encoding: chunked", b"Content-Length: 4", body=b"0\r\n\r\n"
    ),
    "an encoding that is none": _with(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "chunks inside": _with(b"Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n"),
    "chunks behind a stray byte": _with(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
    "two encodings": _with(
        b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n"
    ),
    "a space before the colon": _with(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"),
    "a folded line": _with(b"A: b", b" c"),
    "a folded first line": b"GET /livez HTTP/1.1\r\n " + HOST + b"\r\n",
    "bare line feeds": b"GET /livez HTTP/1.1\nHost: x\n\n",
    "one bare line feed": _with(b"A: b\nContent-Length: 5"),
    "a bare carriage return": _with(b"A: b\rContent-Length: 5"),
    "a NUL in a value": _with(b"A: b\0c"),
    "a control character in a value": _with(b"A: b\x01c"),
    "no name": _with(b": b"),
    "no colon": _with(b"A"),
    "a name that is none": _with(b"A(: b"),
    "a target without a slash": _target(b"livez"),
    "a target with a control character": _target(b"/live\x01z"),
    "a target with a tab": _target(b"/live\tz"),
    "a target with a line feed": _target(b"/live\nz"),
    "a target with a carriage return": _target(b"/live\rz"),
    "a target that is not ASCII": _target(b"/\xc3\xa9"),
    "hold twice": _target(b"/startupz?hold=1s&hold=2s"),
    "hold that is no duration": _target(b"/startupz?hold=soon"),
    "hold for ever": _target(b"/startupz?hold=inf"),
}
"""By what is wrong with it."""

ODD: dict[str, tuple[bytes, int]] = {
    "a whole URL": (b"GET http://elsewhere/livez HTTP/1.1\r\nHost: x\r\n", 200),
    "a URL inside of a path": (b"GET /a://b/livez HTTP/1.1\r\nHost: x\r\n", 404),
    "two slashes": (b"GET //elsewhere/livez HTTP/1.1\r\nHost: x\r\n", 404),
    "upwards": (b"GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n", 404),
    "another Host": (b"GET /livez HTTP/1.1\r\nHost: elsewhere.example\r\n", 200),
    "another method": (b"DELETE /startupz HTTP/1.1\r\nHost: x\r\n", 405),
    "TRACE": (b"TRACE /livez HTTP/1.1\r\nHost: x\r\nCookie: secret\r\n", 405),
    "OPTIONS": (b"OPTIONS /livez HTTP/1.1\r\nHost: x\r\nOrigin: http://elsewhere\r\n", 405),
    "OPTIONS of all": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n", 404),
    "no such part": (b"GET /startupz/nobody HTTP/1.1\r\nHost: x\r\n", 404),
    "markup as a part": (b"GET /startupz/%3Cscript%3E/x HTTP/1.1\r\nHost: x\r\n", 404),
    "a header in a part": (b"GET /startupz/a%0d%0aLocation:%20x HTTP/1.1\r\nHost: x\r\n", 404),
    "HTTP/1.0 without a host": (b"HEAD /livez HTTP/1.0\r\n", 200),
}
"""Head without its last lines, and the status of the answer."""
