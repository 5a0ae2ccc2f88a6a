"""How long the host was suspended: a laptop asleep, a virtual machine that was paused and moved.

The clock of the loop stands still meanwhile, and with it all limits and deadlines. So a success
from before looks as young as it was then.
"""

from __future__ import annotations

import time

_AWAKE = time.CLOCK_MONOTONIC
_ALL = getattr(time, "CLOCK_BOOTTIME", _AWAKE)
"""Goes on; only Linux has it."""


def slept() -> float:
    """Return for how many seconds the host was suspended since it was started.

    Two clocks are read one after the other, so it may be too much, and never too little.
    """
    awake = time.clock_gettime(_AWAKE)
    return time.clock_gettime(_ALL) - awake
