"""kubectl and k8s-wait-for: what they wait for, as `k8s:` dependencies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gate.inject.waiters.places import NotUnderstood
from gate.pods import clients, cluster_waits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gate.pods.shell import Command

_WANTED = {("job", "complete"), ("deployment", "available"), ("pod", "ready")}
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")
_SELECTOR = re.compile(r"[\w./-]+=[\w./-]+(?:,[\w./-]+=[\w./-]+)*")
_WAITED_FOR = {"pod": "pod", "pod-r": "pod", "pod-we": "pod", "pod-wr": "pod", "job": "job"}
_WAITED_FOR |= {"job-we": "job", "job-wr": "job", "service": "service"}


def kubectl(command: Command) -> list[str]:
    """Return what `kubectl wait` or `kubectl rollout status` waits for."""
    words = list(command.words[1:])
    namespace = clients.option(words, "-n", "--namespace")
    if words[:1] == ["wait"]:
        return [_placed(each, namespace) for each in _wait(words[1:])]
    if words[:2] == ["rollout", "status"]:
        return [_placed(each, namespace) for each in _objects(words[2:])]
    why = f"kubectl {' '.join(words[:1])} in a loop is not known here"
    raise NotUnderstood(why)


def _wait(words: Sequence[str]) -> list[str]:
    wanted = (clients.option(words, "--for") or "").lower()
    selector = clients.option(words, "-l", "--selector")
    condition = wanted.removeprefix("condition=").removesuffix("=true")
    kinds = {_kind(word.partition("/")[0]) for word in words if _is_object(word)}
    if not kinds or any((kind, condition) not in _WANTED for kind in kinds):
        why = f"kubectl wait --for={wanted or '…'} is not known here"
        raise NotUnderstood(why)
    if selector is None:
        return _objects(words)
    if not _SELECTOR.fullmatch(selector) or kinds != {"pod"}:
        why = "its selector is not one of plain labels of pods"
        raise NotUnderstood(why)
    return [f"k8s:pod?selector={selector}"]


def _is_object(word: str) -> bool:
    return word.partition("/")[0].lower() in cluster_waits.KINDS


def _kind(word: str) -> str:
    return cluster_waits.KINDS.get(word.lower(), "")


def _objects(words: Sequence[str]) -> list[str]:
    found = [word for word in words if _is_object(word)]
    if len(found) == 1 and "/" not in found[0]:
        behind = list(words[words.index(found[0]) + 1 :])
        found = [f"{found[0]}/{behind[0]}"] if behind else []
    pairs = [(_kind(kind), name) for kind, _, name in (word.partition("/") for word in found)]
    if not pairs or not all(_NAME.fullmatch(name) for _, name in pairs):
        why = "the object that it waits for is not named"
        raise NotUnderstood(why)
    return [f"k8s:{kind}/{name}" for kind, name in pairs]


def _placed(text: str, namespace: str | None) -> str:
    return f"{text} namespace={namespace}" if namespace else text


def k8s_wait_for(command: Command) -> list[str]:
    """Return what the image k8s-wait-for is told to wait for: `job NAME`, `pod -lLABEL=VALUE`."""
    words = list(command.words[1:])
    namespace = clients.option(words, "-n", "--namespace")
    kind = _WAITED_FOR.get(words[0] if words else "", "")
    if not kind or len(words) == 1:
        why = "it is not told a job, pod or service to wait for"
        raise NotUnderstood(why)
    selector = clients.option(words, "-l", "--selector")
    if selector is None and not _NAME.fullmatch(words[1]):
        why = "the name of its object is not plain"
        raise NotUnderstood(why)
    if selector is None:
        return [_placed(f"k8s:{kind}/{words[1]}", namespace)]
    if kind == "service" or not _SELECTOR.fullmatch(selector):
        why = "its selector is not one of plain labels of pods or jobs"
        raise NotUnderstood(why)
    return [_placed(f"k8s:{kind}?selector={selector}", namespace)]
