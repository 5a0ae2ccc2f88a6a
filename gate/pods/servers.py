"""Programs that run until they are killed, and the forms of them that end by themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gate.pods import shell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gate.pods.shell import Command, Loop, Script

_ENDING: dict[str, set[str]] = {
    "alloydb-auth-proxy": {"wait", "shutdown", "completion"},
    "cloud-sql-proxy": {"wait", "shutdown", "completion"},
    "cloud_sql_proxy": {"-check_region"},
    "daprd": {"--wait", "--build-info"},
    "envoy": {"--mode", "--hot-restart-version"},
    "fluent-bit": {"--dry-run", "-D", "-d", "--daemon", "-J"},
    "gunicorn": {"--check-config", "--print-config", "-D", "--daemon"},
    "haproxy": {"-c", "-cc", "-D", "-vv"},
    "mariadbd": {"--initialize", "--initialize-insecure", "--bootstrap", "--daemonize"},
    "memcached": {"-d", "--daemon"},
    "mongod": {"--fork", "--shutdown", "--repair", "--sysinfo"},
    "mysqld": {"--initialize", "--initialize-insecure", "--bootstrap", "--daemonize"},
    "otelcol": {"validate", "components", "print-initial-config", "print-config", "featuregate"},
    "postgres": {"--single", "--boot", "--check", "--describe-config", "-C"},
    "redis-server": {"--daemonize", "--check-system", "--test-memory", "-"},
    "uvicorn": set(),
}
"""Servers, each with the words that make it end by itself, or leave for the background."""
_ENDING["mysqld"] |= {"--validate-config", "--install", "--remove", "-D"}
_ENDING["valkey-server"] = _ENDING["redis-server"]
_ENDING |= dict.fromkeys(("otelcol-contrib", "otelcol-k8s"), _ENDING["otelcol"])
_ONE_SHOT = {"--version", "-version", "-V", "-v", "--help", "-help", "-h", "-?", "version", "help"}
_SERVING: dict[str, set[str]] = {
    "caddy": {"run"},
    "httpd": {"FOREGROUND", "-DFOREGROUND"},
    "nginx": {"daemon off;"},
    "pilot-agent": {"proxy"},
    "vault": {"server"},
}
"""Programs that serve with one of these words only."""
_IMAGES = {"nginx", "traefik", "caddy", "httpd", "fluentd", "rabbitmq", "nats", "pause"}
_PROGRAMS = {
    "alloydb-auth-proxy": "alloydb-auth-proxy",
    "cloud-sql-proxy": "cloud-sql-proxy",
    "opentelemetry-collector": "otelcol",
    "opentelemetry-collector-contrib": "otelcol",
    "proxyv2": "pilot-agent",
}
"""Images whose arguments are those of their program."""
_PROGRAMS_BY_DASH = {
    "daprd": "daprd",
    "envoy": "envoy",
    "fluent-bit": "fluent-bit",
    "haproxy": "haproxy",
    "mariadb": "mariadbd",
    "memcached": "memcached",
    "mongo": "mongod",
    "mysql": "mysqld",
    "postgres": "postgres",
    "redis": "redis-server",
    "valkey": "valkey-server",
}
"""Images whose arguments are those of their program if the first is an option."""

_FOLLOWING = re.compile(r"-\w*[fF]\w*|--follow.*")
_FOR_EVER = re.compile(r"infinity|inf|\d{6,}[smhd]?|\d{3,}d")
_TRUE = {("true",), (":",), ("[", "1", "]"), ("[", "true", "]"), ("1",)}
_WAYS_OUT = {"break", "exit", "return", "exec", "kill", "pkill", "killall"}


def ends_never(command: Sequence[str], args: Sequence[str], image: str) -> bool:
    """Whether this runs until it is killed, as far as one can tell."""
    if not command and not args:
        return image in {*_IMAGES, *_PROGRAMS, *_PROGRAMS_BY_DASH}
    script = shell.read([*command, *args] if command else _with_entrypoint(args, image))
    return any(_is_endless(loop, script) for loop in script.loops) or any(
        each.is_sure and not each.is_cut and _serves(each) for each in script.foreground
    )


def loops_for_ever(words: Sequence[str]) -> bool:
    """Whether this has a `while true` that nothing ends: its work, and no wait."""
    script = shell.read(words)
    return any(_is_endless(loop, script) for loop in script.loops)


def _with_entrypoint(args: Sequence[str], image: str) -> tuple[str, ...]:
    name = _PROGRAMS.get(image)
    if name is None and args[0].startswith("-"):
        name = _PROGRAMS_BY_DASH.get(image)
    return (name, *args) if name else tuple(args)


def _is_endless(loop: Loop, script: Script) -> bool:
    if loop.is_background or loop.is_cut or not loop.is_sure or loop.keyword != "while":
        return False
    if [each.words for each in loop.head] not in [[words] for words in _TRUE]:
        return False
    # A function that it calls may leave, too.
    names = {each.first for each in loop.body}
    ways = script.commands if names & script.functions else loop.body
    return not any(each.first in _WAYS_OUT for each in ways)


def _serves(command: Command) -> bool:
    name, words = command.program, command.words[1:]
    options = {*words, *(word.partition("=")[0] for word in words)}
    if name == "tail":
        return any(_FOLLOWING.fullmatch(word) for word in words) and "--pid" not in options
    if name == "sleep":
        return any(_FOR_EVER.fullmatch(word) for word in words)
    if name in ("python", "python3"):
        return words[:2] == ("-m", "http.server")
    if options & _ONE_SHOT:
        return False
    if name in _SERVING:
        return any(word in _SERVING[name] or "daemon off" in word for word in words)
    return name in _ENDING and not options & _ENDING[name]
