"""Tables of migration tools as their documents have them, and what is ready with them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from tests.conftest import why_not

_TABLES = """
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO alembic_version VALUES ('1975ea83b712'), ('ae1027a6acf');
CREATE TABLE atlas_schema_revisions (version VARCHAR(255) PRIMARY KEY, applied BIGINT NOT NULL,
  total BIGINT NOT NULL, error TEXT NULL, hash VARCHAR(255) NOT NULL);
INSERT INTO atlas_schema_revisions VALUES ('1', 2, 2, NULL, ''), ('2', 1, 2, NULL, ''),
  ('3', 1, 2, 'syntax error', ''), ('4', 1, 1, '', '');
CREATE TABLE django_migrations (id INT PRIMARY KEY, app VARCHAR(255) NOT NULL, name VARCHAR(255)
  NOT NULL, applied TIMESTAMP);
INSERT INTO django_migrations VALUES (1, 'shop', '0002_it''s', CURRENT_TIMESTAMP);
CREATE TABLE "__EFMigrationsHistory" ("MigrationId" VARCHAR(150) NOT NULL PRIMARY KEY,
  "ProductVersion" VARCHAR(32) NOT NULL);
INSERT INTO "__EFMigrationsHistory" VALUES ('20240101000000_Init', '8.0.0');
CREATE TABLE flyway_schema_history (installed_rank INT PRIMARY KEY, version VARCHAR(50),
  description VARCHAR(200), type VARCHAR(20), script VARCHAR(1000), checksum INT, installed_by
  VARCHAR(100), installed_on TIMESTAMP, execution_time INT, success BOOLEAN);
INSERT INTO flyway_schema_history (installed_rank, version, type, success) VALUES (1, '1', 'SQL',
  TRUE), (2, '2.1', 'SQL', TRUE), (3, '2.1', 'UNDO_SQL', TRUE), (4, '3', 'JDBC', FALSE), (5, NULL,
  'SQL', TRUE);
CREATE TABLE goose_db_version (id INT PRIMARY KEY, version_id BIGINT NOT NULL, is_applied BOOLEAN
  NOT NULL, tstamp TIMESTAMP);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (1, 0, TRUE), (2, 1, TRUE), (3,
  2, TRUE), (4, 2, FALSE);
CREATE TABLE knex_migrations (id INT PRIMARY KEY, name VARCHAR(255), batch INT);
INSERT INTO knex_migrations VALUES (1, '20240101_init.js', 1);
CREATE TABLE migrations (id INT PRIMARY KEY, migration VARCHAR(255), batch INT);
INSERT INTO migrations VALUES (1, '2014_10_12_create_users', 1);
CREATE TABLE DATABASECHANGELOG (ID VARCHAR(255) NOT NULL, AUTHOR VARCHAR(255) NOT NULL, FILENAME
  VARCHAR(255) NOT NULL, ORDEREXECUTED INT NOT NULL, EXECTYPE VARCHAR(10) NOT NULL);
INSERT INTO DATABASECHANGELOG VALUES ('1', 'ann', 'a.xml', 1, 'EXECUTED'), ('2', 'ann', 'a.xml',
  2, 'FAILED'), ('3', 'bob', 'a.xml', 3, 'SKIPPED'), ('2', 'ann', 'a.xml', 4, 'RERAN'), ('4',
  'ann', 'a.xml', 5, 'FAILED');
CREATE TABLE _prisma_migrations (id VARCHAR(36) PRIMARY KEY, migration_name VARCHAR(255) NOT NULL,
  started_at TIMESTAMP, finished_at TIMESTAMP NULL, rolled_back_at TIMESTAMP NULL);
INSERT INTO _prisma_migrations VALUES ('a', '1_init', '2024-01-01', '2024-01-01', NULL), ('b',
  '2_add', '2024-01-02', NULL, '2024-01-02'), ('c', '3_more', '2024-01-03', NULL, NULL);
CREATE TABLE "SequelizeMeta" (name VARCHAR(255) NOT NULL PRIMARY KEY);
INSERT INTO "SequelizeMeta" VALUES ('1-init.js');
"""
_RAILS = """
CREATE TABLE schema_migrations (version VARCHAR(255) NOT NULL PRIMARY KEY);
INSERT INTO schema_migrations VALUES ('20240101000000');
"""
GOLANG_MIGRATE = """
CREATE TABLE schema_migrations (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL);
INSERT INTO schema_migrations VALUES (7, TRUE);
"""
"""Its table has the name of that of Rails, so it is in a database of its own."""
POSTGRESQL = _TABLES + _RAILS
MYSQL = POSTGRESQL.replace('"', "`")

CASES = {
    "alembic:ae1027a6acf": "",
    "alembic:1975ea83b712": "",
    "alembic:27c6a30d7c24": "schema is at 1975ea83b712, wanted 27c6a30d7c24",
    "atlas:1": "",
    "atlas:2": "migration 2 has not finished",
    "atlas:3": "migration 3 has failed",
    "atlas:4": "",
    'django:"shop.0002_it\'s"': "",
    "django:shop.0003": "migration shop.0003 has not run yet",
    "efcore:20240101000000_Init": "",
    "flyway:1": "",
    "flyway:2.1": "migration 2.1 was undone",
    "flyway:3": "migration 3 has failed",
    "flyway:4": "migration 4 has not run yet",
    "goose:1": "",
    "goose:2": "migration 2 was undone",
    "goose:3": "migration 3 has not run yet",
    "knex:20240101_init.js": "",
    "laravel:2014_10_12_create_users": "",
    "liquibase:1": "",
    "liquibase:2": "",
    "liquibase:3": "migration 3 was skipped",
    "liquibase:4": "migration 4 has failed",
    "prisma:1_init": "",
    "prisma:2_add": "migration 2_add was undone",
    "prisma:3_more": "migration 3_more has not finished",
    "rails:20240101000000": "",
    "ecto:20250101000000": "migration 20250101000000 has not run yet",
    "sequelize:1-init.js": "",
    "rails:20240101000000 schema=flyway:4": "migration 4 has not run yet",
    "\"rails:' OR '1'='1\"": "migration ' OR '1'='1 has not run yet",
}
"""What `schema=` says to the reason with these tables, empty where ready."""
GOLANG_MIGRATE_REASONS = {
    "golang-migrate:6": "",
    "golang-migrate:7": "migration 7 has not finished",
    "golang-migrate:8": "schema is at 7, wanted 8",
}


async def reasons(line: str, schemas: Iterable[str]) -> dict[str, str]:
    """Return for each of *schemas* why the dependency of *line* is not ready with it."""
    # Some at a time: a server of the tests takes few connections.
    free = asyncio.Semaphore(6)

    async def reason(schema: str) -> tuple[str, str]:
        async with free:
            return schema, await why_not(f"{line} schema={schema}")

    return dict(await asyncio.gather(*map(reason, schemas)))
