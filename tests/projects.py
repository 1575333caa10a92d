"""Small Alembic projects for tests, written into a folder of their own."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

from bootstrap.project import Project
from bootstrap.reference import METADATA_IMPORT

_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class ProjectFolder:
    """A project whose revisions a test writes one by one."""

    root: Path

    @property
    def project(self) -> Project:
        return Project.at(self.root / "alembic.ini")

    def env(self, source: str) -> None:
        """Replaces env.py."""
        (self.root / "migrations" / "env.py").write_text(textwrap.dedent(source))

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
