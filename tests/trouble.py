"""Trouble that a revision of a test meets with, once: deadlocks, ended connections, locks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from bootstrap.database import Database
from bootstrap.events import Event, LockRetried

# What a revision has between its statements.
TROUBLE = "__import__('tests.trouble').trouble.happen(op.get_bind())"
_SYNC = {
    "postgresql": "postgresql+psycopg2",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "sqlite": "sqlite",
}
_END = {
    "postgresql": "SELECT pg_terminate_backend(:own)",
    "mysql": "KILL :own",
    "mariadb": "KILL :own",
}
_OWN = {
    "postgresql": "SELECT pg_backend_pid()",
    "mysql": "SELECT connection_id()",
    "mariadb": "SELECT connection_id()",
}
_PATIENCE = 60  # seconds for what takes less than one


class Once(Enum):
    """What happens."""

    DEADLOCK = "deadlock"
    ENDED = "ended"
    LOCKED = "locked"


class Trouble:
    """What is to happen, in which database, and how often it did."""

    def __init__(self, what: Once, url: str) -> None:
        self.count = 0
        self._what = what
        self._url = make_url(url)
        self._name = Database.of(url).backend.name
        self._engine = create_engine(
            self._url.set(drivername=_SYNC[self._name]), poolclass=NullPool
        )
        self._held: Connection | None = None
        self._waiting: threading.Thread | None = None

    def happen(self, connection: Connection) -> None:
        """Called by the revision; another database of the same run is left alone."""
        if self.count or connection.engine.url.database != self._url.database:
            return
        if self._what is Once.LOCKED:
            return
        self.count += 1
        if self._what is Once.ENDED:
            self._end(connection)
        else:
            self._waiting = _deadlock(self._engine, postgresql=self._name == "postgresql")

    def hold(self) -> None:
        """Locks what the revision needs, until `ending` sees that it was waited for."""
        self._held = self._engine.connect()
        if self._name == "sqlite":
            self._held.exec_driver_sql("BEGIN IMMEDIATE")
        self._held.execute(text("UPDATE b SET n = n WHERE id = 1"))

    def ending(self, emit: Callable[[Event], None]) -> Callable[[Event], None]:
        """Passes events on, and lets go at the first that tells of a lock."""

        def seen(event: Event) -> None:
            emit(event)
            if isinstance(event, LockRetried):
                self.close()

        return seen

    def close(self) -> None:
        """Ends what is still there."""
        if self._held is not None:
            self._held.rollback()
            self._held.close()
            self._held = None
        if self._waiting is not None:
            self._waiting.join(_PATIENCE)
            assert not self._waiting.is_alive()
        self._engine.dispose()

    def _end(self, connection: Connection) -> None:
        pid = connection.scalar(text(_OWN[self._name]))
        with self._engine.connect() as other:
            other.execute(text(_END[self._name]), {"own": pid})


_now: Trouble | None = None


@contextmanager
def trouble(what: Once, url: str) -> Iterator[Trouble]:
    """Lets it happen in the block."""
    global _now  # noqa: PLW0603 - revisions are imported by file, and know nothing else
    _now = made = Trouble(what, url)
    if what is Once.LOCKED:
        made.hold()
    try:
        yield made
    finally:
        _now = None
        made.close()


def happen(connection: Connection) -> None:
    """Called by revisions."""
    if _now is not None:
        _now.happen(connection)


def _deadlock(engine: Engine, *, postgresql: bool) -> threading.Thread:
    """Another session locks what the revision needs next, and waits for what it has locked.

    The revision becomes the victim: on PostgreSQL the one that looks first, on InnoDB the one that
    has changed fewer rows.
    """
    locked = threading.Event()

    def other() -> None:
        with engine.connect() as connection:
            if postgresql:
                connection.execute(text("SET deadlock_timeout = '60s'"))
                connection.execute(text("SET application_name = 'in the way'"))
            connection.execute(text("UPDATE b SET n = n + 100"))
            locked.set()
            connection.execute(text("UPDATE a SET n = n + 100"))
            connection.rollback()

    thread = threading.Thread(target=other)
    thread.start()
    assert locked.wait(_PATIENCE)
    if postgresql:
        _until_it_waits(engine)
    return thread


def _until_it_waits(engine: Engine) -> None:
    asked = text(
        "SELECT 1 FROM pg_stat_activity WHERE application_name = 'in the way' "
        "AND wait_event_type = 'Lock'"
    )
    end = time.monotonic() + _PATIENCE
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.execute(asked).first() is None:
            assert time.monotonic() < end
            time.sleep(0.02)
