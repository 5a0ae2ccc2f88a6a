"""Whatever the environment: a configuration or its problems, and no secret in either."""

from __future__ import annotations

import shlex

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gate import checks, config
from gate.checks import SCHEMES
from gate.config import SETTINGS, Config, words
from gate.core.errors import ConfigError, Problem
from gate.core.url import scheme_of

MARK = "Qz7Xv"
"""Distinctive: no word of a message, option or scheme is near it."""

text = st.text(st.characters(exclude_characters="\0"), max_size=40)
snippets = st.sampled_from(
    [
        *SCHEMES,
        *(
            "://",
            ":",
            "/",
            "//",
            "@",
            ";",
            "'",
            '"',
            "\\",
            "=",
            " ",
            "\n",
            "#",
            "$(",
            ")",
            ",",
            "?",
        ),
        *(
            "[::1]",
            "db",
            "%00",
            "%0A",
            "%",
            ":0",
            ":99999",
            "9" * 5000,
            "1e999",
            "-1",
            "٣",
            "\udcff",
        ),
        *(
            "optional",
            "timeout=",
            "any=",
            "until=down",
            "deadline=",
            "successes=",
            "header=",
            "json=",
        ),
        *("X_URL", "X*,", "REDIS_HOST:REDIS_PORT", "jdbc:", "REDIS_?OST"),
        *("status=", "ca=/", "proxy=http://", "db tcp://db:1", "http://h:1/x", "localhost", "off"),
    ]
)
value = text | st.lists(snippets | text, max_size=12).map("".join)
variable = st.sampled_from(
    [
        *(setting.variable for setting in SETTINGS),
        *("GATE_DEPENDENCIES", "GATE_DEPENDENCY_A", "GATE_DEPENDENCY_B_2", "GATE_DEPENDENCY_"),
        *(
            "GATE_FROM_ENV",
            "GATE_OPTIONS_A",
            "GATE_OPTIONS_X",
            "GATE_OPTIONS_",
            "X_URL",
            "REDIS_HOST",
        ),
        *(
            "REDIS_PORT",
            "GATE_PORT",
            "GATE_SERVICE_HOST",
            "GATE_PORT_80_TCP",
            "GATE_HTTP_SERVICE_HOST",
        ),
    ]
) | text.map(lambda rest: "GATE_" + rest.replace("=", ""))
environment = st.dictionaries(variable, value, max_size=6)


def load(environ: dict[str, str], arguments: list[str] | None = None) -> Config:
    read = config.read(environ, arguments=arguments or [])
    for wanted in read.dependencies:
        checks.load(wanted.target)
    return read


@settings(max_examples=250, deadline=None)
@given(environ=environment, arguments=st.lists(value, max_size=2))
@example({"GATE_LISTEN": "9" * 5000}, [])
@example({"GATE_DEPENDENCIES": "dns://x server=" + "9" * 5000}, [])
@example({"GATE_DEPENDENCY_A": "redis://:\udcff\udcff\udcff@h:1"}, [])
@example({"GATE_DEPENDENCY_A": "http://h/\udcff"}, ["http://u:\udcff@h"])
def test_any_environment_is_a_configuration_or_its_problems(
    environ: dict[str, str], arguments: list[str]
) -> None:
    read = load(environ, arguments)
    problems = read.all_problems()

    assert isinstance(read, Config)
    assert all(isinstance(problem, Problem) for problem in problems)
    for line in str(ConfigError(problems)).splitlines()[1:]:
        assert line.replace("\udcff", "").isprintable()
    if not problems:
        names = [wanted.dependency.name for wanted in read.dependencies]
        assert len(names) == len(set(names))
        assert read.dependencies or read.settings.allow_empty or read.settings.disabled


@settings(max_examples=200, deadline=None)
@given(environ=environment)
def test_reading_twice_tells_the_same(environ: dict[str, str]) -> None:
    shuffled = dict(sorted(environ.items(), reverse=True))

    assert load(environ).all_problems() == load(shuffled).all_problems()


database = st.sampled_from(
    ["postgresql", "mysql", "redis", "mongodb", "amqp", "nats", "mqtt", "tcp", "tls"]
)
encoded = st.text("ab1:;'\"$(\\ é\t%@/?#&=+[]<>", max_size=6).map(
    lambda odd: "".join(f"%{byte:02X}" for byte in odd.encode())
)


@settings(max_examples=200, deadline=None)
@given(scheme=database | st.sampled_from(["http", "https"]), left=encoded, right=encoded)
def test_a_secret_that_is_written_well_is_shown_nowhere(scheme: str, left: str, right: str) -> None:
    secret = f"{left}{MARK}{right}"
    read = load({"GATE_DEPENDENCIES": f"{scheme}://app:{secret}@db:5432/app?key={secret} any=x"})
    shown = [str(read), repr(read), str(ConfigError(read.all_problems()))]
    for wanted in read.dependencies:
        shown += [
            repr(wanted),
            repr(wanted.target),
            repr(wanted.target.url),
            str(wanted.target.url),
        ]
        shown += [repr(wanted.dependency_with_secrets), str(wanted.dependency)]
        assert any(MARK in kept for kept in wanted.dependency_with_secrets.secrets)

    assert read.dependencies
    assert not [each for each in shown if MARK in each]


