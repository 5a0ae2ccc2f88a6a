"""URLs as apps write them: `jdbc:`, drivers behind a `+`, other names for a scheme."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote

from gate.config.app_url.parts import (
    BARE,
    SEVERAL,
    NoDependency,
    Parts,
    checked,
    one,
    split,
    with_port,
)
from gate.core import url as urls
from gate.core.other_schemes import NO_SERVER, PORTS, SAME, WITHIN

_AS_THEY_ARE = {"mongodb+srv", "kafka+ssl", "redis+socket", "redis+unix"}
_LISTENERS = {"plaintext", "sasl_plaintext", "ssl", "sasl_ssl"}
_OVER_TLS = {"redis": "rediss", "amqp": "amqps", "mqtt": "mqtts", "kafka": "kafka+ssl"}
_RAW_SIGN = "has a / ? # or ; before an @; within a password they are written %2F %3F %23 %3B"
_ANY_ANSWER = "status=2xx,3xx,4xx"
"""An app's base URL is often no page: whatever the server answers, but a fault of its own."""
_KEPT = {"ssl": "ssl", "sslmode": "sslmode", "usessl": "ssl"}
"""What matters to gate of the parameters of a `jdbc:` URL."""
_SCHEME = re.compile(r"([A-Za-z][\w+.-]*)://", re.ASCII)
_ORACLE = re.compile(
    r"@(?P<tls>tcps:)?(?:tcp:)?(?://)?(?P<host>\[[0-9a-f:.]+\]|[\w.-]+)(?::(?P<port>\d+))?"
    r"(?:/(?P<service>[\w.-]+)|:(?P<sid>\w+))?(?=[:/?]|$)",
    re.ASCII,
)
_ORACLE_HOST = re.compile(r"\(HOST=([\w.-]+)\)", re.ASCII | re.IGNORECASE)
_ORACLE_PORT = re.compile(r"\(PORT=(\d+)\)", re.ASCII | re.IGNORECASE)


def scheme_before(text: str) -> str:
    """Return what stands before the `://` that *text* begins with, empty if it does not."""
    found = _SCHEME.match(text)
    return found[1].lower() if found else ""


def translated(text: str, kind: str, port: str) -> str:
    """Return the URL *text*, without `jdbc:`, as gate writes it; raises `NoDependency`."""
    scheme = scheme_before(text)
    base = scheme.partition("+")[0]
    rest = _rest(text)
    if base in WITHIN:
        raise NoDependency(NO_SERVER)
    if kept := _kept(scheme, rest):
        return kept
    if scheme in _LISTENERS and kind:
        return _listeners(text, kind)
    found = SAME.get(base) or (kind if scheme in {"tcp", "tls"} else "")
    if found in BARE and scheme != "tls" and base != "kafka":
        return _bare(found, rest, port)
    if found:
        rest = rest.replace(f",{text.partition('://')[0]}://", f",{found}://")
        return _over_tls(found, rest) if scheme == "tls" else _with_port(found, rest, port)
    # The name that a client of gRPC is to look up stands behind a third slash.
    places = _places(rest.removeprefix("/") if base == "dns" else rest)
    return one("tcp", tuple(with_port(each, port or str(PORTS.get(base, ""))) for each in places))


def _kept(scheme: str, rest: str) -> str:
    """Return the URL if gate takes its scheme as it is, else an empty text."""
    if scheme in _AS_THEY_ARE:
        return checked(f"{scheme}://{rest}")
    if scheme in {"http", "https"}:
        return f"{checked(f'{scheme}://{_one(rest)}')} {_ANY_ANSWER}"
    if scheme == "unix":
        path = rest[rest.find("/") :].partition("?")[0]
        if "@" in path:
            raise NoDependency(_RAW_SIGN)
        return checked(f"unix://{path}")
    return ""


def _rest(text: str) -> str:
    """Return what follows the scheme, in one word of the list; Celery has `;` between URLs."""
    before, _, rest = text.partition("://")
    rest = rest.replace(f";{before}://", f",{before}://")
    return "".join(quote(char) if char.isspace() or char == ";" else char for char in rest)


def _over_tls(kind: str, rest: str) -> str:
    if kind in _OVER_TLS:
        return checked(f"{_OVER_TLS[kind]}://{rest}")
    if kind in {"mongodb", "nats"}:
        return f"{checked(f'{kind}://{rest}')} tls"
    return one("tcp", tuple(_places(rest)))


def _listeners(text: str, kind: str) -> str:
    """Return brokers that are written with the name of their listener, `SASL_SSL://b:9093,…`."""
    is_tls = scheme_before(text).endswith("ssl")
    hosts = ",".join(each.rpartition("://")[2].strip() for each in text.split(","))
    return checked(f"{_OVER_TLS.get(kind, kind) if is_tls else kind}://{hosts}")


def _one(rest: str) -> str:
    """Return *rest* of a URL of HTTP if there is but one URL; raises `NoDependency`."""
    if "," in rest.partition("/")[0]:
        raise NoDependency(SEVERAL)
    return rest


