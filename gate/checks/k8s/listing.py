"""Lists of objects, read page by page: what the checks and `gate status` share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gate.checks.k8s.api import GONE, OK, Resource, refusal
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gate.checks.k8s.api import Connection

PAGE = 100
"""Objects in one answer to a list."""
_JSON = "application/json"


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
        for thing in page.get("items") or ():
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
    if not isinstance(page, dict) or not isinstance(page.get("metadata"), dict):
        msg = "API server: the answer is not a list of objects"
        raise CheckFailed(msg)
    return page
