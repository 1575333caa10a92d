"""What FastAPI gets: sessions whose fate is that of the response, and whether it is ready."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

import bootstrap
from bootstrap import DatabaseUnreachable
from bootstrap.integrations.applications import ApplicationDatabase
from bootstrap.integrations.fastapi import (
    lifespan,
    readiness_endpoint,
    session_dependency,
    unavailable,
)
from tests.integrations.conftest import One
from tests.integrations.test_applications import count, in_use
from tests.projects import ProjectFolder

pytestmark = pytest.mark.parametrize(
    "backend_name", ["sqlite", "postgresql", "mysql", "mariadb"], indirect=True
)


async def refused(_request: Request, _error: Exception) -> JSONResponse:
    """What the application says of a row that is there already."""
    return JSONResponse({}, status_code=409)


def service(database: ApplicationDatabase, dependency: Any) -> FastAPI:
    """Adds rows, and fails where it is told to."""
    app = FastAPI()
    app.add_exception_handler(IntegrityError, refused)
    app.add_exception_handler(DatabaseUnreachable, unavailable)
    app.add_api_route("/ready", readiness_endpoint(database))

    @app.post("/rows/{row}", status_code=201)
    async def add(row: int, session: AsyncSession = dependency, status: int = 201) -> None:
        session.add(One(id=row))
        if status == 500:
            raise LookupError
        if status != 201:
            raise HTTPException(status)

    return app


@asynccontextmanager
async def serving(database: ApplicationDatabase, app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application while it runs."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with lifespan(database)(app), httpx.AsyncClient(transport=transport) as client:
        client.base_url = httpx.URL("http://test")
        yield client


async def test_what_the_response_says_is_what_is_committed(migrated: ApplicationDatabase) -> None:
    app = service(migrated, session_dependency(migrated))
    async with serving(migrated, app) as client:
        codes = [
            (await client.post(f"/rows/{row}", params={"status": status})).status_code
            for row, status in ((1, 201), (2, 404), (3, 500), (1, 201))
        ]
        left = in_use(migrated)

    assert [201, 404, 500, 409] == codes
    assert (1, 0) == (await count(migrated), left)


async def test_without_its_scope_a_commit_would_fail_unseen(migrated: ApplicationDatabase) -> None:
    """The control: this is why the dependency has one."""
    app = service(migrated, Depends(session_dependency(migrated).dependency))
    async with serving(migrated, app) as client:
        codes = [(await client.post("/rows/1")).status_code for _ in range(2)]

    assert [201, 201] == codes
    assert 1 == await count(migrated)


async def test_a_test_may_put_another_session_in_its_place(migrated: ApplicationDatabase) -> None:
    dependency = session_dependency(migrated)
    app = service(migrated, dependency)
    async with serving(migrated, app) as client, migrated.sessions() as own:
        app.dependency_overrides[dependency.dependency] = lambda: own
        answer = await client.post("/rows/1")
        await own.rollback()

    assert (201, 0) == (answer.status_code, await count(migrated))


async def test_readiness_is_a_status_with_reasons(
    migrated: ApplicationDatabase, folder: ProjectFolder
) -> None:
    app = service(migrated, session_dependency(migrated))
    async with serving(migrated, app) as client:
        ready = await client.get("/ready")
        await bootstrap.stamp(migrated.database, "base", project=folder.project)
        behind = await client.get("/ready")

    assert (200, {"ready": True, "reasons": []}) == (ready.status_code, ready.json())
    why = "the database is behind: it is at no revision, and the code is at three"
    assert (503, {"ready": False, "reasons": [why]}) == (behind.status_code, behind.json())


async def test_a_refusal_to_start_has_its_hint(empty_url: str, folder: ProjectFolder) -> None:
    database = ApplicationDatabase(empty_url, project=folder.project)

    with pytest.raises(bootstrap.RevisionError) as behind:
        async with lifespan(database)(FastAPI()):
            pytest.fail("it was started")

    [note] = behind.value.__notes__
    assert note.startswith("hint: bootstrap migrate")
