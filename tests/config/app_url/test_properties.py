"""Whatever a variable holds: what stands in the list, or the one error, which shows nothing."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gate.config import words
from gate.config.app_url import NoDependency, guess, pairs, translate
from gate.core import url as urls

MARK = "Qz7Xv"

pieces = st.sampled_from(
    [
        *("jdbc:", "postgresql", "mysql", "oracle:thin:@", "sqlserver", "://", ":", "/", "@", ";"),
        *(",", "=", "(", ")", "tcp(", "Server=", "Host=", "host=", "Password=", "'", '"', "{", "}"),
        *("(HOST=db)", "(PORT=1)", "db:1", "[::1]", "[", "]", "?", "#", "%", "\\", " ", "\u3000"),
        *("http://", "kafka://", "tls://", "unix://", "SASL_SSL://", "sqlite:", "\udcff", "9" * 99),
    ]
)
text = st.text(st.characters(exclude_characters="\0"), max_size=20)
value = st.lists(pieces | text, max_size=8).map("".join)
variable = st.sampled_from(["X", "DB_HOST", "REDIS_URL", "KAFKA_BROKERS", "NATS_URL", "PGHOST"])


@settings(max_examples=300, deadline=None)
@given(variable | text, value, st.sampled_from(["", "1"]) | text)
@example("X", "jdbc:oracle:thin:@" + "(HOST=" * 2000, "")
@example("X", "a" * 100_000 + "@", "")
@example("X", "jdbc:" + "a" * 100_000, "")
def test_a_value_is_a_dependency_or_the_one_error(name: str, held: str, port: str) -> None:
    try:
        line = translate(name, held, port)
    except NoDependency:
        return
    word, *options = words.split(line)

    assert [part for _, part in words.lines(line)] == [line]
    assert str(urls.parse(word))
    assert not [option for option in options if option != "tls" and not option.startswith("status")]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(
        [
            *("postgresql://u:{q}@db/app", "redis://:{q}@db:1", "mssql://u:{q}@db/x"),
            *("jdbc:postgresql://db/app?user=u&password={q}", "jdbc:oracle:thin:u/{a}@//db:1/s"),
            *("jdbc:sqlserver://db;password={a}", "u:{a}@tcp(db:1)/app", "https://u:{q}@db/"),
            *("Server=db,1;Password='{a}'", "host=db user=u password='{a}'", "db,password={a}"),
        ]
    ),
    st.text("aZ1%@:/?#&=+;,([ ", max_size=6).map(lambda odd: odd + MARK),
    variable,
)
def test_a_secret_is_in_no_shown_part_and_in_no_error(form: str, secret: str, name: str) -> None:
    held = form.format(q=quote(secret, safe=""), a=secret)
    try:
        word = words.split(translate(name, held))[0]
    except NoDependency as exc:
        shown = str(exc)
    else:
        shown = str(urls.parse(word))

    assert MARK not in shown


@settings(max_examples=100, deadline=None)
@given(st.lists(text | st.sampled_from(["A_HOST", "A_PORT", "A_URL", "__", "REDIS_HOST"])))
def test_any_names_can_be_guessed_from(names: list[str]) -> None:
    found = guess(names)

    assert {named.variable for named in found} <= set(names)
    assert {named.variable for named in pairs(names)} <= set(names)
    assert len({named.dependency for named in found}) == len(found)
