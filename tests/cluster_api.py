"""As much of an API server as writing events and a pod's condition takes, over real TLS.

None can be installed for the tests. This one follows the API's documents: it wants a token,
knows RBAC by verb and resource, refuses an event of another namespace than its path's, counts
an event up by PATCH, and merges conditions by their type (strategic merge patch).
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.canary import CANARY, look

_EVENTS = re.compile(r"/api/v1/namespaces/([^/]+)/events(?:/([^/]+))?")
_STATUS = re.compile(r"/api/v1/namespaces/([^/]+)/pods/([^/]+)/status")
_PATCHES = {"application/strategic-merge-patch+json", "application/merge-patch+json"}
USER = "system:serviceaccount:prod:shop"


class ClusterApi:
    """What it holds, and what it does not allow."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.token = CANARY
        self.denied: set[tuple[str, str]] = set()
        self.events: dict[str, dict[str, Any]] = {}
        self.conditions: dict[str, dict[str, Any]] = {"Ready": {"type": "Ready", "status": "False"}}
        self.told: list[str] = []
        """Method and path of each request."""
        self.statuses: list[str] = []
        """Each status that the condition has had, and its message."""
        self.changed = threading.Condition()

    def until(self, is_so: Any) -> None:
        with self.changed:
            assert self.changed.wait_for(is_so, timeout=20), (self.told, self.events)

    def answer(self, method: str, path: str, kind: str, body: Any) -> tuple[int, Any]:
        """Return status and body for what is allowed."""
        if (found := _STATUS.fullmatch(path)) and method == "PATCH" and kind in _PATCHES:
            return self._patch_status(found[2], body)
        if found := _EVENTS.fullmatch(path):
            if method == "POST" and found[2] is None:
                return self._post_event(found[1], body)
            if method == "PATCH" and found[2] and kind in _PATCHES:
                return self._patch_event(found[2], body)
        return 404, said(404, "the server could not find the requested resource")

    def refusal(self, method: str, path: str) -> tuple[int, Any] | None:
        """Return what RBAC has against it."""
        verb = {"POST": "create", "PATCH": "patch"}.get(method, "get")
        resource = "pods/status" if path.endswith("/status") else "events"
        if (verb, resource) not in self.denied:
            return None
        text = (
            f'{resource} is forbidden: User "{USER}" cannot {verb} resource "{resource}" in API '
            'group "" in the namespace "prod"'
        )
        return 403, said(403, text)

    def _post_event(self, namespace: str, body: Any) -> tuple[int, Any]:
        name = body["metadata"]["name"]
        if {namespace} != {body["metadata"]["namespace"], body["involvedObject"]["namespace"]}:
            return 422, said(422, "involvedObject.namespace: does not match event.namespace")
        if name in self.events:
            return 409, said(409, f'events "{name}" already exists')
        self.events[name] = body
        return 201, body

    def _patch_event(self, name: str, body: Any) -> tuple[int, Any]:
        if name not in self.events:
            return 404, said(404, f'events "{name}" not found')
        self.events[name] |= body
        return 200, self.events[name]

    def _patch_status(self, pod: str, body: Any) -> tuple[int, Any]:
        if pod != "shop-1":
            return 404, said(404, f'pods "{pod}" not found')
        for condition in body["status"]["conditions"]:
            self.conditions.setdefault(condition["type"], {}).update(condition)
            self.statuses.append(f"{condition['status']}: {condition['message']}")
        return 200, {"kind": "Pod", "status": {"conditions": list(self.conditions.values())}}


def said(code: int, message: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message,
        "code": code,
    }


@contextmanager
def cluster_api(tls: ssl.SSLContext) -> Iterator[ClusterApi]:
    """Run one on a port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            written = self.rfile.read(length)
            look("what the API server is told", written)
            body = json.loads(written or b"null")
            with api.changed:
                status, answer = self._decide(body)
                api.told.append(f"{self.command} {self.path}")
                api.changed.notify_all()
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _decide(self, body: Any) -> tuple[int, Any]:
            if self.headers.get("Authorization") != f"Bearer {api.token}":
                return 401, said(401, "Unauthorized")
            refused = api.refusal(self.command, self.path)
            kind = self.headers.get("Content-Type", "")
            return refused or api.answer(self.command, self.path, kind, body)

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815 -- as the base class looks for them

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that goes away is none."""

    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        api = ClusterApi(server.server_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield api
        finally:
            server.shutdown()
