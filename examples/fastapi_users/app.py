"""The service. Start it with `uvicorn examples.fastapi_users.app:app`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

import bootstrap
from bootstrap import DatabaseUnreachable
from bootstrap.integrations.applications import ApplicationDatabase
from bootstrap.integrations.fastapi import readiness_endpoint, session_dependency, unavailable
from bootstrap.reference import User
from examples.fastapi_users import users
from examples.fastapi_users.schemas import (
    Changes,
    Count,
    Id,
    Limit,
    NewUser,
    NewUsers,
    Offset,
    ShownUser,
)

database = ApplicationDatabase.configured()
Session = Annotated[AsyncSession, session_dependency(database)]


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Creates and migrates the database; of several workers one does it, the others wait."""
    await bootstrap.create(database.database)
    async with database.started(behind="migrate"):
        yield


app = FastAPI(title="Users", lifespan=lifespan)
app.add_exception_handler(DatabaseUnreachable, unavailable)
app.add_api_route("/ready", readiness_endpoint(database))


@app.exception_handler(RequestValidationError)
async def bad_input(_request: Request, error: RequestValidationError) -> JSONResponse:
    """Says what is wrong, and does not repeat it: it may be a password, or no text at all."""
    found = [{"where": one["loc"], "why": one["msg"]} for one in error.errors()]
    return JSONResponse({"detail": found}, status_code=422)


@app.exception_handler(IntegrityError)
async def taken(_request: Request, _error: Exception) -> JSONResponse:
    """The schemas let nothing else through that the database refuses."""
    return JSONResponse({"detail": "the email or the username is taken"}, status_code=400)


@app.get("/live")
async def live() -> dict[str, str]:
    """The process answers; whether the database does is for /ready."""
    return {"status": "alive"}


@app.post("/users", status_code=201, response_model=ShownUser)
async def create_user(new: NewUser, session: Session) -> User:
    """Adds a user; 400 when the email or the username is taken."""
    return await _found(session, await users.add(session, new))


@app.post("/users/bulk", status_code=201)
async def create_users(new: NewUsers, session: Session) -> Count:
    """Adds many users, or none."""
    return Count(count=await users.add_all(session, new))


@app.get("/users", response_model=list[ShownUser])
async def list_users(session: Session, limit: Limit = 20, offset: Offset = 0) -> Sequence[User]:
    """Some of the users, by id."""
    return await users.page(session, limit=limit, offset=offset)


@app.get("/users/count")
async def count_users(session: Session) -> Count:
    """How many users there are."""
    return Count(count=await users.count(session))


@app.get("/users/{user_id}", response_model=ShownUser)
async def read_user(user_id: Id, session: Session) -> User:
    """One user; 404 when there is none."""
    return await _found(session, user_id)


@app.patch("/users/{user_id}", response_model=ShownUser)
async def update_user(user_id: Id, changes: Changes, session: Session) -> User:
    """Changes what is named; 400 when the email is taken."""
    user = await _found(session, user_id)
    await users.change(session, user, changes)
    return user


@app.delete("/users/{user_id}", status_code=204)
async def delete_user(user_id: Id, session: Session) -> None:
    """Removes a user; the database removes their items."""
    await session.delete(await _found(session, user_id))


async def _found(session: AsyncSession, user_id: int) -> User:
    user = await users.one(session, user_id)
    if user is None:
        raise HTTPException(404, detail="there is no such user")
    return user
