"""`gate inject` as a function of kustomize or kpt: a `ResourceList` in, a `ResourceList` out.

https://github.com/kubernetes-sigs/kustomize/blob/master/cmd/config/docs/api-conventions/functions-spec.md:
the list's `functionConfig` says what is wanted, as the `data` of a ConfigMap or the `spec` of any
other kind. Its keys are the names of the flags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.core.errors import UsageError
from gate.core.suggest import hint
from gate.pods import nodes
from gate.pods.nodes import Map, Seq

if TYPE_CHECKING:
    from argparse import Namespace

_ONE = ("image", "sources", "form", "name", "durable", "kubernetes-version")
_SEVERAL = {"dependencies": "dependency", "settings": "set"}
"""Keys with one entry a line, to the flag that is given once for each."""
_KIND = "ResourceList"
_CHOICES = {"form": ("sidecar", "exec-probe", "init"), "durable": ("on", "off")}


def configure(given: Namespace, text: str) -> None:
    """Put what the `functionConfig` of *text* wants into *given*; raises `UsageError`."""
    if _KIND not in text:
        return
    first = next(nodes.documents(text), nodes.Document()).value
    if not isinstance(first, Map) or first.get("kind") != _KIND:
        return
    config = first.get("functionConfig")
    wanted = (config.get("data") or config.get("spec")) if isinstance(config, Map) else None
    for key, value in wanted.items() if isinstance(wanted, Map) else ():
        _put(given, key, value)


def _put(given: Namespace, key: str, value: object) -> None:
    if key in _SEVERAL:
        lines = value if isinstance(value, Seq) else str(value).splitlines()
        entries = [str(line).strip() for line in lines if str(line).strip()]
        setattr(given, _SEVERAL[key], [*(getattr(given, _SEVERAL[key]) or []), *entries])
        return
    if key not in _ONE:
        msg = f"functionConfig: {key}: is not known; {hint(key, (*_ONE, *_SEVERAL))}"
        raise UsageError(msg)
    # Kubernetes' parser takes `on` without quotes for true.
    text = ("off", "on")[value] if isinstance(value, bool) else str(value)
    if key in _CHOICES and text not in _CHOICES[key]:
        msg = f"functionConfig: {key}: there are {', '.join(_CHOICES[key])}"
        raise UsageError(msg)
    setattr(given, key.replace("-", "_"), text)
