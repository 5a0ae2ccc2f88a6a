"""The pods of the input, each with where it is written and what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gate.inject import variables
from gate.pods import documents as manifests
from gate.pods.around import Around
from gate.pods.documents import Found
from gate.pods.editing import documents
from gate.pods.nodes import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gate.inject.variables import ConfigMaps, Variables
    from gate.pods.editing.documents import Piece
    from gate.pods.pod import Container, Pod


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A pod template, and its place."""

    pod: Pod
    template: Map = field(repr=False)
    piece: Piece = field(repr=False)
    path: tuple[str | int, ...]
    annotations: dict[str, str]
    """Of the pod and of what makes it; the pod's win."""
    config_maps: ConfigMaps = field(repr=False)

    @property
    def name(self) -> str:
        """Kind, namespace and name."""
        space = f"{self.pod.namespace}/" if self.pod.namespace else ""
        return f"{self.pod.kind} {space}{self.pod.name}"

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.piece.file}:{self.pod.line}"

    def variables_of(self, container: Container) -> Variables:
        """Return the variables of one of its containers."""
        spec = self.template["spec"]
        items: list[object] = []
        for key in ("initContainers", "containers"):
            written = spec.get(key) if isinstance(spec, Map) else None
            items += (
                [each for each in written if isinstance(each, Map)]
                if isinstance(written, Seq)
                else []
            )
        raw = items[container.index]
        own = raw if isinstance(raw, Map) else Map(container.line)
        return variables.read(own, self.pod.namespace, self.config_maps)


def read(pieces: Iterable[Piece]) -> tuple[list[Workload], Around]:
    """Return the workloads of *pieces*, and what stands beside them."""
    around = Around()
    found = [(piece, _of_piece(piece, around)) for piece in pieces]
    maps = variables.config_maps(each for piece, _ in found for each in objects(piece))
    workloads = [each for piece, there in found for each in _workloads(piece, there, maps)]
    return workloads, around


def _workloads(piece: Piece, found: Found, maps: ConfigMaps) -> Iterator[Workload]:
    paths = documents.paths(piece.read.value)
    for pod, template in zip(found.pods, found.templates, strict=True):
        yield Workload(
            pod=pod,
            template=template,
            piece=piece,
            path=paths[id(template)],
            annotations={each.name: each.value for each in reversed(pod.notes)},
            config_maps=maps,
        )


def _of_piece(piece: Piece, around: Around) -> Found:
    found = Found()
    manifests.read(piece.read.value, piece.file, around, found)
    return found


def objects(piece: Piece) -> Iterator[Map]:
    """Return the objects of a piece, those of a List too."""
    yield from manifests.objects(piece.read.value)
