"""The way in: signals first, then only what the command needs.

The kernel drops SIGTERM for PID 1 without a handler, so that every deletion of the pod would take
the whole grace period.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # it has no stub
import errno
import os
import sys

_NO_MEMORY = b"gate: there is not enough memory; raise the memory limit of gate's container\n"
_WRONG = 2
_LAST_STREAM = 2
_ASKED_FIRST = {"structlog._config", "structlog._native", "structlog.processors"}
"""structlog has a `__getattr__`, which is asked for what is yet to be imported; that is dear."""
_LACKS = ("failed to map segment", "error return without exception set")


def main(arguments: list[str]) -> int:
    """Run the command that *arguments* name and return its exit code."""
    command = arguments[0] if arguments else ""
    is_serving = command == "serve"
    for number in (_signal.SIGTERM, _signal.SIGINT):
        _leave_at_once(number, 0 if is_serving else 128 + number)
    if command in {"probe", "hold"}:
        from gate.probe import client  # noqa: PLC0415 -- a probe pays for every import

        return client.main(arguments)
    listening = None
    if is_serving:
        from gate.serve.listener import early  # noqa: PLC0415 -- before anything heavy

        listening = early(arguments[1:], os.environ)
    from gate.cli import main  # noqa: PLC0415 -- after the socket listens

    return main.main(arguments, listening)


def run() -> None:
    """Run as a program.

    Leaves without the interpreter's clean-up, which would wait for a thread that a driver
    left hanging: gate ends within 200 ms of SIGTERM whatever a check is doing. What is
    written is flushed where it is written (`gate.report.output`).
    """
    _import_when_used()
    _take_closed_places()
    # Closed by who started it: the log goes nowhere then. That stdout is, `put` tells.
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 -- for good; pathlib is dear
    try:
        code = main(sys.argv[1:])
    except (MemoryError, ImportError, OSError, SystemError) as exc:
        if not _lacks_memory(exc):
            raise
        # Before anything else is done: whatever is asked for now may fail, too.
        os.write(2, _NO_MEMORY)
        os._exit(_WRONG)
    os._exit(code)


def _lacks_memory(exc: BaseException) -> bool:
    """Whether *exc* says so: linker and interpreter do it in words alone."""
    is_refused = isinstance(exc, MemoryError) or getattr(exc, "errno", None) == errno.ENOMEM
    return is_refused or any(words in str(exc) for words in _LACKS)


def _take_closed_places() -> None:
    """Have the null device where who started gate has closed a standard stream.

    A client's connection would take its number otherwise, and be sent the log.
    """
    if None not in {sys.stdin, sys.stdout, sys.stderr}:
        return
    while (place := os.open(os.devnull, os.O_RDWR)) <= _LAST_STREAM:
        # Also for the small responder, and for the commands of checks.
        os.set_inheritable(place, True)
    os.close(place)


def _import_when_used() -> None:
    """From Python 3.15 on (PEP 810), run what libraries import when something of it is used.

    That saves a third of the CPU of a start, and a quarter of its memory: most of what they import
    is for what gate does not do. What gate itself imports is run at once: where an extra is not
    installed, that must fail where the remedy is told.
    """
    set_mode = getattr(sys, "set_lazy_imports", None)
    set_filter = getattr(sys, "set_lazy_imports_filter", None)
    if set_mode and set_filter:
        set_filter(_may_wait)
        set_mode("all")


def _may_wait(importer: str, imported: str, _names: object) -> bool:
    """Whether what the module *importer* imports may be run later."""
    is_asked_first = importer == "structlog" and imported in _ASKED_FIRST
    return importer.partition(".")[0] != "gate" and not is_asked_first


def _leave_at_once(number: int, code: int) -> None:
    """Exit on a signal until the event loop takes it over: imports may last seconds."""
    _signal.signal(number, lambda *_: os._exit(code))


if __name__ == "__main__":
    run()
