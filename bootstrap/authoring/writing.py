"""Writes and edits revision files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from importlib.util import cache_from_source
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar, cast

from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionError as AlembicRevisionError
from alembic.util import CommandError, open_in_editor
from alembic.util import rev_id as new_id

from bootstrap.errors import RevisionError, SettingsError
from bootstrap.inspecting.browsing import find
from bootstrap.inspecting.inspection import look_by
from bootstrap.project import Project, loaded
from bootstrap.revisions import faults, listing
from bootstrap.revisions.environment import in_thread
from bootstrap.revisions.listing import Revision
from bootstrap.running.looking import Look
from bootstrap.targets import Target, opened

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeReport:
    """The revision that was written."""

    revision: Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class EditReport:
    """The files that were edited, in this order."""

    paths: tuple[Path, ...]


async def merge(
    revisions: str | Sequence[str],
    *,
    project: Project,
    message: str | None = None,
    branch_label: str | None = None,
    rev_id: str | None = None,
    splice: bool = False,
    database: Target | None = None,
) -> MergeReport:
    """Writes a revision that joins others; post-write hooks run.

    Args:
        revisions: At least two, or `heads` for all heads.
        project: Whose revisions.
        message: What it is for; by default it says what it merges.
        branch_label: A label for it.
        rev_id: Its id; by default a new one.
        splice: Merge revisions that are no heads too.
        database: For projects with `revision_environment`, whose env.py runs for each new file.

    Raises:
        RevisionError: These cannot be merged, or the file cannot be written; none is left behind.
        SettingsError: env.py must run, and no database is named.
        DatabaseError: env.py must run, and the database cannot be used.
    """
    config, scripts = await in_thread(lambda: loaded(project))
    merged = _mergeable(scripts, revisions, splice=splice)
    refuse_taken(scripts, rev_id)
    arguments: dict[str, Any] = {"config": config}
    if runs_env(config):
        await _run_env_for(arguments, database, scripts=scripts)
    names = tuple(script.revision for script in merged)
    generate = partial(
        scripts.generate_revision,
        rev_id or new_id(),
        message or f"Merge {', '.join(names)}",
        refresh=True,
        head=names,
        splice=splice,
        branch_labels=branch_label,
        **arguments,
    )
    written = cast("Script", await in_thread(partial(write, scripts, generate)))
    (revision,) = listing.described(scripts, [written])
    return MergeReport(revision=revision)


async def edit(revision: str, *, project: Project, database: Target | None = None) -> EditReport:
    """Opens revisions in the editor that EDITOR or VISUAL names, one after the other.

    Args:
        revision: An id or its beginning, `head`, `heads`, `label@head`, or `current`.
        project: Whose revisions.
        database: Is looked at for `current`; needed for that only.

    Raises:
        RevisionError: There is no such revision.
        SettingsError: The editor cannot be used, or no database is named for `current`.
        DatabaseError: The database is missing or cannot be used.
    """
    _, found, _ = await find(revision, project=project, database=database)
    paths = tuple(Path(script.path) for script in found)
    await in_thread(partial(_open_in_editor, paths))
    return EditReport(paths=paths)


def _mergeable(
    scripts: ScriptDirectory, revisions: str | Sequence[str], *, splice: bool
) -> tuple[Script, ...]:
    asked = (revisions,) if isinstance(revisions, str) else tuple(revisions)
    found = {script.revision: script for name in asked for script in listing.named(scripts, name)}
    inner = [] if splice else [name for name, script in found.items() if not script.is_head]
    if inner:
        raise RevisionError(
            f"{', '.join(inner)} cannot be merged, for other revisions follow",
            hint="bootstrap heads shows what can be merged; --splice merges in spite of this",
        )
    if len(found) < 2:
        raise RevisionError(
            f"there is nothing to merge: {', '.join(asked)} means {', '.join(found)} alone",
            hint="bootstrap heads shows what can be merged",
        )
    return tuple(found.values())


async def _run_env_for(
    arguments: dict[str, Any],
    database: Target | None,
    *,
    scripts: ScriptDirectory,
) -> None:
    """Lets env.py add arguments for the template."""
    if database is None:
        raise SettingsError(
            "env.py runs for each new revision of this project, and no database is named",
            hint="set DATABASE_URL, or remove revision_environment from Alembic's configuration",
        )
    async with opened(database) as place:
        await look_by(
            Look(scripts=scripts, database=place.database, connection=place.connection),
            config=arguments["config"],
            template_args=arguments,
        )


def write(scripts: ScriptDirectory, generate: Callable[[], T]) -> T:
    """Lets Alembic write revision files: all of them, or none.

    Args:
        scripts: The history that they are for.
        generate: Writes them with `scripts`.

    Raises:
        RevisionError: They cannot be written; none is left behind.
    """
    scripts.messaging_opts = {"quiet": True}
    try:
        # Alembic says on standard output that it runs a hook, quiet or not.
        with _all_or_nothing(scripts), redirect_stdout(StringIO()):
            return generate()
    except (CommandError, AlembicRevisionError, OSError) as error:
        raise RevisionError(f"the revision cannot be written: {error}") from error
    except Exception as error:
        raise faults.broken_file(error, tried="the revision cannot be written") from error


def remove(path: Path) -> None:
    """Removes a revision file with what Python compiled of it."""
    path.unlink(missing_ok=True)
    # Where Alembic takes compiled files without their source (`sourceless`), it would live on.
    Path(cache_from_source(str(path))).unlink(missing_ok=True)


def refuse_taken(scripts: ScriptDirectory, rev_id: str | None) -> None:
    """Refuses the id of another revision.

    Raises:
        RevisionError: It is taken.
    """
    for script in scripts.walk_revisions():
        if script.revision == rev_id:
            raise RevisionError(f"there is a revision {rev_id} already: {script.path}")


def runs_env(config: Config) -> bool:
    """Tells whether env.py runs for each new revision of a project."""
    return str(config.get_alembic_option("revision_environment")).lower() == "true"


@contextmanager
def _all_or_nothing(scripts: ScriptDirectory) -> Iterator[None]:
    """Overwrites no file, and leaves none behind when writing one fails."""
    generate = scripts._generate_template  # noqa: SLF001 - only there the path is known
    written: list[Path] = []

    def once(src: Path, dest: Path, **given: Any) -> None:
        if dest.exists():
            raise CommandError(f"{dest} is there already, with the same name")
        written.append(dest)
        generate(src, dest, **given)

    scripts._generate_template = once  # type: ignore[method-assign]  # noqa: SLF001 - on this one instance
    try:
        yield
    except BaseException:
        for path in written:
            remove(path)
        raise


def _open_in_editor(paths: Sequence[Path]) -> None:
    for path in paths:
        try:
            open_in_editor(str(path))
        except CommandError as error:
            raise SettingsError(
                f"{path} cannot be edited: {error.__cause__ or error}",
                hint="EDITOR or VISUAL names the editor: a program or its path, without arguments",
            ) from error
