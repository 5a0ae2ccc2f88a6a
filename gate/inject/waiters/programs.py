"""Which program is understood how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.inject.waiters import databases, http, tools

if TYPE_CHECKING:
    from collections.abc import Callable

    from gate.pods.shell import Command

    Translation = Callable[[Command], list[str]]

TRANSLATIONS: dict[str, Translation] = {
    **dict.fromkeys(("nc", "ncat"), tools.netcat),
    **dict.fromkeys(
        ("wait-for-it", "wait-for-it.sh", "wait-for", "wait-for.sh"), tools.wait_for_it
    ),
    **dict.fromkeys(("curl", "wget"), http.http),
    **dict.fromkeys(("nslookup", "getent", "host", "dig"), databases.lookup),
    **dict.fromkeys(("mongosh", "mongo"), databases.mongo),
    **dict.fromkeys(
        ("kafka-topics", "kafka-topics.sh", "kcat", "kafkacat", "cub"), databases.kafka
    ),
    **dict.fromkeys(("psql", "mysql", "mariadb"), databases.logs_in),
    "wait-on": tools.wait_on,
    "dockerize": tools.dockerize,
    "wait4x": tools.wait4x,
    "pg_isready": databases.database("postgresql"),
    "mysqladmin": databases.mysqladmin,
    "redis-cli": databases.redis,
    "grpc_health_probe": tools.grpc_health,
}
"""What each program waits for."""
