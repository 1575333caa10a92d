"""What is asked of PostgreSQL's catalogue: one query for each kind of thing, of all tables at once.

Names instead of oids stand in the rows, so that they are the same in a copy of the database.
Objects of extensions and of system schemas are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, text

Rows = Mapping[str, Sequence[Any]]

# "public" and what else names without a schema mean; empty in the model.
_SCHEMA = "CASE WHEN n.nspname = current_schema() THEN '' ELSE CAST(n.nspname AS text) END"
_OURS = (
    r"n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema' AND NOT EXISTS (SELECT 1 "
    "FROM pg_depend e WHERE e.classid = {catalogue} AND e.objid = {oid} AND e.deptype = 'e')"
)
_RELATION = _OURS.format(catalogue="CAST('pg_class' AS regclass)", oid="c.oid")
_TYPE = _OURS.format(catalogue="CAST('pg_type' AS regclass)", oid="t.oid")
_ROUTINE = _OURS.format(catalogue="CAST('pg_proc' AS regclass)", oid="p.oid")
_NAMED = (
    " AND (n.nspname = current_schema() AND c.relname IN :names"
    " OR n.nspname || '.' || c.relname IN :names)"
)
_OF_TABLE = "JOIN pg_class c ON c.oid = {oid} JOIN pg_namespace n ON n.oid = c.relnamespace"

RELATIONS = f"""
SELECT {_SCHEMA} AS schema, CAST(c.relname AS text) AS name, CAST(c.relkind AS text) AS kind,
    CAST(c.relpersistence AS text) AS persistence, CAST(c.reloptions AS text[]) AS options,
    c.relrowsecurity AS row_security, c.relforcerowsecurity AS row_security_forced,
    CAST(c.relreplident AS text) AS replica_identity, pg_get_partkeydef(c.oid) AS partitioning,
    CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END AS bounds,
    ARRAY(SELECT CAST(CAST(i.inhparent AS regclass) AS text) FROM pg_inherits i
        WHERE i.inhrelid = c.oid ORDER BY i.inhseqno) AS parents,
    CAST(s.spcname AS text) AS tablespace, CAST(am.amname AS text) AS method,
    obj_description(c.oid, 'pg_class') AS comment,
    CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS query,
    CAST(c.relacl AS text) AS rights, pg_get_userbyid(c.relowner) AS owner
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace LEFT JOIN pg_am am ON am.oid = c.relam
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {_RELATION}
"""
# Seen in 15.20: ALTER COLUMN ... TYPE leaves a number of the server's own among the options, which
# pg_dump leaves out too.
_COLUMN_OPTIONS = (
    "CASE WHEN a.attoptions IS NOT NULL THEN "
    "ARRAY(SELECT o.o FROM unnest(CAST(a.attoptions AS text[])) o(o) "
    "WHERE left(o.o, 10) <> 'pg_attver=') END"
)
COLUMNS = f"""
SELECT {_SCHEMA} AS schema, CAST(c.relname AS text) AS "table", a.attnum AS place,
    CAST(a.attname AS text) AS name, format_type(a.atttypid, a.atttypmod) AS type,
    CAST(b.typname AS text) AS base,
    CAST(b.typtype AS text) AS base_kind, CAST(e.typname AS text) AS element,
    CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END AS domain_type,
    a.attnotnull AS not_null, pg_get_expr(d.adbin, d.adrelid) AS expression,
    CAST(a.attidentity AS text) AS identity, CAST(a.attgenerated AS text) AS generated,
    CAST(l.collname AS text) AS collation, l.collisdeterministic AS deterministic,
    CASE WHEN a.attstorage <> t.typstorage THEN CAST(a.attstorage AS text) END AS storage,
    CAST(t.typstorage AS text) AS own_storage,
    {{compression}} AS compression, nullif(a.attstattarget, -1) AS statistics,
    {_COLUMN_OPTIONS} AS options,
    col_description(c.oid, a.attnum) AS comment,
    CASE WHEN b.typtype = 'e' THEN ARRAY(SELECT CAST(v.enumlabel AS text) FROM pg_enum v
        WHERE v.enumtypid = b.oid ORDER BY v.enumsortorder) END AS "values",
    a.attinhcount AS inherited,
    CAST(a.attacl AS text) AS rights
