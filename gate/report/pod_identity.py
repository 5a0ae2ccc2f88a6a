"""Which pod this is: from the downward API, else from its token or host name."""

from __future__ import annotations

import base64
import json
import os
import socket
from dataclasses import dataclass
from typing import Any

_NAMESPACE = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
_LONGEST_NAMESPACE = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """The identity of a pod."""

    namespace: str
    name: str
    uid: str
    """Empty where it is not known."""


def name() -> str:
    """Return the pod's name: `POD_NAME`, else the host name, which is the pod's by default."""
    return os.environ.get("POD_NAME") or socket.gethostname()


def how_to_ask(port: int) -> str:
    """Return the command that shows `/status` from outside, empty where this is no cluster.

    `kubectl port-forward` is refused while a pod is Pending, so exactly while gate waits; the API
    server's proxy is not.
    """
    if "KUBERNETES_SERVICE_HOST" not in os.environ:
        return ""
    namespace = os.environ.get("POD_NAMESPACE") or _mounted_namespace() or "NAMESPACE"
    return f"kubectl get --raw /api/v1/namespaces/{namespace}/pods/{name()}:{port}/proxy/status"


def _mounted_namespace() -> str:
    """Return the namespace that comes with the service account's token, if that is mounted."""
    try:
        with open(_NAMESPACE, encoding="ascii") as file:  # noqa: PTH123 -- pathlib is dear at the start
            return file.read(_LONGEST_NAMESPACE).strip()
    except (OSError, ValueError):
        return ""


def own(token: str, namespace: str) -> Pod:
    """Return this pod; *token* is its service account's, *namespace* where that is mounted.

    A token that the kubelet has mounted names its pod, so no variable is needed.
    """
    claims = _claims(token)
    said = claims.get("pod")
    pod = said if isinstance(said, dict) else {}
    return Pod(
        namespace=os.environ.get("POD_NAMESPACE") or claims.get("namespace") or namespace,
        name=os.environ.get("POD_NAME") or pod.get("name") or name(),
        uid=os.environ.get("POD_UID") or pod.get("uid") or "",
    )


def _claims(token: str) -> dict[str, Any]:
    """Return the Kubernetes claims of *token*. It is our own, so it need not be verified."""
    try:
        payload = token.split(".")[1]
        padded = payload + "=" * (-len(payload) % 4)
        claims = json.loads(base64.urlsafe_b64decode(padded))["kubernetes.io"]
    except (IndexError, KeyError, TypeError, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
