"""What belongs to the extensions of a database."""

from __future__ import annotations

from sqlalchemy import Connection, text

# Ordinary, partitioned and foreign tables, as SQLAlchemy lists them; `e` is for members of an
# extension (postgresql.org/docs/current/catalog-pg-depend.html).
_TABLES = text("""
    SELECT spaces.nspname, tables.relname
    FROM pg_catalog.pg_depend AS members
    JOIN pg_catalog.pg_class AS tables ON tables.oid = members.objid
    JOIN pg_catalog.pg_namespace AS spaces ON spaces.oid = tables.relnamespace
    WHERE members.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND members.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
    AND members.deptype = 'e'
    AND tables.relkind IN ('r', 'p', 'f')
""")


def tables_of_extensions(connection: Connection) -> frozenset[tuple[str | None, str]]:
    """The tables that extensions made, such as `spatial_ref_sys` of PostGIS, with their schemas."""
    return frozenset((row[0], row[1]) for row in connection.execute(_TABLES))
