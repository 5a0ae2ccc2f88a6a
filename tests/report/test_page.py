"""The page of `/` in a real browser: what it shows of a real gate, and of a hostile one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gate.report import page
from tests.browser import Browser, chromium
from tests.conftest import free_port
from tests.process import GateProcess, listening

ATTACK = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
TAB, ENTER = "\ue004", "\ue007"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(autouse=True)
def desk(browser: Browser) -> None:
    browser.size(1100, 760)
    browser.colours("light")


def show(browser: Browser, gate: GateProcess) -> None:
    gate.event("gate.started")
    browser.open(f"http://127.0.0.1:{gate.port}/")


def serving(*lines: str, **settings: str) -> GateProcess:
    return GateProcess("serve", env={"GATE_DEPENDENCIES": "\n".join(lines), **settings})


def test_it_says_what_the_app_is_held_back_by_and_why(browser: Browser) -> None:
    with serving(f"db tcp://127.0.0.1:{free_port()}", POD_NAME="shop-1") as gate:
        show(browser, gate)
        browser.until_text("#pending", "db: connection refused")

        assert browser.text("#state") == "Waiting"
        assert browser.text("#headline") == "The app is held back by 1 of 1 dependency:"
        assert "waiting: connection refused (" in browser.text("#row-0 .why")
        assert browser.run("return document.title") == "waiting (1) · shop-1 · gate"


def test_it_follows_the_opening_live_and_then_names_the_slowest(browser: Browser) -> None:
    port = free_port()
    with serving(f"db tcp://127.0.0.1:{port}") as gate:
        show(browser, gate)
        browser.until_text("#pending", "connection refused")
        with listening(port):
            browser.until_text("#state", "Open")

        assert browser.text("#pending") == ""
        assert "Longest waited for: db, " in browser.text("#headline")
        assert "(connection refused for " in browser.text("#headline")
        assert "ready after " in browser.text("#row-0 .why")
        assert browser.run("return document.title").startswith("open · ")


def test_the_bar_shows_attempts_and_the_change_of_the_reason(
    browser: Browser, tmp_path: Path
) -> None:
    """The first answer takes a third of a second: long enough to be seen beside the rest."""
    flag = tmp_path / "flag"
    with serving(f'db "exec:sleep 0.3; test -e {flag}" shell timeout=20s') as gate:
        show(browser, gate)
        browser.until_text("#pending", "exit code 1")
        flag.touch()
        browser.until_text("#state", "Open")
        drawn = {name: browser.run(PATH, f"#row-0 .{name}") for name in ("attempts", "changes")}

    assert drawn["attempts"].count("z") >= 2
    assert drawn["changes"].count("M") == 1


PATH = "return document.querySelector(arguments[0]).getAttribute('d')"


def test_a_degraded_opening_says_without_what(browser: Browser) -> None:
    # Not before the first attempt has failed.
    cache = f"cache tcp://127.0.0.1:{free_port()} optional deadline=4s"
    with serving(cache) as gate:
        show(browser, gate)
        browser.until_text("#state", "Open, degraded")

        assert "Opened without cache: connection refused." in browser.text("#headline")
        assert "given up: connection refused" in browser.text("#row-0 .why")


def test_overdue_is_told_apart_from_waiting(browser: Browser) -> None:
    with serving(f"db tcp://127.0.0.1:{free_port()} deadline=300ms") as gate:
        show(browser, gate)
        browser.until_text("#state", "Overdue")

        assert browser.run("return document.querySelector('#gate').className") == "overdue"
        browser.until_text("#row-0 .why", "overdue: connection refused")


def test_a_monitored_dependency_that_fails_later_is_told_and_the_wait_still_shown(
    browser: Browser,
) -> None:
    port = free_port()
    with serving(f"db tcp://127.0.0.1:{port} monitor interval=50ms") as gate:
        show(browser, gate)
        with listening(port):
            browser.until_text("#state", "Open")
        browser.until_text("#row-0 .why", "not fine any more: connection refused")

        assert "Longest waited for: db" in browser.text("#headline")


def test_fifty_dependencies_have_a_row_each_and_the_first_pending_are_named(
    browser: Browser,
) -> None:
    port = free_port()
    with serving(*(f"d{number} tcp://127.0.0.1:{port}" for number in range(50))) as gate:
        show(browser, gate)
        browser.until_text("#pending", "d5: connection refused")

        assert browser.run("return document.querySelectorAll('#rows > li').length") == 50
        assert browser.text("#pending").splitlines()[-1] == "and 44 more"


def test_when_gate_goes_away_the_last_picture_stays_and_the_page_says_so(browser: Browser) -> None:
    with serving(f"db tcp://127.0.0.1:{free_port()}") as gate:
        show(browser, gate)
        browser.until_text("#pending", "connection refused")

    browser.until_text("#gone", "gate has not answered since")
    assert "This is the last picture" in browser.text("#gone")
    assert browser.text("#pending") == "db: connection refused"


def test_a_row_is_opened_by_keyboard_and_shows_history_and_options(browser: Browser) -> None:
    with serving(f"db tcp://127.0.0.1:{free_port()} deadline=5m optional") as gate:
        show(browser, gate)
        browser.until_text("#pending", "connection refused")
        for key in (TAB, TAB, ENTER):
            browser.press(key)
        browser.until_text("#row-0 .more", "waiting: connection refused")

        assert "timeout=3s, interval=1s, deadline=5m, optional" in browser.text("#row-0 .more")


def test_the_bar_is_told_to_a_screen_reader_and_the_headline_is_live(browser: Browser) -> None:
    with serving(f"db tcp://127.0.0.1:{free_port()}") as gate:
        show(browser, gate)
        browser.until_text("#pending", "connection refused")
        nodes = browser.cdp("Accessibility.getFullAXTree")["nodes"]

    named = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes}
    bars = [name for role, name in named if role == "image"]
    assert len(bars) == 1
    assert "waiting: connection refused from " in bars[0]
    assert ("heading", "Waiting") in named
    assert "status" in {role for role, _ in named}


def test_a_phone_needs_no_scrolling_to_the_side(browser: Browser) -> None:
    name = "a-name-of-sixty-three-characters-" + "x" * 30
    with serving(f"{name} tcp://127.0.0.1:{free_port()} optional monitor any=brokers") as gate:
        browser.size(360, 740)
        show(browser, gate)
        browser.until_text("#pending", "connection refused")
        width = browser.run("return document.documentElement.scrollWidth")

    assert width <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast_enough_to_be_read(browser: Browser, scheme: str) -> None:
    """4.5 to 1, as WCAG's level AA has it."""
    lines = [
        f"db tcp://127.0.0.1:{free_port()}",
        f"cache tcp://127.0.0.1:{free_port()} deadline=1s",
    ]
    with serving(*lines) as gate:
        browser.colours(scheme)
        show(browser, gate)
        browser.until_text("#state", "Overdue")
        poor = browser.run(CONTRASTS)

    assert poor == []


