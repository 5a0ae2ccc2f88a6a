"""SCRAM, the client's side, as Kafka's own client has it (RFC 5802, 7677).

There is no channel binding and no SASLprep: Kafka's brokers take user and password as they are.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from typing import TYPE_CHECKING

from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.kafka.sasl import Exchange

_HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
_FEWEST_ROUNDS = 4096
"""Kafka's own limit: fewer would let a false broker guess the password from the proof."""
_MOST_ROUNDS = 100_000
"""Of hashing: Kafka's own limit is 16384; a thousand take one or two milliseconds of the loop."""

_SALT = rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
_CHALLENGE = re.compile(rb"r=([!-+.-~-]+),s=(%b),i=(\d{1,9})(?:,.*)?" % _SALT)


def scram(name: str, user: str, password: str) -> Exchange:
    """Prove the password and have the broker prove that it knows it too."""
    nonce = base64.b64encode(os.urandom(24))
    bare = b"n=%b,r=%b" % (_escaped(user), nonce)
    challenge = yield b"n,," + bare
    server_nonce, salt, rounds = _read(challenge, nonce)
    without_proof = b"c=biws,r=" + server_nonce  # biws: base64 of the `n,,` above
    signed = b",".join((bare, challenge, without_proof))
    algorithm = _HASHES[name]
    salted = hashlib.pbkdf2_hmac(algorithm, password.encode(), salt, rounds)
    answer = yield without_proof + b",p=" + base64.b64encode(_proof(salted, signed, algorithm))
    server_key = hmac.digest(salted, b"Server Key", algorithm)
    proof = base64.b64encode(hmac.digest(server_key, signed, algorithm))
    if not hmac.compare_digest(answer.partition(b",")[0], b"v=" + proof):
        msg = "login: the broker does not prove that it knows the password"
        raise CheckFailed(msg)


def _escaped(user: str) -> bytes:
    return user.replace("=", "=3D").replace(",", "=2C").encode()


def _read(challenge: bytes, nonce: bytes) -> tuple[bytes, bytes, int]:
    """Return the broker's nonce, salt and rounds of hashing; it wants what any broker wants."""
    read = _CHALLENGE.fullmatch(challenge)
    if (
        read is None
        or not read[1].startswith(nonce)
        or not _FEWEST_ROUNDS <= int(read[3]) <= _MOST_ROUNDS
    ):
        msg = "login: no SCRAM from this broker"
        raise CheckFailed(msg)
    return read[1], base64.b64decode(read[2]), int(read[3])


def _proof(salted: bytes, signed: bytes, algorithm: str) -> bytes:
    client_key = hmac.digest(salted, b"Client Key", algorithm)
    stored_key = hashlib.new(algorithm, client_key).digest()
    signature = hmac.digest(stored_key, signed, algorithm)
    return bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
