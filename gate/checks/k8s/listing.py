"""Lists of objects, read page by page: what the checks and `gate status` share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard

from gate.checks.k8s.api import GONE, OK, Resource, refusal
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gate.checks.k8s.api import Connection

PAGE = 100
"""Objects in one answer to a list."""
_JSON = "application/json"
_NO_LIST = "API server: the answer is not a list of objects"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which objects to list; an empty namespace stands for all of them."""

    resource: Resource
    namespace: str
    selection: Mapping[str, str] = field(default_factory=dict)
    """The query that selects some."""
    accept: str = _JSON
    page: int = PAGE


async def read(
    connection: Connection, wanted: Wanted, take: Callable[[dict[str, Any]], None]
) -> str:
    """Give *take* each object that is *wanted*; return the version of the list.

    Raises `CheckFailed`, as `Forbidden` where RBAC does not allow it.
    """
    query = {**wanted.selection, "limit": str(wanted.page)}
    while True:
        page = await _page(connection, wanted, query)
        for thing in _objects(page):
            take(thing)
        if not page["metadata"].get("continue"):
            return str(page["metadata"].get("resourceVersion") or "")
        query["continue"] = page["metadata"]["continue"]


async def _page(connection: Connection, wanted: Wanted, query: dict[str, str]) -> dict[str, Any]:
    resource, namespace = wanted.resource, wanted.namespace
    answer = await connection.get(resource.path(namespace), query, wanted.accept)
    page = await connection.body(answer)
    if answer.status_code == GONE:
        msg = "API server: the list has changed while it was read"
        raise CheckFailed(msg)
    if answer.status_code != OK:
        place = resource.where(namespace)
        raise refusal(answer.status_code, page, "list", resource, place)
    if not is_object(page):
        raise CheckFailed(_NO_LIST)
    return page


def _objects(page: dict[str, Any]) -> list[dict[str, Any]]:
    found = page.get("items") or []
    if not isinstance(found, list) or not all(map(is_object, found)):
        raise CheckFailed(_NO_LIST)
    return found


def is_object(said: object) -> TypeGuard[dict[str, Any]]:
    """Whether *said* has metadata, as lists and objects of the API have."""
    return isinstance(said, dict) and isinstance(said.get("metadata"), dict)
