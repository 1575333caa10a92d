"""Runs a project's own env.py with our work in the place of Alembic's command.

Alembic's `context` and `op` are global to the process, so one env.py runs at a time; and env.py
may call `asyncio.run`, so it gets a thread in which no event loop runs.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Iterator, Sequence
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


class Work(Protocol):
    """What is done inside an env.py."""

    def look(self, context: MigrationContext) -> None:
        """Called after each `context.configure()` of env.py, before anything is written."""

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[MigrationStep]:
        """Yields the steps that Alembic applies; runs on after each when it is done."""


def run_env(
    config: Config, scripts: ScriptDirectory, work: Work, *, dont_mutate: bool = False
) -> None:
    """Runs env.py once; blocks until it is done, and until no other env.py runs.

    Args:
        config: What env.py sees as `context.config`.
        scripts: The revisions; its folder holds env.py.
        work: What to do inside.
        dont_mutate: Do not even create the version table.
    """
    with _ALEMBIC:
        environment = EnvironmentContext(
            config, scripts, fn=work.steps, as_sql=False, dont_mutate=dont_mutate
        )
        _watch_configure(environment, work)
        with environment:
            scripts.run_env()


def _watch_configure(environment: EnvironmentContext, work: Work) -> None:
    """Replaces the attribute on this instance: Alembic's proxies are set up per exact class."""
    configure = environment.configure

    def configured(*args: Any, **options: Any) -> None:
        configure(*args, **options)
        work.look(environment.get_context())

    environment.configure = configured  # type: ignore[method-assign]  # see the docstring


async def in_thread(work: Callable[[], T]) -> T:
    """Runs blocking work in the thread of the host, or one of its own without a host.

    When cancelled it waits for the end of the work before saying so: nothing goes on unseen.
    """
    host = HOST.get()
    if host is None:
        future = asyncio.get_running_loop().run_in_executor(None, work)
    else:
        future = asyncio.wrap_future(host(work))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait({future})
        raise
