"""Which images are known to hold no shell."""

from __future__ import annotations

import pytest

from gate.pods import images


@pytest.mark.parametrize(
    ("image", "has_none"),
    [
        ("gcr.io/distroless/python3-debian13:nonroot", True),
        ("gcr.io/distroless/static", True),
        ("gcr.io/distroless/base:debug", False),
        ("registry.k8s.io/pause:3.10", True),
        ("cloud-sql-proxy@sha256:1", True),
        ("gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.14.1-alpine", False),
        ("nats", True),
        ("nats:2-alpine", False),
        ("localhost:5000/daprd", True),
        ("otel/opentelemetry-collector-contrib:0.1", True),
        ("envoyproxy/envoy:v1.31-latest", False),
        ("envoyproxy/envoy:distroless-v1.31-latest", True),
        ("docker.io/istio/proxyv2:1.24.0-distroless", True),
        ("shop/nats-box", False),
        ("busybox", False),
    ],
)
def test_an_image_without_a_shell_is_known_by_name_and_tag(image: str, has_none: object) -> None:
    assert images.has_no_shell(image) is has_none


@pytest.mark.parametrize(
    ("program", "is_tool"),
    [("sh", True), ("/bin/cat", True), ("/tools/sh", False), ("app", False), ("", False)],
)
def test_a_tool_is_the_image_s_own(program: str, is_tool: object) -> None:
    assert images.is_tool(program) is is_tool
