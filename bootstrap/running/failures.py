"""Explains what went wrong inside env.py: where, in which revision, in which statement."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy.exc import StatementError

from bootstrap.backends.base import Failure, Reason
from bootstrap.backends.chain import causes
from bootstrap.database import Database
from bootstrap.errors import BootstrapError, Place, RevisionError, StatementFailed
from bootstrap.journal.entries import Progress
from bootstrap.positions.moves import Direction, Step
from bootstrap.positions.position import Undone
from bootstrap.revisions import faults
from bootstrap.running.handed import not_handed
from bootstrap.running.looking import Look
from bootstrap.running.work import Apply

_ASYNCIO = Path(asyncio.__file__).parent
_SQL_SHOWN = 200  # characters of a statement in a message
# Where the statement is not to blame.
_AGAIN = {
    Reason.BUSY: "somebody else holds a lock; wait until they are done, then run the command "
    "again; --lock-timeout and --lock-retries make it wait longer",
    Reason.CONFLICT: "run the command again, when others write less; --retry-for SECONDS tries "
    "longer by itself",
    Reason.CONNECTION_LOST: "look at the server's log; bootstrap status says where the database is",
    Reason.READ_ONLY: "name the primary server, or a file that may be written",
    Reason.NO_RIGHT: "grant the right, or use another account, then run the command again",
}
_LEFT = (
    "where plain alembic has left this revision half-applied, bootstrap repair finds out how far "
    "it got; else: "
)


@contextmanager
def explained(work: Look, database: Database) -> Iterator[None]:
    """Explains what env.py, Alembic or a revision raises in the block.

    Raises:
        DatabaseError: env.py could not connect.
        RevisionError: env.py or a revision raised something of its own.
        StatementFailed: The server refused a statement of a revision.
    """
    try:
        yield
    except BootstrapError as error:
        _add_place(error, _running(work))
        raise
    except Exception as error:
        if isinstance(work, Apply) and error is work.refused:
            raise  # the caller's own
        step = _running(work)
        if step and _is_script(work):
            raise _in_script(error, step) from error
        failure = database.backend.errors.translate(error) if _of_a_database(error) else None
        if step:
            raise _in_revision(error, step, failure, work=work, database=database) from error
        if failure:
            raise database.error(failure, tried="env.py cannot use") from error
        if work.connection is not None and _wants_a_loop(error):
            raise not_handed() from error
        if isinstance(error, CommandError):
            raise RevisionError(f"Alembic refused: {error}") from error
        raise faults.broken_file(error, tried="env.py failed") from error


def _running(work: Look) -> Step | None:
    return work.running if isinstance(work, Apply) else None


def _add_place(error: BootstrapError, step: Step | None) -> None:
    """Says where in the revision it is that refused a statement."""
    place = _place(error, step) if step and error.place is None else None
    if place:
        error.place = place
        error.message += f"\n  {place}"


def _wants_a_loop(error: BaseException) -> bool:
    """Whether it is what `asyncio.run` raises inside a running loop."""
    innermost = traceback.extract_tb(error.__traceback__)[-1].filename
    return isinstance(error, RuntimeError) and Path(innermost).is_relative_to(_ASYNCIO)


def _of_a_database(error: BaseException) -> bool:
    """Whether a driver or the network is to blame, and not a file that env.py wanted to read."""
    return not isinstance(error, (FileNotFoundError, PermissionError, ImportError))


def _is_script(work: Look) -> bool:
    return isinstance(work, Apply) and work.only_written


def _in_script(error: BaseException, step: Step) -> RevisionError:
    return _raised(
        error,
        step,
        hint="a script is written without a database: nothing can be read from one; give batch "
        "mode the table (copy_from), let the server find rows (INSERT ... SELECT), or write "
        f"scripts up to and from this revision, and run {step.revision} with bootstrap migrate",
    )


def _raised(error: BaseException, step: Step, *, hint: str) -> RevisionError:
    place = _place(error, step)
    said = f"{_called(step)} raised {faults.raised(error)}"
    return RevisionError(said + (f"\n  {place}" if place else ""), hint=hint, place=place)


def _called(step: Step) -> str:
    """A revision, or the project's function that is called for the first time."""
    return step.revision if step.direction is Direction.STAMP else f"revision {step.revision}"


