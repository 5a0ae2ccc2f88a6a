"""What a command line does, as far as its words tell: waits, serves for ever, or ends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gate.url import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SHELLS = {"sh", "bash", "ash", "dash", "zsh", "busybox"}
_WAITERS = {"wait4x", "dockerize", "wait-for-it", "wait-for", "wait-on", "wait4it", "waitfor"}
_WAITERS |= {"linkerd-await", "wait-for-it.sh", "wait-for.sh", "waitforit", "k8s-wait-for"}
_SERVERS = {"nginx", "envoy", "redis-server", "mongod", "haproxy", "caddy", "httpd", "memcached"}
_SERVERS |= {"postgres", "mysqld", "mariadbd", "pilot-agent", "fluent-bit", "gunicorn", "uvicorn"}
_SERVER_IMAGES = {"nginx", "envoy", "redis", "valkey", "postgres", "mysql", "mariadb", "mongo"}
_SERVER_IMAGES |= {"haproxy", "traefik", "caddy", "httpd", "memcached", "fluent-bit", "fluentd"}
_SERVER_IMAGES |= {"cloud-sql-proxy", "alloydb-auth-proxy", "proxyv2", "daprd", "rabbitmq", "nats"}
_SERVER_IMAGES |= {"opentelemetry-collector", "opentelemetry-collector-contrib", "pause"}

_LOOP = re.compile(r"\b(?:until|while)\b.*?\bdo\b", re.DOTALL)
_ENDLESS = re.compile(
    r"\btail\b[^|;&\n]*?\s(?:-\w*[fF]\w*|--follow\S*)(?=\s|$)"
    r"|\bsleep\s+(?:infinity|inf|\d{6,})\b"
    r"|\bwhile\s+(?:true|:)\s*(?:;|\n)\s*do\b(?!.*\b(?:break|exit)\b)"
    r"|\bpython3?\s+-m\s+http\.server\b"
    r"|\bnginx\s+-g\b.*daemon off",
    re.DOTALL,
)
_PROBING = re.compile(
    r"\b(?:nc|ncat|curl|wget|pg_isready|redis-cli|mysqladmin|mysql|psql|nslookup|mongosh|grpcurl)\b"
    r"|/dev/tcp/"
)
_BOUND = re.compile(
    r"\btimeout\s|\bseq\b|-(?:lt|le|gt|ge)\b|\(\(|\bbreak\b|\bexit\s+\d|\bfor\s+\w+\s+in\b"
    r"|\bSECONDS\b"
)
_TOOL = re.compile(r"\b(?:pilot-agent\s+wait|gate\s+(?:wait|hold)|cloud-sql-proxy\s+wait)\b")
_RETRY = re.compile(r"\bcurl\b[^|;&\n]*--retry\b")

_BACKGROUND = re.compile(r"(?<![&>])&(?![&>])")
_HOST = r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9][\w.-]*)"
_URL = re.compile(rf"\b([a-z][a-z0-9+]*)://(?:[^/@\s'\"]*@)?{_HOST}(?::(\d+))?")
_NC = re.compile(rf"\b(?:nc|ncat)\b[^|;&\n]*?\s{_HOST}\s+(\d{{1,5}})\b")
_DEV_TCP = re.compile(rf"/dev/tcp/{_HOST}/(\d+)")
_BARE = re.compile(rf"(?<![\w/@.:-]){_HOST}:(\d{{2,5}})\b")
_CLIENT = re.compile(r"\b(pg_isready|redis-cli|mysqladmin)\b([^|;&\n]*)")
_CLIENT_HOST = re.compile(rf"(?:-h|--host)[ =]?{_HOST}")
_CLIENT_PORT = re.compile(r"(?:-[pP]|--port)[ =]?(\d+)")
_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "postgres": 5432, "mysql": 3306}
_PORTS |= {"redis": 6379, "amqp": 5672, "mongodb": 27017, "kafka": 9092, "nats": 4222}
_PORTS |= {"pg_isready": 5432, "redis-cli": 6379, "mysqladmin": 3306}
_LOCAL = re.compile(r"(?<![\w.-])(?:localhost|127\.0\.0\.1|\[::1\]):(\d+)")


class Place(NamedTuple):
    """A host and a port, None where it is not known."""

    host: str
    port: int | None

    @property
    def is_local(self) -> bool:
        """Whether it is in the pod itself."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"


def program(words: Sequence[str]) -> str:
    """Return the name of what runs."""
    return words[0].rsplit("/", 1)[-1] if words else ""


def script(words: Sequence[str]) -> str | None:
    """Return the shell script that *words* run, None where they run none."""
    names = [program([word]) for word in words]
    if not names or names[0] not in _SHELLS:
        return None
    for index, word in enumerate(words[1:], start=1):
        if word.startswith("-") and word.endswith("c") and not word.startswith("--"):
            return words[index + 1] if index + 1 < len(words) else ""
    return None


def text(words: Sequence[str]) -> str:
    """Return the words as one text, a script without its comments."""
    written = script(words)
    if written is None:
        return " ".join(words)
    return re.sub(r"(?m)(?:^|(?<=\s))#.*$", "", written)


def ends_never(words: Sequence[str], image: str) -> bool:
    """Whether this runs until it is killed, as far as one can tell."""
    if not words or (image == "proxyv2" and words[0] == "proxy"):
        return image in _SERVER_IMAGES
    name = program(words)
    written = text(words)
    if script(words) is None:
        return (name in _SERVERS and len(words) == 1) or bool(_ENDLESS.match(written))
    found = _ENDLESS.search(written)
    return found is not None and not _is_in_background(written, found.end())


def starts_another(words: Sequence[str]) -> bool:
    """Whether a script leaves something running in the background."""
    return bool(_BACKGROUND.search(script(words) or ""))


def _is_in_background(written: str, position: int) -> bool:
    rest = written[position:].partition("\n")[0]
    return bool(_BACKGROUND.search(rest))


def is_wait(words: Sequence[str]) -> bool:
    """Whether this waits for something: a known tool, or a loop around a client."""
    written = text(words)
    names = {program([word]) for word in written.split()}
    has_loop = _LOOP.search(written) and _PROBING.search(written)
    return bool(names & _WAITERS or has_loop or _TOOL.search(written) or _RETRY.search(written))


def is_bounded(words: Sequence[str]) -> bool:
    """Whether the loop in it, if there is one, gives up some day."""
    written = text(words)
    return not _LOOP.search(written) or bool(_BOUND.search(written))


def places(words: Sequence[str]) -> list[Place]:
    """Return what a wait waits for, as far as it can be read, each once."""
    written = text(words)
    found = [Place(m[2].strip("[]"), _port(m[3], m[1])) for m in _URL.finditer(written)]
    for pattern in (_NC, _DEV_TCP, _BARE):
        rest = _URL.sub("", written)
        found += [Place(m[1].strip("[]"), int(m[2])) for m in pattern.finditer(rest)]
    found += _clients(written)
    return list(dict.fromkeys(found))


def _clients(written: str) -> Iterable[Place]:
    for match in _CLIENT.finditer(written):
        host, port = _CLIENT_HOST.search(match[2]), _CLIENT_PORT.search(match[2])
        if host is None and "$" in match[2]:
            continue
        yield Place(host[1] if host else "localhost", _port(port and port[1], match[1]))


def _port(written: str | None, kind: str) -> int | None:
    return int(written) if written else _PORTS.get(kind)


def local_ports(texts: Iterable[str]) -> set[int]:
    """Return the ports of this very pod that *texts* name."""
    return {int(match[1]) for each in texts for match in _LOCAL.finditer(each)}
