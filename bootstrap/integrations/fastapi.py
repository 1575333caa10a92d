"""The database of a FastAPI application: lifespan, sessions, readiness, clean errors.

database = ApplicationDatabase.configured()
Session = Annotated[AsyncSession, session_dependency(database)]

app = FastAPI(lifespan=lifespan(database, behind="wait"))
app.add_exception_handler(DatabaseUnreachable, unavailable)
app.add_api_route("/ready", readiness_endpoint(database))
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncSession

from bootstrap.errors import BootstrapError
from bootstrap.events import Emit, silent
from bootstrap.integrations.applications import ApplicationDatabase
from bootstrap.integrations.serving import Behind, WhenBehind

_RETRY_AFTER = {"Retry-After": "1"}  # seconds


def lifespan(
    database: ApplicationDatabase,
    *,
    behind: WhenBehind = Behind.REFUSE,
    timeout: float = 60.0,
    emit: Emit = silent,
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """The lifespan of an application that has no other; others enter `database.started()`.

    Args:
        database: Started with the application, and ended with it.
        behind: As for `require_head`, and so are the others.
        timeout: See there.
        emit: See there.
    """

    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        try:
            async with database.started(behind=behind, timeout=timeout, emit=emit):
                yield
        except BootstrapError as error:
            if error.hint:
                error.add_note(f"hint: {error.hint}")  # the server shows the traceback only
            raise

    return run


def session_dependency(database: ApplicationDatabase) -> Any:
    """What `Annotated[AsyncSession, ...]` takes: a session for each request.

    It is committed before the response is sent, so that a commit that fails becomes the error of
    the response, and rolled back on every error. A test replaces it by
    `app.dependency_overrides[Session.__metadata__[0].dependency]`.

    Args:
        database: Where the sessions come from.
    """

    async def session() -> AsyncIterator[AsyncSession]:
        async with database.transaction() as opened:
            yield opened

    # FastAPI ends what has no scope after the response was sent.
    return Depends(session, scope="function")


def readiness_endpoint(
    database: ApplicationDatabase, *, timeout: float = 5.0
) -> Callable[[], Awaitable[JSONResponse]]:
    """An endpoint that says 200 when the database answers and is at head, else 503 and why.

    Args:
        database: Which.
        timeout: Seconds after which there is no answer.
    """

    async def readiness() -> JSONResponse:
        found = await database.readiness(timeout=timeout)
        content = {"ready": found.ready, "reasons": list(found.reasons)}
        return JSONResponse(content, status_code=200 if found.ready else 503)

    return readiness


async def unavailable(_request: Request, _error: Exception) -> JSONResponse:
    """Answers a `DatabaseUnreachable` by 503, and keeps to itself what the error says."""
    return JSONResponse(
        {"detail": "the database is not available"}, status_code=503, headers=_RETRY_AFTER
    )
