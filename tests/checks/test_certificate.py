from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import pytest

from gate.checks.wire import certificate

CA = ((("organizationName", "Example"),), (("commonName", "Example CA"),))
INFO = {
    "subject": ((("organizationName", "Shop"),), (("organizationalUnitName", "Databases"),)),
    "issuer": CA,
    "notAfter": "Jan  2 00:00:00 2024 GMT",
}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"subjectAltName": (("DNS", "db"), ("IP Address", "10.0.0.1"))},
            "certificate of db, 10.0.0.1, issued by Example CA, expired 2024-01-02",
        ),
        (
            {"subjectAltName": tuple(("DNS", name) for name in "abcd")},
            "certificate of a, b, c, …, issued by Example CA, expired 2024-01-02",
        ),
        (
            {"subjectAltName": (("DNS", "x" * 99),)},
            f"certificate of {'x' * 64}, issued by Example CA, expired 2024-01-02",
        ),
        (
            {"subject": ((("commonName", "db"),),)},
            "certificate of db, issued by Example CA, expired 2024-01-02",
        ),
        ({}, "certificate of Databases, issued by Example CA, expired 2024-01-02"),
        (
            {"subject": (), "issuer": (), "notAfter": "Jan  2 00:00:00 2924 GMT"},
            "certificate of nobody, issued by nobody, expires 2924-01-02",
        ),
    ],
)
def test_names_issuer_and_expiry_are_told(fields: dict[str, Any], told: str) -> None:
    assert certificate.described({**INFO, **fields}) == told


def interpreter_with(info: Callable[[], dict[str, Any]]) -> Any:
    """Return what stands for the object of the interpreter, with a certificate of that *info*."""
    found = type("Certificate", (), {"get_info": staticmethod(info)})
    return type("Inner", (), {"get_unverified_chain": staticmethod(lambda: [found])})


def broken() -> dict[str, Any]:
    raise ssl.SSLError


@pytest.mark.parametrize("info", [broken, lambda: {**INFO, "notAfter": "never"}])
def test_of_a_certificate_that_cannot_be_read_nothing_is_told(
    info: Callable[[], dict[str, Any]],
) -> None:
    assert certificate._told(interpreter_with(info)) == ""
    assert certificate._told(interpreter_with(lambda: INFO)).startswith("certificate of Databases")


def test_an_interpreter_that_does_not_show_it_is_no_fault() -> None:
    assert certificate._told(None) == ""
    assert certificate.note(ssl.SSLError()) == ""
