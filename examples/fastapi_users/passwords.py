"""Hashes of passwords; made in a thread, because they take time on purpose."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher

HASHER = PasswordHasher()


async def hashed(password: str) -> str:
    """The hash of a password; other requests go on meanwhile.

    Args:
        password: As it was typed.
    """
    return await asyncio.to_thread(HASHER.hash, password)
