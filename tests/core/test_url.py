from __future__ import annotations

from typing import Any

import pytest

from gate.core.url import Host, Url, is_loopback, parse, scheme_of


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("tcp://db:5432", {"hosts": (Host("db", 5432),)}),
        ("tcp://db:65535", {"hosts": (Host("db", 65535),)}),
        ("https://h/x@y", {"hosts": (Host("h"),), "path": "/x@y"}),
        ("http+unix://%2Fa/x@y", {"hosts": (Host("/a"),), "path": "/x@y"}),
        ("file:///x@y", {"path": "/x@y"}),
        ("unix:///x@y", {"path": "/x@y"}),
        ("k8s:pod/x@y", {"path": "pod/x@y", "is_opaque": True}),
        ("TCP://db:5432", {"scheme": "tcp", "hosts": (Host("db", 5432),)}),
        ("http://h", {"hosts": (Host("h"),)}),
        (
            "http://h/a%20b?x=1&y=%20",
            {"hosts": (Host("h"),), "path": "/a%20b", "raw_query": "x=1&y=%20"},
        ),
        ("http://h?x=1", {"hosts": (Host("h"),), "raw_query": "x=1"}),
        ("http://h/a#b", {"hosts": (Host("h"),), "path": "/a"}),
        ("http://h/#/x@y", {"hosts": (Host("h"),), "path": "/"}),
        ("http://h/x@y", {"hosts": (Host("h"),), "path": "/x@y"}),
        ("tcp://[::1]:80", {"hosts": (Host("::1", 80),)}),
        ("tcp://[fe80::1%25eth0]:80", {"hosts": (Host("fe80::1%eth0", 80),)}),
        ("kafka://a:1,b,[::1]:3", {"hosts": (Host("a", 1), Host("b"), Host("::1", 3))}),
        ("nats://a:1,nats://b", {"hosts": (Host("a", 1), Host("b"))}),
        (
            "amqp://u:p@a/app,amqp://u:p@b/app",
            {
                "username": "u",
                "password": "p",
                "hosts": (Host("a"), Host("b")),
                "path": "/app",
            },
        ),
        (
            "http://h/x?u=,http://y",
            {"hosts": (Host("h"),), "path": "/x", "raw_query": "u=,http://y"},
        ),
        ("unix:///run/a.sock", {"path": "/run/a.sock"}),
        ("http+unix://%2Frun%2Fa.sock/x", {"hosts": (Host("/run/a.sock"),), "path": "/x"}),
        ("redis://:pw@h/0", {"password": "pw", "hosts": (Host("h"),), "path": "/0"}),
        ("redis://:@h", {"password": "", "hosts": (Host("h"),)}),
        ("redis://app@h", {"username": "app", "hosts": (Host("h"),)}),
        ("redis://a%40b:p%2Fw@h", {"username": "a@b", "password": "p/w", "hosts": (Host("h"),)}),
        ("redis://app:p@w@h", {"username": "app", "password": "p@w", "hosts": (Host("h"),)}),
        ("redis://app:p:w@h", {"username": "app", "password": "p:w", "hosts": (Host("h"),)}),
        (
            "redis://app:p w;'\"@h",
            {"username": "app", "password": "p w;'\"", "hosts": (Host("h"),)},
        ),
        ("k8s:job/migrate", {"path": "job/migrate", "is_opaque": True}),
        (
            "k8s:pod?selector=app=db",
            {"path": "pod", "raw_query": "selector=app=db", "is_opaque": True},
        ),
        ("exec:sh -c 'a#b?c@d'", {"path": "sh -c 'a#b?c@d'", "is_opaque": True}),
        ("sidecar:istio", {"path": "istio", "is_opaque": True}),
        ("tcp://", {}),
    ],
)
def test_a_url_is_taken_apart(text: str, parts: dict[str, Any]) -> None:
    assert parse(text) == Url(**{"scheme": text.partition(":")[0], **parts})


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("db", "not a URL; write scheme://host:port"),
        ("", "not a URL"),
        ("//db:5432", "not a URL"),
        ("1a://db", "not a URL"),
        ("db:5432", "the scheme is missing; write tcp://host:port"),
        ("localhost:6379/0", "the scheme is missing"),
        ("app:hunter2@db:5432/app", "the scheme is missing"),
        ("jdbc:postgresql://app:hunter2@db/app", "leave out jdbc: at its beginning"),
        ("JDBC:mysql://db/app?password=hunter2", "leave out jdbc: at its beginning"),
        ("app:hunter2@tcp(db:3306)/app", "the scheme is missing"),
        ("tcp://db:http", "port is not a number from 1 to 65535"),
        ("tcp://db:0", "port is not a number"),
        ("tcp://db:65536", "port is not a number"),
        ("tcp://db:000080", "port is not a number"),
        ("1:x", "not a URL"),
        ("db:5x", "the scheme is missing"),
        ("tcp://db:-1", "port is not a number"),
        ("tcp://db:٣", "port is not a number"),
        ("tcp://db:" + "9" * 5000, "port is not a number"),
        ("tcp://:5432", "host is empty"),
        ("tcp://a,,b", "host is empty"),
        ("tcp://a b", "holds a character that no host has"),
        ("tcp://a%20b", "holds a character that no host has"),
        ("tcp://a%0Ab", "holds a character that no host has"),
        ("tcp://a%00b", "holds a character that no host has"),
        ("tcp://a[b", "holds a character that no host has"),
        ("tcp://[db]:5432", "not one of IPv6"),
        ("tcp://[::1]5432", "not one of IPv6"),
        ("tcp://a\nb", "control character"),
        ("http://h/a\x1fb", "control character"),
        ("amqp://u:hunter2@a,amqp://b", "differ in more than the host; write scheme://user"),
        ("redis://:hun/ter2@h", "has a / or ? before an @"),
        ("redis://:hun?ter2@h", "has a / or ? before an @"),
        ("redis://:p@hun/ter2@h", "has a / or ? before an @"),
        ("redis://:hun#ter2@h", "has a # before an @"),
        ("redis://a:1#ter2@h", "has a # before an @"),
        ("http://u:hun/ter2@h/x", "port is not a number"),
    ],
)
def test_what_is_no_url_is_refused(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=error.replace("?", r"\?")) as caught:
        parse(text)

    assert not [piece for piece in ("hun", "ter2") if piece in str(caught.value)]


