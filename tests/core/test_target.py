from __future__ import annotations

import pytest

from gate import checks
from gate.config import words
from gate.core import durations, url
from gate.core.target import Target, one_of, positive_duration, whole_number


def make(line: str) -> Target:
    address, *options = words.split(line)
    cut = [option.partition("=") for option in options]
    pairs = [(key, value if equals else None) for key, equals, value in cut]
    return Target(name="db", place="HERE", url=url.parse(address), options=pairs)


def texts(target: Target) -> list[str]:
    assert all(problem.place == "HERE" for problem in target.problems)
    return [problem.text for problem in target.problems]


def test_a_target_has_the_name_of_its_dependency_and_a_limit_for_each_attempt() -> None:
    assert (make("tcp://db").name, make("tcp://db").timeout) == ("db", 3.0)


def test_a_text_is_what_is_written_or_the_default() -> None:
    target = make("tcp://db a=1 b=x=y")

    assert (target.text("a"), target.text("b"), target.text("c", "z")) == ("1", "x=y", "z")
    assert texts(target) == []


def test_a_repeatable_option_keeps_its_order() -> None:
    assert make("tcp://db a=1 b=2 a=3").many("a") == ("1", "3")


@pytest.mark.parametrize("option", ["a", "a="])
def test_an_option_without_a_value_is_a_problem(option: str) -> None:
    target = make(f"tcp://db {option}")

    assert target.text("a", "default") == "default"
    assert texts(target) == ["a: wants a value, a=…"]


def test_an_option_given_twice_is_a_problem() -> None:
    target = make("tcp://db a=1 a=2")

    assert target.text("a") == "1"
    assert texts(target) == ["a: given 2 times, wanted once"]


@pytest.mark.parametrize(
    ("option", "is_on"),
    [
        ("", False),
        ("a", True),
        ("a=true", True),
        ("a=Yes", True),
        ("a=on", True),
        ("a=1", True),
        ("a=false", False),
        ("a=NO", False),
        ("a=off", False),
        ("a=0", False),
    ],
)
def test_a_flag_is_on_or_off(option: str, *, is_on: bool) -> None:
    target = make(f"tcp://db {option}")

    assert target.flag("a") is is_on
    assert texts(target) == []


@pytest.mark.parametrize(
    ("options", "is_on"), [("a=off a", True), ("a a=off", False), ("a=x a=on", True)]
)
def test_of_a_flag_given_twice_the_last_word_counts(options: str, *, is_on: bool) -> None:
    target = make(f"tcp://db {options}")

    assert target.flag("a") is is_on
    assert texts(target) == []


@pytest.mark.parametrize("option", ["a=", "a=2", "a=maybe"])
def test_a_flag_that_is_neither_is_a_problem(option: str) -> None:
    target = make(f"tcp://db {option}")

    assert not target.flag("a")
    assert texts(target) == ["a: is on or off; write a or a=false"]


def test_a_value_that_cannot_be_read_is_a_problem_and_the_default() -> None:
    target = make("tcp://db s=0 n=-1 c=blu")

    assert target.seconds("s", 3.0) == 3.0
    assert target.number("n", 7, least=1) == 7
    assert target.choice("c", ("red", "blue"), "red") == "red"
    assert texts(target) == [
        "s: '0' is no time at all; it must be more than 0",
        "n: '-1' is not a whole number from 1",
        "c: 'blu' is not one of red, blue; did you mean blue?",
    ]


def test_a_number_may_be_0_where_nothing_else_is_said() -> None:
    assert make("tcp://db n=0").number("n", 7) == 0


def test_a_whole_number_is_not_below_the_least() -> None:
    assert whole_number("2", 2) == 2
    with pytest.raises(ValueError, match="'1' is not a whole number from 2"):
        whole_number("1", 2)


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "1.0", "1234567890", "٣", "³", "1_0", " 1", "9" * 5000]
)
def test_a_whole_number_is_digits_and_no_more_than_nine(text: str) -> None:
    with pytest.raises(ValueError, match="is not a whole number from 0"):
        whole_number(text)


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("999999999", 999999999)])
def test_a_whole_number_is_read(text: str, number: int) -> None:
    assert whole_number(text) == number


