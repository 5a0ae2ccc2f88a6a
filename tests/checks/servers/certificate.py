"""A certificate for localhost in files, as servers want it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificate:
    """Paths of certificate, key and the authority that signed it."""

    cert: Path
    key: Path
    ca: Path


def written(authority: trustme.CA, folder: Path) -> Certificate:
    """Return a certificate of *authority*, written into *folder*, readable for all users."""
    made = Certificate(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")
    issued = authority.issue_cert("localhost", "127.0.0.1")
    made.cert.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    made.key.write_bytes(issued.private_key_pem.bytes())
    made.ca.write_bytes(authority.cert_pem.bytes())
    return made