FROM pg_attribute a {_OF_TABLE.format(oid="a.attrelid")}
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
LEFT JOIN pg_type e ON e.oid = b.typelem AND b.typcategory = 'A'
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_collation l ON l.oid = a.attcollation AND a.attcollation <> t.typcollation
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
    AND {_RELATION}
"""
_KEY_NAMES = (
    "ARRAY(SELECT CAST(a.attname AS text) FROM unnest(k.{key}) WITH ORDINALITY u(number, place) "
    "JOIN pg_attribute a ON a.attrelid = k.{of} AND a.attnum = u.number ORDER BY u.place)"
)
CONSTRAINTS = f"""
SELECT {_SCHEMA} AS schema, CAST(c.relname AS text) AS "table", CAST(k.conname AS text) AS name,
    CAST(k.contype AS text) AS kind, k.condeferrable AS deferrable, k.condeferred AS deferred,
    k.convalidated AS validated, {{enforced}} AS enforced, NOT k.connoinherit AS inherited,
    {_KEY_NAMES.format(key="conkey", of="conrelid")} AS columns,
    CASE WHEN fn.nspname = current_schema() THEN '' ELSE CAST(fn.nspname AS text) END
        AS other_schema,
    CAST(f.relname AS text) AS other_table,
    {_KEY_NAMES.format(key="confkey", of="confrelid")} AS other_columns,
    CAST(k.confupdtype AS text) AS on_update, CAST(k.confdeltype AS text) AS on_delete,
    CAST(k.confmatchtype AS text) AS match, {{set_columns}} AS set_columns,
    pg_get_constraintdef(k.oid) AS definition, pg_get_expr(k.conbin, k.conrelid) AS expression,
    CAST(i.relname AS text) AS backing, obj_description(k.oid, 'pg_constraint') AS comment,
    k.coninhcount AS parents
FROM pg_constraint k {_OF_TABLE.format(oid="k.conrelid")}
LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
LEFT JOIN pg_class i ON i.oid = k.conindid AND k.contype IN ('p', 'u', 'x')
WHERE k.contype IN ('p', 'u', 'c', 'f', 'x') AND {_RELATION}
"""
INDEXES = f"""
SELECT {_SCHEMA} AS schema, CAST(c.relname AS text) AS "table", CAST(i.relname AS text) AS name,
    x.indisunique AS "unique", x.indisvalid AND x.indisready AS valid, CAST(m.amname AS text) AS
    method, x.indnkeyatts AS keys, CAST(CAST(x.indkey AS int2[]) AS integer[]) AS numbers,
    CAST(CAST(x.indoption AS int2[]) AS integer[]) AS orders, {{nulls}} AS nulls_not_distinct,
    ARRAY(SELECT pg_get_indexdef(x.indexrelid, g.g, false)
        FROM generate_series(1, x.indnatts) g ORDER BY g.g) AS parts,
    ARRAY(SELECT CASE WHEN l.oid IS NULL OR l.oid = a.attcollation THEN ''
            ELSE CAST(l.collname AS text) END
        FROM unnest(CAST(x.indcollation AS oid[])) WITH ORDINALITY u(id, place)
        LEFT JOIN pg_collation l ON l.oid = u.id AND l.collname <> 'default'
        LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[u.place - 1]
        ORDER BY u.place) AS collations,
    ARRAY(SELECT CASE WHEN o.opcdefault THEN '' ELSE CAST(o.opcname AS text) END
        FROM unnest(CAST(x.indclass AS oid[])) WITH ORDINALITY u(id, place)
        JOIN pg_opclass o ON o.oid = u.id ORDER BY u.place) AS operators,
    pg_get_expr(x.indpred, x.indrelid) AS predicate, CAST(i.reloptions AS text[]) AS options,
    CAST(s.spcname AS text) AS tablespace, x.indisclustered AS clustered,
    x.indisreplident AS replica_identity, i.relispartition AS of_partition,
    pg_get_indexdef(x.indexrelid) AS definition,
    obj_description(i.oid, 'pg_class') AS comment
