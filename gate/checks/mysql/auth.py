"""Proving a password to MySQL and MariaDB, in each of the ways they ask for.

Written by hand, because drivers break the rule of `protocol.py`: aiomysql leaves in mid-handshake
if the server asks in a way that it does not know. For an unknown user a server may ask in any way,
so that the denial looks the same.
"""

from __future__ import annotations

from hashlib import sha1, sha256
from typing import TYPE_CHECKING

from gate.checks.mysql import ed25519, rsa
from gate.checks.mysql import protocol as wire
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.mysql.greeting import Greeting
    from gate.checks.mysql.protocol import Conversation

CACHING = "caching_sha2_password"
SHA256 = "sha256_password"
CLEAR = "mysql_clear_password"
ED25519 = "client_ed25519"
_KNOWN = frozenset({wire.NATIVE, CACHING, SHA256, CLEAR, ED25519})
_FAST_DONE, _FULL = b"\x03", b"\x04"
_KEY_PLEASE = {CACHING: b"\x02", SHA256: b"\x01"}
_MOST_ROUNDS = 8
_NOTHING = bytes(64)
"""An answer of the length that plugins expect: it is denied, not taken for an abort."""
_WITHOUT_PASSWORD = {ED25519: _NOTHING, SHA256: b"\0"}


class Exchange:
    """The dialogue of a login: what the server asks, and the answers.

    A password is sent as it is only where nobody else hears it: `is_secret` says so, and `has_tls`
    whether that is because of TLS.
    """

    def __init__(
        self, talk: Conversation, password: str, *, is_secret: bool, has_tls: bool
    ) -> None:
        self._talk = talk
        self._password = password.encode()
        self._is_secret = is_secret
        self._has_tls = has_tls
        self._plugin = ""
        self._nonce = b""
        self._trouble = ""

    def begin(self, greeting: Greeting) -> tuple[str, bytes]:
        """Return plugin and answer for the answer to *greeting*."""
        # What is sent unasked must be no more than a scramble.
        plugin = greeting.plugin if greeting.plugin in {wire.NATIVE, CACHING} else wire.NATIVE
        self._plugin, self._nonce = plugin, greeting.nonce
        return plugin, self._answer()

    async def finish(self) -> None:
        """Return when the server has let us in; raises `Refused` or `CheckFailed`."""
        for _ in range(_MOST_ROUNDS):
            body = await self._talk.receive()
            if body[0] == wire.OK:
                return
            if body[0] == wire.ERROR:
                raise wire.refused(body, trouble=self._trouble)
            if body[0] == wire.SWITCH:
                self._switch(body)
            elif body[0] == wire.MORE and self._plugin == CACHING:
                await self._caching(body[1:])
            elif body[0] == wire.MORE and self._plugin == SHA256:
                self._encrypt_for(body[1:])
            else:
                self._talk.send(_NOTHING)
        msg = "login failed: the server does not come to an end"
        raise CheckFailed(msg)

    def _switch(self, body: bytes) -> None:
        plugin, _, nonce = body[1:].partition(b"\0")
        self._plugin = plugin.decode(errors="replace")
        self._nonce = nonce.removesuffix(b"\0")
        self._talk.send(self._answer())

    def _answer(self) -> bytes:
        """Return the first answer for the plugin asked for; may be empty."""
        if self._plugin not in _KNOWN:
            self._trouble = f"gate does not know the plugin {self._plugin[:60]!r}"
            return _NOTHING
        if self._plugin == CLEAR:
            return self._in_clear()
        if not self._password:
            return _WITHOUT_PASSWORD.get(self._plugin, b"")
        if self._plugin == SHA256:
            # Not on a unix socket: there, other than below, it is taken for encrypted.
            return self._password + b"\0" if self._has_tls else _KEY_PLEASE[SHA256]
        if self._plugin == ED25519:
            return ed25519.sign(self._nonce, self._password)
        scramble = _caching if self._plugin == CACHING else _native
        return scramble(self._password, self._nonce)

    def _in_clear(self) -> bytes:
        if not self._is_secret:
            self._trouble = "the server wants the password in clear, without TLS"
            return b"\0"
        return self._password + b"\0"

    async def _caching(self, told: bytes) -> None:
        """Go on where the server does not have the password's hash in its cache yet."""
        if told == _FAST_DONE:
            return
        if told != _FULL:
            self._talk.send(_NOTHING)
        elif self._is_secret:
            self._talk.send(self._password + b"\0")
        else:
            self._talk.send(_KEY_PLEASE[CACHING])
            key = await self._talk.receive()
            if key[0] == wire.ERROR:
                raise wire.refused(key)
            self._encrypt_for(key[1:])

    def _encrypt_for(self, key: bytes) -> None:
        secret = _xor(self._password + b"\0", self._nonce)
        self._talk.send(rsa.encrypt(key, secret))


def _native(password: bytes, nonce: bytes) -> bytes:
    once = sha1(password, usedforsecurity=False).digest()
    twice = sha1(once, usedforsecurity=False).digest()
    return _xor(once, sha1(nonce + twice, usedforsecurity=False).digest())


def _caching(password: bytes, nonce: bytes) -> bytes:
    once = sha256(password).digest()
    return _xor(once, sha256(sha256(once).digest() + nonce).digest())


def _xor(text: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[index % len(key)] for index, byte in enumerate(text))
