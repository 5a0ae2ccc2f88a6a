"""User and password, from the URL or with the password in a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gate.checks import _secret

if TYPE_CHECKING:
    from gate.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who logs in; the password is in the file where there is one."""

    username: str = ""
    written_password: str = field(default="", repr=False)
    password_file: str = ""

    def password(self) -> str:
        """Return the password as it is now; raises `CheckFailed` where it cannot be read."""
        if self.password_file:
            return _secret.read(self.password_file, "password-file")
        return self.written_password


def parse(target: Target) -> Login | None:
    """Return the login that *target* describes, None where it describes none."""
    url = target.url
    password_file = _secret.path_option(target, "password-file")
    if password_file and url.password:
        target.problem("password-file: the URL holds a password already; give one of them")
    if not (url.username or url.password or password_file):
        return None
    return Login(
        username=url.username or "",
        written_password=url.password or "",
        password_file=password_file,
    )
