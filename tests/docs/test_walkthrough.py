"""docs/walkthrough.md is true: its app and its manifest are played with a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.checks.servers.postgresql import Postgresql, initialize, own_folder
from tests.conftest import free_port
from tests.docs.pages import Block, blocks, lines
from tests.pod import Image, Pod, load
from tests.process import PATIENCE, run_gate
from tests.stand_ins import Ports, get, node

pytestmark = pytest.mark.anyio

PAGE = "docs/walkthrough.md"
TABLE = "CREATE TABLE orders (id int); GRANT SELECT ON orders TO app"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def database() -> Iterator[Postgresql]:
    with own_folder() as folder:
        yield initialize(folder)


def of_page(language: str) -> list[Block]:
    return blocks(language, PAGE)


def url(port: int) -> str:
    return f"postgresql://app:se%20cret@127.0.0.1:{port}/app"


def app() -> str:
    (block,) = of_page("python")
    return block.text


def once(port: int) -> list[str]:
    """Return the words of the page's `gate wait --once`, for a server on *port*."""
    (line,) = (line for block in of_page("console") for line in lines(block) if "--once" in line)
    here = f"se%20cret@127.0.0.1:{port}"
    return shlex.split(line.replace("PASSWORD@db.example.com:5432", here))[1:]


def unseen(log: str) -> list[dict[str, Any]]:
    """Return the lines of the page that are not in *log*, time and other keys aside."""
    found = re.findall(
        r"^\{.*\}$", "".join(block.text for block in of_page("console")), re.MULTILINE
    )
    seen = [{**json.loads(line), "time": "…"} for line in log.splitlines()]
    shown = [json.loads(line) for line in found]
    return [line for line in shown if not any(line.items() <= each.items() for each in seen)]


def test_the_app_ends_with_an_error_without_its_database() -> None:
    done = subprocess.run(
        [sys.executable, "-c", app()],
        check=False,
        env={"DATABASE_URL": url(free_port())},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )

    assert done.returncode == 1
    assert "Traceback" in done.stderr


async def test_the_app_starts_when_login_and_table_are_there(database: Postgresql) -> None:
    ports = Ports()
    (block,) = of_page("yaml")
    text = block.text.replace("4283", str(ports["gate"])).replace("hold=25s", "hold=200ms")
    images = {"shop": Image(entrypoint=(sys.executable, "-c", app()))}
    secrets = {"shop-db": {"url": url(database.port)}}
    async with Pod(load(text), replace(node(ports["gate"], images), secrets=secrets)) as pod:
        await pod.until(lambda pod: "connection refused" in pod.logs("gate"))
        with database.starting(listen_addresses="127.0.0.1"):
            await pod.until(lambda pod: "does not exist" in pod.logs("gate"))
            assert not pod.moments("app", "created")

            await asyncio.to_thread(database.psql, TABLE, "app")
            await pod.until(lambda pod: pod.logs("app"))
            status = await asyncio.to_thread(get, ports["gate"], "/status")
            code, table, _ = await asyncio.to_thread(run_gate, *once(database.port))

    assert code == 0, table
    assert unseen(pod.logs("gate")) == []
    assert pod.logs("app") in "".join(block.text for block in of_page("console"))
    assert json.loads(status[1])["open"] is True
    assert not re.search("se.{1,3}cret", pod.logs("gate") + status[1])
