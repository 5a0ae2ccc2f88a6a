"""`make run`: watch gate hold an app back, and let it start.

Plays examples/sidecar.yaml with local processes as the kubelet would: an nginx-like sidecar
that comes two seconds late, a database that comes six seconds late, gate, and the app.
"""

from __future__ import annotations

import asyncio
import sys

from tests.pod import Pod
from tests.pod.__main__ import Printer
from tests.stand_ins import Ports, dependency, get, manifest, node, web


def say(text: str) -> None:
    sys.stdout.write(f"\n\033[1m--- {text}\033[0m\n" if sys.stdout.isatty() else f"\n--- {text}\n")
    sys.stdout.flush()


async def ask(port: int, path: str) -> None:
    """Show what a person sees who asks the running gate."""
    status, body = await asyncio.to_thread(get, port, path)
    sys.stdout.write(f"          $ curl http://localhost:{port}{path}     -> {status}\n")
    sys.stdout.writelines(f"          {line}\n" for line in body.splitlines())


async def main() -> None:
    ports = Ports()
    text = manifest(
        "sidecar.yaml",
        ports["gate"],
        {
            "db.example.com:5432": f"127.0.0.1:{ports['db']}",
            "localhost:80/": f"localhost:{ports['nginx']}/",
        },
    )
    images = {"nginx": web(ports["nginx"], delay=2.0)}
    say("the pod of examples/sidecar.yaml: nginx needs 2 s, the database is not up at all")
    async with Pod(text, node(ports["gate"], images), listener=Printer()) as pod:
        await pod.until(lambda pod: "gate.started" in pod.logs("gate"), timeout=20)
        await asyncio.sleep(1)
        await ask(ports["gate"], "/startupz")
        say("the app does not exist yet: the kubelet waits for gate's startup probe")
        await asyncio.sleep(4)
        await ask(ports["gate"], "/startupz")
        say("now the database begins to listen")
        with dependency(ports["db"]):
            await pod.container_running("app", timeout=20)
            await asyncio.sleep(0.5)
        opened = pod.moments("gate", "started=true")[0]
        started = pod.moments("app", "started")[0]
        say(f"the app's process ran {(started - opened) * 1000:.0f} ms after gate's 200")
        await ask(ports["gate"], "/startupz")
        await ask(ports["gate"], "/readyz")
        say("what `kubectl describe pod` would show")
        sys.stdout.write(pod.describe() + "\n")
        say("the pod is deleted: the app first, gate last")
        await pod.stop()


if __name__ == "__main__":
    asyncio.run(main())
