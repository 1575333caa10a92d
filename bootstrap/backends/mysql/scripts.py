"""Scripts for the `mysql` and `mariadb` programs."""

from __future__ import annotations

from sqlalchemy import Dialect

from bootstrap.backends.scripts import PlainScripts

_DELIMITERS = ("//", "$$", "%%", "||", "@@", "~~")


class MySQLScripts(PlainScripts):
    """The client cuts at each semicolon, in the body of a trigger too, until told otherwise."""

    def prepare(self, dialect: Dialect) -> tuple[str, ...]:
        """Says in which character set the script is: the client goes by the locale."""
        return ("SET NAMES utf8mb4",)

    def terminated(self, statement: str) -> str:
        """Gives a statement that has semicolons in it a delimiter that it has not."""
        plain = super().terminated(statement)
        bare = plain.removesuffix(";")
        if ";" not in bare:
            return plain
        delimiter = next(one for one in _DELIMITERS if one not in bare)
        return f"DELIMITER {delimiter}\n{bare.rstrip()}\n{delimiter}\nDELIMITER ;"
