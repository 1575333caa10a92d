"""The example, which also says in which process it runs, and whose its engine is."""

from __future__ import annotations

import os

from examples.fastapi_users.app import app, database

_IMPORTED_IN = os.getpid()


@app.get("/pid")
async def pid() -> dict[str, int]:
    """This process, the one that has loaded the application, and its connections."""
    async with database.transaction() as session:
        await session.connection()
        return {"pid": os.getpid(), "imported_in": _IMPORTED_IN}
