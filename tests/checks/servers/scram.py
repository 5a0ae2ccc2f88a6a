"""The server's side of SCRAM (RFC 5802, 7677), written apart from every client's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os


class RefusedError(Exception):
    """The proof is wrong, or there is no such user."""


class Conversation:
    """One login: the first message, then the last; `user` is who it is."""

    def __init__(self, digest: str, passwords: dict[str, str], rounds: int) -> None:
        self._digest = digest
        self._passwords = passwords
        self._rounds = rounds
        self._salt = os.urandom(16)
        self._transcript = b""
        self._nonce = ""
        self.user = ""

    def first(self, message: bytes) -> bytes:
        header, _, bare = message.partition(b",,")
        assert header == b"n"
        fields = dict(part.split("=", 1) for part in bare.decode().split(","))
        self.user = fields["n"].replace("=2C", ",").replace("=3D", "=")
        self._nonce = fields["r"] + base64.b64encode(os.urandom(18)).decode()
        salt = base64.b64encode(self._salt).decode()
        answer = f"r={self._nonce},s={salt},i={self._rounds}".encode()
        self._transcript = bare + b"," + answer
        return answer

    def last(self, message: bytes) -> bytes:
        without_proof, _, proof = message.partition(b",p=")
        if self.user not in self._passwords or f"r={self._nonce}".encode() not in without_proof:
            raise RefusedError
        secret = self._passwords[self.user].encode()
        salted = hashlib.pbkdf2_hmac(self._digest, secret, self._salt, self._rounds)
        client_key = self._hmac(salted, b"Client Key")
        stored = hashlib.new(self._digest, client_key).digest()
        signed = self._transcript + b"," + without_proof
        signature = self._hmac(stored, signed)
        expected = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        if base64.b64decode(proof) != expected:
            raise RefusedError
        return b"v=" + base64.b64encode(self._hmac(self._hmac(salted, b"Server Key"), signed))

    def _hmac(self, key: bytes, message: bytes) -> bytes:
        return hmac.new(key, message, self._digest).digest()