def _place(error: BaseException, step: Step) -> Place | None:
    return faults.place_of(error, root=step.path) if step.path else None


def _in_revision(
    error: BaseException, step: Step, failure: Failure | None, *, work: Look, database: Database
) -> BootstrapError:
    if failure is None:
        return _raised(error, step, hint=_what_stays(work, database))
    place = _place(error, step)
    progress = _progress(work)
    code = f"{database.backend.name} {failure.code}".strip()
    lines = [
        f"{_which(work)} of {_called(step)} failed ({code}: {failure.text})",
        f"  {place or ''}   {_statement(error)}".rstrip(),
        _recorded(work),
        *_met_with(work, failure),
    ]
    hint = _AGAIN.get(failure.reason) or _what_stays(work, database, place)
    if failure.reason is Reason.ALREADY_THERE and not (progress and progress.applied):
        hint = f"{_LEFT}{hint}"
    failed = StatementFailed(
        "\n".join(line for line in lines if line),
        hint=hint,
        place=place,
        busy=failure.reason is Reason.BUSY,
    )
    # A time-out in the middle is one that a driver was told to have, and will come again.
    failed.fault = None if failure.reason is Reason.TIMED_OUT else failure.fault
    return failed


def _met_with(work: Look, failure: Failure) -> tuple[str, ...]:
    """What is known of a statement that waited, or took, too long."""
    gentle = work.gentle if isinstance(work, Apply) else None
    if gentle is None:
        return ()
    if failure.reason is Reason.BUSY and gentle.blockers:
        return (f"  in the way: {'; '.join(gentle.blockers)}",)
    if gentle.overdue:
        return (f"  it was cancelled after {gentle.overdue:g} s (--statement-timeout)",)
    return ()


def _which(work: Look) -> str:
    progress = _progress(work)
    return f"statement {progress.statement}" if progress else "a statement"


def _recorded(work: Look) -> str:
    progress = _progress(work)
    if not progress or not progress.applied:
        return ""
    if progress.applied == 1:
        return "  statement 1 is applied and recorded"
    return f"  statements 1-{progress.applied} are applied and recorded"


def _progress(work: Look) -> Progress | None:
    return work.progress if isinstance(work, Apply) else None


def _statement(error: BaseException) -> str:
    """The SQL on one line; its parameters are left out, they may be secrets."""
    for cause in causes(error):
        if isinstance(cause, StatementError) and cause.statement:
            sql = " ".join(cause.statement.split())
            return sql if len(sql) <= _SQL_SHOWN else sql[: _SQL_SHOWN - 1] + "…"
    return ""


def _what_stays(work: Look, database: Database, place: Place | None = None) -> str:
    if progress := _progress(work):
        return _before(work) + _going_on(progress, place)
    undone = work.position.undone if work.position else Undone.NOTHING
    if undone is Undone.RUN:
        return "nothing of this run stays; correct the revision, then run the command again"
    if undone is Undone.PROGRAM:
        return "roll your transaction back: nothing of this run stays then; correct the revision"
    before = _before(work)
    if undone is Undone.REVISION:
        return f"{before}this revision was rolled back; correct it, then run the command again"
    return (
        f"{before}{database.backend.title} may keep what this revision changed before it failed: "
        "compare the schema with the file, undo or finish it by hand, then run the command again"
    )


def _going_on(progress: Progress, place: Place | None) -> str:
    if not progress.applied:
        return "nothing of this revision is applied; correct it, then run the command again"
    where = f" from line {place.line} on" if place and place.line else " after what is applied"
    return (
        f"correct the revision{where}, then run the command again: it goes on at statement "
        f"{progress.applied + 1}"
    )


def _before(work: Look) -> str:
    done = [step.revision for step in work.applied] if isinstance(work, Apply) else []
    return f"{', '.join(done)} {'is' if len(done) == 1 else 'are'} applied; " if done else ""