def test_neither_str_nor_repr_shows_user_password_or_query() -> None:
    url = parse("postgresql://app:hunter2@db:5432,[::1]/app?token=hunter2#x")

    assert str(url) == "postgresql://db:5432,[::1]/app"
    assert repr(url) == "<Url postgresql://db:5432,[::1]/app>"


def test_the_arguments_of_a_command_are_not_shown() -> None:
    assert str(parse("exec:curl -u app:hunter2 http://h")) == "exec:curl"
    assert str(parse("exec:")) == "exec:"
    assert str(parse("exec:PGPASSWORD=hunter2 psql")) == "exec:PGPASSWORD=…"


def test_the_query_is_decoded_and_in_order() -> None:
    assert parse("http://h?b=1&a=%20x&b=&c").query == (
        ("b", "1"),
        ("a", " x"),
        ("b", ""),
        ("c", ""),
    )


def test_host_and_port_are_those_of_the_first() -> None:
    url = parse("kafka://a:1,b:2")

    assert (url.host, url.port) == ("a", 1)
    assert (parse("unix:///x").host, parse("unix:///x").port) == ("", None)


@pytest.mark.parametrize(
    ("text", "is_local"),
    [
        ("tcp://localhost:1", True),
        ("tcp://LOCALHOST.:1", True),
        ("tcp://app.localhost:1", True),
        ("tcp://127.0.0.1:1", True),
        ("tcp://127.9.9.9:1", True),
        ("tcp://[::1]:1", True),
        ("tcp://localhost:1,127.0.0.1:2", True),
        ("unix:///run/x", True),
        ("http+unix://%2Frun%2Fx/", True),
        ("http+unix:///x", True),
        ("mysql+socket:///run/x", True),
        ("postgresql://%2Frun%2Fpostgresql/app", True),
        ("sidecar:istio", True),
        ("tcp://db:1", False),
        ("tcp://localhost:1,db:1", False),
        ("tcp://127.example.com:1", False),
        ("tcp://localhost.example.com:1", False),
        ("dns:x", False),
    ],
)
def test_what_stays_in_the_pod_is_local(text: str, *, is_local: bool) -> None:
    assert parse(text).is_local is is_local


def test_a_name_with_a_dot_less_is_no_loopback() -> None:
    assert not is_loopback("")
    assert not is_loopback("128.0.0.1")


@pytest.mark.parametrize(
    ("word", "scheme"),
    [
        ("tcp://x", "tcp"),
        ("MongoDB+SRV://x", "mongodb+srv"),
        ("k8s:x", "k8s"),
        ("timeout=3s", None),
        ("name", None),
        ("oracle+cx_oracle://x", "oracle+cx_oracle"),
        ("a_b://x", None),
        ("a_b+c://x", None),
        (":x", None),
        ("+a:x", None),
        ("\u017f:x", None),
    ],
)
def test_a_word_begins_like_a_url_or_not(word: str, scheme: str | None) -> None:
    assert scheme_of(word) == scheme
