from __future__ import annotations

import pytest

from gate.core.address import DEFAULT, parse, to_connect


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (DEFAULT, ("", 4283)),
        ("4283", ("", 4283)),
        ("1", ("", 1)),
        (" :80 ", ("", 80)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("localhost:80", ("localhost", 80)),
        ("gate-1.example:65535", ("gate-1.example", 65535)),
        ("[::1]:80", ("::1", 80)),
        ("[::]:80", ("::", 80)),
        ("[fe80::1%eth0]:80", ("fe80::1%eth0", 80)),
    ],
)
def test_an_address_is_read(text: str, address: tuple[str, int]) -> None:
    assert parse(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "localhost",
        "localhost:",
        ":http",
        ":0",
        ":65536",
        ":000080",
        ":-1",
        ":8 0",
        "٣",
        "::1",
        "::1:80",
        "[::1",
        "[::1:80",
        "::1]:80",
        "[db:80",
        "db]:80",
        "[::1]",
        "[]:80",
        "[db]:80",
        "]db[:80",
        "a b:80",
        "/run/gate.sock:80",
        "http://x:80",
        "x\n:80",
        "9" * 5000,
    ],
)
def test_anything_else_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address to listen on; write :4283 or"):
        parse(text)


@pytest.mark.parametrize("text", ["tcp://10.0.0.1:80", "udp://[fd00::1]:53", "sctp://10.0.0.1:9"])
def test_what_kubernetes_injected_is_told_as_that(text: str) -> None:
    with pytest.raises(ValueError, match="put there by Kubernetes for a Service"):
        parse(text)


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("", ("127.0.0.1", "::1")),
        ("0.0.0.0", ("127.0.0.1",)),
        ("::", ("::1", "127.0.0.1")),
        ("10.0.0.1", ("10.0.0.1",)),
        ("localhost", ("localhost",)),
    ],
)
def test_a_client_in_the_pod_knows_where_to_ask(host: str, addresses: tuple[str, ...]) -> None:
    assert to_connect(host) == addresses
