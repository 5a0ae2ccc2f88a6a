"""Asks the gate running in this pod: `gate probe` and `gate hold`.

Plain sockets and nothing else: the kubelet starts one of these for each exec probe, and
every import is paid for by the container each time.
"""

from __future__ import annotations

import os
import socket
import sys
import time

from gate import address, durations

_PATIENCE = 10.0
"""Seconds to wait for an answer beyond the hold: gate may still be starting."""
_HOLD = 25.0
_TIMEOUT = 300.0
_PAUSE = 0.1
_MOST = 64 * 1024
_STATUSES = (b"200", b"424", b"503")

_PROBE_USAGE = """\
usage: gate probe [--hold DURATION] [--ready] [--listen ADDRESS]

Asks the gate running in this pod; exit 0: open, 1: not (and what it waits for).

  --hold DURATION   wait that long for it to open, e.g. 25s (keep it below timeoutSeconds)
  --ready           ask for readiness instead: open, and every monitored dependency fine
  --listen ADDRESS  where gate serves (GATE_LISTEN, :4283)
"""
_HOLD_USAGE = """\
usage: gate hold [--timeout DURATION] [--listen ADDRESS]

Blocks until the gate running in this pod opens; exit 0: open, 1: not in time.

  --timeout DURATION  how long at most (GATE_TIMEOUT, 5m)
  --listen ADDRESS    where gate serves (GATE_LISTEN, :4283)
"""


class _UsageError(Exception):
    """The command line or a variable is wrong."""


class _NoAnswerError(Exception):
    """No gate has answered."""


def main(arguments: list[str]) -> int:
    """Run `probe` or `hold` with *arguments* and return the exit code."""
    command, rest = arguments[0], arguments[1:]
    usage = _PROBE_USAGE if command == "probe" else _HOLD_USAGE
    if "-h" in rest or "--help" in rest:
        sys.stdout.write(usage)
        return 0
    try:
        return _probe(rest) if command == "probe" else _hold(rest)
    except _UsageError as exc:
        sys.stderr.write(f"gate {command}: {exc}\n")
        return 2
    except _NoAnswerError as exc:
        sys.stdout.write(f"{exc}\n")
        return 1


def _probe(arguments: list[str]) -> int:
    given = _options(arguments, {"--hold": True, "--ready": False, "--listen": True})
    where = _where(given)
    hold = _duration("--hold", given["--hold"]) if "--hold" in given else 0.0
    path = "/readyz" if "--ready" in given else f"/startupz?brief&hold={hold:.3f}"
    status, text = _ask(where, path, hold + _PATIENCE)
    sys.stdout.write(text)
    return 0 if status == 200 else 1  # noqa: PLR2004 -- OK


def _hold(arguments: list[str]) -> int:
    given = _options(arguments, {"--timeout": True, "--listen": True})
    where = _where(given)
    end = time.monotonic() + _time_limit(given)
    why = "gate has not answered"
    while (left := end - time.monotonic()) > 0:
        try:
            hold = min(left, _HOLD)
            status, text = _ask(where, f"/startupz?brief&hold={hold:.3f}", hold + _PATIENCE)
        except _NoAnswerError as exc:
            # Not up yet, or restarting: the hook runs beside gate's own start.
            why = str(exc)
        else:
            if status == 200:  # noqa: PLR2004 -- OK
                return 0
            why = text.strip()
        time.sleep(min(_PAUSE, max(0.0, end - time.monotonic())))
    sys.stdout.write(f"not open in time: {why}\n")
    return 1


def _options(arguments: list[str], known: dict[str, bool]) -> dict[str, str]:
    """Return the options given, of *known* those that take a value (True) and flags."""
    given: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name not in known:
            msg = f"unknown argument {name}; it takes {', '.join(known)} (--help)"
            raise _UsageError(msg)
        if known[name] and not equals:
            if not rest:
                msg = f"{name}: wants a value"
                raise _UsageError(msg)
            value = rest.pop(0)
        given[name] = value
    return given


def _where(given: dict[str, str]) -> tuple[tuple[str, ...], int]:
    """Return the addresses to try and the port."""
    name = "--listen" if "--listen" in given else "GATE_LISTEN"
    text = given.get("--listen") or os.environ.get("GATE_LISTEN", "").strip()
    try:
        host, port = address.parse(text or address.DEFAULT)
    except ValueError as exc:
        msg = f"{name}: {exc}"
        raise _UsageError(msg) from exc
    return address.to_connect(host), port


def _time_limit(given: dict[str, str]) -> float:
    if "--timeout" in given:
        return _duration("--timeout", given["--timeout"])
    text = os.environ.get("GATE_TIMEOUT", "").strip()
    return _duration("GATE_TIMEOUT", text) if text else _TIMEOUT


def _duration(name: str, text: str) -> float:
    try:
        return durations.parse(text)
    except ValueError as exc:
        msg = f"{name}: {exc}"
        raise _UsageError(msg) from exc


def _ask(where: tuple[tuple[str, ...], int], path: str, seconds: float) -> tuple[int, str]:
    """Return status and body of the running gate's answer; raises `_NoAnswerError`."""
    request = (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: gate-probe\r\n"
        "Connection: close\r\n\r\n"
    )
    hosts, port = where
    try:
        with _connect(hosts, port, seconds) as sock:
            sock.sendall(request.encode())
            answer = _read_all(sock)
    except TimeoutError as exc:
        msg = f"gate does not answer on port {port}"
        raise _NoAnswerError(msg) from exc
    except OSError as exc:
        why = (exc.strerror or str(exc)).lower()
        msg = f"gate is not running on port {port}: {why}"
        raise _NoAnswerError(msg) from exc
    return _parse(answer, port)


def _connect(hosts: tuple[str, ...], port: int, seconds: float) -> socket.socket:
    """Return a connection to the first of *hosts* that takes one; raises `OSError`."""
    error = OSError("no address to ask")
    for host in hosts:
        # Not create_connection: it has the codec for international names imported.
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        sock.settimeout(seconds)
        try:
            sock.connect((host, port))
        except OSError as exc:
            sock.close()
            error = exc
        else:
            return sock
    raise error


def _read_all(sock: socket.socket) -> bytes:
    answer = b""
    while len(answer) < _MOST and (part := sock.recv(_MOST)):
        answer += part
    return answer


def _parse(answer: bytes, port: int) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    words = head.split(maxsplit=2)
    if not answer:
        msg = f"gate on port {port} ended before it answered"
        raise _NoAnswerError(msg)
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or words[1] not in _STATUSES:  # noqa: PLR2004 -- version and status
        msg = f"what answers on port {port} is not gate"
        raise _NoAnswerError(msg)
    return int(words[1]), body.decode(errors="replace")
