"""URLs as the app writes them: several hosts, raw `@` in passwords, opaque forms.

`urllib.parse` refuses several hosts, and puts the offending text, often part of a password, into
its errors. Errors from here hold nothing of the input but the scheme.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, unquote, unquote_plus

_SCHEME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789+.-")
_AT_IN_PATH = frozenset({"http", "https", "http+unix", "file", "unix", "exec", "k8s"})
_ENCODED = "within its parts / is written %2F, ? %3F, # %23, @ %40"


@dataclass(frozen=True, slots=True)
class Host:
    """One host of a URL; `port` is None where the URL gives none."""

    name: str
    port: int | None = None

    def __str__(self) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port is None else f"{name}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Url:
    """A URL in parts; user, password and query are percent-decoded, the path is as written.

    `path` is all but the query of an opaque URL (`k8s:job/migrate`, `exec:COMMAND`). Neither
    `str` nor `repr` shows a secret.
    """

    scheme: str
    username: str | None = None
    password: str | None = None
    hosts: tuple[Host, ...] = ()
    path: str = ""
    raw_query: str = ""
    is_opaque: bool = False

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The query's pairs, decoded, in order."""
        return tuple(parse_qsl(self.raw_query, keep_blank_values=True))

    @property
    def query_as_written(self) -> tuple[tuple[str, str], ...]:
        """The same with values that are not decoded, as a server repeats them."""
        pairs = (pair.partition("=") for pair in self.raw_query.split("&"))
        return tuple((unquote_plus(name), value) for name, _, value in pairs)

    @property
    def host(self) -> str:
        """The first host's name, empty if there is none."""
        return self.hosts[0].name if self.hosts else ""

    @property
    def port(self) -> int | None:
        """The first host's port."""
        return self.hosts[0].port if self.hosts else None

    @property
    def is_local(self) -> bool:
        """Whether it stays in the pod: loopback or a unix socket."""
        if self.scheme in {"unix", "sidecar"} or self.scheme.endswith(("+unix", "+socket")):
            return True
        # A host that is a path (%2Frun%2Fpostgresql) means a unix socket.
        return bool(self.hosts) and all(
            host.name.startswith("/") or is_loopback(host.name) for host in self.hosts
        )

    def __repr__(self) -> str:
        return f"<Url {self}>"

    def __str__(self) -> str:
        """Return the URL without user, password, query and arguments."""
        if self.is_opaque:
            word, equals, _ = next(iter(self.path.split()), "").partition("=")
            # A variable that a command sets for itself may be a password.
            return f"{self.scheme}:{word}{equals and '=…'}"
        hosts = ",".join(str(host) for host in self.hosts)
        return f"{self.scheme}://{hosts}{self.path}"


def is_loopback(host: str) -> bool:
    """Whether *host* is written as a loopback address or `localhost`."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return name in {"::1", "0:0:0:0:0:0:0:1"} or (
        name.startswith("127.") and name.replace(".", "").isdigit()
    )


def scheme_of(word: str) -> str | None:
    """Return the scheme if *word* begins like a URL (`scheme:`), else None."""
    scheme, colon, _ = word.partition(":")
    scheme = scheme.lower()
    base, plus, driver = scheme.partition("+")
    # Some drivers have a name that no scheme may have: oracle+cx_oracle.
    letters = base + plus + driver.replace("_", "")
    if not colon or not scheme[:1].isalpha() or not _SCHEME.issuperset(letters):
        return None
    return scheme


def parse(word: str) -> Url:
    """Return *word* in parts; raises `ValueError` with a text that holds no secret."""
    scheme = scheme_of(word)
    if scheme is None:
        msg = "not a URL; write scheme://host:port"
        raise ValueError(msg)
    if scheme == "jdbc":
        msg = "a URL as Java has it; leave out jdbc: at its beginning"
        raise ValueError(msg)
    if any(ord(char) < 32 for char in word):  # noqa: PLR2004 -- control characters
        msg = "the URL holds a line break or another control character; write it percent-encoded"
        raise ValueError(msg)
    rest, hash_sign, fragment = word[len(scheme) + 1 :].partition("#")
    if scheme == "exec":
        rest = rest + hash_sign + fragment
    elif "@" in fragment and scheme not in _AT_IN_PATH:
        msg = f"the URL has a # before an @; {_ENCODED}"
        raise ValueError(msg)
    if not rest.startswith("//"):
        _refuse_bare(scheme, rest)
        path, _, query = (rest, "", "") if scheme == "exec" else rest.partition("?")
        return Url(scheme=scheme, path=path, raw_query=query, is_opaque=True)
    if scheme in _AT_IN_PATH:
        return _hierarchical(scheme, rest[2:])
    return _merged([_hierarchical(scheme, text) for text in rest[2:].split(f",{scheme}://")])


def _merged(urls: list[Url]) -> Url:
    """Return one URL of several with commas between, as clients of some brokers write them."""
    first = urls[0]
    if any(replace(url, hosts=first.hosts) != first for url in urls[1:]):
        msg = "the URLs between the commas differ in more than the host; write scheme://user:password@host1,host2"
        raise ValueError(msg)
    return replace(first, hosts=tuple(host for url in urls for host in url.hosts))


def _refuse_bare(scheme: str, rest: str) -> None:
    """Refuse `host:port` and `user:password@host`, which would be shown if taken for a scheme."""
    if scheme in _AT_IN_PATH:
        return
    if "@" in rest or rest[:1].isdigit():
        msg = "not a URL, the scheme is missing; write tcp://host:port or another scheme"
        raise ValueError(msg)


def _hierarchical(scheme: str, rest: str) -> Url:
    end = min((rest.find(char) for char in "/?" if char in rest), default=len(rest))
    netloc, rest = rest[:end], rest[end:]
    path, _, query = rest.partition("?")
    userinfo, at, hosts = netloc.rpartition("@")
    if "@" in rest and scheme not in _AT_IN_PATH:
        msg = f"the URL has a / or ? before an @; {_ENCODED}"
        raise ValueError(msg)
    username, colon, password = userinfo.partition(":")
    return Url(
        scheme=scheme,
        username=unquote(username) if at and username else None,
        password=unquote(password) if colon else None,
        hosts=tuple(_host(text) for text in hosts.split(",")) if hosts else (),
        path=path,
        raw_query=query,
    )


def _host(text: str) -> Host:
    name, bracket, rest = text.partition("]")
    if bracket:
        name, port = name.removeprefix("["), rest.removeprefix(":")
        if ":" not in name or (rest and not rest.startswith(":")):
            msg = "the address in [ ] is not one of IPv6; write scheme://[::1]:port or scheme://host:port"
            raise ValueError(msg)
    else:
        name, _, port = text.partition(":")
    if port and not is_port(port):
        msg = f"the URL's port is not a number from 1 to 65535; {_ENCODED}"
        raise ValueError(msg)
    decoded = unquote(name)
    if not name or any(char in "[]<>\"'\\ " or not char.isprintable() for char in decoded):
        msg = "the URL's host is empty or holds a character that no host has; write scheme://host:port"
        raise ValueError(msg)
    return Host(decoded, int(port) if port else None)


def is_port(text: str) -> bool:
    """Whether *text* is the number of a port."""
    # The length first: `int` of thousands of digits raises an error of its own.
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536  # noqa: PLR2004 -- the ports there are
