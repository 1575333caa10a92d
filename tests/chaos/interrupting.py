"""Cuts the connections of a run at one of its messages, and looks what becomes of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

import bootstrap
from bootstrap.events import Event, RunRetried
from tests import available
from tests.chaos.comparing import Contents, contents
from tests.chaos.proxy import MINE, Cut, Sent, proxied
from tests.projects import ProjectFolder, new_project, own_url

_ENV = f"""
    import asyncio
    from alembic import context
    from sqlalchemy import pool
    from sqlalchemy.ext.asyncio import create_async_engine

    def run(connection):
        connection.exec_driver_sql({MINE!r})
        connection.rollback()
        context.configure(connection=connection, transaction_per_migration=%s)
        with context.begin_transaction():
            context.run_migrations()

    async def main():
        url = context.config.get_main_option("sqlalchemy.url")
        engine = create_async_engine(url, poolclass=pool.NullPool)
        try:
            async with engine.connect() as connection:
                await connection.run_sync(run)
        finally:
            await engine.dispose()

    asyncio.run(main())
"""
# Sent twice, each statement would fail or leave other rows.
_ONE = """
    notes = op.create_table(
        "notes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
    )
    op.bulk_insert(notes, [{"id": n, "n": n} for n in range(1, 4)])
"""
_TWO = """
    op.add_column("notes", sa.Column("more", sa.Integer))
    op.execute("UPDATE notes SET n = n + 1, more = 1")
    op.execute("UPDATE notes SET n = n * 2")
    op.create_index("ix_notes_n", "notes", ["n"])
"""
# The same with a part that leaves its transaction: PostgreSQL's.
_TWO_LEAVING = """
    op.add_column("notes", sa.Column("more", sa.Integer))
    with op.get_context().autocommit_block():
        op.create_index("ix_notes_more", "notes", ["more"], postgresql_concurrently=True)
        op.execute("UPDATE notes SET n = n + 1, more = 1")
        op.create_index("ix_notes_n", "notes", ["n"], postgresql_concurrently=True)
        op.drop_index("ix_notes_more", "notes", postgresql_concurrently=True)
    op.execute("UPDATE notes SET n = n * 2")
"""
_THREE = """
    op.execute("INSERT INTO notes (id, n) SELECT id + 10, n FROM notes")
    op.create_table("last", sa.Column("id", sa.Integer, primary_key=True))
"""
STEPS = ["one", "two", "three"]


def written(root: Path, *, per_revision: bool = False, leaves: bool = False) -> ProjectFolder:
    """A project of three revisions, which says which of its connections is the migrating one."""
    folder = new_project(root)
    folder.env(_ENV % per_revision)
    before = None
    two = _TWO_LEAVING if leaves else _TWO
    for name, upgrade in zip(STEPS, (_ONE, two, _THREE), strict=True):
        folder.revision(name, down=before, upgrade=upgrade)
        before = name
    return folder


@dataclass(frozen=True, kw_only=True)
class Interrupted:
    """What became of a run whose connections were cut.

    Attributes:
        report: Of the run; None when it failed.
        error: Why it failed.
        retried: The events about that.
        has_cut: The control: whether there was a cut at all.
        contents: The database then.
    """

    report: bootstrap.MigrationReport | None
    error: bootstrap.BootstrapError | None
    retried: list[RunRetried]
    has_cut: bool
    contents: Contents


@asynccontextmanager
async def database(server: URL, scheme: str) -> AsyncIterator[URL]:
    """An empty database on a server, for the time of the block."""
    url = server.set(drivername=scheme, database=f"b_{secrets.token_hex(8)}")
    if scheme.startswith("mysql"):  # MySQL's servers come with a certificate; the proxy must read
        url = url.update_query_dict({"ssl-mode": "DISABLED"})
    available.create(url)
    try:
        yield url
    finally:
        available.drop(url)


async def undisturbed(
    server: URL, scheme: str, folder: ProjectFolder, *, only: bytes = b""
) -> tuple[list[Sent], Contents]:
    """The messages of a run that nobody disturbs, and the database after it."""
    async with database(server, scheme) as url, proxied(server, only=only) as proxy:
        await bootstrap.migrate(proxy.url(url), project=folder.project)
        return proxy.sent, await read(url)


async def interrupted(
    server: URL,
    scheme: str,
    folder: ProjectFolder,
    *,
    cut: Cut,
    at: int,
    only: bytes = b"",
    refused: int = 0,
    retry_for: float = 600,
) -> Interrupted:
    """A run whose connections are cut once, and which may try again."""
    seen: list[Event] = []
    report, error = None, None
    async with (
        database(server, scheme) as url,
        proxied(server, cut=cut, at=at, only=only, refused=refused) as proxy,
    ):
        try:
            report = await bootstrap.migrate(
                proxy.url(url), project=folder.project, retry_for=retry_for, emit=seen.append
            )
        except bootstrap.BootstrapError as raised:
            error = raised
        return Interrupted(
            report=report,
            error=error,
            retried=[one for one in seen if isinstance(one, RunRetried)],
            has_cut=proxy.has_cut,
            contents=await read(url),
        )


async def with_alembic(
    server: URL, scheme: str, folder: ProjectFolder, *, cut: Cut, at: int, only: bytes
) -> tuple[int, bool, Contents]:
    """The same with `alembic upgrade head`, and once more: the last exit code, and the rest."""
    async with (
        database(server, scheme) as url,
        proxied(server, cut=cut, at=at, only=only) as proxy,
    ):
        through = proxy.url(url).render_as_string(hide_password=False)
        own_url(folder, through)
        await asyncio.to_thread(folder.alembic, "upgrade", "head")
        again = await asyncio.to_thread(folder.alembic, "upgrade", "head")
        return again.returncode, proxy.has_cut, await read(url)


async def read(url: URL) -> Contents:
    """What a database holds; in a thread, because it runs a loop of its own."""
    return await asyncio.to_thread(contents, url)
