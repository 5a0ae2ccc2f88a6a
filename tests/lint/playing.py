"""Plays the manifests of these tests: quick, on free ports, with tiny stand-ins for images."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.lint.corpus import text_of
from tests.pod import Image, Node, Pod, Service, ServicePort
from tests.stand_ins import APP, GATE, Ports

FASTER = 20
"""How many of a manifest's seconds go into one of a test, but where it says `# faster: N`."""
SLOW = 0.5
"""Seconds until what is slow, the stand-in of a sidecar or a probe's command, is done."""
POD_IP = "127.0.0.2"

_WAITS = ("periodSeconds", "initialDelaySeconds")
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_GENEROUS = 60
"""A failureThreshold from which on a probe is not meant to fail for good."""
_TIMEOUT = 20.0
"""The timeoutSeconds of a probe that is to pass and has none of its own."""
_WEB = """
import http.server, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Quiet(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        is_login = self.path.startswith("/oauth2")
        is_up = time.monotonic() > begun + 2 * float(sys.argv[2])
        self.send_response(302 if is_login else 200 if is_up or "late" not in sys.argv else 503)
        if is_login:
            self.send_header("Location", "http://login.invalid/")
        self.send_header("Content-Length", "0")
        if is_up and not is_login:
            print("working", flush=True)
        self.end_headers()
    def log_message(self, *_):
        pass
begun = time.monotonic()
time.sleep(float(sys.argv[2]))
server = http.server.ThreadingHTTPServer((sys.argv[3], int(sys.argv[1])), Quiet)
print("serving", flush=True)
server.serve_forever()
"""
_NC = """#!{python}
import socket, sys
host, port = sys.argv[-2:]
try:
    socket.create_connection((host, int(port)), 1).close()
except OSError:
    sys.exit(1)
"""


class Stage:
    """Ports, tools and images for one manifest, played with a database that may come."""

    def __init__(self, folder: Path) -> None:
        self.ports = Ports()
        self._tools = folder
        nc = folder / "nc"
        nc.write_text(_NC.format(python=sys.executable))
        nc.chmod(0o755)

    def play(self, folder: str, name: str, *, slow: float = SLOW, **options: Any) -> Pod:
        """Return the pod of the manifest *name*, in which *slow* seconds are slow."""
        return Pod(self.manifest(folder, name), self.node(slow, **options))

    def manifest(self, folder: str, name: str) -> str:
        """Return the manifest with its time and its addresses scaled and replaced."""
        text = text_of(folder, name)
        given = re.search(r"^# faster: (\d+)$", text, re.MULTILINE)
        faster = int(given[1]) if given else FASTER
        own, database = self.ports["web"], self.ports["db"]
        replaced = {
            "4283": str(self.ports["gate"]),
            "shop 8080": f"{POD_IP} {own}",
            "8080": str(own),
            "db:5432": f"127.0.0.1:{database}",
            "db 5432": f"127.0.0.1 {database}",
            "sleep 1;": "sleep 0.05;",
        }
        # All at once, lest a port put in for another holds the digits of a third.
        text = re.sub("|".join(replaced), lambda m: replaced[m[0]], text)
        text = re.sub(r"hold([= ,]+)25s", lambda m: f"hold{m[1]}{25 / faster}s", text)
        text = re.sub(r'value: "(\d+)m"', lambda m: f'value: "{int(m[1]) * 60 / faster}s"', text)
        bites = folder == "bad"
        return "---\n".join(
            yaml.safe_dump(_scaled(each, faster, bites=bites)) for each in yaml.safe_load_all(text)
        )

    def node(self, slow: float, **options: Any) -> Node:
        """Return a node that knows the images of these tests."""
        images = {"gate": Image(entrypoint=GATE, cmd=("serve",)), "app": APP}
        images |= {"slow": self._web(slow), "web": self._web(0.0)}
        images["behind-login"] = Image(entrypoint=(*self._web(slow).entrypoint, "late"))
        # On 127.0.0.1 the node's own programs would be (fact 3.10).
        images["on-pod-address"] = self._web(slow, POD_IP)
        path = f"{self._tools}:/usr/local/bin:/usr/bin:/bin"
        return Node(
            images=images,
            commands={"gate": GATE, "python3": ("sh", "-c", f"sleep {slow}")},
            base_env={"PATH": path, "GATE_LISTEN": f":{self.ports['gate']}"},
            pod_ip=POD_IP,
            backoff=0.2,
            minimum_grace=0.3,
            services=[
                Service(name="gate", cluster_ip="10.0.0.1", ports=(ServicePort(port=80),)),
            ],
            secrets={"db": {"url": f"tcp://127.0.0.1:{self.ports['db']}", "password": "x"}},
            **options,
        )

    def _web(self, delay: float, host: str = "0.0.0.0") -> Image:
        words = (sys.executable, "-c", _WEB, str(self.ports["web"]), str(delay), host)
        return Image(entrypoint=words)


def _scaled(value: Any, faster: int, *, bites: bool) -> Any:
    """Return *value* with all waits shortened."""
    if isinstance(value, list):
        return [_scaled(inner, faster, bites=bites) for inner in value]
    if not isinstance(value, dict):
        return value
    inside = {name: _scaled(inner, faster, bites=bites) for name, inner in value.items()}
    inside |= {name: inside[name] / faster for name in _WAITS if name in inside}
    for name in inside.keys() & set(_PROBES):
        inside[name] |= _limits(value[name], faster, bites=bites)
    return inside


def _limits(probe: dict[str, Any], faster: int, *, bites: bool) -> dict[str, Any]:
    """Return those limits that stay in real seconds: nothing starts or answers faster in a test.

    A timeout that may be what a bad manifest shows is scaled all the same, to bite soon.
    """
    failures = probe.get("failureThreshold", 0)
    limits = {"failureThreshold": failures * faster} if failures >= _GENEROUS else {}
    if not bites:
        return {**limits, "timeoutSeconds": probe.get("timeoutSeconds", _TIMEOUT)}
    if "timeoutSeconds" in probe:
        limits["timeoutSeconds"] = probe["timeoutSeconds"] / faster
    return limits
