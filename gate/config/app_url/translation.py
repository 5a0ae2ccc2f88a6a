"""The value of one variable of the app, as what gate waits for."""

from __future__ import annotations

import re

from gate.config.app_url import key_values, url_forms
from gate.config.app_url.named import is_secret, kind_of
from gate.config.app_url.parts import BARE, NoDependency, Parts, checked, one, with_port
from gate.core.url import is_port

_GO_DSN = re.compile(r"(?:(?P<login>.*)@)?(?P<net>tcp6?|unix)\((?P<at>[^()]*)\)/(?P<rest>[^/]*)")
"""`user:password@tcp(host:3306)/db`: the last @ and the last / count, as in Go's own driver."""
_JAVA = re.compile(r"(jdbc|r2dbc):", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def translate(variable: str, value: str, port: str = "") -> str:
    """Return what *value*, that of *variable*, is in `GATE_DEPENDENCIES`: a URL, maybe options.

    *port* is the value of the variable that has the port; one within *value* wins. Where *value*
    has no scheme the name of the variable chooses it, else it is `tcp`. Raises `NoDependency`
    where there is nothing to wait for or gate cannot read it; the text shows nothing of *value*.
    What is returned may hold a password.
    """
    text = _unquoted(value)
    if wrong := _wrong(variable, text):
        raise NoDependency(wrong)
    number = port_of(port)
    kind = kind_of(variable)
    if found := _JAVA.match(text):
        return checked(url_forms.jdbc(text[found.end() :]))
    if found := _GO_DSN.fullmatch(text):
        return _go_dsn(found)
    if url_forms.scheme_before(text):
        return url_forms.translated(text, kind, number)
    if "=" in text:
        return key_values.translated(text, kind)
    return _address(kind, text, number)


def _wrong(variable: str, text: str) -> str:
    if not text:
        return "is empty; set it or leave it out"
    if _CONTROL.search(text):
        return "holds a line break or another control character; write it percent-encoded"
    if is_secret(variable):
        return "has the name of a secret, not of a place; name the variable with the host"
    return ""


def port_of(text: str) -> str:
    """Return the port that *text* is; raises `NoDependency`.

    A Service makes Kubernetes inject `REDIS_PORT=tcp://10.0.0.1:6379`, so a URL will do.
    """
    port = text.strip().rpartition(":")[2]
    if port and not is_port(port):
        msg = "is not a port, a number from 1 to 65535; set it or leave it out"
        raise NoDependency(msg)
    return port


def _unquoted(value: str) -> str:
    """Return *value* without the quotes around it that some files of variables leave."""
    text = value.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1].strip()
    return text


def _go_dsn(found: re.Match[str]) -> str:
    user, _, password = (found["login"] or "").partition(":")
    where = found["at"] or "127.0.0.1:3306"
    is_socket = found["net"] == "unix"
    return Parts(
        scheme="mysql",
        hosts=() if is_socket else (where,),
        user=user,
        password=password,
        database=found["rest"].partition("?")[0],
        query=(("unix_socket", where),) if is_socket else (),
    ).text()


def _address(kind: str, text: str, port: str) -> str:
    """Return `[user:password@]host[:port]`, or several with commas, as a URL."""
    login, _, places = text.rpartition("@")
    hosts, _, path = places.partition("/")
    found = tuple(with_port(each.strip(), port) for each in hosts.split(",") if each.strip())
    if not kind:
        return one("tcp", found)
    user, _, password = login.partition(":")
    if kind in BARE:
        user = password = path = ""
    return Parts(scheme=kind, hosts=found, user=user, password=password, database=path).text()
