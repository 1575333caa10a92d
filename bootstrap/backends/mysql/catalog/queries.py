"""What is asked of information_schema: one query for each kind of thing, of all tables at once.

No column with statistics is read, so `information_schema_stats_expiry` has no say. Nothing is
joined: MariaDB would open every table of the server for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, text

Rows = Mapping[str, Sequence[Any]]

_HERE = "DATABASE()"
TABLES = f"""
SELECT TABLE_NAME AS name, TABLE_TYPE AS kind, ENGINE AS engine, TABLE_COLLATION AS collation,
    CREATE_OPTIONS AS options, TABLE_COMMENT AS comment
FROM information_schema.TABLES WHERE TABLE_SCHEMA = {_HERE}
"""
COLUMNS = f"""
SELECT '' AS `schema`, TABLE_NAME AS `table`, COLUMN_NAME AS name, ORDINAL_POSITION AS place,
    COLUMN_DEFAULT AS written, IS_NULLABLE AS nullable, DATA_TYPE AS base, COLUMN_TYPE AS type,
    CHARACTER_MAXIMUM_LENGTH AS length, NUMERIC_PRECISION AS `precision`,
    NUMERIC_SCALE AS scale, DATETIME_PRECISION AS fraction, CHARACTER_SET_NAME AS charset,
    COLLATION_NAME AS collation, EXTRA AS extra, GENERATION_EXPRESSION AS expression,
    COLUMN_COMMENT AS comment, {{srid}} AS srid
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {_HERE}
"""
INDEXES = f"""
SELECT '' AS `schema`, TABLE_NAME AS `table`, INDEX_NAME AS name, NON_UNIQUE AS non_unique,
    SEQ_IN_INDEX AS place, COLUMN_NAME AS `column`, COLLATION AS `order`, SUB_PART AS prefix,
    INDEX_TYPE AS method, INDEX_COMMENT AS comment, {{visible}} AS visible,
    {{key_expression}} AS expression
FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = {_HERE}
"""
CONSTRAINTS = f"""
SELECT '' AS `schema`, TABLE_NAME AS `table`, CONSTRAINT_NAME AS name, CONSTRAINT_TYPE AS kind,
    {{enforced}} AS enforced
FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = {_HERE}
"""
REFERENCES = f"""
SELECT '' AS `schema`, TABLE_NAME AS `table`, CONSTRAINT_NAME AS name, ORDINAL_POSITION AS place,
    COLUMN_NAME AS `column`, NULLIF(REFERENCED_TABLE_SCHEMA, {_HERE}) AS other_schema,
    REFERENCED_TABLE_NAME AS other_table, REFERENCED_COLUMN_NAME AS other_column
FROM information_schema.KEY_COLUMN_USAGE
WHERE TABLE_SCHEMA = {_HERE} AND REFERENCED_TABLE_NAME IS NOT NULL
"""
ACTIONS = f"""
SELECT TABLE_NAME AS `table`, CONSTRAINT_NAME AS name, UPDATE_RULE AS on_update,
    DELETE_RULE AS on_delete
FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = {_HERE}
"""
CHECKS = f"""
SELECT CONSTRAINT_NAME AS name, CHECK_CLAUSE AS clause, {{check_table}} AS `table`,
    {{check_level}} AS `level`
FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = {_HERE}
"""
TRIGGERS = f"""
SELECT '' AS `schema`, EVENT_OBJECT_TABLE AS `table`, TRIGGER_NAME AS name,
    ACTION_TIMING AS timing, EVENT_MANIPULATION AS event, ACTION_ORDER AS place,
    ACTION_STATEMENT AS statement, SQL_MODE AS mode, DEFINER AS definer
FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {_HERE}
"""
PARTITIONS = f"""
SELECT '' AS `schema`, TABLE_NAME AS `table`, PARTITION_NAME AS name,
    SUBPARTITION_NAME AS subname, PARTITION_ORDINAL_POSITION AS place,
    SUBPARTITION_ORDINAL_POSITION AS subplace, PARTITION_METHOD AS method,
    PARTITION_EXPRESSION AS expression, PARTITION_DESCRIPTION AS description,
    SUBPARTITION_METHOD AS submethod, SUBPARTITION_EXPRESSION AS subexpression
