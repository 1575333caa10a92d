"""Declarations of every kind that SQLAlchemy knows, each a table of its own with a name.

One revision makes them all, on each backend. What is read back must equal itself and the models,
and between the backends exactly the differences in `differences.txt` are found;
`python -m tests.conformance.declarations` writes that file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

import bootstrap
from bootstrap import backends
from bootstrap.checking.differences import Difference
from bootstrap.checking.verifying import VerifyReport
from tests.available import BACKENDS, Servers
from tests.conformance.declarations.tables import TABLES
from tests.conformance.declarations.types import TYPES
from tests.projects import ProjectFolder, new_project

# The types that SQLAlchemy declares are another matter in each of its versions.
HEAD = f"# What differs with SQLAlchemy {'.'.join(sa.__version__.split('.')[:2])}"
DIFFERENCES = Path(__file__).parent / "differences.txt"
_MODELS = "from tests.conformance.declarations import declared"


def declared() -> sa.MetaData:
    """All declarations, and the table that some refer to."""
    metadata = sa.MetaData()
    sa.Table(
        "parents",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("code", sa.String(20), unique=True),
    )
    for name, kind in TYPES.items():
        sa.Table(
            name, metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("x", kind)
        )
    for name, parts in TABLES.items():
        sa.Table(name, metadata, *parts())
    return metadata


def project(root: Path) -> ProjectFolder:
    """A project with one revision, which makes all of them."""
    folder = new_project(root)
    folder.models(f"{_MODELS}\nmetadata = declared()\n")
    folder.revision(
        "all_declarations",
        down=None,
        extra=_MODELS,
        upgrade="declared().create_all(op.get_bind())",
        downgrade="declared().drop_all(op.get_bind())",
    )
    return folder


async def verified(root: Path, servers: Servers) -> VerifyReport:
    """Verifies it on the servers of the tests."""
    urls = [servers.url(name) for name in BACKENDS if backends.named(name).server is not None]
    files = [name for name in BACKENDS if backends.named(name).server is None]
    return await bootstrap.verify(
        project=project(root).project, backends=files, urls=urls, accepted=()
    )


def lines(report: VerifyReport) -> list[str]:
    """The differences between the servers, one a line, under the reason why they matter."""
    titles = {one.name: backends.named(one.backend).title for one in report.servers}
    by_reason: dict[str, list[str]] = {}
    for one in report.differences:
        by_reason.setdefault(f"{one.weight}: {one.why}", []).append(_line(one, titles))
    return [line for reason in sorted(by_reason) for line in (f"# {reason}", *by_reason[reason])]


def _line(one: Difference, titles: Mapping[str, str]) -> str:
    values: dict[str, list[str]] = {}
    for side in one.sides:
        values.setdefault(side.value or "none", []).append(titles[side.where])
    sides = "; ".join(f"{', '.join(sorted(names))}: {value}" for value, names in values.items())
    return f"{one.title}: {sides}"
