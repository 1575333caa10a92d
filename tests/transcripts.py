"""Records what plan, migrate, doctor and log print on each backend: `python -m tests.transcripts`.

Somebody reads the table that a revision is about, and does not end; on PostgreSQL doctor looks
through PgBouncer as well. A test compares the files with what the commands print now.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL, make_url

from bootstrap.database import Database
from tests import available
from tests.available import BACKENDS, Servers
from tests.cli.conftest import Command
from tests.pgbouncer import PgBouncer
from tests.projects import ProjectFolder, new_project

TRANSCRIPTS = Path(__file__).parents[1] / "docs" / "transcripts"
_POOLED = "postgresql"
_ORDERS = """
op.create_table(
    "orders",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("note", sa.String(20)),
)
op.bulk_insert(sa.table("orders", sa.column("id")), [{"id": 1}, {"id": 2}, {"id": 3}])
"""
_TOTAL = """
op.add_column("orders", sa.Column("total", sa.Numeric(12, 2)))
op.create_index("ix_orders_total", "orders", ["total"])
"""
_NOTE = 'op.alter_column("orders", "note", existing_type=sa.String(20), type_=sa.String(50))\n'


def path_of(backend_name: str) -> Path:
    """Where the transcript of a backend stands."""
    return TRANSCRIPTS / f"{backend_name}.txt"


async def transcript(url: str, servers: Servers, root: Path) -> str:
    """What the commands print about an empty database.

    Args:
        url: Of the database.
        servers: For the pooler.
        root: A folder for the project.
    """
    name = Database.of(url).backend.name
    project = _project(root, alters=name != "sqlite")
    run = Command(folder=project.root, environ={"DATABASE_URL": url})
    assert 0 == run("migrate", "one").code
    async with _in_the_way(url):
        said = [
            await _ran(run, "plan"),
            # The sessions of others are told when they have been open for three seconds.
            await _ran(run, "migrate --lock-timeout 3 --lock-retries 0"),
            await _ran(run, "doctor"),
        ]
    said += [await _ran(run, "migrate"), await _ran(run, "log")]
    two = project.root / "migrations" / "versions" / "two.py"
    two.write_text(f"{two.read_text(encoding='utf-8')}# a remark\n", encoding="utf-8")
    said.append("# with a remark in two.py\n" + await _ran(run, "migrate --strict"))
    said.append(await _ran(run, "repair --accept-changed"))
    if name == _POOLED:
        said.append(await _ran_through_a_pooler(run, url, servers))
    return _calm("\n".join(said), make_url(url), root)


def _project(root: Path, *, alters: bool) -> ProjectFolder:
    """SQLite alters no type, but in Alembic's batch mode."""
    folder = new_project(root)
    folder.revision("one", down=None, upgrade=_ORDERS)
    folder.revision("two", down="one", upgrade=_TOTAL + (_NOTE if alters else ""))
    return folder


@asynccontextmanager
async def _in_the_way(url: str) -> AsyncIterator[None]:
    """Somebody who has read the table, or locked the file, and goes on."""
    async with Database.of(url).connect() as connection:
        if Database.of(url).backend.name == "sqlite":
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        await connection.exec_driver_sql("SELECT * FROM orders")
        yield
        await connection.exec_driver_sql("ROLLBACK")


async def _ran(run: Command, arguments: str) -> str:
    done = await asyncio.to_thread(run, *arguments.split())
    return f"$ bootstrap {arguments}\n{done.err}{done.out}[exit code {done.code}]\n"


async def _ran_through_a_pooler(run: Command, url: str, servers: Servers) -> str:
    pooler = PgBouncer(servers.url(_POOLED), size=2)
    try:
        pooler.wait()
        there = make_url(url).set(host=pooler.url.host, port=pooler.url.port)
        pooled = there.render_as_string(hide_password=False)
        command = Command(folder=run.folder, environ={"DATABASE_URL": pooled})
        said = await _ran(command, "doctor")
        return f"# through PgBouncer\n{said.replace(str(pooler.url.port), str(make_url(url).port))}"
    finally:
        pooler.stop()


def _calm(text: str, url: URL, root: Path) -> str:
    """Without what differs from run to run, from machine to machine and by the server's version."""
    for found, shown in (
        (rf"{url.username}@{url.host}:{url.port}/{url.database}", "app@127.0.0.1/shop"),
        (rf"\b{url.username}@{url.host}\b", "app@127.0.0.1"),
        (re.escape(str(url.database)), "app.db" if url.host is None else "shop"),
        (rf"'?\b{url.username}\b'?(@'[\w.%]+')? may", "app may"),
        (rf"\bas {url.username}\b|\bof {url.username}\b", "as app"),
        (re.escape(str(root)), "/project"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-01-05 09:12:00"),
        (r"(?m)[\w.-]+@[\w.-]+$", "me@here"),
        (r"\d+\.\d+ s\b", "0.00 s"),
        (r"\bfor \d+ s\b", "for 4 s"),
        (r"127\.0\.0\.1:\d+ answers", "127.0.0.1 answers"),
        (r"(\bsession |pg_terminate_backend\(|\bKILL )\d+", r"\g<1>4711"),
        (r"\((PostgreSQL|MySQL|MariaDB|SQLite) [\d.]+\)", r"(\1)"),
        (r"(fine +encryption +the connection is) .*", r"\1 …"),
        (r"\(utf8mb4_\w+\)", "(utf8mb4_…)"),
        # Whether a version still gets fixes is a matter of the day.
        (r"(?m)^\w+ +version .*\n( +→.*\n)?", ""),
        (r"(asyncpg|aiomysql|aiosqlite) [\d.]+", r"\1"),
        (r"is on \w+ of this machine", "is on ext4 of this machine"),
    ):
        text = re.sub(found, shown, text)
    return text


async def _record(backend_name: str, servers: Servers) -> None:
    with TemporaryDirectory(prefix="bootstrap-") as name:
        if backend_name == "sqlite":
            url = URL.create("sqlite", database=f"{name}/app.db")
        else:
            database = f"b_{secrets.token_hex(8)}"
            url = servers.url(backend_name).set(drivername=backend_name, database=database)
        available.create(url)
        try:
            shown = url.render_as_string(hide_password=False)
            text = await transcript(shown, servers, Path(name) / "project")
        finally:
            available.drop(url)
    path_of(backend_name).write_text(text, encoding="utf-8")


def main() -> None:
    """Writes all of them anew."""
    TRANSCRIPTS.mkdir(exist_ok=True)
    servers = Servers()
    try:
        for name in BACKENDS:
            asyncio.run(_record(name, servers))
    finally:
        servers.stop()


if __name__ == "__main__":
    main()
