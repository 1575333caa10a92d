"""A pool of aiomysql on the migrated schema: `python -m examples.drivers.with_aiomysql URL`."""

from __future__ import annotations

import asyncio
import sys
from typing import Any
from urllib.parse import unquote, urlsplit

import aiomysql  # type: ignore[import-untyped]  # has no annotations

ADD = "INSERT INTO users (username, email, hashed_password) VALUES (%s, %s, %s)"
FIND = "SELECT id, username FROM users WHERE email = %s"


def arguments(url: str) -> dict[str, Any]:
    """The parts of a URL as the driver takes them: it knows no URLs."""
    parts = urlsplit(url)
    return {
        "host": parts.hostname or "localhost",
        "port": parts.port or 3306,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "db": parts.path.lstrip("/"),
        "charset": "utf8mb4",
    }


async def add_user(pool: aiomysql.Pool, username: str, email: str, hashed_password: str) -> int:
    """Inserts a user and gives the new id, which the cursor has as `lastrowid`."""
    async with pool.acquire() as connection, connection.cursor() as cursor:
        await cursor.execute(ADD, (username, email, hashed_password))
        await connection.commit()  # each connection begins in a transaction
        user_id: int = cursor.lastrowid
        return user_id


async def find_user(pool: aiomysql.Pool, email: str) -> tuple[int, str] | None:
    """The id and the name of the user with an email; the driver quotes the values."""
    async with pool.acquire() as connection, connection.cursor() as cursor:
        await cursor.execute(FIND, (email,))
        row: tuple[int, str] | None = await cursor.fetchone()
        await connection.rollback()  # ends the transaction that the SELECT began
        return row


async def main(url: str) -> None:
    """Adds a user and finds them."""
    async with aiomysql.create_pool(minsize=1, maxsize=5, **arguments(url)) as pool:
        user_id = await add_user(pool, "ada", "ada@example.org", "not a hash")
        print(user_id, await find_user(pool, "ada@example.org"))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