def test_a_choice_is_exact() -> None:
    assert one_of("red", ("red", "blue")) == "red"
    with pytest.raises(ValueError, match=r"^'Red' is not one of red, blue; did you mean red\?$"):
        one_of("Red", ("red", "blue"))
    with pytest.raises(ValueError, match=r"^'green' is not one of red, blue$"):
        one_of("green", ("red", "blue"))


def test_a_duration_option_is_more_than_nothing() -> None:
    assert positive_duration("1ms") == durations.parse("1ms")
    with pytest.raises(ValueError, match="is no time at all"):
        positive_duration("0ms")


def test_host_and_port_take_a_default_port() -> None:
    assert make("redis://db").host_and_port(6379) == ("db", 6379)
    assert make("redis://db:1").host_and_port(6379) == ("db", 1)


@pytest.mark.parametrize("address", ["tcp://db", "tcp://", "tcp://a:1,b:2", "tcp:x"])
def test_one_host_and_a_port_are_wanted(address: str) -> None:
    target = make(address)

    assert target.host_and_port() == ("localhost", 1)
    assert texts(target) == ["the URL wants one host and a port; write tcp://host:port"]


def test_an_option_nobody_asked_for_is_unknown() -> None:
    target = make("tcp://db timeout=1s timout=2s hunter2 x=hunter2")
    target.text("timeout")
    target.flag("optional")
    target.unknown_options()

    assert texts(target) == [
        "timout: unknown option; did you mean timeout?",
        "option 3, 4: unknown; tcp takes optional, timeout; a space in a URL is written %20",
    ]


def test_a_slip_in_an_option_of_two_words_is_told() -> None:
    target = make("tcp://db server-nam=x")
    target.text("server-name")
    target.unknown_options()

    assert texts(target) == ["server-nam: unknown option; did you mean server-name?"]


def test_a_comment_behind_a_dependency_is_told_as_that() -> None:
    target = make("tcp://db # the main one")
    target.unknown_options()

    assert texts(target) == [
        "option 1, 2, 3, 4: unknown; tcp takes ; a comment stands on a line of its own"
    ]


def test_a_query_value_is_a_secret_however_oddly_it_is_encoded() -> None:
    secrets = make("http://h/?a=%6bey+w&%62=%41%42").secrets

    assert set(secrets) == {"key w", "key%20w", "%6bey+w", "%41%42"}


def test_password_and_query_values_are_secrets_as_written_and_decoded() -> None:
    secrets = make("http://u:pa%20ss@h/?a=to%2Fken&b=xy&c=longest-of-all").secrets

    assert set(secrets) == {"longest-of-all", "to%2Fken", "to/ken", "pa%20ss", "pa ss"}
    assert [len(secret) for secret in secrets] == sorted(map(len, secrets), reverse=True)


def test_a_parameter_that_a_check_shows_is_no_secret_however_it_is_written() -> None:
    target = make("mysql://u:app@h/?ssl_ca=/ca.pem&ssl-CA=/other.pem&ssl_key_word=hunter2")
    target.show("sslca")

    assert set(target.secrets) == {"hunter2", "app"}


def test_what_a_parameter_shows_stays_secret_where_it_is_the_password_too() -> None:
    target = make("mysql://u:shop@h/?charset=shop")
    target.show("charset")

    assert target.secrets == ("shop",)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://h/db?application_name=shop&sslmode=require&sslrootcert=/ca.pem",
        "mysql://h/db?charset=utf8mb4&ssl_ca=/ca.pem&connect_timeout=300",
        "mongodb://h/db?replicaSet=mongo&authSource=admin&appName=shop&tlsCAFile=/ca.pem",
        "redis://h/0?client_name=shop&socket_timeout=300",
        "amqp://h/shop?heartbeat=300&connection_attempts=300",
        "k8s:pod?selector=app=db",
    ],
)
def test_what_drivers_write_into_the_query_of_a_url_is_no_secret(url: str) -> None:
    target = make(url)
    checks.load(target)

    assert target.secrets == ()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://h/db?sslpassword=hunter2",
        "mysql://h/db?user=app&password=hunter2",
        "mongodb://h/db?authMechanismProperties=hunter2",
        "mongodb://h/db?tlsCertificateKeyFilePassword=hunter2",
        "redis://h/0?password=hunter2",
        "http://h/?user=hunter2",
    ],
)
def test_what_else_is_in_the_query_of_a_url_is_a_secret(url: str) -> None:
    target = make(url)
    checks.load(target)

    assert target.secrets == ("hunter2",)


