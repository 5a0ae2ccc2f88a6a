"""The tests of the image run where `make image-test` has built one, and names it."""

from __future__ import annotations

import os

from tests.image.container import IMAGE

collect_ignore_glob = [] if IMAGE in os.environ else ["test_*.py"]
