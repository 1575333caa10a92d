"""Small Alembic projects for tests, written into a folder of their own."""

from __future__ import annotations

import os
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

from bootstrap import urls
from bootstrap.database import Database
from bootstrap.project import Project
from bootstrap.reference import METADATA_IMPORT
from tests import commands

_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class ProjectFolder:
    """A project whose revisions a test writes one by one."""

    root: Path

    @property
    def project(self) -> Project:
        return Project.at(self.root / "alembic.ini")

    def alembic(self, *arguments: str, url: str = "") -> subprocess.CompletedProcess[str]:
        """Runs Alembic's own command; a URL is what env.py finds as DATABASE_URL."""
        environ = {**os.environ, **({"DATABASE_URL": url} if url else {})}
        return commands.run("alembic", *arguments, cwd=self.root, environ=environ)

    def env(self, source: str) -> None:
        """Replaces env.py."""
        (self.root / "migrations" / "env.py").write_text(textwrap.dedent(source))

    def models(self, source: str) -> None:
        """Writes the reference project's env.py with other models, in the words of SQLAlchemy."""
        env = (_ROOT / "migrations" / "env.py").read_text()
        head = "import sqlalchemy as sa\n\nmetadata = sa.MetaData()\n"
        self.env(env.replace(METADATA_IMPORT, head + textwrap.dedent(source)))

    @property
    def files(self) -> list[Path]:
        """The revision files."""
        return sorted((self.root / "migrations" / "versions").glob("*.py"))

    def revision(
        self,
        name: str,
        *,
        down: str | tuple[str, ...] | None,
        upgrade: str = "pass",
        downgrade: str = "pass",
        extra: str = "",
    ) -> Path:
        """Writes a revision whose id is its name."""
        path = self.root / "migrations" / "versions" / f"{name}.py"
        lines = [
            f'"""{name} title"""',
            "import sqlalchemy as sa",
            "from alembic import op",
            f"revision = {name!r}",
            f"down_revision = {down!r}",
            extra,
            "def upgrade():",
            textwrap.indent(textwrap.dedent(upgrade), "    "),
            "def downgrade():",
            textwrap.indent(textwrap.dedent(downgrade), "    "),
        ]
        path.write_text("\n".join(lines) + "\n")
        return path


def new_project(root: Path) -> ProjectFolder:
    """A project without revisions, with the reference project's env.py."""
    (root / "migrations" / "versions").mkdir(parents=True)
    for name in ("alembic.ini", "migrations/script.py.mako"):
        (root / name).write_text((_ROOT / name).read_text())
    folder = ProjectFolder(root=root)
    env = (_ROOT / "migrations" / "env.py").read_text()
    folder.env(
        env.replace(METADATA_IMPORT, "from sqlalchemy import MetaData\nmetadata = MetaData()")
    )
    return folder


def three_tables(root: Path) -> ProjectFolder:
    """A project with three revisions of one table each: one, two, three."""
    folder = new_project(root)
    before = None
    for name in ("one", "two", "three"):
        folder.revision(
            name,
            down=before,
            upgrade=f"op.create_table('t_{name}', sa.Column('id', sa.Integer, primary_key=True))",
            downgrade=f"op.drop_table('t_{name}')",
        )
        before = name
    return folder


OPTION = 'context.config.get_main_option("sqlalchemy.url")'
ENV = """
import asyncio
import os
from alembic import context
from sqlalchemy import pool, text
from sqlalchemy.ext.asyncio import create_async_engine
{first}

def run(connection):
    {before}
    context.configure(connection=connection, {options})
    with context.begin_transaction():
        context.run_migrations()

async def connect():
    engine = create_async_engine({url}, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()

{run}
"""


def env(
    *,
    url: str = OPTION,
    first: str = "",
    before: str = "pass",
    options: str = "",
    run: str = "asyncio.run(connect())",
) -> str:
    """An env.py that makes an async engine of its own, as many do."""
    return ENV.format(url=url, first=first, before=before, options=options, run=run)


def own_url(folder: ProjectFolder, url: str, *, driver: str = "") -> None:
    """Writes a URL, with a driver, into the project."""
    resolved = Database.of(url).url
    if driver:
        resolved = resolved.set(drivername=f"{resolved.get_backend_name()}+{driver}")
    for name in ("alembic.ini", "pyproject.toml"):
        path = folder.root / name
        lines = path.read_text().splitlines() if path.exists() else []
        lines = [one for one in lines if not one.startswith("sqlalchemy.url")]
        if name == "alembic.ini" and lines:
            at = lines.index("[alembic]") + 1
            lines.insert(at, f"sqlalchemy.url = {urls.alembic_option(resolved)}")
        if lines:
            path.write_text("\n".join(lines) + "\n")


TABLE = "op.create_table({name!r}, sa.Column('id', sa.Integer, primary_key=True))"


def create(name: str) -> str:
    """What a revision says that makes a table."""
    return TABLE.format(name=name)
