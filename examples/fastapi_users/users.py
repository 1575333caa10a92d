"""Reads and writes users; what it does is committed by whoever has opened the session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, joinedload, raiseload, selectinload

from bootstrap.reference import Item, User
from examples.fastapi_users.passwords import hashed
from examples.fastapi_users.schemas import Changes, NewUser

# Items come with their users, and whatever else would be loaded later is an error: a lazy load
# needs a connection in a place where nobody can await it.
_NEVER_LAZY = raiseload("*")


async def add(session: AsyncSession, new: NewUser) -> int:
    """Adds a user with their items, and gives the id.

    Raises:
        IntegrityError: The email or the username is taken.
    """
    user = User(**await _columns(new))
    user.items = [Item(**item.model_dump()) for item in new.items]
    session.add(user)
    await session.flush()
    return user.id


async def add_all(session: AsyncSession, new: Sequence[NewUser]) -> int:
    """Adds many users in one statement, without objects; their items are left out.

    Raises:
        IntegrityError: An email or a username is taken.
    """
    rows = [await _columns(one) for one in new]
    await session.run_sync(_insert_all, rows)
    return len(rows)


async def page(session: AsyncSession, *, limit: int, offset: int) -> Sequence[User]:
    """Some of the users, by id; a second query brings the items of all of them."""
    query = select(User).options(selectinload(User.items), _NEVER_LAZY).order_by(User.id)
    return (await session.scalars(query.limit(limit).offset(offset))).all()


async def one(session: AsyncSession, user_id: int) -> User | None:
    """A user with their items; the join has a row for each, and `unique()` one for the user."""
    query = select(User).options(joinedload(User.items), _NEVER_LAZY).where(User.id == user_id)
    fresh = query.execution_options(populate_existing=True)  # with what the database has filled in
    return (await session.scalars(fresh)).unique().one_or_none()


async def count(session: AsyncSession) -> int:
    """How many users there are."""
    return await session.scalar(select(func.count()).select_from(User)) or 0


async def change(session: AsyncSession, user: User, changes: Changes) -> None:
    """Changes what was named.

    Raises:
        IntegrityError: The email is taken.
    """
    for name, value in changes.items():
        if name != "password":
            setattr(user, name, value)
    if "password" in changes:
        user.hashed_password = await hashed(changes["password"])
    await session.flush()


async def _columns(new: NewUser) -> dict[str, Any]:
    known = new.model_dump(exclude={"password", "items"})
    return {**known, "hashed_password": await hashed(new.password)}


def _insert_all(session: Session, rows: list[dict[str, Any]]) -> None:
    session.execute(insert(User), rows)
