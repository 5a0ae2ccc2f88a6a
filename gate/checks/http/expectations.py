"""What is expected of an HTTP answer; all of it must hold."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from gate.checks.http import health_document
from gate.checks.http.bounded_regex import BoundedRegex
from gate.checks.wire.tls_options import FAREWELL
from gate.core import attempt
from gate.core.errors import Absent, CheckFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    import httpx

    from gate.core.target import Target

LONGEST_BODY = 64 * 1024
USUAL = frozenset(range(200, 400))
_ABSENT = frozenset({404, 410})
_LONGEST_VALUE = 60
_STATUS = re.compile(r"[1-5](\d\d|xx)", re.ASCII | re.IGNORECASE)


class Query(Protocol):
    """A compiled JMESPath expression."""

    def search(self, value: Any) -> Any:  # noqa: ANN401 -- JSON is anything
        """Return what the expression finds in *value*; raises `ValueError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The statuses, and what the body must be; `json` is the text of `query`."""

    statuses: frozenset[int] = USUAL
    regex: BoundedRegex | None = None
    json: str = ""
    query: Query | None = None
    patience: float = FAREWELL
    """Seconds to wait for the end of a body that nobody looks at."""
    has_detail: bool = True
    """Whether a health document may name what is down."""
    label: str = ""
    """What `json` finds, in words; for checks that write the expression themselves."""
    words: dict[int, str] = field(default_factory=dict, hash=False)
    """What a status means to a server of a known kind."""
    header: tuple[str, str] | None = None
    """A header that the answer must have."""

    async def judge(self, answer: httpx.Response) -> None:
        """Raise `CheckFailed` unless *answer* is as expected, `Absent` if nothing is there."""
        if answer.status_code not in self.statuses:
            raise await self._refusal(answer)
        self._judge_header(answer)
        if not (self.regex or self.query):
            await self._let_finish(answer)
            return
        body, is_whole = await read_body(answer)
        if answer.headers.get("content-encoding", "identity") != "identity":
            msg = "body: the server sends it compressed, unasked"
            raise CheckFailed(msg)
        await self._judge_text(body, is_whole=is_whole)
        self._judge_json(body, is_whole=is_whole)

    async def _let_finish(self, answer: httpx.Response) -> None:
        """Read the rest of the body: some servers log an error if a client leaves before.

        A body without an end, or one that breaks off, does not matter: the status is known.
        """
        with suppress(CheckFailed, TimeoutError):
            async with asyncio.timeout(self.patience):
                await read_body(answer)

    async def _refusal(self, answer: httpx.Response) -> CheckFailed:
        """Return what the status means, and what is down where the answer names it."""
        status = answer.status_code
        detail = self.words.get(status, "")
        if self.has_detail and not detail:
            with suppress(CheckFailed, TimeoutError):
                async with asyncio.timeout(self.patience):
                    detail = health_document.down((await read_body(answer))[0])
        text = f"status {status}{': ' if detail else ''}{detail}"
        return (Absent if status in _ABSENT else CheckFailed)(text)

    def _judge_header(self, answer: httpx.Response) -> None:
        if self.header and answer.headers.get(self.header[0]) != self.header[1]:
            msg = f"the answer lacks the right header {self.header[0]}"
            raise CheckFailed(msg)

    async def _judge_text(self, body: bytes, *, is_whole: bool) -> None:
        if self.regex and not await self.regex.is_in(body):
            where = "" if is_whole else " in its first 64 KiB"
            msg = f"body: does not match body-regex{where}"
            raise CheckFailed(msg)

    def _judge_json(self, body: bytes, *, is_whole: bool) -> None:
        if self.query is None:
            return
        if not is_whole:
            msg = "json: the body is longer than 64 KiB"
            raise CheckFailed(msg)
        try:
            value = json.loads(body)
        except (ValueError, RecursionError) as exc:
            msg = "json: the body is not JSON"
            raise CheckFailed(msg) from exc
        self._judge_value(self.query, value)

    def _judge_value(self, query: Query, value: Any) -> None:  # noqa: ANN401 -- JSON is anything
        try:
            found = query.search(value)
        except (ValueError, TypeError, RecursionError) as exc:
            msg = f"json: {self.json} does not fit the answer: {_first_line(exc)}"
            raise CheckFailed(msg) from exc
        if found is not True:
            msg = f"{self.label or f'json: {self.json}'} is {_shown(found)}"
            raise CheckFailed(msg)


def parse(target: Target) -> Expected:
    """Return what *target* expects."""
    text = target.text("json")
    regex = target.read("body-regex", _regex, None)
    return Expected(
        statuses=target.read("status", statuses, USUAL),
        regex=BoundedRegex(regex, target.timeout / 2) if regex else None,
        json=text,
        query=target.read("json", _query, None),
        patience=min(FAREWELL, target.timeout / 4),
        has_detail=target.choice("detail", ("on", "off"), "on") == "on",
    )


def statuses(text: str) -> frozenset[int]:
    """Return the statuses of a list of codes and classes; raises `ValueError`."""
    found: set[int] = set()
    for word in text.split(","):
        status = word.strip().lower()
        if not _STATUS.fullmatch(status):
            msg = f"{word[:20]!r} is no status; write codes and classes, 200,204,3xx"
            raise ValueError(msg)
        first = int(status.replace("x", "0"))
        found.update(range(first, first + 100) if status.endswith("xx") else (first,))
    return frozenset(found)


def _regex(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as exc:
        msg = f"not a regular expression: {exc}"
        raise ValueError(msg) from exc


def _query(text: str) -> Query:
    jmespath = import_module("jmespath")
    try:
        query: Query = jmespath.compile(text)
    except ValueError as exc:
        msg = f"not a JMESPath expression: {_first_line(exc)}"
        raise ValueError(msg) from exc
    return query


async def read_body(answer: httpx.Response) -> tuple[bytes, bool]:
    """Return the body as far as it is looked at, and whether that is all of it."""
    attempt.enter_stage("response body")
    body = bytearray()
    async for part in cast("AsyncIterable[bytes]", answer.stream):
        body += part
        if len(body) > LONGEST_BODY:
            return bytes(body[:LONGEST_BODY]), False
    return bytes(body), True


def _first_line(exc: Exception) -> str:
    return str(exc).partition("\n")[0].rstrip(":")


def _shown(value: Any) -> str:  # noqa: ANN401 -- JSON is anything
    text = attempt.redacted(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
