"""What watches over the revisions of a run where a journal of them is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from bootstrap.backends.guards import Guard
from bootstrap.journal.entries import Entry, Part, Progress
from bootstrap.journal.recording import Recorder
from bootstrap.journal.store import Entries, Store


class JournalGuard(Guard):
    """Has each statement of a revision recorded.

    Args:
        context: Alembic's.
        store: Where the journal is kept.
        recorder: Sees the statements.
    """

    def __init__(self, context: MigrationContext, store: Store, recorder: Recorder) -> None:
        self._context: Any = context
        self._store = store
        self._recorder = recorder
        self._part: Part | None = None
        self._found: Entries = {}

    def read(self) -> None:
        """Reads what is recorded."""
        self._found = self._store.read()

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Records during the block."""
        self._context.on_version_apply_callbacks += (self._applied,)
        self._recorder.attach()
        try:
            yield
        finally:
            self._recorder.detach()

    def begin(self, part: Part) -> None:
        """A revision begins."""
        self._part = part

    def surrounded(self, work: Callable[..., None]) -> Callable[..., None]:
        """The revision's function, recorded."""
        part = self._part
        assert part is not None  # noqa: S101 - `begin` was called

        def recorded(*args: Any, **options: Any) -> None:
            with self._recorder.revision(part, self._found.get(part.key, [])):
                work(*args, **options)

        return recorded

    @property
    def half_applied(self) -> frozenset[tuple[str, str]]:
        """What an earlier run has recorded."""
        return frozenset(self._found)

    def forget(self, key: tuple[str, str]) -> None:
        """Drops what is recorded of a revision."""
        self._store.forget(Part(revision=key[0], direction=key[1]), 0)
        del self._found[key]

    @property
    def progress(self) -> Progress | None:
        """How far the revision came."""
        return self._recorder.progress

    @property
    def recorded(self) -> Sequence[Entry]:
        """What is written down."""
        return () if self._part is None else self._store.read().get(self._part.key, ())

    @property
    def is_at_work(self) -> bool:
        """Whether the journal is being written or read."""
        return self._recorder.is_at_work

    @contextmanager
    def looking(self) -> Iterator[Connection | None]:
        """What is asked meanwhile is not the revision's."""
        with self._recorder.own():
            yield None

    def _applied(self, **_about: object) -> None:
        """The version table says that the revision is done, and is about to be committed."""
        if self._part is not None:
            self._store.clear(self._part)
            self._part = None


def version_table_of(context: Any) -> str:
    """The version table whose revisions a run applies, with its schema if env.py names one."""
    schema = context.version_table_schema
    return f"{schema}.{context.version_table}" if schema else str(context.version_table)
