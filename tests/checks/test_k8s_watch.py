"""How soon a change is seen, what that costs, and how a watch recovers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gate.checks.k8s import watch
from gate.checks.k8s.check import OLDEST_NO, OLDEST_YES, K8s
from gate.core.errors import CheckFailed
from gate.core.latch import Latch
from gate.runtime.board import Board
from gate.runtime.runner import DependencyCheck, run_checks
from tests.checks.servers.kubernetes import Kubernetes
from tests.checks.servers.raw_http import listening
from tests.conftest import run, watch_for, why_not

COMPLETE: Any = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
RUNNING: Any = {"status": {"startTime": "2026-11-22T10:00:00Z", "active": 1}}


def job(server: Kubernetes, options: str = "") -> DependencyCheck:
    return watch_for(f"migrate k8s:job/migrate server={server.url} namespace=prod {options}")


async def reason(watch: DependencyCheck) -> str:
    try:
        await watch.check()
    except CheckFailed as exc:
        return str(exc)
    return ""


async def changed(watch: DependencyCheck) -> None:
    assert isinstance(watch.check, K8s)
    async with asyncio.timeout(20):
        await watch.check.changed()


@asynccontextmanager
async def waiting(watch: DependencyCheck) -> AsyncIterator[Board]:
    """A whole gate that waits for *watch*."""
    board = Board(Latch([watch.dependency], now=asyncio.get_running_loop().time()))
    task = asyncio.create_task(run_checks([watch], board))
    try:
        async with asyncio.timeout(20):
            yield board
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(board: Board, is_so: Any) -> None:
    await board.until(is_so, 20)
    assert is_so()


async def until_so(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 -- what it waits for tells nobody
            await asyncio.sleep(0.01)


def watch_of(watch: DependencyCheck) -> watch.Watch:
    assert isinstance(watch.check, K8s)
    return watch.check.watch


def told(board: Board) -> str:
    return board.snapshot().dependencies[0].reason


def test_the_gate_opens_at_the_change_and_not_at_the_next_attempt() -> None:
    async def main() -> str:
        async with Kubernetes() as server, waiting(job(server, "interval=60s")) as board:
            server.put("jobs", "migrate", **RUNNING)
            await until(board, lambda: told(board) == "job running: 1 active")
            server.put("jobs", "migrate", **COMPLETE)
            await until(board, lambda: board.latch.is_open)
            return told(board)

    assert run(main()) == ""


def test_a_wait_costs_one_connection_and_two_requests() -> None:
    async def main() -> tuple[int, int, int]:
        async with Kubernetes() as server, waiting(job(server, "interval=20ms")) as board:
            server.put("jobs", "migrate", **RUNNING)
            await until_so(lambda: board.snapshot().dependencies[0].attempts > 10)
            return server.connections, server.count("list"), server.count("watch")

    assert run(main()) == (1, 1, 1)


def test_the_connection_ends_with_the_wait() -> None:
    async def main() -> int:
        async with Kubernetes() as server:
            server.put("jobs", "migrate", **COMPLETE)
            async with waiting(job(server)) as board:
                await until(board, lambda: board.latch.is_open)
            await server.until(lambda: not server.open_connections)
            return server.connections

    assert run(main()) == 1


def test_a_watch_begins_where_the_list_ended() -> None:
    async def main() -> tuple[str, str]:
        async with Kubernetes() as server:
            server.put("jobs", "migrate", **RUNNING)
            watch = job(server)
            before = await reason(watch)
            # Before the server has even seen the request for the watch.
            server.put("jobs", "migrate", **COMPLETE)
            await changed(watch)
            return before, await reason(watch)

    assert run(main()) == ("job running: 1 active", "")


def test_a_change_between_attempt_and_pause_is_not_missed() -> None:
    async def main() -> str:
        async with Kubernetes() as server:
            watch = job(server)
            await reason(watch)
            server.put("jobs", "migrate", **COMPLETE)
            await until_so(watch_of(watch)._news.is_set)
            await changed(watch)
            return await reason(watch)

    assert run(main()) == ""


def test_what_an_attempt_has_seen_is_no_news() -> None:
    async def main() -> bool:
        async with Kubernetes() as server:
            watch = job(server)
            await reason(watch)
            server.put("jobs", "migrate", **RUNNING)
            await changed(watch)
            await reason(watch)
            news = asyncio.create_task(changed(watch))
            done, _ = await asyncio.wait([news], timeout=0.05)
            news.cancel()
            return bool(done)

    assert not run(main())


def test_what_is_deleted_is_gone() -> None:
    async def main() -> str:
        async with Kubernetes() as server:
            server.put("jobs", "migrate", **RUNNING)
            watch = job(server)
            await reason(watch)
            server.delete("jobs", "migrate")
            await changed(watch)
            return await reason(watch)

    assert run(main()) == "no job migrate in namespace prod"


def test_a_pod_that_loses_the_label_is_no_longer_counted() -> None:
    async def main() -> str:
        ready: Any = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
        async with Kubernetes() as server:
            server.put("pods", "a", metadata={"labels": {"app": "db"}}, **ready)
            watch = watch_for(f"x k8s:pod?selector=app=db server={server.url} namespace=prod")
            assert await reason(watch) == ""
            server.put("pods", "a", metadata={"labels": {"app": "old"}}, **ready)
            await changed(watch)
            return await reason(watch)

    assert run(main()) == "no pods in namespace prod match the selector"


def test_a_watch_that_starts_too_far_back_is_listed_anew() -> None:
    async def main() -> tuple[str, int]:
        async with Kubernetes() as server, waiting(job(server, "interval=50ms")) as board:
            await until(board, lambda: bool(told(board)))
            await server.until(lambda: server.watches == 1)
            server.compact()
            server.expire_watches()
            server.put("jobs", "migrate", **COMPLETE)
            await until(board, lambda: board.latch.is_open)
            return told(board), server.count("list")

    assert run(main()) == ("", 2)


def test_a_list_that_expires_between_pages_is_begun_anew() -> None:
    async def main() -> str:
        async with Kubernetes() as server:
            server.failure = (410, "The provided continue parameter is too old")
            return await reason(job(server))

    assert run(main()) == "API server: the list has changed while it was read"


def test_a_watch_that_the_server_ends_is_listed_anew() -> None:
    async def main() -> str:
        async with Kubernetes() as server:
            server.put("jobs", "migrate", **RUNNING)
            watch = job(server)
            await reason(watch)
            await server.until(lambda: server.watches == 1)
            server.end_watches()
            server.put("jobs", "migrate", **COMPLETE)
            async with asyncio.timeout(20):
                while text := await reason(watch):
                    assert text == "job running: 1 active"
                    await asyncio.sleep(0.01)
            return text

    assert run(main()) == ""


def test_a_restart_of_the_api_server_is_told_and_survived() -> None:
    async def main() -> str:
        async with Kubernetes() as server, waiting(job(server, "interval=50ms")) as board:
            server.put("jobs", "migrate", **RUNNING)
            await until(board, lambda: told(board) == "job running: 1 active")
            await server.stop()
            await until(board, lambda: told(board) == "API server: connection refused")
            server.put("jobs", "migrate", **COMPLETE)
            await server.start()
            await until(board, lambda: board.latch.is_open)
            return told(board)

    assert run(main()) == ""


def test_without_the_right_to_watch_it_polls_and_says_so() -> None:
    async def main() -> int:
        async with Kubernetes() as server, waiting(job(server, "interval=50ms")) as board:
            server.denied.add(("watch", "jobs"))
            server.put("jobs", "migrate", **RUNNING)
            text = (
                "job running: 1 active (polling: may not watch jobs in namespace prod: RBAC lacks "
                "verb watch on resource jobs (batch) for system:serviceaccount:prod:app)"
            )
            await until(board, lambda: told(board) == text)
            server.put("jobs", "migrate", **COMPLETE)
            await until(board, lambda: board.latch.is_open)
            return server.count("watch")

    assert run(main()) == 1


def test_the_right_to_watch_may_be_granted_later() -> None:
    async def main() -> tuple[bool, bool, str]:
        async with Kubernetes() as server:
            server.denied.add(("watch", "jobs"))
            server.put("jobs", "migrate", **RUNNING)
            watch = job(server)
            await until_told(watch, "(polling: may not watch")
            check = watch.check
            assert isinstance(check, K8s)
            forget_refusal(check)
            await reason(watch)
            assert check.watch._follower is not None
            await asyncio.wait([check.watch._follower])
            refused_again = server.count("watch") == 2 and "(polling" in await reason(watch)
            server.denied.clear()
            await reason(watch)
            tried_at_once = server.count("watch") > 2
            forget_refusal(check)
            await until_told(watch, "1 active", but_not="polling")
            server.put("jobs", "migrate", **COMPLETE)
            await changed(watch)
            return refused_again, tried_at_once, await reason(watch)

    assert run(main()) == (True, False, "")


async def until_told(watch: DependencyCheck, text: str, but_not: str = "nothing") -> None:
    async with asyncio.timeout(20):
        while True:
            told = await reason(watch)
            if text in told and but_not not in told:
                return
            await asyncio.sleep(0.01)


def forget_refusal(check: K8s) -> None:
    """Make the refusal of the watch as old as it must be for another try."""
    check.watch._refused -= watch.RETRY


def test_a_watch_that_always_fails_does_not_make_attempts_race() -> None:
    async def main() -> int:
        async with Kubernetes() as server, waiting(job(server, "interval=200ms")) as board:
            server.put("jobs", "migrate", **RUNNING)
            server._oldest = 10**6
            await board.until(lambda: False, 0.5)
            return server.count("list")

    assert run(main()) < 10


def test_what_was_ready_long_ago_is_proven_by_a_new_list() -> None:
    async def main() -> tuple[int, int]:
        async with Kubernetes() as server:
            server.put("jobs", "migrate", **COMPLETE)
            watch = job(server)
            await reason(watch)
            await reason(watch)
            fresh = server.count("list")
            age(watch, OLDEST_YES)
            await reason(watch)
            return fresh, server.count("list")

    assert run(main()) == (1, 2)


def age(watch: DependencyCheck, seconds: float) -> None:
    """Make the watch's latest word *seconds* older, and a moment more."""
    watch_of(watch)._heard -= seconds + 0.1


