"""The types of `bootstrap.types` on MariaDB."""

from __future__ import annotations

from typing import ClassVar

from bootstrap.backends.mysql.types import MySQLTypes


class MariaDBTypes(MySQLTypes):
    """As on MySQL, but for the name of the collation that does not pad."""

    # Since 10.2 (MariaDB Knowledge Base, "NO PAD Collations"); MySQL does not have it.
    collation: ClassVar[str] = "utf8mb4_nopad_bin"
