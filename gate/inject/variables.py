"""The variables of a container: what is known of them, and how another container gets the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gate.pods.editing.documents import data
from gate.pods.nodes import Map, Seq
from gate.pods.references import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    ConfigMaps = Mapping[tuple[str, str], Mapping[str, str]]
    """Namespace and name to the texts of a ConfigMap."""


@dataclass(frozen=True, slots=True)
class Variables:
    """What a container's `env` and `envFrom` bring."""

    known: dict[str, str] = field(repr=False)
    """Names to values that stand in the input."""
    entries: dict[str, Any] = field(repr=False)
    """Names to entries of `env`, known or not, in their order."""
    sources: tuple[Any, ...] = ()
    """What `envFrom` brings that is not in the input."""

    @property
    def names(self) -> list[str]:
        """Every name that is known to be there."""
        return list(dict.fromkeys([*self.known, *self.entries]))

    def is_optional(self, name: str) -> bool:
        """Whether the variable may be missing in a pod that starts."""
        source = self.entries.get(name, {}).get("valueFrom") or {}
        return any(isinstance(ref, dict) and ref.get("optional") for ref in source.values())

    def copied(self, names: Collection[str]) -> list[Any]:
        """Return the entries that bring *names*, and what they refer to, in their order."""
        wanted = set(names)
        left = list(names)
        while left:
            entry = self.entries.get(left.pop(), {})
            found = REFERENCE.findall(str(entry.get("value", "")))
            new = {name for name in found if name in self.entries} - wanted
            wanted |= new
            left += new
        entries = [entry for name, entry in self.entries.items() if name in wanted]
        bare = [name for name in names if name not in self.entries and name in self.known]
        return [*entries, *({"name": name, "value": self.known[name]} for name in bare)]


def read(container: Map, namespace: str, config_maps: ConfigMaps) -> Variables:
    """Return the variables of the container that *container* describes."""
    known: dict[str, str] = {}
    sources = []
    for source in _maps(container.get("envFrom")):
        texts = _config_map(source.get("configMapRef"), namespace, config_maps)
        if texts is None:
            sources.append(data(source))
        else:
            prefix = str(source.get("prefix") or "")
            known |= {f"{prefix}{name}": text for name, text in texts.items()}
    entries = {}
    for entry in _maps(container.get("env")):
        name = str(entry.get("name"))
        entries[name] = data(entry)
        value = _value(entry, known, namespace, config_maps)
        known.pop(name, None)
        if value is not None:
            known[name] = value
    return Variables(known, entries, tuple(sources))


def config_maps(objects: Iterable[Map]) -> ConfigMaps:
    """Return the ConfigMaps among *objects*."""
    found = {}
    for each in objects:
        metadata = each.get("metadata")
        if each.get("kind") == "ConfigMap" and isinstance(metadata, Map):
            texts = each.get("data")
            place = (str(metadata.get("namespace") or ""), str(metadata.get("name")))
            found[place] = {
                name: text
                for name, text in (texts.items() if isinstance(texts, Map) else ())
                if isinstance(text, str)
            }
    return found


def _maps(items: object) -> Iterator[Map]:
    if isinstance(items, Seq):
        yield from (item for item in items if isinstance(item, Map))


def _config_map(ref: object, namespace: str, config_maps: ConfigMaps) -> Mapping[str, str] | None:
    if not isinstance(ref, Map):
        return None
    return config_maps.get((namespace, str(ref.get("name"))))


def _value(
    entry: Map, known: Mapping[str, str], namespace: str, config_maps: ConfigMaps
) -> str | None:
    source = entry.get("valueFrom")
    if isinstance(source, Map):
        ref = source.get("configMapKeyRef")
        texts = _config_map(ref, namespace, config_maps) or {}
        return texts.get(str(ref.get("key"))) if isinstance(ref, Map) else None
    value = entry.get("value", "")
    return expanded(value, known) if isinstance(value, str) else None


def expanded(text: str, known: Mapping[str, str]) -> str | None:
    """Return *text* with its `$(NAME)` put in, None where one of them is not known."""
    names = [name for name in REFERENCE.findall(text) if name]
    if any(name not in known for name in names):
        return None
    return REFERENCE.sub(lambda found: known[found[1]] if found[1] else "$", text)