FROM pg_index x {_OF_TABLE.format(oid="x.indrelid")}
JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam
LEFT JOIN pg_tablespace s ON s.oid = i.reltablespace
WHERE c.relkind IN ('r', 'p', 'm') AND {_RELATION}
"""
TRIGGERS = f"""
SELECT {_SCHEMA} AS schema, CAST(c.relname AS text) AS "table", CAST(g.tgname AS text) AS name,
    pg_get_triggerdef(g.oid) AS definition, CAST(g.tgenabled AS text) AS enabled,
    obj_description(g.oid, 'pg_trigger') AS comment
FROM pg_trigger g {_OF_TABLE.format(oid="g.tgrelid")}
WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND {_RELATION}
"""
RULES = f"""
SELECT {_SCHEMA} AS schema, CAST(c.relname AS text) AS "table", CAST(r.rulename AS text) AS name,
    pg_get_ruledef(r.oid) AS definition, CAST(r.ev_enabled AS text) AS enabled
FROM pg_rewrite r {_OF_TABLE.format(oid="r.ev_class")}
WHERE r.rulename <> '_RETURN' AND {_RELATION}
"""
POLICIES = f"""
SELECT {_SCHEMA} AS schema, CAST(c.relname AS text) AS "table", CAST(p.polname AS text) AS name,
    CAST(p.polcmd AS text) AS command, p.polpermissive AS permissive,
    ARRAY(SELECT CASE WHEN r.id = 0 THEN 'public' ELSE CAST(pg_get_userbyid(r.id) AS text) END
        FROM unnest(p.polroles) r(id) ORDER BY 1) AS roles,
    pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS "check"
FROM pg_policy p {_OF_TABLE.format(oid="p.polrelid")} WHERE {_RELATION}
"""
SEQUENCES = f"""
SELECT {_SCHEMA} AS schema, CAST(c.relname AS text) AS name, format_type(q.seqtypid, NULL) AS type,
    q.seqstart AS start, q.seqincrement AS increment, q.seqmin AS minimum, q.seqmax AS maximum,
    q.seqcache AS cache, q.seqcycle AS cycle, CAST(c.relpersistence AS text) AS persistence,
    CAST(d.deptype AS text) AS belongs,
    CASE WHEN tn.nspname = current_schema() THEN '' ELSE CAST(tn.nspname AS text) END
        AS table_schema,
    CAST(o.relname AS text) AS "table", CAST(a.attname AS text) AS "column",
    obj_description(c.oid, 'pg_class') AS comment, CAST(c.relacl AS text) AS rights
FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_depend d ON d.classid = CAST('pg_class' AS regclass) AND d.objid = c.oid
    AND d.refclassid = CAST('pg_class' AS regclass) AND d.refobjsubid > 0
    AND d.deptype IN ('a', 'i')