@settings(max_examples=200, deadline=None)
@given(
    before=st.text("aT: ", max_size=4),
    after=st.text("aT: ", max_size=4),
    quote=st.sampled_from(["'", '"', ""]),
    rest=st.sampled_from(["", " timeout=x", " bearer=x", " '"]),
)
def test_a_header_s_value_is_shown_nowhere(before: str, after: str, quote: str, rest: str) -> None:
    line = f"api http://api:80/ header={quote}Authorization: {before}{MARK}{after}{quote}{rest}"
    read = load({"GATE_DEPENDENCIES": line})

    assert MARK not in str(ConfigError(read.all_problems()))
    assert MARK not in repr(read)


odd = st.lists(
    st.sampled_from(
        ["/", "?", "#", ";", " ", "'", '"', ":", "@", "\\", "&", "=", "[", "]", "%", "$"]
    )
    | st.sampled_from(["a", "12", "%0A", "<", ",", "$(", ")", "|", "\t", "!"]),
    max_size=4,
).map("".join)
place = st.sampled_from(["GATE_DEPENDENCIES", "GATE_DEPENDENCY_DB", "X_URL"])


def at(where: str, text: str) -> dict[str, str]:
    """Return an environment with *text* in the variable *where*, which may be the app's."""
    return {where: text, **({"GATE_FROM_ENV": where} if where == "X_URL" else {})}


@settings(max_examples=500, deadline=None)
@given(
    scheme=database,
    user=st.sampled_from(["app", "", "a@b"]),
    parts=st.tuples(odd, odd, odd),
    where=place,
    tail=st.sampled_from(["@db:5432/app", "@db", "@db:x", "@", "", "@db:5432/app timout=3s"]),
)
@example("postgresql", "app", ("1;", ":", ""), "GATE_DEPENDENCIES", "@db")
@example("postgresql", "app", ("1;", ":", ""), "GATE_DEPENDENCIES", "")
@example("postgresql", "app", ("1;x:", "", ""), "GATE_DEPENDENCIES", "@db")
@example("postgresql", "app", ("1;", " x:", ""), "GATE_DEPENDENCIES", "@db")
@example("postgresql", "app", ("1 ", "", ""), "GATE_DEPENDENCY_DB", "@db")
@example("postgresql", "app", ("p@", "/", ""), "GATE_DEPENDENCY_DB", "@db")
@example("postgresql", "app", ("p@", " ", ""), "GATE_DEPENDENCIES", "@db")
@example("redis", "", ("$(", ")", ""), "GATE_DEPENDENCIES", "@db")
def test_a_password_written_badly_is_in_no_message(
    scheme: str, user: str, parts: tuple[str, str, str], where: str, tail: str
) -> None:
    left, middle, right = parts
    line = f"{scheme}://{user}:{left}{MARK}{middle}{MARK}{right}{tail}"
    read = load(at(where, line))

    message = str(ConfigError(read.all_problems()))
    has_host = where == "X_URL" and tail.startswith("@db")
    shown = [each.dependency.url for each in read.dependencies if has_host]

    assert MARK.lower() not in message.lower()
    assert MARK.lower() not in "".join(shown).lower()


@settings(max_examples=200, deadline=None)
@given(
    form=st.sampled_from(
        [
            "app:{}@db:5432/app",
            "db app:{}@db:5432/app",
            "db //app:{}@db:5432/app",
            "app:{}@tcp(db:3306)/app",
            "jdbc:postgresql://app:{}@db/app",
            "jdbc:postgresql://db/app?user=app&password={}",
            "host=db user=app password={}",
            "db host=db;user=app;password={}",
            "Server=db;Password={};",
            "DATABASE_URL=postgresql://app:{}@db/app",
            "db postgresql:app:{}@db/app",
            "{}",
            '"postgresql://app:{}@db/app',
            "'redis://:{}'",
        ]
    ),
    secret=st.sampled_from(
        [MARK, f"1{MARK}", f"{MARK}/{MARK}", f"{MARK} {MARK}", f"{MARK};{MARK}"]
    ),
    where=place,
)
def test_a_secret_in_another_notation_is_in_no_message(form: str, secret: str, where: str) -> None:
    read = load(at(where, form.format(secret)))

    assert read.all_problems() or where == "X_URL" or form.startswith("jdbc:")
    assert MARK.lower() not in str(ConfigError(read.all_problems())).lower()
    assert read.all_problems() or MARK.lower() not in repr(read).lower()


def is_plain(word: str) -> bool:
    """Whether it has no beginning of a URL, in which quotes mean themselves."""
    return not (scheme_of(word) and "://" in word)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(max_size=12).filter(is_plain), max_size=6))
@example(["a b", "", "'", '"', "\\", "#x", "é", "\x85", "a;b"])
def test_words_quoted_for_a_shell_come_back(given_: list[str]) -> None:
    line = shlex.join(given_)

    assert words.split(line) == shlex.split(line) == given_


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(list("ab'\"\\ =:/")), max_size=14).map("".join))
def test_words_are_split_as_a_shell_splits_them(line: str) -> None:
    try:
        expected = shlex.split(line)
    except ValueError:
        return
    if "://" not in line:
        assert words.split(line) == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("ab ;'\"\\#:/", max_size=20), max_size=5).map("\n".join))
def test_no_line_is_lost(value_: str) -> None:
    """But for separators and comments, all that is written is in the lines that are read."""
    kept = "".join(part for _, part in words.lines(value_))
    written = "".join(line for line in value_.split("\n") if not line.lstrip().startswith("#"))

    assert kept.replace(";", "").replace(" ", "") == written.replace(";", "").replace(" ", "")
