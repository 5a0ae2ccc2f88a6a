"""Cloud Run's order of containers, which the kubelet does not know.

There the annotation of the template says which container starts when the startup probes of which
others have passed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gate.pods.pod import Container, Pod

_ORDER = "run.googleapis.com/container-dependencies"


def is_meant_for(pod: Pod) -> bool:
    """Whether *pod* is written for Cloud Run, where there is no kubelet."""
    return _ORDER in pod.annotations


def holds(container: Container, pod: Pod) -> bool:
    """Whether others start only when the startup probe of *container* has passed."""
    if container.startup is None or not is_meant_for(pod):
        return False
    try:
        order = json.loads(pod.annotations[_ORDER])
        return any(container.name in names for names in order.values())
    except (ValueError, AttributeError, TypeError):
        return False
