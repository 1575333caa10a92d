"""Revisions that work for minutes, and an env.py for each driver that has to be stopped there."""

from __future__ import annotations

import asyncio
import textwrap
from pathlib import Path

from sqlalchemy import make_url

from tests import available
from tests.projects import ProjectFolder

_SYNC_ENV = """
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
SLEEPS = {
    "postgresql": "SELECT pg_sleep(600)",
    "mysql": "SELECT SLEEP(600)",
    "mariadb": "SELECT SLEEP(600)",
    "sqlite": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
    " SELECT count(*) FROM c",
}
# Work for each of 2^10 rows: a server copies the table.
_HASHES = (
    "ALTER TABLE long_table ADD COLUMN h VARCHAR(200) AS (sha2(repeat(id, 2000000), 512)) STORED"
)
_ALTERS = {
    "postgresql": "ALTER TABLE long_table ALTER id TYPE text USING id::text || pg_sleep(1)::text",
    "mysql": _HASHES,
    "mariadb": _HASHES,
}
_ROWS = """
op.create_table('long_table', sa.Column('id', sa.Integer))
op.execute('INSERT INTO long_table VALUES (12345678)')
for _ in range(10):
    op.execute('INSERT INTO long_table SELECT id FROM long_table')
"""


def long_revisions(folder: ProjectFolder, backend_name: str, *, alter: bool = False) -> Path:
    """Adds two revisions, of which the second works long, but only the first time.

    Returns:
        A file that appears when the long statement is about to be sent.
    """
    marker = folder.root / "long.begun"
    folder.revision("rows", down="three", upgrade=_ROWS if alter else "pass")
    statement = (_ALTERS if alter else SLEEPS)[backend_name]
    source = f"""
        import pathlib
        marker = pathlib.Path({str(marker)!r})
        if not marker.exists():
            marker.touch()
            op.execute({statement!r})
        op.create_table('t_long', sa.Column('id', sa.Integer, primary_key=True))
        """
    folder.revision("long", down="rows", upgrade=textwrap.dedent(source))
    return marker


def with_sync_driver(folder: ProjectFolder, driver: str) -> None:
    """Gives the project a stranger's env.py."""
    folder.env(_SYNC_ENV)
    ini = folder.root / "alembic.ini"
    url = f"sqlalchemy.url = {driver}://u@elsewhere/other"
    ini.write_text(ini.read_text().replace("[alembic]\n", f"[alembic]\n{url}\n"))


async def until_it_runs(url: str, marker: Path, *, count: int = 1) -> None:
    """Waits until the long statement has reached the server, as often as that."""
    async with asyncio.timeout(40):
        while not marker.exists():
            await asyncio.sleep(0.01)
        while len(long_ones(url)) < count and not _is_file(url):
            await asyncio.sleep(0.05)


def long_ones(url: str) -> list[str]:
    """The long statements that the server is working on; those of SQLite end with the process."""
    if _is_file(url):
        return []
    known = (*SLEEPS.values(), *_ALTERS.values())
    return [one for one in available.statements(url) if one.startswith(known)]


def _is_file(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"