def test_a_single_option_can_hold_a_secret_too() -> None:
    target = make("http://h token=hunter2 other=hunter3")
    target.text("token", secret=True)
    target.text("other")

    assert target.secrets == ("hunter2",)


def test_what_a_check_looks_at_on_the_machine_is_noted_by_its_full_path() -> None:
    target = make("http://h")
    target.keep_path("/ca.pem", "localhost", "")
    target.keep_path("/key.pem")

    assert target.paths == ["/ca.pem", "/key.pem"]


def test_an_option_can_hold_a_secret() -> None:
    target = make("http://h header='X-Key: hunter2'")
    target.many("header", secret=True)

    assert target.secrets[-1] == "X-Key: hunter2"


def test_a_text_too_short_to_be_secret_is_none() -> None:
    """It would be cut out of common words."""
    assert make("http://u:ab@h").secrets == ()


def test_text_that_is_not_utf_8_is_kept_as_a_secret() -> None:
    target = make("http://h")
    target.keep_secret("abc\udcff")

    assert "abc\udcff" in target.secrets


ONE_TOO_MANY = "the URL wants no {}; write x://host:port{}"


@pytest.mark.parametrize(
    ("address", "options", "found", "after"),
    [
        ("tcp://user@db", "", "user", ""),
        ("tcp://:pass@db", "", "user", ""),
        ("tcp://db/path", "", "path", ""),
        ("tcp://db?x=1", "", "query", " option=…"),
        ("tcp://db?role=a&x=1&limit=2", "role limit", "query", " role=… limit=…"),
        ("tcp://u:p@db/app?x=1", "", "user and no path and no query", " option=…"),
    ],
)
def test_parts_of_a_url_that_a_check_does_not_read_are_a_problem(
    address: str, options: str, found: str, after: str
) -> None:
    target = make(address)
    for option in options.split():
        target.text(option)
    target.wants_only("x://host:port")

    assert texts(target) == [ONE_TOO_MANY.format(found, after)]


@pytest.mark.parametrize("address", ["tcp://db", "tcp://db/", "tcp:", "tcp://db:1,c:2"])
def test_a_url_with_nothing_but_hosts_has_none_too_many(address: str) -> None:
    target = make(address)
    target.wants_only("x://host:port")

    assert texts(target) == []


def test_what_a_check_reads_is_not_too_much_and_a_host_may_be() -> None:
    target = make("tcp://db/path")
    target.wants_only("x:///path", is_path_read=True)
    assert texts(target) == []
    target.wants_only("x:///path", is_path_read=True, is_host_read=False)
    assert texts(target) == ["the URL wants no host; write x:///path"]
    without = make("tcp:///path")
    without.wants_only("x:///path", is_path_read=True, is_host_read=False)
    assert texts(without) == []


def test_a_target_toward_another_url_takes_defaults_for_what_is_not_given() -> None:
    target = make("sidecar:x status=200")
    there = target.toward(url.parse("http://h:1/"), [("status", "204"), ("method", "HEAD")])

    assert (there.url.host, target.url.host) == ("h", "")
    assert (there.many("status"), there.text("method")) == (("200",), "HEAD")
    assert target.text("method", "GET") == "GET"
    there.problem("shared")
    assert texts(target) == ["shared"]


def test_an_option_is_no_secret_and_has_no_value_unless_that_is_said() -> None:
    target = make("tcp://db a=hunter2 b=hunter3")
    target.text("a")
    target.many("b")

    assert target.secrets == ()
    assert target.text("c") == ""
