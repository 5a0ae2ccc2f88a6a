"""MariaDB's `client_ed25519`: a signature as in RFC 8032 with the password for a seed.

Written by hand because libraries want a seed of 32 bytes. It takes about 5 ms and is not constant
in time: whoever could measure that inside the pod can read its environment as well.
"""

from __future__ import annotations

from hashlib import sha512

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
_Y = 4 * pow(5, -1, _P) % _P

_Point = tuple[int, int, int, int]
_BASE: _Point = (_X, _Y, 1, _X * _Y % _P)
_ZERO: _Point = (0, 1, 1, 0)


def sign(message: bytes, password: bytes) -> bytes:
    """Return the 64 bytes that prove to know *password*."""
    digest = sha512(password).digest()
    scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    public = _packed(_times(scalar))
    once = _number(digest[32:] + message)
    point = _packed(_times(once))
    proof = (once + _number(point + public + message) * scalar) % _ORDER
    return point + proof.to_bytes(32, "little")


def _number(text: bytes) -> int:
    return int.from_bytes(sha512(text).digest(), "little") % _ORDER


def _times(scalar: int) -> _Point:
    result, power = _ZERO, _BASE
    while scalar:
        if scalar & 1:
            result = _sum(result, power)
        power = _sum(power, power)
        scalar >>= 1
    return result


def _sum(left: _Point, right: _Point) -> _Point:
    """Add in extended coordinates (RFC 8032, 5.1.4)."""
    x1, y1, z1, t1 = left
    x2, y2, z2, t2 = right
    a, b = (y1 - x1) * (y2 - x2) % _P, (y1 + x1) * (y2 + x2) % _P
    c, d = 2 * t1 * t2 * _D % _P, 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _packed(point: _Point) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, -1, _P)
    return (y * inverse % _P | (x * inverse % _P & 1) << 255).to_bytes(32, "little")