CONTRASTS = r"""
const parse = (text) => text.match(/[\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((one) => one / 255)
  .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
  .reduce((sum, one, index) => sum + one * [0.2126, 0.7152, 0.0722][index], 0);
const ground = (node) => {
  for (let at = node; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] > 0) return colour;
  }
};
const poor = [];
for (const node of document.querySelectorAll("body *")) {
  if (![...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim())) continue;
  if (["SCRIPT", "NOSCRIPT"].includes(node.tagName) || !node.checkVisibility()) continue;
  const two = [light(parse(getComputedStyle(node).color)), light(ground(node))].sort();
  const ratio = (Math.max(...two) + 0.05) / (Math.min(...two) + 0.05);
  if (ratio < 4.5) poor.push(`${node.textContent}: ${ratio}`);
}
return poor;
"""


def test_nothing_but_its_own_script_may_run_and_it_breaks_no_rule(browser: Browser) -> None:
    with serving(f"db tcp://127.0.0.1:{free_port()}") as gate:
        show(browser, gate)
        browser.until_text("#pending", "connection refused")
        complaints = browser.logs()
        policy = gate.ask("/").headers["content-security-policy"]
        browser.run("document.body.insertAdjacentHTML('beforeend', arguments[0])", ATTACK)
        browser.until(lambda: any("Content Security Policy" in line for line in browser.logs()))
        title = browser.run("return document.title")

    assert complaints == []
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert title != "taken"


def test_names_addresses_and_reasons_are_shown_as_the_text_they_are(browser: Browser) -> None:
    with serving(f"db tcp://127.0.0.1:{free_port()} any=x") as gate:
        gate.event("dependency.waiting")
        status = json.loads(gate.ask("/status").body)
    (dependency,), changes = status["dependencies"], status["transitions"]
    dependency.update(name=ATTACK, url=ATTACK, reason=ATTACK)
    dependency["options"]["any"] = status["pod"] = ATTACK
    status["pending"] = [ATTACK]
    for change in changes:
        change.update(dependency=ATTACK, reason=ATTACK)

    with fake_gate("", status) as port:
        browser.open(f"http://127.0.0.1:{port}/")
        browser.until_text("#pending", ATTACK)
        browser.run("document.querySelector('details').open = true")
        browser.until_text("#row-0 .more", f"waiting: {ATTACK}")

        assert browser.text("#row-0 .name") == ATTACK
        assert browser.run("return document.querySelectorAll('img, body script').length") == 1
        assert browser.run("return document.title").endswith("· gate")


def test_it_works_below_the_path_of_a_proxy(browser: Browser) -> None:
    """As the API server has it: `/api/v1/namespaces/prod/pods/shop:4283/proxy/`."""
    with serving(f"db tcp://127.0.0.1:{free_port()}") as gate:
        gate.event("dependency.waiting")
        status = json.loads(gate.ask("/status").body)
    path = "/api/v1/namespaces/prod/pods/shop:4283/proxy"

    with fake_gate(path, status) as port:
        browser.open(f"http://127.0.0.1:{port}{path}/")
        browser.until_text("#pending", "db: connection refused")


@contextmanager
def fake_gate(path: str, status: dict[str, Any]) -> Iterator[int]:
    """Serve the page and one *status* below *path*: names that no real gate would take."""
    text, policy = page.load()
    answers = {
        f"{path}/": ("text/html", text),
        f"{path}/status": ("application/json", json.dumps(status)),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = answers[self.path.partition("?")[0]]
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
