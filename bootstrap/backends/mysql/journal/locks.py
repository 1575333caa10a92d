"""Waits for the statements of a run that was killed.

The server goes on with a statement whose client is gone: at once the schema looks untouched, and
seconds later it is changed. The migrating connection itself holds a lock, which the server gives
back when the last statement of that connection is done.
"""

from __future__ import annotations

import hashlib
import time

from sqlalchemy import Connection, func, select

from bootstrap.errors import LockNotObtained
from bootstrap.events import Emit, LockAwaited
from bootstrap.journal.entries import NAME

_PAUSE = 1  # seconds that one question may take
_SAID_EVERY = 10.0  # seconds


def name_of(database: str, version_table: str) -> str:
    """The name of the lock: names are the server's, and 64 characters long at most."""
    text = f"{database.lower()}\0{version_table}"
    return f"{NAME}_" + hashlib.sha256(text.encode()).hexdigest()[:40]


def wait(connection: Connection, name: str, *, seconds: float, emit: Emit) -> None:
    """Takes the lock on the migrating connection, as soon as nobody has it.

    Raises:
        LockNotObtained: A statement of an earlier run takes longer.
    """
    begun = time.monotonic()
    said = float("-inf")
    while connection.execute(select(func.get_lock(name, _PAUSE))).scalar() != 1:
        waited = time.monotonic() - begun
        if waited >= seconds:
            raise LockNotObtained(
                f"a statement of an earlier run still runs on the server, after {seconds:.0f} s",
                hint="look at it with SHOW PROCESSLIST; wait longer with --wait-lock, or end it "
                "with KILL and its id",
            )
        if waited - said >= _SAID_EVERY:
            said = waited
            emit(LockAwaited(holder="a statement of an earlier run", left=seconds - waited))


def release(connection: Connection, name: str) -> None:
    """Gives it back, for a connection that lives on.

    The name stands in the text: a run that is stopped sends nothing but what is about the journal.
    """
    connection.exec_driver_sql(f"DO RELEASE_LOCK('{name}')")
