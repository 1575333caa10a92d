"""How a script is written for the client program of a backend, the same on every backend."""

from __future__ import annotations

from sqlalchemy import Dialect


class PlainScripts:
    """Statements end with a semicolon."""

    def prepare(self, dialect: Dialect) -> tuple[str, ...]:
        """Makes a dialect that never connects write literals as the script's server reads them.

        Returns:
            The statements that the script begins with.
        """
        return ()

    def terminated(self, statement: str) -> str:
        """The statement with what ends it; a comment in its last line must not hide that."""
        bare = statement.strip().removesuffix(";")
        last = bare.rpartition("\n")[2]
        return f"{bare}\n;" if "--" in last or "#" in last else f"{bare};"
