"""The event loop: a name lookup that hangs delays nothing else, not even the exit.

asyncio looks names up in a pool of a few threads. One name whose server is silent keeps a thread
for half a minute; a handful of them stop every other lookup, and the process waits for the threads
when it exits (measured). Here each lookup has a daemon thread of its own. Everything that looks up
names through the loop gets this, drivers included.
"""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Any

from gate.runtime.selector import LookingSelector
from gate.runtime.threads import run_in_thread


class Loop(asyncio.SelectorEventLoop):
    """A selector loop with one daemon thread for each name lookup under way."""

    def __init__(self, selector: LookingSelector | None = None) -> None:
        self.selector = selector or LookingSelector()
        super().__init__(self.selector)

    async def getaddrinfo(
        self,
        host: Any,  # noqa: ANN401 -- as the base class has it
        port: Any,  # noqa: ANN401 -- as the base class has it
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 -- as the base class has it
        proto: int = 0,
        flags: int = 0,
    ) -> Any:  # noqa: ANN401 -- as the base class has it
        """Look *host* up in a thread of its own; raises `socket.gaierror`."""
        return await run_in_thread(self.resolve, host, port, family, type, proto, flags)

    def held_up(self) -> float:
        """Return the seconds for which this thread was ready to go on and got no CPU.

        On a busy machine, or by a limit on CPU. 0 where the kernel does not count them.
        """
        try:
            file = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
        except OSError:
            return 0.0
        try:
            return int(os.read(file, 100).split()[1]) / 1e9
        finally:
            os.close(file)

    def late_by(self, moment: float) -> float:
        """Return how late it is for what was to be done at *moment*."""
        return self.time() - moment

    def resolve(self, *args: Any) -> Any:  # noqa: ANN401 -- as getaddrinfo has it
        """Look a name up, in the thread: this is what may hang."""
        return socket.getaddrinfo(*args)
