"""A pool of asyncpg on the migrated schema: `python -m examples.drivers.with_asyncpg URL`."""

from __future__ import annotations

import asyncio
import sys

import asyncpg  # type: ignore[import-untyped]  # has no annotations

ADD = "INSERT INTO users (username, email, hashed_password) VALUES ($1, $2, $3) RETURNING id"
FIND = "SELECT id, username FROM users WHERE email = $1"


async def add_user(pool: asyncpg.Pool, username: str, email: str, hashed_password: str) -> int:
    """Inserts a user and gives the new id, which RETURNING brings back."""
    user_id: int = await pool.fetchval(ADD, username, email, hashed_password)
    return user_id


async def find_user(pool: asyncpg.Pool, email: str) -> tuple[int, str] | None:
    """The id and the name of the user with an email; values are bound, never written into SQL."""
    row = await pool.fetchrow(FIND, email)
    return (row["id"], row["username"]) if row else None


async def main(url: str) -> None:
    """Adds a user and finds them."""
    async with asyncpg.create_pool(url, min_size=1, max_size=5) as pool:
        user_id = await add_user(pool, "ada", "ada@example.org", "not a hash")
        print(user_id, await find_user(pool, "ada@example.org"))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
