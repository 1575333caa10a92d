"""Ends the work inside env.py early, and its statement on the server with it.

A driver whose connection is closed leaves its statement running there, and one that waits in C
does not even notice that it should stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bootstrap.events import RunInterrupted
from bootstrap.journal.entries import Progress
from bootstrap.positions.position import Undone
from bootstrap.records.versions import read_heads
from bootstrap.running.looking import Look
from bootstrap.running.work import Apply
from bootstrap.targets import Place

_FIRST_PAUSE = 0.1  # seconds; what follows a cancelled statement in env.py takes less
_LONGEST_PAUSE = 1.0
_ANSWER = 10.0  # seconds for a server to say something
_PATIENCE = 60.0  # seconds for a server to end the statement of a client that is gone


async def stop(
    work: Look, running: asyncio.Future[Any], interrupt: Callable[[], None] | None
) -> None:
    """Ends the work, and comes back when env.py is left and the server does nothing for it.

    Args:
        work: What is done inside env.py.
        running: Is done when env.py is left.
        interrupt: Stops Python code in env.py's thread; None where nobody can. It is called only
            when no statement runs, and after a while: a revision that is done would be in doubt
            if it were kept from being recorded.
    """
    work.leave()
    place = Place(database=work.database, connection=work.connection)
    clock = asyncio.get_running_loop().time
    pause, end = _FIRST_PAUSE, clock() + _PATIENCE
    while True:
        left = running.done()
        busy = await _cancelled(work, place)
        if left and (not busy or clock() >= end):
            return
        if not left and not busy and interrupt is not None and pause > _FIRST_PAUSE:
            interrupt()
            interrupt = None
        await (asyncio.sleep(pause) if left else asyncio.wait({running}, timeout=pause))
        pause = min(pause * 2, _LONGEST_PAUSE)


async def _cancelled(work: Look, place: Place) -> bool:
    """Tells whether a statement was running; where nobody can be asked, none was."""
    if work.cancellable is None:
        return False
    with suppress(Exception):  # the server takes no connection: the step has to end by itself
        async with asyncio.timeout(_ANSWER):
            return await work.cancellable.cancel(place.engines(), place.connecting())
    return False


async def what_stays(work: Apply, place: Place) -> RunInterrupted:
    """Looks where a run that was stopped has left the database, as far as it can be read."""
    current = None
    position = work.position
    with suppress(Exception):  # there is something worse to report
        async with asyncio.timeout(_ANSWER):
            if position is not None:
                current = await read_heads(
                    place,
                    version_table=position.version_table,
                    schema=position.version_table_schema,
                )
    return RunInterrupted(
        revision=work.running.revision if work.running else None,
        current=current,
        stays=_stays(work),
    )


def _stays(work: Apply) -> str:
    if work.position is None or work.running is None:
        return ""
    revision = work.running.revision
    if progress := work.progress:
        return _recorded(revision, progress)
    match work.position.undone:
        case Undone.RUN:
            return "nothing of this run stays"
        case Undone.PROGRAM:
            return "roll your transaction back: nothing of this run stays then"
        case Undone.REVISION:
            return f"revision {revision} was rolled back"
        case Undone.NOTHING:
            return (
                f"{work.database.backend.title} may keep what revision {revision} changed before "
                "it was stopped: compare the schema with the file, and undo or finish it by hand"
            )


def _recorded(revision: str, progress: Progress) -> str:
    if not progress.applied:
        return f"no statement of revision {revision} is applied and recorded"
    applied = "statement 1 is" if progress.applied == 1 else f"statements 1-{progress.applied} are"
    return f"of revision {revision} {applied} applied and recorded; the next run goes on after that"
