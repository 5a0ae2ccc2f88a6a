"""Prints what gate's image weighs over its base, and whether that is within the aims."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

BASE = "localhost/gate-test-base"
AIMS = {"localhost/gate-test-lean": 25, "localhost/gate-test": 60}
"""Megabytes, compressed by gzip, over the base."""
MEGABYTE = 1_000_000


def layers(image: str, skipped: int = 0) -> list[tuple[int, int, int]]:
    """Return the sizes of each layer: as it is, compressed by gzip, and by zstd.

    The lowest are *skipped*: those of the base are weighed once.
    """
    with tempfile.TemporaryDirectory() as folder:
        # Stored without compression: a registry's client does that, each in its own way.
        command = ["podman", "save", "--quiet", "--format=docker-dir", "--uncompressed"]
        subprocess.run([*command, f"--output={folder}/image", image], check=True)
        manifest = json.loads(Path(folder, "image", "manifest.json").read_text())
        digests = [
            layer["digest"].removeprefix("sha256:") for layer in manifest["layers"][skipped:]
        ]
        return [weigh(Path(folder, "image", digest)) for digest in digests]


def weigh(tar: Path) -> tuple[int, int, int]:
    content = tar.read_bytes()
    zstd = subprocess.run(["zstd", "--stdout", "-q", tar], check=True, capture_output=True)
    return len(content), len(gzip.compress(content, 6)), len(zstd.stdout)


def line(name: str, sizes: list[tuple[int, int, int]]) -> str:
    whole, by_gzip, by_zstd = (sum(column) / MEGABYTE for column in zip(*sizes, strict=True))
    return f"{name:28}{whole:10.1f}{by_gzip:10.1f}{by_zstd:10.1f}"


def main() -> int:
    """Print the table and return 1 when an aim is missed."""
    base = layers(BASE)
    rows = [f"{'MB':28}{'tar':>10}{'gzip':>10}{'zstd':>10}", line("the base itself", base)]
    is_missed = False
    for image, aim in AIMS.items():
        own = layers(image, len(base))
        names = ("standard library, compiled", "dependencies", "gate")
        rows += ["", f"{image.rpartition('/')[2]}, over the base"]
        rows += [line(f"  {name}", [layer]) for name, layer in zip(names, own, strict=False)]
        rows.append(f"{line('  together', own)}   aim: {aim}")
        is_missed |= sum(by_gzip for _, by_gzip, _ in own) > aim * MEGABYTE
    sys.stdout.write("\n".join(rows) + "\n")
    return int(is_missed)


if __name__ == "__main__":
    sys.exit(main())
