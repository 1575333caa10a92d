"""A column `x` of each type, in each form that people write it in."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.types import TypeEngine

from bootstrap import types as ours

Type = TypeEngine[Any]
_ON_MYSQL = ("mysql", "mariadb")


class Colour(enum.Enum):
    """An enum of Python, whose names are kept."""

    RED = 1
    GREEN = 2


class Wrapped(sa.TypeDecorator[str]):
    """A type of a project's own."""

    impl = sa.String(12)
    cache_ok = True


def on_postgresql(own: Type, else_: Type) -> Type:
    """A type that PostgreSQL alone has, and what stands in for it elsewhere."""
    return else_.with_variant(own, "postgresql")


def on_mysql(own: Type, else_: Type) -> Type:
    """A type that MySQL and MariaDB have, and what stands in for it elsewhere."""
    return else_.with_variant(own, *_ON_MYSQL)


_GENERIC: Mapping[str, Type] = {
    "integer": sa.Integer(),
    "small_integer": sa.SmallInteger(),
    "big_integer": sa.BigInteger(),
    "boolean": sa.Boolean(),
    "boolean_with_check": sa.Boolean(create_constraint=True, name="ck_boolean_with_check_x"),
    "numeric": sa.Numeric(),
    "numeric_10": sa.Numeric(10),
    "numeric_10_2": sa.Numeric(10, 2),
    "numeric_10_0": sa.Numeric(10, 0),
    "numeric_30_15": sa.Numeric(30, 15),
    "numeric_as_float": sa.Numeric(8, 3, asdecimal=False),
    "float": sa.Float(),
    "float_24": sa.Float(24),
    "float_53": sa.Float(53),
    "float_as_decimal": sa.Float(53, asdecimal=True),
    "double": sa.Double(),
    "string_1": sa.String(1),
    "string_50": sa.String(50),
    "string_255": sa.String(255),
    "string_4000": sa.String(4000),
    "unicode_50": sa.Unicode(50),
    "text": sa.Text(),
    "text_100": on_mysql(mysql.TEXT(100), sa.Text()),
    "text_100000": on_mysql(mysql.TEXT(100_000), sa.Text()),
    "unicode_text": sa.UnicodeText(),
    "large_binary": sa.LargeBinary(),
    "large_binary_100": on_mysql(sa.LargeBinary(100), sa.LargeBinary()),
    "pickle": sa.PickleType(),
    "date": sa.Date(),
    "time": sa.Time(),
    "time_with_zone": sa.Time(timezone=True),
    "date_time": sa.DateTime(),
    "date_time_with_zone": sa.DateTime(timezone=True),
    "interval": sa.Interval(),
    "interval_with_precision": sa.Interval(second_precision=3),
    "interval_not_native": sa.Interval(native=False),
    "uuid": sa.Uuid(),
    "uuid_as_text": sa.Uuid(as_uuid=False),
    "uuid_not_native": sa.Uuid(native_uuid=False),
    "json": sa.JSON(),
    "json_none_as_null": sa.JSON(none_as_null=True),
    "enum": sa.Enum("new", "old", name="state_of_enum"),
    "enum_of_python": sa.Enum(Colour, name="colour"),
    "enum_values": sa.Enum("a b", "it's", "ü", "", name="odd_values"),
    "enum_with_check": sa.Enum(
        "new", "old", name="state_of_check", native_enum=False, create_constraint=True
    ),
    "enum_without_check": sa.Enum("new", "old", name="state", native_enum=False),
    "enum_of_length_20": sa.Enum("new", "old", name="longer", native_enum=False, length=20),
    "decorated": Wrapped(),
}
_OF_SQL: Mapping[str, Type] = {
    "sql_bigint": sa.BIGINT(),
    "sql_binary_16": on_postgresql(postgresql.BYTEA(), sa.BINARY(16)),
    "sql_blob": on_postgresql(postgresql.BYTEA(), sa.BLOB()),
    "sql_boolean": sa.BOOLEAN(),
    "sql_char": sa.CHAR(),
    "sql_char_8": sa.CHAR(8),
    "sql_clob": sa.Text().with_variant(sa.CLOB(), "sqlite"),
    "sql_date": sa.DATE(),
    "sql_datetime": on_postgresql(postgresql.TIMESTAMP(), sa.DATETIME()),
    "sql_decimal": sa.DECIMAL(),
    "sql_decimal_12_4": sa.DECIMAL(12, 4),
    "sql_double": on_postgresql(sa.DOUBLE_PRECISION(), sa.DOUBLE()),
    "sql_double_precision": sa.DOUBLE_PRECISION(),
    "sql_float": sa.FLOAT(),
    "sql_int": sa.INT(),
    "sql_integer": sa.INTEGER(),
    "jsonb_of_sqlite": sa.JSON().with_variant(sqlite.JSONB(), "sqlite"),
    "sql_nchar_8": on_postgresql(sa.CHAR(8), sa.NCHAR(8)),
    "sql_nvarchar_20": on_postgresql(sa.VARCHAR(20), sa.NVARCHAR(20)),
    "sql_numeric": sa.NUMERIC(),
    "sql_numeric_7_1": sa.NUMERIC(7, 1),
    "sql_real": sa.REAL(),
    "sql_smallint": sa.SMALLINT(),
    "sql_text": sa.TEXT(),
    "sql_time": sa.TIME(),
    "sql_timestamp": sa.TIMESTAMP(),
    "sql_timestamp_with_zone": sa.TIMESTAMP(timezone=True),
    "sql_uuid": sa.Uuid().with_variant(sa.UUID(), "postgresql"),
    "sql_varbinary_40": on_postgresql(postgresql.BYTEA(), sa.VARBINARY(40)),
    "sql_varchar_20": sa.VARCHAR(20),
}
_OF_POSTGRESQL: Mapping[str, Type] = {
    "array_of_integers": on_postgresql(postgresql.ARRAY(sa.Integer), sa.JSON()),
    "array_of_strings": on_postgresql(postgresql.ARRAY(sa.String(5)), sa.JSON()),
    "array_of_two_dimensions": on_postgresql(postgresql.ARRAY(sa.Integer, dimensions=2), sa.JSON()),
    "array_of_sqlalchemy": on_postgresql(sa.ARRAY(sa.Text), sa.JSON()),
    "jsonb": on_postgresql(postgresql.JSONB(), sa.JSON()),
    "jsonpath": on_postgresql(postgresql.JSONPATH(), sa.String(200)),
    "inet": on_postgresql(postgresql.INET(), sa.String(43)),
    "cidr": on_postgresql(postgresql.CIDR(), sa.String(43)),
    "macaddr": on_postgresql(postgresql.MACADDR(), sa.String(17)),
    "macaddr8": on_postgresql(postgresql.MACADDR8(), sa.String(23)),
    "bytea": on_postgresql(postgresql.BYTEA(), sa.LargeBinary()),
    "bit_1": on_postgresql(postgresql.BIT(1), on_mysql(mysql.BIT(1), sa.Boolean())),
    "bit_8": on_postgresql(postgresql.BIT(8), on_mysql(mysql.BIT(8), sa.Integer())),
    "bit_varying": on_postgresql(postgresql.BIT(8, varying=True), sa.String(8)),
    "interval_of_postgresql": on_postgresql(postgresql.INTERVAL(), sa.Interval()),
    "interval_of_days": on_postgresql(postgresql.INTERVAL(fields="DAY"), sa.Interval()),
    "int4range": on_postgresql(postgresql.INT4RANGE(), sa.String(40)),
    "int8range": on_postgresql(postgresql.INT8RANGE(), sa.String(60)),
    "numrange": on_postgresql(postgresql.NUMRANGE(), sa.String(60)),
    "daterange": on_postgresql(postgresql.DATERANGE(), sa.String(30)),
    "tsrange": on_postgresql(postgresql.TSRANGE(), sa.String(70)),
    "tstzrange": on_postgresql(postgresql.TSTZRANGE(), sa.String(70)),
    "int4multirange": on_postgresql(postgresql.INT4MULTIRANGE(), sa.Text()),
    "int8multirange": on_postgresql(postgresql.INT8MULTIRANGE(), sa.Text()),
    "nummultirange": on_postgresql(postgresql.NUMMULTIRANGE(), sa.Text()),
    "datemultirange": on_postgresql(postgresql.DATEMULTIRANGE(), sa.Text()),
    "tsmultirange": on_postgresql(postgresql.TSMULTIRANGE(), sa.Text()),
    "tstzmultirange": on_postgresql(postgresql.TSTZMULTIRANGE(), sa.Text()),
    "regconfig": on_postgresql(postgresql.REGCONFIG(), sa.String(100)),
    "money": on_postgresql(postgresql.MONEY(), sa.Numeric(19, 2)),
    "oid": on_postgresql(postgresql.OID(), sa.BigInteger()),
    "regclass": on_postgresql(postgresql.REGCLASS(), sa.String(100)),
    "tsvector": on_postgresql(postgresql.TSVECTOR(), sa.Text()),
    "tsquery": on_postgresql(postgresql.TSQUERY(), sa.Text()),
    "time_of_milliseconds": on_postgresql(
        postgresql.TIME(precision=3), on_mysql(mysql.TIME(fsp=3), sa.Time())
    ),
    "named_enum": sa.Enum("new", "old", name="state_of_postgresql").with_variant(
        sa.String(3), "mysql", "mariadb", "sqlite"
    ),
}
_OF_MYSQL: Mapping[str, Type] = {
    "tinyint": on_mysql(mysql.TINYINT(), sa.SmallInteger()),
    "tinyint_1": on_mysql(mysql.TINYINT(1), sa.Boolean()),
    "tinyint_unsigned": on_mysql(mysql.TINYINT(unsigned=True), sa.SmallInteger()),
    "mediumint": on_mysql(mysql.MEDIUMINT(), sa.Integer()),
    "integer_unsigned": on_mysql(mysql.INTEGER(unsigned=True), sa.BigInteger()),
    "integer_unsigned_of_same_size": on_mysql(mysql.INTEGER(unsigned=True), sa.Integer()),
    "integer_display_width": on_mysql(mysql.INTEGER(11), sa.Integer()),
    "bigint_unsigned": on_mysql(mysql.BIGINT(unsigned=True), sa.Numeric(20, 0)),
    "decimal_unsigned": on_mysql(mysql.DECIMAL(10, 2, unsigned=True), sa.Numeric(10, 2)),
    "year": on_mysql(mysql.YEAR(), sa.SmallInteger()),
    "set": on_mysql(mysql.SET("a", "b"), sa.String(3)),
    "enum_of_mysql": on_mysql(mysql.ENUM("a", "b"), sa.String(1)),
    "tinytext": on_mysql(mysql.TINYTEXT(), sa.Text()),
    "mediumtext": on_mysql(mysql.MEDIUMTEXT(), sa.Text()),
    "longtext": on_mysql(mysql.LONGTEXT(), sa.Text()),
    "tinyblob": on_mysql(mysql.TINYBLOB(), sa.LargeBinary()),
    "mediumblob": on_mysql(mysql.MEDIUMBLOB(), sa.LargeBinary()),
    "longblob": on_mysql(mysql.LONGBLOB(), sa.LargeBinary()),
    "datetime_of_microseconds": on_mysql(mysql.DATETIME(fsp=6), sa.DateTime()),
    "datetime_of_milliseconds": on_mysql(mysql.DATETIME(fsp=3), sa.DateTime()),
    "timestamp_of_microseconds": on_mysql(mysql.TIMESTAMP(fsp=6), sa.DateTime(timezone=True)),
    "time_of_microseconds": on_mysql(mysql.TIME(fsp=6), sa.Time()),
    "float_of_mysql": on_mysql(mysql.FLOAT(), sa.REAL()),
    "double_of_mysql": on_mysql(mysql.DOUBLE(), sa.Double()),
    "string_of_binary_collation": on_mysql(
        mysql.VARCHAR(20, collation="utf8mb4_bin"), sa.String(20)
    ),
    "string_of_latin1": on_mysql(mysql.VARCHAR(20, charset="latin1"), sa.String(20)),
    "string_of_ascii": on_mysql(
        mysql.VARCHAR(20, charset="ascii", collation="ascii_bin"), sa.String(20)
    ),
    "inet4": sa.String(15).with_variant(mysql.INET4(), "mariadb"),
    "inet6": sa.String(39).with_variant(mysql.INET6(), "mariadb"),
    "char_of_ascii": on_mysql(mysql.CHAR(36, charset="ascii"), sa.CHAR(36)),
}
_COLLATED: Mapping[str, Type] = {
    "collation_c": on_postgresql(sa.String(20, collation="C"), sa.String(20)),
    "collation_binary": on_mysql(
        sa.String(20, collation="utf8mb4_bin"),
        on_postgresql(sa.String(20, collation="C"), sa.String(20, collation="BINARY")),
    ),
    "collation_nocase": on_postgresql(
        sa.String(20), on_mysql(sa.String(20), sa.String(20, collation="NOCASE"))
    ),
    "collation_rtrim": on_postgresql(
        sa.String(20), on_mysql(sa.String(20), sa.String(20, collation="RTRIM"))
    ),
    "collation_of_text": on_mysql(sa.Text(collation="utf8mb4_bin"), sa.Text()),
}
_OURS: Mapping[str, Type] = {
    "exact_string": ours.ExactString(30),
    "utc_date_time": ours.UtcDateTime(),
    "exact_decimal": ours.ExactDecimal(12, 4),
}
TYPES: Mapping[str, Type] = {
    **_GENERIC,
    **_OF_SQL,
    **_OF_POSTGRESQL,
    **_OF_MYSQL,
    **_COLLATED,
    **_OURS,
}
