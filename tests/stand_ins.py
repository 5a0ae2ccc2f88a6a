"""Local processes that stand in for the images and hosts that the examples name."""

from __future__ import annotations

import http.client
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import free_port
from tests.pod import Image, Node

EXAMPLES = Path(__file__).parent.parent / "examples"
GATE = (sys.executable, "-m", "gate")

_SERVE = """
import http.server, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Quiet(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\\n")
    def log_message(self, *_):
        pass
time.sleep(float(sys.argv[2]))
print("serving", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Quiet).serve_forever()
"""
_APP = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("app is running", *sys.argv[1:], flush=True)
time.sleep(0 if "migrate" in sys.argv else 600)
"""

APP = Image(entrypoint=(sys.executable, "-c", _APP))


def web(port: int, delay: float = 0.0) -> Image:
    """Return an image of a server that answers HTTP on *port*, *delay* seconds late."""
    return Image(entrypoint=(sys.executable, "-c", _SERVE, str(port), str(delay)))


def node(gate_port: int, images: Mapping[str, Image]) -> Node:
    """Return a node where gate serves on *gate_port*, with *images* beside gate and app."""
    kept = {"PATH": os.environ["PATH"], "GATE_LISTEN": f":{gate_port}"}
    known = {"gate": Image(entrypoint=GATE, cmd=("serve",)), "app": APP, **images}
    return Node(
        images=known,
        commands={"gate": GATE},
        base_env=kept,
        backoff=0.2,
        minimum_grace=0.5,
    )


def manifest(name: str, gate_port: int, replaced: Mapping[str, str]) -> str:
    """Return the example *name* with hosts and ports of this machine put in.

    Each of *replaced* must be there: an example that changes must not pass by untested.
    """
    # First, lest a port put in for another holds the same digits.
    text = (EXAMPLES / name).read_text().replace("4283", str(gate_port))
    for old, new in replaced.items():
        assert old in text, f"{name} does not hold {old}"
        text = text.replace(old, new)
    return text


@contextmanager
def dependency(port: int) -> Iterator[None]:
    """Accept connections on *port* of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", port), backlog=64):
        yield


def get(port: int, path: str) -> tuple[int, str]:
    """Return status and body of what serves on *port* of 127.0.0.1."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


class Ports:
    """Free ports, one for each name asked for."""

    def __init__(self) -> None:
        self._ports: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        return self._ports.setdefault(name, free_port())
