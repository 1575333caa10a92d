"""Explains what went wrong inside env.py: where, in which revision, in which statement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic.util import CommandError
from sqlalchemy.exc import StatementError

from bootstrap.backends.base import Failure, Reason
from bootstrap.backends.chain import causes
from bootstrap.database import Database
from bootstrap.errors import BootstrapError, RevisionError, StatementFailed
from bootstrap.revisions import faults
from bootstrap.running.moves import Step
from bootstrap.running.work import Apply, Look, Undone

_SQL_SHOWN = 200  # characters of a statement in a message
# Where the statement is not to blame.
_AGAIN = {
    Reason.BUSY: "somebody else holds a lock; wait until they are done, then run the command again",
    Reason.CONNECTION_LOST: "look at the server's log; bootstrap status says where the database is",
    Reason.READ_ONLY: "name the primary server, or a file that may be written",
    Reason.NO_RIGHT: "grant the right, or use another account, then run the command again",
}


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
    except BootstrapError:
        raise
    except Exception as error:
        step = work.running if isinstance(work, Apply) else None
        failure = database.backend.errors.translate(error) if _of_a_database(error) else None
        if step:
            raise _in_revision(error, step, failure, work=work, database=database) from error
        if failure:
            raise database.error(failure, tried="env.py cannot use") from error
        if isinstance(error, CommandError):
            raise RevisionError(f"Alembic refused: {error}") from error
        raise faults.broken_file(error, tried="env.py failed") from error


def _of_a_database(error: BaseException) -> bool:
    """Whether a driver or the network is to blame, and not a file that env.py wanted to read."""
    return not isinstance(error, (FileNotFoundError, PermissionError, ImportError))


def _in_revision(
    error: BaseException, step: Step, failure: Failure | None, *, work: Look, database: Database
) -> BootstrapError:
    place = faults.last_line_of(error, root=str(step.path)) if step.path else ""
    if failure is None:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return RevisionError(
            f"revision {step.revision} raised {what}" + (f"\n  {place}" if place else ""),
            hint=_what_stays(work, database),
        )
    code = f"{database.backend.name} {failure.code}".strip()
    lines = [
        f"a statement of revision {step.revision} failed ({code}: {failure.text})",
        f"  {place}   {_statement(error)}".rstrip(),
    ]
    hint = _AGAIN.get(failure.reason) or _what_stays(work, database)
    return StatementFailed("\n".join(line for line in lines if line), hint=hint)


def _statement(error: BaseException) -> str:
    """The SQL on one line; its parameters are left out, they may be secrets."""
    for cause in causes(error):
        if isinstance(cause, StatementError) and cause.statement:
            sql = " ".join(cause.statement.split())
            return sql if len(sql) <= _SQL_SHOWN else sql[: _SQL_SHOWN - 1] + "…"
    return ""


def _what_stays(work: Look, database: Database) -> str:
    undone = work.position.undone if work.position else Undone.NOTHING
    if undone is Undone.RUN:
        return "nothing of this run stays; correct the revision, then run the command again"
    before = _before(work)
    if undone is Undone.REVISION:
        return f"{before}this revision was rolled back; correct it, then run the command again"
    return (
        f"{before}{database.backend.title} may keep what this revision changed before it failed: "
        "compare the schema with the file, undo or finish it by hand, then run the command again"
    )


def _before(work: Look) -> str:
    done = [step.revision for step in work.applied] if isinstance(work, Apply) else []
    return f"{', '.join(done)} {'is' if len(done) == 1 else 'are'} applied; " if done else ""
