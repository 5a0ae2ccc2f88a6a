"""Plays a Pod manifest with local processes, the way the kubelet does as far as start order goes.

The numbers of facts in this package are those of the project's notes on the kubelet.
"""

from tests.pod.env import Service, ServicePort
from tests.pod.events import Event
from tests.pod.kubelet import Pod
from tests.pod.manifest import load, parse
from tests.pod.model import ManifestError, PodSpec
from tests.pod.node import Image, Node
from tests.pod.state import Moment

__all__ = [
    "Event",
    "Image",
    "ManifestError",
    "Moment",
    "Node",
    "Pod",
    "PodSpec",
    "Service",
    "ServicePort",
    "load",
    "parse",
]
