"""`schema=TOOL:VERSION`: the migration that the app needs has run, by the table of its tool.

The tables are those of the tools' documents, with their default names, in the database and the
search path of the connection. A VERSION that begins with / is a file that holds it, say in a
volume that the image of the migrations has filled. Ent's migrations are Atlas's. Alembic and
golang-migrate keep only where the schema is: Alembic's VERSION must be a current revision, and
golang-migrate's the current version or one before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gate.checks.wire.query_answer import Answer, Question
from gate.core.errors import CheckFailed
from gate.core.suggest import closest

if TYPE_CHECKING:
    from gate.core.target import Target

_LONGEST = 200
_DONE = "done"
_WORDS = {
    "failed": "has failed",
    "undone": "was undone",
    "skipped": "was skipped",
    "unfinished": "has not finished",
}
"""What a row says of a migration, in words; any other text is where the schema is."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Where a tool notes what has run: `sql` gives a state in its first row."""

    table: str
    sql: str
    form: str = "VERSION"
    is_number: bool = False


def _listed(table: str, column: str) -> Tool:
    """Return a tool that notes a row for each migration that has run."""
    return Tool(table, f'SELECT \'done\' FROM "{table}" WHERE "{column}" = {{0}} LIMIT 1')  # noqa: S608 -- constants


TOOLS = {
    "alembic": Tool(
        "alembic_version",
        "SELECT CASE WHEN version_num = {0} THEN 'done' ELSE version_num END FROM alembic_version"
        " ORDER BY CASE WHEN version_num = {0} THEN 0 ELSE 1 END, version_num LIMIT 1",
        form="REVISION",
    ),
    "atlas": Tool(
        "atlas_schema_revisions",
        "SELECT CASE WHEN error <> '' THEN 'failed' WHEN applied < total THEN 'unfinished'"
        " ELSE 'done' END FROM atlas_schema_revisions WHERE version = {0} LIMIT 1",
    ),
    "django": Tool(
        "django_migrations",
        "SELECT 'done' FROM django_migrations WHERE app = {0} AND name = {1} LIMIT 1",
        form="APP.MIGRATION",
    ),
    "ecto": _listed("schema_migrations", "version"),
    "efcore": _listed("__EFMigrationsHistory", "MigrationId"),
    "flyway": Tool(
        "flyway_schema_history",
        "SELECT CASE WHEN NOT success THEN 'failed' WHEN type LIKE 'UNDO%' OR type = 'DELETE'"
        " THEN 'undone' ELSE 'done' END FROM flyway_schema_history WHERE version = {0}"
        " ORDER BY installed_rank DESC LIMIT 1",
    ),
    "golang-migrate": Tool(
        "schema_migrations",
        "SELECT CASE WHEN version = {0} AND dirty THEN 'unfinished' WHEN version >= {0} THEN 'done'"
        " ELSE CONCAT(version, '') END FROM schema_migrations LIMIT 1",
        is_number=True,
    ),
    "goose": Tool(
        "goose_db_version",
        "SELECT CASE WHEN is_applied THEN 'done' ELSE 'undone' END FROM goose_db_version"
        " WHERE version_id = {0} ORDER BY id DESC LIMIT 1",
        is_number=True,
    ),
    "knex": _listed("knex_migrations", "name"),
    "laravel": _listed("migrations", "migration"),
    "liquibase": Tool(
        "DATABASECHANGELOG",
        "SELECT CASE EXECTYPE WHEN 'FAILED' THEN 'failed' WHEN 'SKIPPED' THEN 'skipped'"
        " ELSE 'done' END FROM DATABASECHANGELOG WHERE ID = {0}"
        " ORDER BY ORDEREXECUTED DESC LIMIT 1",
        form="ID",
    ),
    "prisma": Tool(
        "_prisma_migrations",
        "SELECT CASE WHEN rolled_back_at IS NOT NULL THEN 'undone' WHEN finished_at IS NULL"
        " THEN 'unfinished' ELSE 'done' END FROM _prisma_migrations WHERE migration_name = {0}"
        " ORDER BY started_at DESC LIMIT 1",
        form="MIGRATION",
    ),
    "rails": _listed("schema_migrations", "version"),
    "sequelize": _listed("SequelizeMeta", "name"),
}
"""Names are in double quotes where case matters. Booleans are taken as they are: PostgreSQL has the
type, MySQL has 0 and 1."""


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration that has to have run."""

    version: str

    def judge(self, answer: Answer) -> None:
        """Raise `CheckFailed` unless *answer*, the tool's state of it, says that it has."""
        state = (answer.first or "") if answer.rows > 0 else ""
        if state == _DONE:
            return
        told = f"migration {self.version} {_WORDS.get(state, 'has not run yet')}"
        if state and state not in _WORDS:
            told = f"schema is at {state}, wanted {self.version}"
        raise CheckFailed(told)


def parse(target: Target, quote: str = '"') -> tuple[Question, ...]:
    """Return a question for each `schema` of *target*; *quote* is what names are put into."""
    made = (_question(target, text, quote) for text in target.many("schema"))
    return tuple(question for question in made if question is not None)


def _question(target: Target, text: str, quote: str) -> Question | None:
    name, _, version = text.partition(":")
    if name not in TOOLS:
        near = closest(name, TOOLS)
        hint = f"did you mean {near}:?" if near else f"there are {', '.join(TOOLS)}"
        target.problem(f"schema: wants TOOL:VERSION with a tool that gate knows; {hint}")
        return None
    if version.startswith("/"):
        target.keep_path(version)
        return Question("", _unasked, path=version, about=partial(_in_file, name, quote, version))
    try:
        return _about(name, version, quote)
    except ValueError as exc:
        target.problem(f"schema: {exc}")
        return None


def _unasked(_: Answer) -> None:
    """Judge nothing: `query_answer.current` puts the question in that is asked."""


def _in_file(name: str, quote: str, path: str, version: str) -> Question:
    """Return the question for the *version* that a file holds; raises `CheckFailed`."""
    try:
        return _about(name, version, quote)
    except ValueError as exc:
        msg = f"schema: {path}: {exc}"
        raise CheckFailed(msg) from exc


def _about(name: str, version: str, quote: str) -> Question:
    """Return the question whether *version* has run; raises `ValueError` where it is none."""
    tool = TOOLS[name]
    parts = version.split(".", 1) if "." in tool.form else [version]
    if len(parts) != len(tool.form.split(".")) or not all(map(_is_plain, parts)):
        msg = f"of {name} wants {name}:{tool.form}, or {name}:/PATH of a file that holds it"
        raise ValueError(msg)
    if tool.is_number and not (version.isascii() and version.isdigit()):
        msg = f"a version of {name} is a number"
        raise ValueError(msg)
    return Question(
        tool.sql.replace('"', quote).format(*map(_literal, parts)),
        Migration(version).judge,
        without_table=f"no table {tool.table} yet",
        wants_value=True,
    )


def _is_plain(text: str) -> bool:
    """Whether *text* is safe between single quotes, of which it may hold some.

    A backslash means something there in MySQL, and to an old setting of PostgreSQL.
    """
    return 0 < len(text) <= _LONGEST and text.isprintable() and "\\" not in text


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
