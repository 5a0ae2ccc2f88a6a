"""Several hosts of one dependency: asked at the same time, the first that is ready counts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from gate.core import attempt
from gate.core.errors import CheckFailed, common_kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

T = TypeVar("T")


async def first_ready(asks: Mapping[str, Callable[[], Awaitable[T]]]) -> T:
    """Return what the first of *asks*, by host, returns.

    Raises `CheckFailed` with what each host said if none is ready, as `Absent` where every
    one is. The others are ended before this returns.
    """
    if len(asks) == 1:
        (ask,) = asks.values()
        return await ask()
    attempt.enter_stage(f"asking {len(asks)} hosts")
    running: dict[asyncio.Future[T], str] = {
        asyncio.ensure_future(ask()): host for host, ask in asks.items()
    }
    try:
        return await _first(running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _first(hosts: Mapping[asyncio.Future[T], str]) -> T:
    failures: dict[str, CheckFailed] = {}
    pending = set(hosts)
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            error = task.exception()
            if error is None:
                return task.result()
            if not isinstance(error, CheckFailed):
                raise error
            failures[hosts[task]] = error
    raise _summary({host: failures[host] for host in hosts.values()})


def _summary(failures: Mapping[str, CheckFailed]) -> CheckFailed:
    """Return one failure for all; what every host says is said once."""
    kind = common_kind(failures.values())
    texts = {str(error) for error in failures.values()}
    if len(texts) == 1:
        return kind(texts.pop())
    return kind(", ".join(f"{error} ({host})" for host, error in failures.items()))
