"""python -m tests.pod MANIFEST -- play a manifest in the foreground."""

import argparse
import asyncio
import contextlib
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.pod.events import Event
from tests.pod.instance import Line
from tests.pod.kubelet import Pod
from tests.pod.model import ManifestError
from tests.pod.node import Image, Node
from tests.pod.state import Moment

_GATE = (sys.executable, "-m", "gate")


class Printer:
    """Prints what happens, with the seconds since it began."""

    def __init__(self) -> None:
        self._start = asyncio.get_running_loop().time()

    def __call__(self, news: Moment | Event | tuple[str, Line]) -> None:
        """Print one line of the timeline, the events or a log."""
        seconds = asyncio.get_running_loop().time() - self._start
        sys.stdout.write(f"{seconds:8.3f}  {_text(news)}\n")
        sys.stdout.flush()


def _text(news: Moment | Event | tuple[str, Line]) -> str:
    if isinstance(news, Moment):
        return f"{news.container:<12} * {news.what}"
    if isinstance(news, Event):
        times = f" (x{news.count})" if news.count > 1 else ""
        return f"{news.container:<12} ! {news.type} {news.reason}{times}: {news.message}"
    container, line = news
    return f"{container:<12} | {line.text}"


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.pod", description=__doc__)
    add = parser.add_argument
    add("manifest", type=Path)
    add("--image", action="append", default=[], metavar="NAME=COMMAND", help="what an image runs")
    add("--command", action="append", default=[], metavar="WORD=COMMAND", help="what a word runs")
    add("--pod-ip", default="127.0.0.2")
    add("--until", metavar="CONTAINER", help="stop once this container has started")
    add("--for", dest="seconds", type=float, help="stop after so many seconds (after --until)")
    add("--describe", action="store_true", help="print the described pod at the end")
    return parser.parse_args(argv)


def _pairs(options: Sequence[str]) -> dict[str, Sequence[str]]:
    pairs = (option.partition("=") for option in options)
    return {name: shlex.split(command) for name, _, command in pairs}


def _node(options: argparse.Namespace) -> Node:
    images: dict[str, Image | Sequence[str]] = {"gate": Image(entrypoint=_GATE, cmd=("serve",))}
    images |= _pairs(options.image)
    commands = {"gate": _GATE, "python": (sys.executable,), **_pairs(options.command)}
    return Node(images=images, commands=commands, pod_ip=options.pod_ip)


async def _wait(pod: Pod, options: argparse.Namespace) -> None:
    """Return when the options say so, or the pod has ended by itself."""
    endless = 10**9
    if options.until:
        await pod.until(
            lambda pod: pod.has_ended or pod.containers[options.until].is_started, endless
        )
    if options.seconds is None and options.until:
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(options.seconds):
            await pod.ended(endless)


async def _play(options: argparse.Namespace) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with Pod(options.manifest, _node(options), listener=Printer()) as pod:
        waits = [asyncio.create_task(_wait(pod, options)), asyncio.create_task(stopped.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
        await pod.stop()
        if options.describe:
            sys.stdout.write(f"{pod.describe()}\n")
        return 1 if pod.phase == "Failed" else 0


def main(argv: Sequence[str] | None = None) -> int:
    """Play the manifest; 2 if it is invalid, 1 if the pod failed."""
    try:
        return asyncio.run(_play(_arguments(argv)))
    except ManifestError as exc:
        sys.stderr.writelines(f"{problem}\n" for problem in exc.problems)
        return 2


if __name__ == "__main__":
    sys.exit(main())
