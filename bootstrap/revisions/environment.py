"""Runs a project's own env.py with our work in the place of Alembic's command.

Alembic's `context` and `op` are global to the process, so one env.py runs at a time; and env.py
may call `asyncio.run`, so it gets a thread in which no event loop runs.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeAlias, TypeVar

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory

T = TypeVar("T")
Host: TypeAlias = Callable[[Callable[[], Any]], concurrent.futures.Future[Any]]

# Set by a program that has a better thread for env.py than a new one, such as its main thread.
HOST: ContextVar[Host | None] = ContextVar("HOST", default=None)

# The one mutable module state: it guards Alembic's own, which is global to the process.
_ALEMBIC = threading.Lock()


@contextmanager
def _parameters_hidden(context: MigrationContext) -> Iterator[None]:
    """Keeps the parameters of statements, which may be secrets, out of exceptions and logs."""
    engine = context.connection.engine if context.connection is not None else None
    if engine is None or engine.hide_parameters:
        yield
        return
    engine.hide_parameters = True
    try:
        yield
    finally:
        engine.hide_parameters = False


def _ignore() -> None:
    """Lets the work go on."""


class Work(Protocol):
    """What is done inside an env.py."""

    def look(self, context: MigrationContext) -> None:
        """Called after each `context.configure()` of env.py, before anything is written."""

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[MigrationStep]:
        """Yields the steps that Alembic applies; runs on after each when it is done."""


def run_env(config: Config, scripts: ScriptDirectory, work: Work, **options: object) -> None:
    """Runs env.py once; blocks until it is done, and until no other env.py runs.

    Args:
        config: What env.py sees as `context.config`.
        scripts: The revisions; its folder holds env.py.
        work: What to do inside.
        options: Alembic's: `dont_mutate` does not even create the version table, `purge` empties
            it first, `template_args` is what env.py may add to for the template of a revision.
    """
    with _ALEMBIC:
        environment = EnvironmentContext(config, scripts, fn=work.steps, as_sql=False, **options)
        with ExitStack() as afterwards, environment:
            _watch_configure(environment, work, afterwards)
            scripts.run_env()


def _watch_configure(environment: EnvironmentContext, work: Work, afterwards: ExitStack) -> None:
    """Replaces the attribute on this instance: Alembic's proxies are set up per exact class."""
    configure = environment.configure

    def configured(*args: Any, **options: Any) -> None:
        configure(*args, **options)
        afterwards.enter_context(_parameters_hidden(environment.get_context()))
        work.look(environment.get_context())

    environment.configure = configured  # type: ignore[method-assign]  # see the docstring


async def in_thread(work: Callable[[], T], *, on_cancel: Callable[[], None] = _ignore) -> T:
    """Runs blocking work in the thread of the host, or one of its own without a host.

    When cancelled it waits for the end of the work before saying so: nothing goes on unseen.

    Args:
        work: What to do.
        on_cancel: Called when cancelled, so that the work can end early.
    """
    host = HOST.get()
    if host is None:
        future = asyncio.get_running_loop().run_in_executor(None, _with_a_loop, work)
    else:
        future = asyncio.wrap_future(host(work))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        on_cancel()
        await asyncio.wait({future})
        if not future.cancelled():
            future.exception()  # it is known, and not to be warned about
        raise


def _with_a_loop(work: Callable[[], T]) -> T:
    """Gives the thread an event loop: some env.py ask for it with `asyncio.get_event_loop()`."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return work()
    finally:
        asyncio.set_event_loop(None)
        loop.close()
