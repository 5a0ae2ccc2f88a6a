"""What each endpoint answers, for a board in each of its states; no server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gate.core.latch import Latch
from gate.core.model import Dependency, Result
from gate.report import page, plain_text
from gate.runtime.board import Board
from gate.serve import answers
from gate.serve.answers import Answer, Answers
from tests.virtual import now, play

TEXT = "text/plain; charset=utf-8"
DB = Dependency(name="db", url="tcp://db:1", deadline=5.0)
CACHE = Dependency(name="cache", url="tcp://cache:1", optional=True, deadline=5.0)


def result(name: str, reason: str = "") -> Result:
    return Result(name=name, ok=not reason, reason=reason, started=now(), finished=now())


def waiting(board: Board) -> None:
    board.record(result("db", "refused"))


def overdue(board: Board) -> None:
    waiting(board)
    board.latch.tick(now() + 6)


def opened(board: Board) -> None:
    board.record(result("db"))
    board.record(result("cache"))


def degraded(board: Board) -> None:
    board.record(result("cache", "refused"))
    board.record(result("db"))
    board.latch.tick(now() + 6)


def stopping(board: Board) -> None:
    opened(board)
    board.stop()


State = Callable[[Board], None]


def answer(state: State, ask: Callable[[Answers], Answer], **options: Any) -> Answer:
    """Return what *ask* is answered by a gate for db and the optional cache, in *state*."""

    async def main() -> Answer:
        board = Board(Latch([DB, CACHE], now=now(), confirms=False))
        state(board)
        return ask(Answers(board, **options))

    return play(main())


def startup(*, brief: bool = False, is_kubelet: bool = False) -> Callable[[Answers], Answer]:
    return lambda made: made.startup(brief=brief, is_kubelet=is_kubelet)


WAITING = (
    "[-]db waiting: refused (1 attempt, 0s)\n[-]cache waiting: no answer yet (0 attempts, 0s)\n"
)
WITHOUT = "opened without cache: refused"


@pytest.mark.parametrize(
    ("state", "form", "status", "body"),
    [
        (waiting, {}, 503, f"{WAITING}gate is waiting\n"),
        (waiting, {"brief": True}, 503, "waiting for db: refused; cache: no answer yet\n"),
        (waiting, {"is_kubelet": True}, 503, f"{WAITING}gate is waiting\n"),
        (overdue, {"brief": True}, 424, "overdue, waiting for db: refused\n"),
        (overdue, {"is_kubelet": True, "brief": True}, 424, "overdue, waiting for db: refused\n"),
        (opened, {"brief": True}, 200, "open\n"),
        (opened, {"is_kubelet": True, "brief": True}, 200, "open\n"),
        (degraded, {"brief": True}, 200, f"{WITHOUT}\n"),
        (degraded, {"is_kubelet": True}, 300, f"{WITHOUT}\n"),
        (degraded, {"is_kubelet": True, "brief": True}, 300, f"{WITHOUT}\n"),
        (stopping, {}, 503, "gate is stopping\n"),
        (stopping, {"is_kubelet": True, "brief": True}, 503, "gate is stopping\n"),
    ],
)
def test_the_verdict_on_the_whole(
    state: State, form: dict[str, bool], status: int, body: str
) -> None:
    assert answer(state, startup(**form)) == Answer(status, body.encode(), TEXT, ())


def test_a_degraded_opening_told_to_nobody_is_told_to_the_kubelet_as_to_all() -> None:
    found = answer(degraded, startup(is_kubelet=True), tells_degraded=False)

    assert found.status == 200
    assert found.body.endswith(f"gate is open, degraded: {WITHOUT}\n".encode())


@pytest.mark.parametrize(
    ("state", "status", "body"),
    [
        (waiting, 503, b"waiting\n"),
        (overdue, 424, b"overdue\n"),
        (opened, 200, b"open\n"),
        (degraded, 300, b"open\n"),
    ],
)
@pytest.mark.parametrize("brief", [True, False])
def test_where_nothing_is_shown_a_verdict_is_one_word(
    state: State, status: int, body: bytes, *, brief: bool
) -> None:
    found = answer(state, startup(brief=brief, is_kubelet=True), shows_all=False)

    assert (found.status, found.body) == (status, body)


def part(name: str, **form: bool) -> Callable[[Answers], Answer]:
    asked = {"brief": True, "is_kubelet": False, **form}
    return lambda made: made.part(name, **asked)


@pytest.mark.parametrize(
    ("name", "form", "status", "body"),
    [
        ("db", {}, 200, "open\n"),
        ("db", {"brief": False}, 200, "[+]db ready after 0s\ngate is open\n"),
        ("db", {"is_kubelet": True}, 200, "open\n"),
        ("cache", {"is_kubelet": True}, 300, f"{WITHOUT}\n"),
        ("other", {}, 404, "no such part; there are db cache\n"),
    ],
)
def test_the_verdict_on_a_part(name: str, form: dict[str, bool], status: int, body: str) -> None:
    found = answer(degraded, part(name, **form))

    assert (found.status, found.body.decode()) == (status, body)


def test_where_nothing_is_shown_nobody_is_told_which_parts_there_are() -> None:
    found = answer(opened, part("other"), shows_all=False)

    assert (found.status, found.body) == (404, b"no such part\n")


@pytest.mark.parametrize(
    ("state", "shows_all", "status", "body"),
    [
        (waiting, True, 503, "[-]gate waiting\nreadyz check failed\n"),
        (opened, True, 200, "[+]gate open\nreadyz check passed\n"),
        (stopping, True, 503, "[+]gate open\n[-]gate is stopping\nreadyz check failed\n"),
        (waiting, False, 503, "readyz check failed\n"),
        (opened, False, 200, "readyz check passed\n"),
        (stopping, False, 503, "readyz check failed\n"),
    ],
)
def test_readiness(state: State, status: int, body: str, *, shows_all: bool) -> None:
    found = answer(state, Answers.readiness, shows_all=shows_all)

    assert found == Answer(status, body.encode(), TEXT, ())


@pytest.mark.parametrize("shows_all", [True, False])
def test_liveness_is_that_it_answers(*, shows_all: bool) -> None:
    assert answer(stopping, Answers.liveness, shows_all=shows_all) == Answer(200, b"ok\n", TEXT, ())


def test_status_is_json_on_one_line() -> None:
    found = answer(opened, Answers.status)

    assert (found.status, found.headers) == (200, ())
    assert found.content_type == "application/json; charset=utf-8"
    assert found.body.endswith(b"}\n")
    assert json.loads(found.body)["state"] == "open"


def test_metrics_are_in_the_form_that_is_asked_for() -> None:
    plain = answer(opened, lambda made: made.metrics(""))
    other = answer(opened, lambda made: made.metrics("application/openmetrics-text; version=1.0.0"))

    assert (plain.status, plain.headers) == (200, ())
    assert plain.content_type.startswith("text/plain")
    assert b"\ngate_open 1.0\n" in plain.body
    assert other.content_type.startswith("application/openmetrics-text")
    assert other.body.endswith(b"# EOF\n")


def test_a_second_scrape_goes_on_with_what_the_first_has_loaded() -> None:
    def twice(made: Answers) -> Answer:
        first = made.metrics("")
        exposition = made._exposition
        assert exposition is not None
        assert made.metrics("").content_type == first.content_type
        assert made._exposition is exposition
        return first

    assert answer(opened, twice).status == 200


def test_the_page_comes_with_its_policy() -> None:
    found = answer(opened, Answers.page)
    body, policy = page.load()

    assert (found.status, found.body) == (200, body.encode())
    assert found.content_type == "text/html; charset=utf-8"
    assert found.headers == (*page.HEADERS.items(), ("Content-Security-Policy", policy))


@pytest.mark.parametrize("ask", [Answers.status, Answers.page, lambda made: made.metrics("")])
def test_where_nothing_is_shown_there_is_only_the_setting_that_hides_it(
    ask: Callable[[Answers], Answer],
) -> None:
    found = answer(opened, ask, shows_all=False)

    assert found == Answer(404, b"not shown: GATE_STATUS is off\n", TEXT, ())


ALLOW = (("Allow", "GET, HEAD"),)
PATHS = "/startupz /readyz /livez /healthz /status /metrics /"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        *((path, (405, b"only GET and HEAD\n", ALLOW)) for path in PATHS.split()),
        ("/startupz/db", (405, b"only GET and HEAD\n", ALLOW)),
        *(
            (path, (404, f"no such path; there are {PATHS}\n".encode(), ()))
            for path in ("/startupz/", "/nothing", "*", "")
        ),
    ],
)
def test_what_is_not_answered_is_told_what_there_is(
    path: str, expected: tuple[int, bytes, Any]
) -> None:
    found = answers.unknown(path)

    assert (found.status, found.body, found.headers) == expected
    assert found.content_type == TEXT


def test_what_cannot_be_encoded_is_replaced() -> None:
    assert answers.text(200, "a\ud800b") == Answer(200, b"a?b", TEXT, ())


def test_a_bad_request_is_told_why() -> None:
    assert answers.bad_request("hold: no") == Answer(400, b"hold: no\n", TEXT, ())


def test_a_verdict_is_8_kib_at_most_in_either_form() -> None:
    def long(board: Board) -> None:
        board.record(result("db", "x" * 20_000))

    for brief in (True, False):
        assert len(answer(long, startup(brief=brief)).body) <= plain_text.BODY_LIMIT


def test_every_answer_is_gates_and_is_kept_by_nobody() -> None:
    assert answers.HEADERS == (
        ("Cache-Control", "no-store"),
        ("Server", "gate"),
        ("X-Content-Type-Options", "nosniff"),
    )
