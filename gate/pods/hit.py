"""What reading a manifest, or a rule, has to say about a line of it."""

from __future__ import annotations

from typing import NamedTuple


class Hit(NamedTuple):
    """What a rule says; none of the texts holds a secret."""

    line: int
    message: str
    """What the kubelet, or the API server, will do."""
    remedy: str
    container: str = ""
