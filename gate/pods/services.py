"""Which Services a wait means, and whose pods stand behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.pods.waits import before_it_is_done

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.around import Service
    from gate.pods.pod import Pod
    from gate.pods.waits import Wait

_API_SERVER = "kubernetes"
_TOP_LEVEL = {"com", "org", "net", "io", "de", "eu", "uk", "fr", "cn", "jp", "localdomain"}
"""What is no namespace in a name of two words."""
_SCRIPTED = {"service", "services", "svc", "deployment", "statefulset"}


def named(wait: Wait) -> list[tuple[str, str]]:
    """Return name and namespace, empty where none is told, of what *wait* cannot do without."""
    alone = [need[0] for need in wait.needs if len(need) == 1]
    names = [of_host(place.host) for place in alone if not place.is_local]
    for kind, _, rest in (each.partition("/") for each in wait.objects):
        names += [(rest.partition("?")[0], "")] if kind in _SCRIPTED else []
    return [pair for pair in dict.fromkeys(names) if pair[0]]


def of_host(host: str) -> tuple[str, str]:
    """Return name and namespace of the Service that *host* may be, empty if it can be none."""
    name, _, rest = host.partition(".")
    namespace, _, rest = rest.partition(".")
    is_outside = not rest and namespace in _TOP_LEVEL
    is_one = rest.split(".")[0] in ("", "svc") and not is_outside and name != _API_SERVER
    return (name, namespace) if is_one else ("", "")


def meant(pod: Pod, name: str, namespace: str) -> Service | None:
    """Return the Service that *pod* means by these names, if it is in the input."""
    found = pod.around.service(name, namespace or pod.namespace)
    # Manifests without a namespace are applied to any.
    return found if found or pod.namespace else pod.around.service(name, "")


def awaited(pod: Pod) -> list[tuple[Wait, Service]]:
    """Return every Service of the input that *pod* waits for before it is ready.

    It is asked once all of the input is read.
    """
    if "services" not in pod.known:
        pod.known["services"] = list(_awaited(pod))
    found: list[tuple[Wait, Service]] = pod.known["services"]
    return found


def _awaited(pod: Pod) -> Iterator[tuple[Wait, Service]]:
    for wait in before_it_is_done(pod):
        for name, namespace in named(wait):
            if service := meant(pod, name, namespace):
                yield wait, service
