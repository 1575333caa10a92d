"""What `alembic check` finds of a change, with every option on that makes it look closer.

The models are what SQLAlchemy reflects of the schema before the change: no hand-written models
could say more. What Alembic proposes there already is no answer to the change.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, inspect
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap import backends
from bootstrap.database import Database
from tests.conformance.corpus import Case

_OF_SERVER = frozenset({"information_schema"})


def models(connection: Connection) -> MetaData:
    """The schema of a database, as SQLAlchemy reads it."""
    metadata = MetaData()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of indexes on expressions, which it leaves out
        for schema in _schemas(connection):
            metadata.reflect(connection, schema=schema)
    return metadata


def _schemas(connection: Connection) -> list[str | None]:
    """None for the default one, and the others where a database has several."""
    if not backends.of_dialect(connection.dialect).features.schemas:
        return [None]
    inspector = inspect(connection)
    left_out = {inspector.default_schema_name, *_OF_SERVER}
    return [None, *(name for name in inspector.get_schema_names() if name not in left_out)]


def pending(connection: Connection, metadata: MetaData) -> str:
    """The operations that `alembic check` would name, as Python."""
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_schemas": backends.of_dialect(connection.dialect).features.schemas,
    }
    context = MigrationContext.configure(connection, opts=options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = produce_migrations(context, metadata).upgrade_ops
        assert found is not None
        return render_python_code(found)


async def finds(case: Case, url: str) -> bool:
    """Makes a change in an empty database; do the operations of `alembic check` change with it?"""
    async with Database.of(url).connect() as connection:
        await _run(case.setup, connection)
        metadata = await connection.run_sync(models)
        before = await connection.run_sync(pending, metadata)
        await _run(case.change, connection)
        return before != await connection.run_sync(pending, metadata)


async def _run(statements: Iterable[str], connection: AsyncConnection) -> None:
    for statement in statements:
        await connection.exec_driver_sql(statement)
    await connection.commit()
