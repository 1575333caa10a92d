"""Laws of the canonical schema, on random ones."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import types
from enum import StrEnum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootstrap.errors import SettingsError
from bootstrap.schema.compare import all_changes, compare
from bootstrap.schema.document import digest, dumps, loads
from bootstrap.schema.model import Column, Index, Key, PrimaryKey, Schema, Table, Unique
from bootstrap.schema.types import Family, Type

LAWS = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
NAMES = st.sampled_from(["a", "b", "t", "t_a_key", "ä", 'we"ird', ""])


@cache
def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a declared type; names come from few, so that schemas have them in common."""
    if get_origin(kind) in (Union, types.UnionType):
        return st.one_of(
            *(st.none() if one is type(None) else values(one) for one in get_args(kind))
        )
    if get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        named = dataclasses.is_dataclass(inner) and "name" in get_type_hints(inner)
        unique = (lambda part: (part.name, getattr(part, "schema", ""))) if named else None
        return st.lists(st.deferred(lambda: values(inner)), max_size=2, unique_by=unique).map(tuple)
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.fixed_dictionaries({name: values(one) for name, one in hints.items()}).map(
            lambda given: kind(**given)  # type: ignore[operator]  # a class
        )
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return st.sampled_from(list(kind))
    return {str: NAMES, bool: st.booleans(), int: st.integers(-9, 9)}[kind]


SCHEMAS = values(Schema).map(
    lambda schema: dataclasses.replace(
        schema, backend="one" if schema.backend in ("a", "b") else "other"
    )
)


@LAWS
@given(SCHEMAS)
def test_a_schema_does_not_differ_from_itself(schema: Schema) -> None:
    assert () == all_changes(schema, schema)


@LAWS
@given(SCHEMAS, SCHEMAS)
def test_from_the_other_side_each_change_is_inverted(one: Schema, other: Schema) -> None:
    there = compare(one, other)
    back = [change.inverse() for change in compare(other, one)]

    assert sorted(map(repr, there)) == sorted(map(repr, back))


@LAWS
@given(SCHEMAS, SCHEMAS)
def test_schemas_of_one_backend_that_differ_have_changes(one: Schema, other: Schema) -> None:
    other = dataclasses.replace(
        other, backend=one.backend, charset=one.charset, collation=one.collation
    )

    assert (one == other) is (all_changes(one, other) == ())


@LAWS
@given(SCHEMAS)
def test_json_gives_back_the_same_schema(schema: Schema) -> None:
    again = loads(dumps(schema))

    assert schema == again
    assert (hash(schema), digest(schema)) == (hash(again), digest(again))


@LAWS
@given(SCHEMAS, SCHEMAS)
def test_schemas_have_one_digest_when_they_are_equal(one: Schema, other: Schema) -> None:
    assert (one == other) is (digest(one) == digest(other))


def small() -> Schema:
    column = Column(name="a", type=Type(family=Family.STRING, raw="varchar(3)", length=3))
    index = Index(name="i", keys=(Key(column="a"),))
    return Schema(backend="one", tables=(Table(name="t", columns=(column,), indexes=(index,)),))


def test_the_digest_is_the_same_in_another_process() -> None:
    code = (
        "from tests.unit.test_schema_values import small\n"
        "from bootstrap.schema.document import digest\nprint(digest(small()))"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]

    assert [digest(small())] * 2 == found


def test_the_order_in_which_parts_come_is_no_difference() -> None:
    uniques = (Unique(columns=("a",), name="u"), Unique(columns=("b",), name="v"))

    assert Table(name="t", uniques=uniques) == Table(name="t", uniques=uniques[::-1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "not a snapshot"),
        ('{"version": 99, "schema": {}}', "version 99, not 1"),
        ('{"version": 1, "schema": {}}', "cannot be read"),
        ('{"version": 1, "schema": {"backend": 1}}', "cannot be read"),
        ('{"version": 1, "schema": {"backend": "x", "more": 1}}', "cannot be read"),
        ('{"version": 1, "schema": {"backend": "x", "tables": {}}}', "cannot be read"),
        ('{"version": 1, "schema": {"backend": "x", "enums": [{"values": []}]}}', "cannot be"),
    ],
)
def test_a_document_that_is_no_snapshot_is_refused(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        loads(text)


def test_two_names_that_the_server_made_are_no_difference() -> None:
    def schema(name: str, *, by_server: bool) -> Schema:
        unique = Unique(columns=("a",), name=name, by_server=by_server)
        return Schema(backend="one", tables=(Table(name="t", uniques=(unique,)),))

    made, again = schema("t_a_key", by_server=True), schema("t_a_key1", by_server=True)

    assert () == compare(made, again)
    assert ["name"] == [one.attribute for one in compare(made, schema("u", by_server=False))]


def test_a_unique_on_the_primary_key_says_nothing_across_backends() -> None:
    """MySQL keeps it beside the key; PostgreSQL and SQLite make one of the two."""

    def schema(backend: str, *uniques: Unique) -> Schema:
        key = PrimaryKey(columns=("a",))
        table = Table(name="t", primary_key=key, uniques=uniques)
        return Schema(backend=backend, tables=(table,))

    plain, other = schema("one"), Unique(columns=("b",), name="u")

    assert () == compare(plain, schema("other", Unique(columns=("a",), name="a")))
    assert ["u"] == [one.name for one in compare(plain, schema("other", other))]
    assert ["a"] == [
        one.name for one in compare(plain, schema("one", Unique(columns=("a",), name="a")))
    ]
