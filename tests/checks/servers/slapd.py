"""OpenLDAP's slapd from Debian's package slapd."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.checks.servers.certificate import Certificate
from tests.checks.servers.daemon import running
from tests.checks.servers.memcached import accepts
from tests.conftest import free_port, needs

_CONFIGURATION = """\
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {certificate.cert}
TLSCertificateKeyFile {certificate.key}
{settings}
database mdb
suffix "dc=example,dc=org"
rootdn "cn=admin,dc=example,dc=org"
rootpw p@ss:w
directory {folder}
"""
_ENTRY = """\
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
dc: example
o: example
"""


@contextmanager
def slapd(folder: Path, certificate: Certificate, settings: str = "") -> Iterator[tuple[int, int]]:
    """A server with one entry, dc=example,dc=org; yields its ports without and with TLS."""
    plain, secured = free_port(), free_port()
    config, program = folder / "slapd.conf", needs("slapd", "slapd")
    config.write_text(
        _CONFIGURATION.format(folder=folder, certificate=certificate, settings=settings)
    )
    add = [needs("slapadd", "slapd"), "-f", str(config)]
    subprocess.run(add, input=_ENTRY.encode(), check=True, capture_output=True)
    places = f"ldap://127.0.0.1:{plain} ldaps://127.0.0.1:{secured}"
    command = [program, "-f", str(config), "-d", "none", "-h", places]

    def is_up() -> bool:
        return accepts(plain) and accepts(secured)

    with running(command, port=plain, log_file=folder / "log", is_up=is_up):
        yield plain, secured
