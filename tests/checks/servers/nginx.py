"""A real nginx: HTTPS with HTTP/1.1 and HTTP/2, plain HTTP, and HTTP/2 without TLS."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.checks.servers.daemon import until
from tests.conftest import free_port, needs

CONFIG = """
{user}
daemon off;
pid {folder}/pid;
error_log {folder}/error.log info;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    log_not_found off;
    client_body_buffer_size 256k;
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.key;
    ssl_client_certificate {folder}/ca.pem;
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{h2c} http2;
        listen 127.0.0.1:{tls} ssl http2;
        listen 127.0.0.1:{tls1} ssl;
        ssl_verify_client optional;
        root {folder};
        location = /health {{ return 200 '{{"ready": true, "by": "$server_protocol"}}'; }}
        location = /client {{ return 200 '$ssl_client_verify'; }}
        location = /redirect {{ return 302 /health?token=abc; }}
        location = /post {{ proxy_pass http://127.0.0.1:{plain}/length; }}
        location = /small {{ client_max_body_size 1k; error_log /dev/null; return 200; }}
        location = /length {{ return 200 '$http_content_length'; }}
    }}
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A running nginx; the ports by what is spoken there."""

    folder: Path
    plain: int
    h2c: int
    tls: int
    tls1: int

    @property
    def errors(self) -> str:
        """The lines of its log that are more than information."""
        log = (self.folder / "error.log").read_text(errors="replace")
        return "".join(re.findall(r"^.*\[(?:warn|error|crit|alert|emerg)\].*\n", log, re.MULTILINE))


@contextmanager
def running(folder: Path, authority: trustme.CA) -> Iterator[Nginx]:
    """Start nginx in *folder*, for localhost; stop it at the end."""
    program = needs("nginx", "nginx-light")
    ports = {name: free_port() for name in ("plain", "h2c", "tls", "tls1")}
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))
    issued.private_key_pem.write_to_path(str(folder / "server.key"))
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    (folder / "large").write_bytes(b"x" * 1_000_000)
    config = folder / "nginx.conf"
    # Started by root, its workers would be nobody, who may not read here.
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(CONFIG.format(user=user, folder=folder, **ports))
    command: list[str | Path] = [program, "-p", folder, "-e", folder / "error.log", "-c", config]
    with subprocess.Popen(command) as process:
        try:
            until(lambda: process.poll() is not None or _listens(ports["plain"]))
            assert process.poll() is None, "nginx has ended"
            yield Nginx(folder, **ports)
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0
