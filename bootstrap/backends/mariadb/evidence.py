"""What tells on MariaDB whether a statement was carried out."""

from __future__ import annotations

from typing import ClassVar

from bootstrap.backends.mysql.journal.evidence import Evidence


class MariaDBEvidence(Evidence):
    """As on MySQL; but what drops several tables, or replaces one, may be left half done."""

    ids: ClassVar[str] = "SELECT NAME, TABLE_ID FROM information_schema.INNODB_SYS_TABLES"
    by_parts: ClassVar[bool] = True
