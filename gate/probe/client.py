"""Asks the gate running in this pod: `gate probe` and `gate hold`.

The interpreter's own sockets and nothing else: the kubelet starts one of these for each exec probe,
and every import is paid for by the container each time. `socket` would make its enumerations.
"""

from __future__ import annotations

import _socket
import os
import time

from gate.core import address, probe_arguments
from gate.report import output

_PATIENCE = 10.0
"""Seconds to wait for an answer beyond the hold: gate may still be starting."""
_HOLD = 25.0
_TIMEOUT = 300.0
_MARGIN = 30.0
"""Seconds beyond GATE_TIMEOUT: gate starts counting later, and may open when it is over."""
_LAST_WORD = 1.0
"""Seconds beyond the limit for the last answer, which says why gate is not open."""
_PAUSE = 0.1
_MOST = 64 * 1024
_SIGNATURE = b"\r\nserver: gate\r\n"

_PROBE_USAGE = """\
usage: gate probe [NAME] [--hold DURATION] [--ready] [--listen ADDRESS]

Asks the gate running in this pod; exit 0: open, 1: not (and what it waits for).

  NAME              ask for one dependency, or one group=NAME of them, only
  --hold DURATION   wait that long for it to open, e.g. 25s (keep it below timeoutSeconds)
  --ready           ask for readiness instead, without --hold: open, and every monitored
                    dependency fine
  --listen ADDRESS  where gate serves (GATE_LISTEN, :4283)
"""
_HOLD_USAGE = """\
usage: gate hold [NAME] [--timeout DURATION] [--listen ADDRESS]

Blocks until the gate running in this pod opens; exit 0: open, 1: not in time.

  NAME                wait for one dependency, or one group=NAME of them, only
  --timeout DURATION  how long at most (30s more than GATE_TIMEOUT, or 5m)
  --listen ADDRESS    where gate serves (GATE_LISTEN, :4283)
"""


class _NoAnswerError(Exception):
    """No gate has answered."""


def main(arguments: list[str]) -> int:
    """Run `probe` or `hold` with *arguments* and return the exit code."""
    command, rest = arguments[0], arguments[1:]
    if "-h" in rest or "--help" in rest:
        return output.print_output(_PROBE_USAGE if command == "probe" else _HOLD_USAGE)
    try:
        is_open, text = _probe(rest) if command == "probe" else _hold(rest)
    except probe_arguments.ArgumentError as exc:
        output.print_error(f"gate {command}: {exc}")
        return 2
    except _NoAnswerError as exc:
        is_open, text = False, f"{exc}\n"
    return output.print_output(text) or int(not is_open)


def _probe(arguments: list[str]) -> tuple[bool, str]:
    given = probe_arguments.read("probe", arguments)
    where = _where(given)
    hold = probe_arguments.seconds("--hold", given["--hold"]) if "--hold" in given else 0.0
    path = "/readyz" if "--ready" in given else f"{_startup(given)}?brief&hold={hold:.3f}"
    is_open, text, _ = _ask(where, path, hold + _PATIENCE)
    return is_open, text


def _hold(arguments: list[str]) -> tuple[bool, str]:
    given = probe_arguments.read("hold", arguments)
    where = _where(given)
    end = time.monotonic() + _time_limit(given)
    why = "gate has not answered"
    while (left := end - time.monotonic()) > 0:
        hold = min(left, _HOLD)
        patience = min(hold + _PATIENCE, left + _LAST_WORD)
        try:
            path = f"{_startup(given)}?brief&hold={hold:.3f}"
            is_open, text, is_known = _ask(where, path, patience)
        except _NoAnswerError as exc:
            # Not up yet, or restarting: a hook runs while gate itself starts.
            why = str(exc)
        else:
            if is_open:
                return True, ""
            if not is_known:
                return False, text
            why = text.strip()
        time.sleep(min(_PAUSE, max(0.0, end - time.monotonic())))
    return False, f"not open in time: {why}\n"


def _startup(given: dict[str, str]) -> str:
    part = given.get(probe_arguments.PART)
    return f"/startupz/{part}" if part else "/startupz"


def _where(given: dict[str, str]) -> tuple[tuple[str, ...], int]:
    """Return the addresses to try and the port."""
    name = "--listen" if "--listen" in given else "GATE_LISTEN"
    text = given.get("--listen") or os.environ.get("GATE_LISTEN", "").strip()
    host, port = probe_arguments.listen_address(name, text)
    return address.to_connect(host), port


def _time_limit(given: dict[str, str]) -> float:
    if "--timeout" in given:
        return probe_arguments.seconds("--timeout", given["--timeout"])
    text = os.environ.get("GATE_TIMEOUT", "").strip()
    return probe_arguments.seconds("GATE_TIMEOUT", text) + _MARGIN if text else _TIMEOUT


def _ask(where: tuple[tuple[str, ...], int], path: str, seconds: float) -> tuple[bool, str, bool]:
    """Return whether the running gate says yes, its words, and whether it knows the path.

    Raises `_NoAnswerError`.
    """
    request = (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: gate-probe\r\n"
        "Connection: close\r\n\r\n"
    )
    hosts, port = where
    end = time.monotonic() + seconds
    try:
        sock = _connect(hosts, port, end)
        try:
            sock.sendall(request.encode())
            answer = _read_all(sock, end)
        finally:
            sock.close()
    except TimeoutError as exc:
        msg = f"gate does not answer on port {port}"
        raise _NoAnswerError(msg) from exc
    except OSError as exc:
        why = (exc.strerror or str(exc)).lower()
        msg = f"gate is not running on port {port}: {why}"
        raise _NoAnswerError(msg) from exc
    return _parse(answer, port)


def _connect(hosts: tuple[str, ...], port: int, end: float) -> _socket.socket:
    """Return a connection to the first of *hosts* that takes one; raises `OSError`."""
    errors = []
    for host in hosts:
        try:
            return _connected(host, port, end)
        except OSError as exc:
            errors.append(exc)
    # The first error is the relevant one; others may only say that there is no IPv6.
    raise errors[0]


def _connected(host: str, port: int, end: float) -> _socket.socket:
    # Not create_connection, which imports the codec for international names.
    sock = _socket.socket(_socket.AF_INET6 if ":" in host else _socket.AF_INET)
    try:
        sock.settimeout(_left(end))
        sock.connect((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def _read_all(sock: _socket.socket, end: float) -> bytes:
    answer = b""
    while len(answer) < _MOST:
        sock.settimeout(_left(end))
        part = sock.recv(_MOST)
        if not part:
            break
        answer += part
    return answer


def _left(end: float) -> float:
    """Return the seconds until *end*; raises `TimeoutError` when it has passed."""
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _parse(answer: bytes, port: int) -> tuple[bool, str, bool]:
    """Return what gate has answered.

    Another server's 200 is no opening: with hostNetwork it may have the port.
    """
    head, _, body = answer.partition(b"\r\n\r\n")
    if not answer:
        msg = f"gate on port {port} ended before it answered"
        raise _NoAnswerError(msg)
    if _SIGNATURE not in head.lower() + b"\r\n":
        msg = f"what answers on port {port} is not gate"
        raise _NoAnswerError(msg)
    code = head.split(maxsplit=2)[1]
    return code == b"200", body.decode(errors="replace"), code != b"404"