def test_a_watch_silent_for_long_is_not_trusted() -> None:
    async def main() -> tuple[int, int]:
        async with Kubernetes() as server:
            server.put("jobs", "migrate", **RUNNING)
            watch = job(server)
            await reason(watch)
            age(watch, OLDEST_YES)
            await reason(watch)
            heard = server.count("list")
            age(watch, OLDEST_NO)
            await reason(watch)
            return heard, server.count("list")

    assert run(main()) == (1, 2)


def test_a_bookmark_is_a_sign_of_life() -> None:
    async def main() -> int:
        async with Kubernetes() as server:
            server.put("jobs", "migrate", **RUNNING)
            watch = job(server)
            await reason(watch)
            await server.until(lambda: server.watches == 1)
            age(watch, OLDEST_NO)
            before = watch_of(watch)._heard
            server.bookmark()
            await until_so(lambda: watch_of(watch)._heard > before)
            await reason(watch)
            return server.count("list")

    assert run(main()) == 1


def test_a_watch_asks_for_bookmarks_and_an_end() -> None:
    async def main() -> Any:
        async with Kubernetes() as server:
            await reason(job(server))
            await server.until(lambda: server.watches == 1)
            return server.asked[-1].query

    assert run(main()) == {
        "fieldSelector": "metadata.name=migrate",
        "watch": "1",
        "allowWatchBookmarks": "true",
        "resourceVersion": "100",
        "timeoutSeconds": str(watch.LIFE),
    }


def test_a_single_attempt_leaves_nothing_open() -> None:
    async def main() -> str:
        async with Kubernetes() as server:
            line = f"k8s:job/migrate server={server.url} namespace=prod"
            text = await asyncio.create_task(why_not(line))
            await server.until(lambda: not server.open_connections)
            return text

    assert run(main()) == "no job migrate in namespace prod"


def test_a_frozen_api_server_is_named() -> None:
    """It accepts the connection and never answers, as a stopped process does."""

    async def main() -> str:
        async with listening(b"") as port:
            line = f"k8s:job/x server=http://127.0.0.1:{port} namespace=prod timeout=100ms"
            return await why_not(line)

    assert run(main()) == "API server: response: no answer within 100ms"


@pytest.mark.parametrize("thing", [None, 7, {}, {"kind": "Job"}, {"metadata": ["x"]}])
def test_a_watch_that_tells_of_no_object_is_of_no_more_use(thing: object) -> None:
    check = watch_for("x k8s:job/x server=http://127.0.0.1:1 namespace=prod").check
    assert isinstance(check, K8s)

    assert not check.watch._take({"type": "ADDED", "object": thing})
    assert check.watch.findings == {}