def _with_port(scheme: str, rest: str, port: str) -> str:
    """Return the URL, its one host with *port* if it has none of its own."""
    text = f"{scheme}://{rest}"
    url = urls.parse(checked(text))
    if not port or len(url.hosts) != 1 or url.port:
        return text
    end = min((rest.find(char) for char in "/?#" if char in rest), default=len(rest))
    return checked(f"{scheme}://{rest[:end]}:{port}{rest[end:]}")


def _bare(scheme: str, rest: str, port: str) -> str:
    """Return the URL of the hosts of *rest*; of Oracle with the service that the query names."""
    places = _places(rest)
    if scheme == "mssql":
        hosts = tuple(host for place in places for host in named_instance(place, port))
        return Parts(scheme=scheme, hosts=hosts).text()
    given = dict(parse_qsl(rest.partition("?")[2])) if scheme == "oracle" else {}
    return Parts(
        scheme=scheme,
        hosts=tuple(with_port(each, port) for each in places),
        query=tuple((key, given[key]) for key in ("service_name", "sid") if key in given),
    ).text()


def _places(rest: str) -> list[str]:
    """Return the hosts of *rest*, what follows `://`, without what stands before and behind."""
    end = min((rest.find(char) for char in "/?#;" if char in rest), default=len(rest))
    if "@" in rest[end:]:
        raise NoDependency(_RAW_SIGN)
    hosts = rest[:end].rpartition("@")[2].split(",")
    return [each for each in hosts if each]


def jdbc(text: str) -> str:
    """Return what *text*, all behind `jdbc:`, names; raises `NoDependency`."""
    head, slashes, rest = text.partition("://")
    words = head.lower().split(":")
    if words[0] == "oracle":
        return _oracle(text)
    if WITHIN & set(words) and words[-1] != "tcp":
        raise NoDependency(NO_SERVER)
    if not slashes:
        msg = "names no host; write jdbc:DRIVER://host:port/…"
        raise NoDependency(msg)
    scheme = next((SAME[word] for word in words if word in SAME), "")
    if scheme in {"postgresql", "mysql"}:
        return _database(scheme, rest)
    if "sqlserver" in words:
        return Parts(scheme="mssql", hosts=_sqlserver(rest)).text()
    if scheme:
        return checked(f"{scheme}://{rest}")
    default = next((str(PORTS[word]) for word in words if word in PORTS), "")
    return one("tcp", tuple(with_port(each, default) for each in _places(rest)))


def _database(scheme: str, rest: str) -> str:
    """Return a database as its JDBC driver writes it, with what of its parameters matters."""
    place, _, query = rest.partition("?")
    place, _, name = place.partition("/")
    if "@" in name or "@" in query.partition("=")[0]:
        raise NoDependency(_RAW_SIGN)
    login, _, hosts = place.rpartition("@")
    user, _, password = login.partition(":")
    given = {key.lower(): value for key, value in parse_qsl(query)}
    return Parts(
        scheme=scheme,
        hosts=tuple(each.strip() for each in hosts.split(",")),
        user=unquote(user) or given.get("user", ""),
        password=unquote(password) or given.get("password", ""),
        database=unquote(name),
        query=tuple((_KEPT[key], value) for key, value in given.items() if key in _KEPT),
    ).text()


def _sqlserver(rest: str) -> tuple[str, ...]:
    """Return the host; without one before the first `;` it is the property `serverName`."""
    if "@" in rest.partition("=")[0]:
        raise NoDependency(_RAW_SIGN)
    given = dict(part.lower().partition("=")[::2] for part in rest.split(";")[1:])
    name = rest.partition(";")[0] or given.get("servername", "") or given.get("server", "")
    return named_instance(name, given.get("portnumber") or given.get("port") or "")


def named_instance(name: str, port: str) -> tuple[str, ...]:
    """Return the SQL Server *name*; an instance without a port is one that gate cannot find."""
    server, backslash, instance = name.partition("\\")
    behind = split(instance)[1]
    port = port or behind
    if backslash and not port:
        msg = "names an instance of SQL Server, whose port only its browser knows; write host:port"
        raise NoDependency(msg)
    return (with_port(server, port or "1433"),) if server else ()


def _oracle(text: str) -> str:
    """Return the listener, and the service or SID if there is but one way to read it."""
    described = [found.search(text) for found in (_ORACLE_HOST, _ORACLE_PORT)]
    if described[0] and described[1]:
        return one("tcp", (f"{described[0][1]}:{described[1][1]}",))
    # What stands before the last @ is a login.
    found = _ORACLE.match(text, max(text.rfind("@"), 0))
    if not found or not (found["port"] or found["service"]):
        msg = (
            "names no host (an alias of tnsnames.ora?); write jdbc:oracle:thin:@//host:1521/service"
        )
        raise NoDependency(msg)
    place = f"{found['host']}:{found['port'] or 1521}"
    if found["tls"]:
        return one("tcp", (place,))
    sid = (("sid", found["sid"]),) if found["sid"] else ()
    return Parts(scheme="oracle", hosts=(place,), database=found["service"] or "", query=sid).text()
