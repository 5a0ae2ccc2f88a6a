"""Connection strings of keys and values: .NET, libpq, PHP's PDO, StackExchange.Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.config.app_url.parts import BARE, NoDependency, Parts, one, split, with_port
from gate.config.app_url.url_forms import named_instance
from gate.core.other_schemes import NO_SERVER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PDO = {"mysql": "mysql", "pgsql": "postgresql", "sqlsrv": "mssql", "dblib": "mssql"}
_HOST = ("host", "hostaddr", "server", "datasource", "address", "addr", "networkaddress")
_DATABASE = ("database", "dbname", "initialcatalog")
_USER = ("user", "userid", "username", "uid")
_PASSWORD = ("password", "pwd")
_MSSQL = {"datasource", "encrypt", "initialcatalog", "integratedsecurity", "trustedconnection"}
_MSSQL |= {"multipleactiveresultsets", "trustservercertificate"}
"""Keys that only SQL Server's own clients have."""
_EITHER = "may be SQL Server's or MySQL's; write Server=host,1433 or Server=host;Port=3306"
_QUOTES = {"'": "'", '"': '"', "{": "}"}
_FILES = (".db", ".sqlite", ".sqlite3", ".db3", ":memory:")
_REMEDY = "write scheme://user:password@host:port/database"
_NO_HOST = f"names no host in a form that gate reads; {_REMEDY}"
_COMMA = f"has a comma in a value; {_REMEDY}"
_OPEN = f"has a quote that is not closed; {_REMEDY}"


def of_pdo(text: str) -> str:
    """Return the scheme that PHP's PDO writes before `:`, empty if there is none."""
    before, colon, rest = text.partition(":")
    return _PDO.get(before.lower(), "") if colon and "=" in rest else ""


def translated(text: str, kind: str) -> str:
    """Return what the keys of *text* name; raises `NoDependency`."""
    driver = of_pdo(text)
    if driver:
        text = text.partition(":")[2]
    first = text.partition("=")[0]
    if "," in first and kind == "redis":
        return _redis(text)
    given = _pairs(text, _until_semicolon if driver or _is_ado(text) else _until_space)
    server = _first(given, _HOST)
    if not server:
        raise NoDependency(_NO_HOST)
    if server.lower().endswith(_FILES):
        raise NoDependency(NO_SERVER)
    scheme = kind or driver or _scheme(server, given)
    server = server.removeprefix("tcp:")
    if scheme in {"postgresql", "mysql"}:
        return _database(scheme, server, given)
    return _other(scheme, server, given)


def _scheme(server: str, given: Mapping[str, str]) -> str:
    """Return what the keys mean.

    `Host` is PostgreSQL's. `Server` is SQL Server's as well as MySQL's: the one has the port behind
    a comma, the other in a key.
    """
    if "host" in given or "hostaddr" in given:
        return "postgresql"
    if "port" in given:
        return "postgresql" if given["port"] == "5432" else "mysql"
    if "," not in server and ":" not in server and "\\" not in server and not _MSSQL & set(given):
        raise NoDependency(_EITHER)
    return "mssql"


def _database(scheme: str, server: str, given: Mapping[str, str]) -> str:
    ports = given.get("port", "").split(",")
    hosts = [each.strip() for each in server.split(",")]
    each_port = ports if len(ports) == len(hosts) else ports[:1] * len(hosts)
    is_path = server.startswith("/")
    return Parts(
        scheme=scheme,
        hosts=tuple(
            host if is_path else with_port(host, port.strip())
            for host, port in zip(hosts, each_port, strict=True)
        ),
        user=_first(given, _USER),
        password=_first(given, _PASSWORD),
        database=_first(given, _DATABASE),
        query=_tls(scheme, given),
    ).text()


def _tls(scheme: str, given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the mode of TLS, which .NET writes without the dash (`VerifyFull`)."""
    mode = given.get("sslmode", "").lower()
    mode = {"verifyfull": "verify-full", "verifyca": "verify-ca"}.get(mode, mode)
    name = "sslmode" if scheme == "postgresql" else "ssl-mode"
    return ((name, "disabled" if mode == "none" else mode),) if mode else ()


def _other(scheme: str, server: str, given: Mapping[str, str]) -> str:
    port = given.get("port", "")
    if scheme not in {"mssql", "oracle"}:
        hosts = tuple(with_port(each.strip(), port) for each in server.split(","))
        login = ("", "") if scheme in BARE else (_first(given, _USER), _first(given, _PASSWORD))
        return Parts(scheme=scheme, hosts=hosts, user=login[0], password=login[1]).text()
    if split(server)[1] and "," not in server:  # Oracle's: host:port/service
        place, slash, service = server.partition("/")
        oracle = Parts(scheme="oracle", hosts=(place,), database=service)
        return oracle.text() if slash else one("tcp", (place,))
    name, _, behind = server.partition(",")
    return Parts(scheme="mssql", hosts=named_instance(name.strip(), behind.strip() or port)).text()


def _redis(text: str) -> str:
    """Return what StackExchange.Redis reads: `host:6379,password=…,ssl=true`."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    first = next(number for number, part in enumerate(parts) if "=" in part)
    if not all("=" in part for part in parts[first:]):
        raise NoDependency(_COMMA)
    given = {_plain(key): value for key, equals, value in map(_cut, parts) if equals}
    is_tls = given.get("ssl", "").strip().lower() == "true"
    return Parts(
        scheme="rediss" if is_tls else "redis",
        hosts=tuple(parts[:first]),
        user=given.get("user", ""),
        password=given.get("password", ""),
    ).text()


def _cut(text: str) -> tuple[str, str, str]:
    return text.partition("=")


def _first(given: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((given[name] for name in names if given.get(name)), "")


def _plain(key: str) -> str:
    return "".join(char for char in key.lower() if char.isalnum())


def _is_ado(text: str) -> bool:
    """Whether `;` ends a value; libpq has spaces between its own."""
    return ";" in text or " " not in text.strip()


def _pairs(text: str, value: Callable[[str], tuple[str, str]]) -> dict[str, str]:
    """Return the values of *text* by their keys, in lower case and of letters only."""
    found: dict[str, str] = {}
    while "=" in text:
        key, _, rest = text.partition("=")
        content, text = value(rest.lstrip())
        found.setdefault(_plain(key.rpartition(";")[2]), content)
    return found


def _until_semicolon(text: str) -> tuple[str, str]:
    """Return a value and what follows it; within quotes or braces a `;` is a character."""
    end = _QUOTES.get(text[:1])
    if not end:
        content, _, rest = text.partition(";")
        return content.strip(), rest
    content, rest = _quoted(text[1:], end)
    return content, rest.partition(";")[2]


def _quoted(text: str, end: str) -> tuple[str, str]:
    """Return *text* up to *end*, which is doubled where it is meant, and what follows."""
    found = []
    while True:
        content, closed, text = text.partition(end)
        found.append(content)
        if not closed:
            raise NoDependency(_OPEN)
        if not text.startswith(end):
            return "".join(found), text
        found.append(end)
        text = text[1:]


def _until_space(text: str) -> tuple[str, str]:
    """Return a value of libpq and what follows it; a backslash stands before what is meant."""
    is_quoted = text.startswith("'")
    found, position = [], 1 if is_quoted else 0
    while position < len(text):
        char = text[position]
        if char == "'" if is_quoted else char.isspace():
            break
        if char == "\\":
            position += 1
        found.append(text[position : position + 1])
        position += 1
    if is_quoted and position >= len(text):
        raise NoDependency(_OPEN)
    return "".join(found), text[position + 1 :]
