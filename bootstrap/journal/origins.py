"""Where a statement comes from, and what it raised, so that it can be raised again."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, cast

from sqlalchemy import Connection

from bootstrap.journal.entries import Outcome, Part, Refusal


def line(part: Part) -> int | None:
    """The line of the revision's file that is being run."""
    name = str(part.path)
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - its documented name
    while frame is not None:
        if frame.f_code.co_filename == name:
            return frame.f_lineno
        frame = frame.f_back
    return None


def refused(error: Exception) -> Outcome:
    """An exception of the driver, to be kept."""
    names = tuple(one.__name__ for one in type(error).__mro__ if issubclass(one, Exception))
    state = getattr(error, "sqlstate", None)
    return Outcome(refusal=Refusal(names=names, arguments=tuple(error.args), state=state))


def exception(connection: Connection, refusal: Refusal) -> Exception:
    """The driver's exception again, so that SQLAlchemy and the revision take it for what it was."""
    driver: Any = connection.dialect.loaded_dbapi
    rooms = (driver, getattr(driver, "errors", None))
    kinds = (getattr(room, name, None) for name in refusal.names for room in rooms)
    found: Any = next((kind for kind in kinds if kind is not None), driver.Error)(
        *refusal.arguments
    )
    if refusal.state and getattr(found, "sqlstate", None) != refusal.state:
        found.sqlstate = refusal.state
    return cast("Exception", found)
