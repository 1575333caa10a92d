"""SQLite's result codes (sqlite.org/rescode.html) as reasons."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError

from bootstrap.backends.base import Failure, Reason
from bootstrap.backends.chain import causes, one_line

_REASONS = {
    sqlite3.SQLITE_PERM: Reason.NO_RIGHT,
    sqlite3.SQLITE_AUTH: Reason.NO_RIGHT,
    sqlite3.SQLITE_READONLY: Reason.READ_ONLY,
    sqlite3.SQLITE_BUSY: Reason.BUSY,
    sqlite3.SQLITE_LOCKED: Reason.BUSY,
    sqlite3.SQLITE_CANTOPEN: Reason.CANNOT_OPEN,
    sqlite3.SQLITE_NOTADB: Reason.NOT_A_DATABASE,
    sqlite3.SQLITE_CORRUPT: Reason.NOT_A_DATABASE,
}
_PRIMARY = 0xFF  # an extended result code keeps the primary one in its lowest byte


class SQLiteErrors:
    """Reads the result code that Python's `sqlite3` keeps on its exceptions."""

    def translate(self, error: BaseException) -> Failure | None:
        """Translates an exception of the driver or of SQLAlchemy; None when it is another's."""
        for cause in causes(error):
            code = getattr(cause, "sqlite_errorcode", None)
            if code is not None:
                reason = _REASONS.get(code & _PRIMARY, Reason.STATEMENT)
                name = getattr(cause, "sqlite_errorname", "")
                return Failure(reason=reason, code=name, text=one_line(cause))
            if reason_of_file := _file_reason(cause):
                return Failure(reason=reason_of_file, code="", text=one_line(cause))
        if isinstance(error, DBAPIError):
            return Failure(reason=Reason.STATEMENT, code="", text=one_line(error.orig))
        return None


def _file_reason(error: BaseException) -> Reason | None:
    match error:
        case FileExistsError():
            return Reason.DATABASE_EXISTS
        case FileNotFoundError():
            return Reason.NO_DATABASE
        case PermissionError():
            return Reason.NO_RIGHT
        case OSError():
            return Reason.CANNOT_OPEN
    return None