LEFT JOIN pg_class o ON o.oid = d.refobjid LEFT JOIN pg_namespace tn ON tn.oid = o.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE {_RELATION}
"""
TYPES = f"""
SELECT {_SCHEMA} AS schema, CAST(t.typname AS text) AS name, CAST(t.typtype AS text) AS kind,
    ARRAY(SELECT CAST(v.enumlabel AS text) FROM pg_enum v WHERE v.enumtypid = t.oid
        ORDER BY v.enumsortorder) AS "values",
    CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod)
        WHEN t.typtype = 'r' THEN (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r
            WHERE r.rngtypid = t.oid) END AS base,
    t.typnotnull AS not_null, t.typdefault AS "default",
    ARRAY(SELECT k.conname || ' ' || pg_get_constraintdef(k.oid) FROM pg_constraint k
        WHERE k.contypid = t.oid AND k.contype = 'c' ORDER BY k.conname) AS checks,
    ARRAY(SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
        WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum) AS attributes,
    obj_description(t.oid, 'pg_type') AS comment
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c') AND {_TYPE}
"""
ROUTINES = f"""
SELECT {_SCHEMA} AS schema, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'
    AS name, CASE WHEN p.prokind = 'a' THEN 'AGGREGATE' ELSE pg_get_functiondef(p.oid) END
    AS definition, obj_description(p.oid, 'pg_proc') AS comment, CAST(p.proacl AS text) AS rights
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {_ROUTINE}
"""
STATISTICS = f"""
SELECT {_SCHEMA} AS schema, CAST(x.stxname AS text) AS name,
    pg_get_statisticsobjdef(x.oid) AS definition
FROM pg_statistic_ext x JOIN pg_class c ON c.oid = x.stxrelid
JOIN pg_namespace n ON n.oid = x.stxnamespace WHERE {_RELATION}
"""
SCHEMAS = r"""
SELECT CAST(n.nspname AS text) AS name, obj_description(n.oid, 'pg_namespace') AS comment,
    CAST(n.nspacl AS text) AS rights
FROM pg_namespace n WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
    AND n.nspname <> coalesce(current_schema(), '')
    AND NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.objid = n.oid AND e.deptype = 'e'
        AND e.classid = CAST('pg_namespace' AS regclass))
"""
EXTENSIONS = """
SELECT CAST(x.extname AS text) AS name, CAST(x.extversion AS text) AS version
FROM pg_extension x WHERE x.extname <> 'plpgsql'
"""
DATABASE = """
SELECT pg_encoding_to_char(d.encoding) AS charset, CAST(d.datcollate AS text) AS collation
FROM pg_database d WHERE d.datname = current_database()
"""
_OF_TABLES = {
    "relations": RELATIONS,
    "columns": COLUMNS,
    "constraints": CONSTRAINTS,
    "indexes": INDEXES,
    "triggers": TRIGGERS,
    "rules": RULES,
    "policies": POLICIES,
    "statistics": STATISTICS,
}
_OF_DATABASE = {
    "types": TYPES,
    "routines": ROUTINES,
    "schemas": SCHEMAS,
    "extensions": EXTENSIONS,
    "database": DATABASE,
}


def rows(connection: Connection, tables: Sequence[str] | None) -> Rows:
    """Asks the catalogue; all tables unless some are named, by name or `schema.name`."""
    version = connection.dialect.server_version_info or (0,)
    newer = {
        "compression": "CAST(a.attcompression AS text)" if version >= (14,) else "''",
        "nulls": "x.indnullsnotdistinct" if version >= (15,) else "false",
        "set_columns": _KEY_NAMES.format(key="confdelsetcols", of="conrelid")
        if version >= (15,)
        else "CAST('{}' AS text[])",
        "enforced": "k.conenforced" if version >= (18,) else "true",
    }
    found = {name: _asked(connection, query, tables, newer) for name, query in _OF_TABLES.items()}
    found["sequences"] = _asked(connection, SEQUENCES, None, newer)
    if tables is None:
        found |= {name: _asked(connection, sql, None, newer) for name, sql in _OF_DATABASE.items()}
    return found


def _asked(
    connection: Connection, query: str, tables: Sequence[str] | None, newer: Mapping[str, str]
) -> Sequence[Any]:
    for name, sql in newer.items():
        query = query.replace(f"{{{name}}}", sql)
    if tables is None:
        return connection.execute(text(query)).all()
    statement = text(query + _NAMED).bindparams(bindparam("names", expanding=True))
    return connection.execute(statement, {"names": list(tables)}).all()
