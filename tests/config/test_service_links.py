from __future__ import annotations

import pytest

from gate.config.service_links import is_injected

SERVICES = {
    "GATE_SERVICE_HOST": "10.0.0.1",
    "GATE_HTTP_SERVICE_HOST": "10.0.0.2",
    "GATE_DEPENDENCY_DB_SERVICE_HOST": "10.0.0.3",
}


@pytest.mark.parametrize("prefix", ["GATE", "GATE_HTTP", "GATE_DEPENDENCY_DB"])
@pytest.mark.parametrize(
    "rest",
    [
        "SERVICE_HOST",
        "SERVICE_PORT",
        "SERVICE_PORT_HTTP",
        "SERVICE_PORT_HTTP_ADMIN",
        "PORT",
        "PORT_80_TCP",
        "PORT_80_TCP_PROTO",
        "PORT_80_TCP_PORT",
        "PORT_80_TCP_ADDR",
        "PORT_53_UDP_ADDR",
        "PORT_9_SCTP",
    ],
)
def test_what_a_service_brings_is_injected(prefix: str, rest: str) -> None:
    assert is_injected(f"{prefix}_{rest}", SERVICES)
    assert not is_injected(f"{prefix}_{rest}", {}) or rest == "SERVICE_HOST"


@pytest.mark.parametrize(
    "name",
    [
        "GATE_LISTEN",
        "GATE_DEPENDENCIES",
        "GATE_DEPENDENCY_DB",
        "GATE_DEPENDENCY_CACHE_PORT",
        "GATE_SERVICE",
        "GATE_SERVICE_HOSTS",
        "GATE_PORTS",
        "GATE_PORT_80",
        "GATE_PORT_X_TCP",
        "GATE_PORT_80_ICMP",
        "GATE_PORT_80_TCP_NAME",
        "GATE_PORT_80_TCP_PORT_X",
        "OTHER_PORT",
    ],
)
def test_what_no_service_brings_is_not(name: str) -> None:
    assert not is_injected(name, SERVICES)


def test_a_url_is_no_services_address() -> None:
    written = {"GATE_DEPENDENCY_API_SERVICE_HOST": "tcp://api:1"}

    assert not is_injected("GATE_DEPENDENCY_API_SERVICE_HOST", written)
