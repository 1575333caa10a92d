"""Attaches work to the EnvironmentContext that an env.py talks to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import FrameType
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from sqlalchemy import Connection, Engine, event

from bootstrap import backends

T = TypeVar("T")

# What SQLAlchemy calls when a statement needs a transaction that nobody has begun.
_AUTOBEGIN = Connection._autobegin.__code__  # noqa: SLF001 - no public name tells who began one


class Work(Protocol):
    """What is done inside an env.py.

    Attributes:
        options: Of `context.configure()`; they go before those of env.py.
        failed: What went wrong in it; kept, because env.py may swallow it.
    """

    failed: BaseException | None

    @property
    def options(self) -> Mapping[str, object]:
        """See above."""

    def again(self) -> None:
        """Called when env.py tries again after a failure, which is forgotten."""

    def check(self, context: MigrationContext) -> None:
        """Called first after each `context.configure()` of env.py with a connection."""

    def look(self, context: MigrationContext) -> None:
        """Called after each `context.configure()` of env.py, before anything is written."""

    def around(self, context: MigrationContext) -> AbstractContextManager[None]:
        """What surrounds all that env.py does from then on."""

    def told(self, arguments: Mapping[str, Any]) -> None:
        """Called with what env.py gives to `run_migrations()`, for the functions of revisions."""

    def during(self) -> AbstractContextManager[None]:
        """What surrounds `context.run_migrations()`, while env.py's connection is open."""

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[MigrationStep]:
        """Yields the steps that Alembic applies; runs on after each when it is done."""


@contextmanager
def attached(environment: EnvironmentContext, work: Work) -> Iterator[None]:
    """Lets work look at each `configure()`, and see what goes wrong inside, during the block.

    Attributes are replaced on this instance: Alembic's proxies are set up per exact class.
    """
    configure, run_migrations = environment.configure, environment.run_migrations
    with ExitStack() as afterwards:
        begun = afterwards.enter_context(_transactions())

        def configured(*args: Any, **options: Any) -> None:
            if work.failed is not None:
                work.again()
            options |= work.options
            if environment.is_offline_mode():
                options.pop("output_encoding", None)  # the script is text until it is printed
                # Others double each `%` of a text for a driver that never sees it.
                options["dialect_opts"] = {"paramstyle": "named"} | (
                    options.get("dialect_opts") or {}
                )
            else:
                options |= _atomic(*args[:1], **options)
            configure(*args, **options)
            context = environment.get_context()
            afterwards.enter_context(_parameters_hidden(context))
            if not context.as_sql:
                work.check(context)
                begun.take_over(context)
            work.look(context)
            afterwards.enter_context(work.around(context))

        def running(*args: Any, **options: Any) -> None:
            work.told(options)
            with work.during():
                run_migrations(*args, **options)

        environment.configure = _keeping(work, configured)  # type: ignore[method-assign]  # see the docstring
        environment.run_migrations = _keeping(work, running)  # type: ignore[method-assign]  # as above
        yield


def _atomic(connection: object = None, **_options: object) -> Mapping[str, bool]:
    """What makes each revision a transaction on the backend of env.py's connection."""
    if not isinstance(connection, Connection):
        return {}
    return backends.of_dialect(connection.dialect).atomicity.options()


def _keeping(work: Work, function: Callable[..., T]) -> Callable[..., T]:
    """The function, which keeps what it raises."""

    def kept(*args: Any, **options: Any) -> T:
        try:
            return function(*args, **options)
        except BaseException as error:
            work.failed = error
            raise

    return kept


class _Transactions:
    """Which connections are in a transaction that a statement has begun."""

    def __init__(self) -> None:
        self._by_statement: WeakSet[Connection] = WeakSet()  # those of all threads

    def begin(self, connection: Connection) -> None:
        """Called when one begins."""
        if _is_autobegin():
            self._by_statement.add(connection)
        else:
            self._by_statement.discard(connection)

    def take_over(self, context: MigrationContext) -> None:
        """Lets Alembic commit what a statement before `configure()` has begun.

        Alembic takes every open transaction for one that env.py ends itself, which who only sent a
        `SET lock_timeout` does not do: all is rolled back, and nobody is told. Here it becomes the
        transaction of the first revision, so that a `SET LOCAL` is still in force there.
        """
        connection = context.connection
        if connection is None or connection not in self._by_statement:
            return
        if not connection.in_transaction():
            return
        if not context.impl.transactional_ddl or _atomic(connection):
            # The first DDL ends it anyway, or the backend begins one of its own; and until then
            # it may see what was before the run lock.
            connection.commit()
        context._in_external_transaction = False  # noqa: SLF001 - it has no public name


def _is_autobegin() -> bool:
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - its documented name
    while frame and frame.f_code is not Connection.begin.__code__:
        frame = frame.f_back
    caller = frame and frame.f_back
    return caller is not None and caller.f_code is _AUTOBEGIN


@contextmanager
def _transactions() -> Iterator[_Transactions]:
    """Watches transactions begin while the block runs."""
    seen = _Transactions()
    event.listen(Engine, "begin", seen.begin)
    try:
        yield seen
    finally:
        event.remove(Engine, "begin", seen.begin)


@contextmanager
def _parameters_hidden(context: MigrationContext) -> Iterator[None]:
    """Keeps the parameters of statements, which may be secrets, out of exceptions and logs."""
    # Offline the connection is a mock, without an engine.
    connection = None if context.as_sql else context.connection
    engine = connection.engine if connection is not None else None
    if engine is None or engine.hide_parameters:
        yield
        return
    engine.hide_parameters = True
    try:
        yield
    finally:
        engine.hide_parameters = False
