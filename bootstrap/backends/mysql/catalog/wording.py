"""Where MySQL and MariaDB say the same in other words: MySQL's words, which MariaDB overrides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

_LITERALS = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?|b'[01]*'|0x[0-9a-fA-F]*|NULL")
_ESCAPED = re.compile(r"\\([\\'])")
_WITHOUT_QUOTES = {"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float"} | {
    "double",
    "bit",
    "year",
}


class Wording:
    """How MySQL 8 and later write their catalogue."""

    backend: ClassVar[str] = "mysql"
    columns: ClassVar[Mapping[str, str]] = {
        "srid": "SRS_ID",
        "visible": "IS_VISIBLE",
        "key_expression": "EXPRESSION",
        "enforced": "ENFORCED",
        "check_table": "NULL",
        "check_level": "NULL",
    }

    def default(self, row: Any) -> str | None:
        """The default as SQL: literals come without quotes, expressions are marked."""
        written = row.written
        if written is None:
            return None
        if "DEFAULT_GENERATED" in row.extra:
            return self.expression(written)
        if row.base.lower() in _WITHOUT_QUOTES and _LITERALS.fullmatch(written):
            return str(written)
        quoted = written.replace("\\", "\\\\").replace("'", "''")
        return f"'{quoted}'"

    def expression(self, text: str) -> str:
        """An expression, whose quotes and backslashes MySQL gives with one before them."""
        return _ESCAPED.sub(r"\1", text)

    def pads(self, collation: str) -> bool:
        """Whether spaces at the end are ignored: not by the newer ones ("Pad Attributes")."""
        return "_0900_" not in collation and collation != "binary"

    def is_invisible(self, index: Any) -> bool:
        """Whether the optimizer passes the index by."""
        return bool(index.visible == "NO")

    def check_by_server(self, table: str, check: Any) -> bool:
        """Whether nobody named the check."""
        return re.fullmatch(re.escape(table) + r"_chk_\d+", check.name, re.IGNORECASE) is not None
