"""Exim from Debian's package exim4-daemon-light: a mail server with a port of each kind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.checks.servers.certificate import Certificate
from tests.checks.servers.daemon import running
from tests.conftest import free_port, needs

_CONFIGURATION = """\
primary_hostname = localhost
exim_user = root
exim_group = root
keep_environment =
spool_directory = {folder}
log_selector = +smtp_connection
log_file_path = {folder}/%slog
local_interfaces = 127.0.0.1
daemon_smtp_ports = {ports.upgraded} : {ports.plain} : {ports.secured}
tls_on_connect_ports = {ports.secured}
tls_advertise_hosts = ${{if eq{{$received_port}}{{{ports.plain}}}{{}}{{*}}}}
tls_certificate = {certificate.cert}
tls_privatekey = {certificate.key}
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_advertise_condition = ${{if eq{{$received_port}}{{{ports.upgraded}}}}}
  server_condition = ${{if and{{{{eq{{$auth2}}{{app}}}}{{eq{{$auth3}}{{p@ss:w}}}}}}}}
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| Username: | Password:
  server_condition = ${{if and{{{{eq{{$auth1}}{{app}}}}{{eq{{$auth2}}{{p@ss:w}}}}}}}}
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where it listens: without TLS, with STARTTLS and both ways to log in, with TLS and LOGIN."""

    plain: int
    upgraded: int
    secured: int
    log_file: Path


@contextmanager
def exim(folder: Path, certificate: Certificate) -> Iterator[Ports]:
    """A server that knows the user app with the password p@ss:w."""
    if os.geteuid() != 0:
        pytest.skip("Exim takes a configuration of a test's from root alone")
    ports = Ports(free_port(), free_port(), free_port(), folder / "mainlog")
    config = folder / "exim.conf"
    config.write_text(_CONFIGURATION.format(folder=folder, ports=ports, certificate=certificate))
    command = [needs("exim4", "exim4-daemon-light"), "-bdf", "-C", str(config)]

    def is_up() -> bool:
        return ports.log_file.exists() and "listening" in ports.log_file.read_text()

    with running(command, port=ports.plain, log_file=folder / "output", is_up=is_up):
        yield ports
