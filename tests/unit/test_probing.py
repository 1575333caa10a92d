"""What a probe is made of: conditions that are understood, rows that keep them, answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bootstrap.backends.values import Refusal, Value
from bootstrap.probing.answers import Refused, Taken, canonical, taken
from bootstrap.probing.conditions import breaking, keeping, understood
from bootstrap.probing.plan import Question, planned
from bootstrap.schema.changes import Kind
from bootstrap.schema.expressions import Grammar, normal
from bootstrap.schema.model import Check, Column, ForeignKey, PrimaryKey, Schema, Table, Unique
from bootstrap.schema.types import Family, Type

TEXT = Type(family=Family.STRING, raw="varchar(20)", length=20)
INTEGER = Type(family=Family.INTEGER, raw="integer", bits=32)
ROW: dict[str, Value] = {"name": "row-1", "age": 101, "price": Decimal(1), "open": True}


def check(text: str) -> Check:
    return Check(expression=normal(text, Grammar(dialect="postgres")), name="ck")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("age BETWEEN 1 AND 10", {"age": 1}),
        ("age > 5 AND age <= 7", {"age": 6}),
        ("age IN (3, 4)", {"age": 3}),
        ("name IN ('good', 'bad')", {"name": "good"}),
        ("length(name) = 3", {"name": "xxx"}),
        ("name = upper(name)", {"name": "ROW-1"}),
        ("price < 1", {"price": 0}),
        ("NOT open", {"open": False}),
        ("age IS NULL OR name = 'x'", {"name": "x"}),
        ("age < price", {"age": 0}),
        ("age IS NULL", {"age": None}),
    ],
)
def test_a_row_is_found_that_keeps_a_condition(condition: str, expected: dict[str, Value]) -> None:
    conditions = understood([check(condition)], ROW)

    found = keeping(conditions, ROW, ROW)

    assert found is not None
    assert expected == {name: value for name, value in found.items() if value != ROW[name]}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("age >= 0", {"age": -1}),
        ("price BETWEEN 0 AND 9999999999.99", {"price": -1}),
        ("name = lower(name)", {"name": "ROW-1"}),
        ("replace(name, 'R', 'r') = name", {"name": "R"}),
        ("name <> ''", {"name": ""}),
        ("open IS NOT NULL", {"open": None}),
    ],
)
def test_a_row_is_found_that_breaks_a_condition(condition: str, expected: dict[str, Value]) -> None:
    (only,) = understood([check(condition)], ROW)

    found = breaking(only, [], ROW, ROW)

    assert found is not None
    assert expected == {name: value for name, value in found.items() if value != ROW[name]}


@pytest.mark.parametrize("condition", ["name ~ '^a'", "age % 2 = 1", "name > 5", "other > 1"])
def test_what_is_not_understood_is_not_guessed(condition: str) -> None:
    assert () == understood([check(condition)], ROW)


def test_null_breaks_no_condition() -> None:
    (only,) = understood([check("age > 0")], ROW)

    assert only.holds({**ROW, "age": None})


def test_a_condition_that_no_value_keeps_is_said_so() -> None:
    conditions = understood([check("age > 5 AND age < 5 AND age IS NOT NULL")], ROW)

    assert keeping(conditions, ROW, ROW) is None


@pytest.mark.parametrize(
    ("family", "values"),
    [
        (Family.DECIMAL, [Decimal("1.50"), 1.5, Decimal("1.5")]),
        (Family.DECIMAL, [Decimal("12345678901234567890123456789.50")]),
        (Family.INTEGER, [100, 100.0]),
        (Family.FLOAT, [1e20, Decimal(10**20)]),
        (Family.BOOLEAN, [True, 1]),
        (
            Family.UUID,
            [f"{'0' * 8}-0000-0000-0000-{'0' * 10}AB", f"{'0' * 30}ab", bytes(15) + b"\xab"],
        ),
        (Family.TIMESTAMP, ["2026-01-05 09:12:00.000000", "2026-01-05 09:12:00+00"]),
        (Family.JSON, ['{"a":1}', '{"a": 1}']),
        (Family.STRING, ["a", b"a"]),
    ],
)
def test_what_drivers_give_for_the_same_value_is_the_same_in_words(
    family: Family, values: list[Any]
) -> None:
    assert 1 == len({canonical(value, family) for value in values})


@pytest.mark.parametrize(
    ("family", "one", "other"),
    [
        (Family.STRING, "é", "e\u0301"),
        (Family.STRING, "a", "a "),
        (Family.INTEGER, 2, "2"),
        (Family.JSON, '{"a": 1, "b": 2}', '{"b": 2, "a": 1}'),
        (Family.JSON, '{"a": 1, "a": 2}', '{"a": 2}'),
        (Family.JSON, '{"a": 1.0}', '{"a": 1}'),
        (Family.DECIMAL, Decimal(f"{10**30}.5"), Decimal(f"{10**30}.6")),
        (Family.TIMESTAMP, "2026-01-05 09:12:00+05:30", "2026-01-05 09:12:00"),
        (Family.BOOLEAN, 1, 2),
    ],
)
def test_other_values_are_other_words(family: Family, one: Any, other: Any) -> None:
    assert canonical(one, family) != canonical(other, family)


def test_what_became_of_a_value_is_said() -> None:
    assert "kept" == taken("a ", "a ", Family.STRING).said
    assert "cut" == taken("a ", "a", Family.STRING).said
    assert "becomes 'b'" == taken("a", "b", Family.STRING).said
    assert "becomes NULL" == taken("a", None, Family.STRING).said
    long = taken("x", "y" * 100, Family.STRING).said
    assert long.endswith("(102 characters)")
    assert len(long) < 80


def test_a_check_refuses_as_a_type_does_and_a_key_does_not() -> None:
    checked, long, unique = (
        Refused(refusal=one, code="1") for one in (Refusal.CHECK, Refusal.TOO_LONG, Refusal.UNIQUE)
    )

    assert checked.compared == long.compared
    assert checked.compared != unique.compared
    assert Taken().compared not in (checked.compared, unique.compared)


def column(name: str, kind: Type = INTEGER, *, nullable: bool = False) -> Column:
    return Column(name=name, type=kind, nullable=nullable)


def reference(*columns: str, to: str) -> ForeignKey:
    return ForeignKey(columns=columns, table=to, references=("id",), name=f"fk_{to}")


def schema(*tables: Table) -> Schema:
    return Schema(backend="postgresql", tables=tables)


def plan_of(*tables: Table) -> Any:
    return planned({"one": schema(*tables), "other": schema(*tables)})


def keyed(name: str, *columns: Column, keys: tuple[ForeignKey, ...] = (), **more: Any) -> Table:
    key = PrimaryKey(columns=("id",))
    return Table(
        name=name, columns=(column("id"), *columns), primary_key=key, foreign_keys=keys, **more
    )


def of_case(questions: tuple[Question, ...], attribute: str) -> list[Question]:
    return [one for one in questions if one.case.attribute == attribute]


def test_rows_that_others_refer_to_come_first() -> None:
    plan = plan_of(
        keyed("a", column("b_id"), keys=(reference("b_id", to="b"),)),
        keyed("b", column("c_id"), keys=(reference("c_id", to="c"),)),
        keyed("c"),
    )

    first = plan.tables[0]
    assert ["c", "c", "b", "b"] == [row.table for row in first.parents]
    assert {"id": 101, "b_id": 101} == first.row.values


def test_a_circle_is_gone_through_its_nullable_side_first() -> None:
    plan = plan_of(
        keyed("a", column("b_id", nullable=True), keys=(reference("b_id", to="b"),)),
        keyed("b", column("a_id"), keys=(reference("a_id", to="a"),)),
    )

    a, b = plan.tables
    (deleted,) = of_case(a.questions, "on delete")
    assert () == plan.not_probed
    assert {"id": 101, "b_id": None} == a.row.values
    assert ["a", "a"] == [row.table for row in b.parents]
    assert ["a", "b", "a"] == [act.row.table for act in deleted.before]
    assert (102, 101) == tuple(deleted.seen.values.values())


def test_a_key_of_several_columns_is_tried_with_one_twin_at_a_time() -> None:
    plan = plan_of(
        keyed("a", column("x", TEXT), column("y", TEXT), uniques=(Unique(columns=("x", "y")),))
    )

    asked = of_case(plan.tables[0].questions, "collation")
    (twins,) = [one for one in asked if one.name == "x" and one.label == "'row' and 'ROW'"]
    (first,) = twins.before
    assert {"id": 101, "x": "row", "y": "row-1"} == first.row.values
    assert {"id": 102, "x": "ROW", "y": "row-1"} == twins.act.row.values


def test_a_type_without_a_known_value_is_said_where_it_must_have_one() -> None:
    other = Type(family=Family.RANGE, raw="int4range")

    needed = plan_of(keyed("a", column("x", other)))
    free = plan_of(keyed("a", column("x", other, nullable=True)))

    (why,) = needed.not_probed
    assert ("a", "", "no value is known for its column x (int4range)") == (
        why.table,
        why.name,
        why.why,
    )
    (why,) = free.not_probed
    assert ("a", "x", "no boundaries of int4range are known") == (why.table, why.name, why.why)
    assert ["a"] == [one.table.path for one in free.tables]


def test_each_check_is_broken_alone() -> None:
    checks = (
        Check(expression=normal("x >= 0", Grammar(dialect="postgres")), name="ck_least"),
        Check(expression=normal("x <= 10", Grammar(dialect="postgres")), name="ck_most"),
    )

    plan = plan_of(keyed("a", column("x"), checks=checks))

    broken = [one for one in plan.tables[0].questions if one.kind is Kind.CHECK]
    assert {"ck_least": -1, "ck_most": 102} == {one.name: one.act.row.values["x"] for one in broken}
