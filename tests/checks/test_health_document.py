"""The health documents as their makers write them, and the names that are taken from them."""

from __future__ import annotations

import json

import pytest

from gate.checks.http import health_document
from tests.checks.servers.raw_http import serving, status
from tests.conftest import run, why_not

SPRING = {
    "status": "DOWN",
    "components": {
        "db": {"status": "DOWN", "details": {"error": "password is hunter2"}},
        "disk": {"status": "UP"},
        "redis": {"status": "DOWN"},
    },
}
DOCUMENTS = [
    (SPRING, "db, redis DOWN"),
    (
        {
            "status": "DOWN",
            "components": {"r2dbc": {"status": "DOWN", "components": {"a": {"status": "DOWN"}}}},
        },
        "a DOWN",
    ),
    (
        {"status": "DOWN", "checks": [{"name": "Kafka", "status": "DOWN", "data": {"x": "y"}}]},
        "Kafka DOWN",
    ),
    ({"status": "Unhealthy", "entries": {"sql": {"status": "Unhealthy"}}}, "sql Unhealthy"),
    (
        {"status": "fail", "checks": {"cassandra:responseTime": [{"status": "fail"}]}},
        "cassandra:responseTime fail",
    ),
    ({"status": "DOWN"}, ""),
    ([1, 2], ""),
]


@pytest.mark.parametrize(("document", "names"), DOCUMENTS)
def test_it_names_what_is_down(document: object, names: str) -> None:
    assert health_document.down(json.dumps(document).encode()) == names


def test_verbose_lines_of_kubernetes_are_read() -> None:
    body = b"[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n"

    assert health_document.down(body) == "etcd failed"


def test_it_is_bounded() -> None:
    parts = {f"{number}{'x' * 99}": {"status": "DOWN"} for number in range(50)}

    text = health_document.down(json.dumps({"components": parts}).encode())
    assert text.endswith("and 45 more DOWN")
    assert len(text) < 260


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"components":' * 500, b"\xff\xfe"])
def test_what_is_no_document_says_nothing(body: bytes) -> None:
    assert health_document.down(body) == ""


def reason(options: str) -> str:
    async def main() -> str:
        async with serving(status(503, body=json.dumps(SPRING))) as server:
            return await why_not(f"{server.url}/ {options}")

    text: str = run(main())
    return text


def test_the_reason_names_what_is_down_and_no_details() -> None:
    assert reason("") == "status 503: db, redis DOWN"


def test_detail_off_leaves_the_status() -> None:
    assert reason("detail=off") == "status 503"


def test_a_secret_is_not_named() -> None:
    assert reason('header="X-Key: redis"') == "status 503: db, *** DOWN"
