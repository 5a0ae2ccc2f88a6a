"""Schemes that others write and gate does not have: what they are called here."""

from __future__ import annotations

SAME = {
    **dict.fromkeys(("postgresql", "postgres", "pgsql", "postgis", "psql", "pg"), "postgresql"),
    **dict.fromkeys(("pgx", "pgx4", "pgx5", "cockroachdb", "cockroach", "crdb"), "postgresql"),
    **dict.fromkeys(("timescale", "timescaledb", "timescalegis"), "postgresql"),
    **dict.fromkeys(("mysql", "mysql2", "mysqlgis", "mariadb", "trilogy", "pymysql"), "mysql"),
    **dict.fromkeys(("redis", "valkey", "sentinel", "rediscluster"), "redis"),
    **dict.fromkeys(("rediss", "valkeys"), "rediss"),
    **dict.fromkeys(("amqp", "pyamqp", "rabbitmq"), "amqp"),
    **dict.fromkeys(("memcached", "memcache", "pymemcache", "pymemcached"), "memcached"),
    **dict.fromkeys(("mongodb", "mongo"), "mongodb"),
    **dict.fromkeys(("mssql", "sqlserver"), "mssql"),
    **dict.fromkeys(("cassandra", "scylla"), "cassandra"),
    **dict.fromkeys(("zookeeper", "zk"), "zookeeper"),
    **{scheme: scheme for scheme in ("amqps", "kafka", "mqtt", "mqtts", "nats", "oracle")},
    **{scheme: scheme for scheme in ("ldap", "ldaps", "smtp", "smtps")},
}
"""Whatever is the same protocol, by the scheme that gate checks it with."""
PORTS = {
    "bolt": 7687,
    "clickhouse": 9000,
    "db2": 50000,
    "elasticsearch": 9200,
    "neo4j": 7687,
    "opensearch": 9200,
    "redshift": 5439,
    "ws": 80,
    "wss": 443,
}
"""Usual ports of servers of which gate looks, in an app's URL, only whether they accept."""
WITHIN = frozenset(
    {
        *("sqlite", "sqlite3", "spatialite", "file", "memory", "locmem", "dummy", "h2"),
        *("hsqldb", "duckdb", "derby", "console", "filesystem", "mem"),
    }
)
"""What is no server at all."""
NO_SERVER = "is a database within the app, nothing to wait for; leave it out"


def instead(scheme: str) -> str:
    """Return what to write instead of *scheme*, which gate does not have; empty: who knows."""
    base = scheme.partition("+")[0]
    if base in WITHIN:
        return NO_SERVER
    if base in SAME:
        return f"is {SAME[base]}:// in gate; write that"
    if base in PORTS:
        return f"has no check of its own in gate; write tcp://host:{PORTS[base]}"
    return ""
