"""gate with a hundredth of a CPU, as where the limits of a pod leave nothing to its sidecars."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.conftest import free_port
from tests.faults.starving import starved
from tests.process import PATIENCE, UNMEASURED, GateProcess


class _Fine(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering(port: int) -> Iterator[None]:
    """Answer every request on *port* at once."""
    with ThreadingHTTPServer(("127.0.0.1", port), _Fine) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def test_it_answers_opens_and_ends_and_blames_no_dependency_for_its_own_lack() -> None:
    port, answers = free_port(), []
    line = f"db http://127.0.0.1:{port} timeout=100ms"
    with GateProcess("serve", env={"GATE_DEPENDENCIES": line, **UNMEASURED}) as gate:
        gate.until("connection refused")
        with starved(gate.pid):
            before = gate.ask("/startupz").status
            held = Thread(target=lambda: answers.append(gate.ask("/startupz?hold=20s").status))
            held.start()
            with answering(port):
                gate.until("gate.opened")
            held.join(PATIENCE)
            # It prepares what the small one is to answer.
            gate.signal(signal.SIGTERM)
            code = gate.end()

    assert (before, answers, code) == (503, [200], 0)
    assert "no answer" not in "".join(gate.lines)
