"""User and password, from the URL or with the password in a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gate.checks.wire import secret_file

if TYPE_CHECKING:
    from gate.core.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who logs in; the password is in the file where there is one."""

    username: str = ""
    written_password: str = field(default="", repr=False)
    password_file: str = ""

    async def password(self) -> str:
        """Return the password as it is now; raises `CheckFailed` where it cannot be read."""
        if self.password_file:
            return await secret_file.read(self.password_file, "password-file")
        return self.written_password


def parse(target: Target, *, username: str = "", password: str = "") -> Login | None:
    """Return the login that *target* describes, None where it describes none.

    *username* and *password* are those of the URL's query, where a scheme has them there.
    """
    username = target.url.username or username
    password = target.url.password or password
    password_file = secret_file.path_option(target, "password-file")
    if password_file and password:
        target.problem("password-file: the URL holds a password already; give one of them")
    if not (username or password or password_file):
        return None
    return Login(username=username, written_password=password, password_file=password_file)
