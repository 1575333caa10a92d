"""Diagrams of a schema and of a history, for pages that show Mermaid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from bootstrap import backends
from bootstrap.checking.files import write_text
from bootstrap.checking.models import create_models
from bootstrap.checking.snapshots import TOOL_TABLES, load, read
from bootstrap.database import Database
from bootstrap.errors import RevisionError
from bootstrap.project import Project, loaded
from bootstrap.revisions import listing
from bootstrap.revisions.environment import in_thread
from bootstrap.revisions.listing import Revision
from bootstrap.schema.diagram import entities
from bootstrap.schema.model import Schema
from bootstrap.testing import throwaway_database


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagramReport:
    """A diagram in the language of Mermaid, and the file that it was written to."""

    mermaid: str
    written: Path | None = None


async def diagram_schema(
    source: Database | str | URL | Path | Project,
    *,
    backend: str | None = None,
    output: Path | None = None,
    leave_out: Iterable[str] = (),
) -> DiagramReport:
    """Draws tables, columns and references.

    Args:
        source: A database, a snapshot in a file, or a project, whose models are drawn.
        backend: The one whose words the models are drawn in, on a throwaway database; None for one
            that needs no server.
        output: The file to write it to.
        leave_out: Names of tables that are not drawn, beside Alembic's and bootstrap's own.

    Raises:
        DatabaseError: The database cannot be read, or no throwaway database be had.
        RevisionError: env.py failed, or names no models.
        SettingsError: A file cannot be read or written, or there is no such backend.
        StatementFailed: The backend refused the models.
    """
    match source:
        case Path():
            schema = load(source)
        case Project():
            schema = await _models(source, backend=backend)
        case _:
            schema = await read(Database.of(source))
    return _report(entities(schema.without((*TOOL_TABLES, *leave_out))), output)


async def diagram_history(*, project: Project, output: Path | None = None) -> DiagramReport:
    """Draws the revisions, each with those that follow it; looks at the files alone.

    Args:
        project: Whose revisions.
        output: The file to write it to.

    Raises:
        RevisionError: The revisions cannot be read.
        SettingsError: The file cannot be written.
    """

    def read_all() -> tuple[Revision, ...]:
        _, scripts = loaded(project)
        return listing.described(scripts, list(scripts.walk_revisions()))

    return _report(graph(await in_thread(read_all)), output)


def graph(revisions: Sequence[Revision]) -> str:
    """Revisions as a `flowchart`, the oldest first."""
    names = {one.revision: f"r{number}" for number, one in enumerate(reversed(revisions))}
    lines = ["flowchart TD"]
    for one in reversed(revisions):
        labels = f" ({', '.join(one.labels)})" if one.labels else ""
        text = f"{_text(one.revision + labels)}<br/>{_text(one.title)}"
        lines.append(f'    {names[one.revision]}["{text}"]')
    for one in reversed(revisions):
        lines += [f"    {names[down]} --> {names[one.revision]}" for down in one.down_revisions]
        needed = [names[name] for name in one.depends_on if name in names]
        lines += [f"    {name} -.-> {names[one.revision]}" for name in needed]
    return "\n".join((*lines, ""))


def _text(text: str) -> str:
    """Text that is no markup: Mermaid takes entities with `#` in the place of `&`."""
    escaped = text.replace("#", "#35;").replace("&", "#amp;").replace('"', "#quot;")
    return " ".join(escaped.replace("<", "#lt;").replace(">", "#gt;").split())


async def _models(project: Project, *, backend: str | None) -> Schema:
    async with throwaway_database(backend or backends.without_server()) as database:
        if not await create_models(database, project=project):
            raise RevisionError(
                "env.py names no models that could be drawn",
                hint="pass target_metadata to context.configure() there",
            )
        return await read(database)


def _report(mermaid: str, output: Path | None) -> DiagramReport:
    if output is not None:
        write_text(mermaid, output, what="diagram")
    return DiagramReport(mermaid=mermaid, written=output)
