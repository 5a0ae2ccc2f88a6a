"""The token of the pod's service account that the kubelet puts into a file and keeps fresh."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gate.checks.wire import secret_file
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.core.target import Target

OPTION = "token-file"
_FORM = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What an option says, or else a variable that a webhook has put into the pod."""

    variable: str
    value: str
    remedy: str
    """What puts the variable there, in words."""

    def demand(self) -> str:
        """Return the value; raises `CheckFailed` where neither option nor variable is there."""
        if not self.value:
            msg = f"{self.variable} is not set in gate's container; {self.remedy}"
            raise CheckFailed(msg)
        return self.value


def setting(target: Target, option: str, variable: str, remedy: str) -> Setting:
    """Return what *option* of *target*, or else *variable* of the environment, says."""
    value = target.text(option) or os.environ.get(variable, "")
    return Setting(variable=variable, value=value, remedy=remedy)


def file_setting(target: Target, variable: str, remedy: str) -> Setting:
    """Return the file of the token, as `setting` does."""
    given = secret_file.path_option(target, OPTION)
    value = given or os.environ.get(variable, "")
    return Setting(variable=variable, value=value, remedy=remedy)


async def read(path: str) -> str:
    """Return the token in the file at *path*; raises `CheckFailed` unless it is still valid."""
    text = await secret_file.read(path, OPTION)
    end = _claims(text).get("exp")
    if not isinstance(end, int | float):
        msg = f"{OPTION}: {path} holds no token of a service account"
        raise CheckFailed(msg)
    if end <= time.time():
        msg = f"{OPTION}: the token in {path} has expired"
        raise CheckFailed(msg)
    return text


def _claims(token: str) -> dict[str, Any]:
    """Return what a JSON Web Token claims (RFC 7519), nothing for another text."""
    if not _FORM.fullmatch(token):
        return {}
    payload = token.split(".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