FROM information_schema.PARTITIONS
WHERE TABLE_SCHEMA = {_HERE} AND PARTITION_NAME IS NOT NULL
"""
VIEWS = f"""
SELECT TABLE_NAME AS name, VIEW_DEFINITION AS query, CHECK_OPTION AS checked,
    SECURITY_TYPE AS security, DEFINER AS definer
FROM information_schema.VIEWS WHERE TABLE_SCHEMA = {_HERE}
"""
ROUTINES = f"""
SELECT ROUTINE_NAME AS name, ROUTINE_TYPE AS kind, ROUTINE_DEFINITION AS body,
    DTD_IDENTIFIER AS `returns`, IS_DETERMINISTIC AS `deterministic`,
    SQL_DATA_ACCESS AS `access`, SECURITY_TYPE AS security, SQL_MODE AS mode,
    ROUTINE_COMMENT AS comment
FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {_HERE}
"""
PARAMETERS = f"""
SELECT SPECIFIC_NAME AS name, ROUTINE_TYPE AS kind, ORDINAL_POSITION AS place,
    PARAMETER_MODE AS direction, PARAMETER_NAME AS parameter, DTD_IDENTIFIER AS type
FROM information_schema.PARAMETERS WHERE SPECIFIC_SCHEMA = {_HERE} AND ORDINAL_POSITION > 0
"""
EVENTS = f"""
SELECT EVENT_NAME AS name, EVENT_DEFINITION AS body, EVENT_TYPE AS kind,
    EXECUTE_AT AS at, INTERVAL_VALUE AS number, INTERVAL_FIELD AS unit, STATUS AS status,
    ON_COMPLETION AS completion, EVENT_COMMENT AS comment
FROM information_schema.EVENTS WHERE EVENT_SCHEMA = {_HERE}
"""
DATABASE = f"""
SELECT DEFAULT_CHARACTER_SET_NAME AS charset, DEFAULT_COLLATION_NAME AS collation
FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {_HERE}
"""
_OF_TABLES = {
    "tables": (TABLES, "TABLE_NAME"),
    "columns": (COLUMNS, "TABLE_NAME"),
    "indexes": (INDEXES, "TABLE_NAME"),
    "constraints": (CONSTRAINTS, "TABLE_NAME"),
    "references": (REFERENCES, "TABLE_NAME"),
    "actions": (ACTIONS, "TABLE_NAME"),
    "triggers": (TRIGGERS, "EVENT_OBJECT_TABLE"),
    "partitions": (PARTITIONS, "TABLE_NAME"),
    "views": (VIEWS, "TABLE_NAME"),
}
_OF_DATABASE = {
    "routines": ROUTINES,
    "parameters": PARAMETERS,
    "events": EVENTS,
    "database": DATABASE,
}


def rows(connection: Connection, tables: Sequence[str] | None, columns: Mapping[str, str]) -> Rows:
    """Asks for everything; all tables unless some are named.

    Args:
        connection: To the database.
        tables: Names.
        columns: What the product calls the columns that not every product has.
    """
    found = {
        name: _asked(connection, query, columns, named=(column, tables))
        for name, (query, column) in _OF_TABLES.items()
    }
    found["checks"] = _asked(connection, CHECKS, columns)
    if tables is None:
        found |= {name: _asked(connection, sql, columns) for name, sql in _OF_DATABASE.items()}
    return found


def database(connection: Connection) -> str:
    """The name of the database, as the server writes it before names of tables."""
    return str(connection.scalar(text("SELECT DATABASE()")))


def folds_names(connection: Connection) -> bool:
    """Whether the server takes names of tables as the same in capitals and small letters.

    With lower_case_table_names = 1 it keeps them in small letters, with 2 as they were written
    (MySQL manual, "Identifier Case Sensitivity").
    """
    return bool(connection.scalar(text("SELECT @@lower_case_table_names")))


def _asked(
    connection: Connection,
    query: str,
    columns: Mapping[str, str],
    *,
    named: tuple[str, Sequence[str] | None] = ("", None),
) -> Sequence[Any]:
    query = query.format(**columns)
    column, names = named
    if names is None:
        return connection.execute(text(query)).all()
    statement = text(f"{query} AND {column} IN :names")
    statement = statement.bindparams(bindparam("names", expanding=True))
    return connection.execute(statement, {"names": list(names)}).all()
