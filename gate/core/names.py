"""Names that are the project's own, each written once."""

from __future__ import annotations

ANNOTATION_PREFIX = "podgate.dev"
"""The domain before the `/` of gate's annotations. It is a placeholder until a domain is owned."""
IMAGE_VARIABLE = "GATE_IMAGE"
"""Names gate's image for `gate inject`; every other command lets it be."""


def annotation(name: str) -> str:
    """Return the annotation *name* (`dependencies`) with its prefix."""
    return f"{ANNOTATION_PREFIX}/{name}"
