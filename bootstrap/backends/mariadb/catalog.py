"""MariaDB's catalogue: as MySQL's, in other words here and there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from sqlalchemy import Connection, text

from bootstrap.backends.mysql.catalog import MySQLCatalog
from bootstrap.backends.mysql.catalog.wording import Wording
from bootstrap.schema.model import Schema
from bootstrap.schema.model import Sequence as SequenceObject


class MariaDBWording(Wording):
    """How MariaDB 10.6 and later write their catalogue."""

    backend: ClassVar[str] = "mariadb"
    columns: ClassVar[Mapping[str, str]] = {
        "srid": "NULL",
        "visible": "IGNORED",
        "key_expression": "NULL",
        "enforced": "'YES'",
        "check_table": "TABLE_NAME",
        "check_level": "`LEVEL`",
    }

    def default(self, row: Any) -> str | None:
        """The default, which is SQL since 10.2.7; a nullable column without one has `NULL`."""
        if row.written is None or row.written == "NULL":
            return None
        return str(row.written)

    def expression(self, text: str) -> str:
        """An expression as it is."""
        return text

    def pads(self, collation: str) -> bool:
        """Whether spaces at the end are ignored: by all whose name does not say otherwise."""
        return "_nopad_" not in collation and collation != "binary"

    def is_invisible(self, index: Any) -> bool:
        """Whether the optimizer ignores the index."""
        return bool(index.visible == "YES")

    def check_by_server(self, table: str, check: Any) -> bool:
        """Whether nobody named the check: that of a column has the column's name."""
        numbered = check.name.startswith("CONSTRAINT_") and check.name[11:].isdigit()
        return bool(check.level == "Column" or numbered)


class MariaDBCatalog(MySQLCatalog):
    """Reads information_schema, and the sequences, which are tables here."""

    wording: ClassVar[Wording] = MariaDBWording()

    def read(self, connection: Connection, tables: Sequence[str] | None = None) -> Schema:
        """Reads the schema, or only the tables named."""
        schema = super().read(connection, tables)
        names = connection.execute(
            text(
                "SELECT TABLE_NAME FROM information_schema.TABLES "
                "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'SEQUENCE'"
            )
        ).scalars()
        fold = str.lower if schema.folds_names else str
        wanted = None if tables is None else frozenset(map(fold, tables))
        found = [_sequence(connection, one) for one in names if not wanted or fold(one) in wanted]
        return replace(schema, sequences=tuple(found))


def _sequence(connection: Connection, name: str) -> SequenceObject:
    quoted = connection.dialect.identifier_preparer.quote_identifier(name)
    row = connection.exec_driver_sql(
        "SELECT start_value, increment, minimum_value, maximum_value, cache_size, "  # noqa: S608 - a quoted name
        f"cycle_option FROM {quoted}"
    ).one()
    return SequenceObject(
        name=name,
        type="bigint",
        start=row.start_value,
        increment=row.increment,
        minimum=row.minimum_value,
        maximum=row.maximum_value,
        cache=row.cache_size,
        cycle=bool(row.cycle_option),
    )
