"""RSA-OAEP with SHA-1 (RFC 8017, 7.1.1): how MySQL takes a password where there is no TLS."""

from __future__ import annotations

import binascii
import os
from hashlib import sha1

from gate.core.errors import CheckFailed

_HASH = 20
_INTEGER = 0x02
_SEQUENCE, _BIT_STRING = 0x30, 0x03


def encrypt(pem: bytes, secret: bytes) -> bytes:
    """Return *secret* so that only the owner of the key *pem* can read it.

    Raises `CheckFailed` for what is no key, or too short for the secret.
    """
    try:
        modulus, exponent = _numbers(_der(pem))
        size = (modulus.bit_length() + 7) // 8
        padded = _padded(secret, size)
    except (ValueError, IndexError) as exc:
        msg = "login failed: the server's RSA key is not usable"
        raise CheckFailed(msg) from exc
    return pow(int.from_bytes(padded), exponent, modulus).to_bytes(size)


def _padded(secret: bytes, size: int) -> bytes:
    gap = size - len(secret) - 2 * _HASH - 2
    if gap < 0:
        msg = "the key is too short"
        raise ValueError(msg)
    block = sha1(usedforsecurity=False).digest() + bytes(gap) + b"\1" + secret
    seed = os.urandom(_HASH)
    masked = _xor(block, _mask(seed, len(block)))
    return b"\0" + _xor(seed, _mask(masked, _HASH)) + masked


def _mask(seed: bytes, length: int) -> bytes:
    """Return MGF1 of *seed*."""
    pieces = (
        sha1(seed + counter.to_bytes(4), usedforsecurity=False).digest()
        for counter in range(length // _HASH + 1)
    )
    return b"".join(pieces)[:length]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _der(pem: bytes) -> bytes:
    lines = pem.strip().splitlines()
    return binascii.a2b_base64(b"".join(line for line in lines if not line.startswith(b"-")))


def _numbers(der: bytes) -> tuple[int, int]:
    """Return modulus and exponent of a SubjectPublicKeyInfo."""
    _, info = _element(der, _SEQUENCE)
    algorithm_end = len(info) - len(_element(info, _SEQUENCE)[0])
    _, bits = _element(info[algorithm_end:], _BIT_STRING)
    _, key = _element(bits[1:], _SEQUENCE)
    rest, modulus = _element(key, _INTEGER)
    _, exponent = _element(rest, _INTEGER)
    return int.from_bytes(modulus), int.from_bytes(exponent)


def _element(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """Return what follows the first element of *der*, which has *tag*, and its content."""
    if der[0] != tag:
        msg = "not the structure of a key"
        raise ValueError(msg)
    start, length = 2, der[1]
    if length & 0x80:
        start = 2 + (length & 0x7F)
        length = int.from_bytes(der[2:start])
    return der[start + length :], der[start : start + length]
