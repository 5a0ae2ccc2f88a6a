"""Chromium, driven by the WebDriver protocol: the few commands that the tests of the page need."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.conftest import free_port, needs

PATIENCE = 20.0
_FLAGS = [
    "--headless",
    "--no-sandbox",  # the tests run as root
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    # A new browser asks these two anyway; it shall ask nobody.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


class Browser:
    """One window."""

    def __init__(self, port: int, profile: Path) -> None:
        self._port = port
        options = {
            "binary": needs("chromium", "chromium"),
            "args": [*_FLAGS, f"--user-data-dir={profile}"],
        }
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        made = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{made['sessionId']}"

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request(method, path, json.dumps(body or {}) if method == "POST" else None)
        value = json.loads(connection.getresponse().read())["value"]
        connection.close()
        if isinstance(value, dict) and "error" in value:
            raise AssertionError(value["message"])
        return value

    def open(self, url: str) -> None:
        """Show *url*; what the page before has complained of, and would yet, is forgotten."""
        self._go("about:blank")
        self.logs()
        self._go(url)

    def _go(self, url: str) -> None:
        self._call("POST", f"{self._session}/url", {"url": url})

    def run(self, script: str, *arguments: Any) -> Any:
        """Return what *script* returns; not bound by the page's own policy."""
        body = {"script": script, "args": list(arguments)}
        return self._call("POST", f"{self._session}/execute/sync", body)

    def cdp(self, command: str, **params: Any) -> Any:
        """Return the answer of the DevTools to *command*."""
        body = {"cmd": command, "params": params}
        return self._call("POST", f"{self._session}/goog/cdp/execute", body)

    def text(self, selector: str) -> str:
        """Return what one sees of the first element that *selector* finds."""
        return str(self.run(f"return document.querySelector({selector!r})?.innerText ?? ''"))

    def press(self, key: str) -> None:
        steps = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        actions = [{"type": "key", "id": "keyboard", "actions": steps}]
        self._call("POST", f"{self._session}/actions", {"actions": actions})

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until *is_so*; fails with what the page shows."""
        end = time.monotonic() + PATIENCE
        while not is_so():
            if time.monotonic() > end:
                raise AssertionError(self.text("body") + "\n" + "\n".join(self.logs()))
            time.sleep(0.05)

    def until_text(self, selector: str, text: str) -> None:
        self.until(lambda: text in self.text(selector))

    def logs(self) -> list[str]:
        """Return what the browser has complained of since the last call."""
        entries = self._call("POST", f"{self._session}/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries]

    def size(self, width: int, height: int) -> None:
        """Show as much as a window of that size would, a phone's perhaps."""
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def colours(self, scheme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.cdp("Emulation.setEmulatedMedia", features=features)

    def picture(self) -> bytes:
        """Return the window as PNG."""
        return base64.b64decode(self._call("GET", f"{self._session}/screenshot"))

    def quit(self) -> None:
        self._call("DELETE", self._session)


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """Run a browser with a new *profile*, and yield it."""
    needs("chromium", "chromium")
    driver = needs("chromedriver", "chromium-driver")
    port = free_port()
    with subprocess.Popen(
        [driver, f"--port={port}", "--silent"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _until_it_listens(port)
            browser = Browser(port, profile)
            try:
                yield browser
            finally:
                browser.quit()
        finally:
            process.terminate()


def _until_it_listens(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/status")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
