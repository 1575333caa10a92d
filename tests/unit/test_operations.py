"""Alembic's operations in words."""

from typing import Any

import pytest
import sqlalchemy as sa
from alembic.operations import ops

from bootstrap.revisions.operations import in_words


class CreateSpellOp(ops.MigrateOperation):
    """As an extension brings it."""


DIALECT = sa.make_url("postgresql+asyncpg://").get_dialect()()


def words(operation: ops.MigrateOperation) -> str:
    (said,) = in_words([operation], dialect=DIALECT)
    return said.text


def altered(**changes: Any) -> ops.AlterColumnOp:
    return ops.AlterColumnOp("t", "c", existing_type=sa.Integer(), schema="s", **changes)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (
            ops.AddColumnOp("t", sa.Column("at", sa.DateTime, server_default=sa.func.now())),
            "add column t.at TIMESTAMP WITHOUT TIME ZONE default now()",
        ),
        (
            ops.AddColumnOp("t", sa.Column("twice", sa.Integer, sa.Computed("size * 2"))),
            "add column t.twice INTEGER default generated",
        ),
        (altered(modify_server_default=None), "alter column s.t.c: no default"),
        (altered(modify_server_default=sa.text("7")), "alter column s.t.c: default 7"),
        (
            altered(modify_nullable=True, modify_comment=None),
            "alter column s.t.c: null, no comment",
        ),
        (altered(modify_name="d", modify_comment="x"), "alter column s.t.c: comment, name d"),
        (
            ops.CreateIndexOp("ix", "t", [sa.text("lower(c)"), "d"]),
            "create index ix on t (lower(c), d)",
        ),
        (ops.CreatePrimaryKeyOp("pk", "t", ["c"]), "create primary key pk on t (c)"),
        (ops.DropConstraintOp(None, "t", "foreignkey"), "drop foreign key on t"),
        (ops.DropConstraintOp("ck", "t", "check"), "drop check constraint ck on t"),
        (ops.DropConstraintOp("c", "t"), "drop constraint c on t"),
        (
            ops.CreateForeignKeyOp(
                None, "t", "u", ["u_id"], ["id"], source_schema="s", referent_schema="r"
            ),
            "create foreign key on s.t (u_id) to r.u (id)",
        ),
        (ops.ExecuteSQLOp("SELECT\n  1"), "execute SELECT 1"),
        (ops.RenameTableOp("t", "u"), "rename table t"),
        (CreateSpellOp(), "create spell"),
    ],
    ids=lambda one: one if isinstance(one, str) else type(one).__name__,
)
def test_an_operation_is_said_in_words(operation: ops.MigrateOperation, expected: str) -> None:
    assert expected == words(operation)


def test_a_type_that_has_no_sql_is_shown_as_python() -> None:
    """As when a column is reflected whose type SQLAlchemy does not know."""
    operation = ops.AlterColumnOp(
        "t", "c", existing_type=sa.types.NullType(), modify_type=sa.Integer()
    )

    assert "alter column t.c: type NullType() to INTEGER" == words(operation)


def test_containers_are_opened_in_order() -> None:
    tree = ops.UpgradeOps(
        [
            ops.DropTableOp("old"),
            ops.ModifyTableOps("t", [ops.DropColumnOp("t", "c"), ops.DropIndexOp("ix", "t")]),
        ]
    )

    said = list(in_words([tree], dialect=DIALECT))

    assert ["drop_table", "drop_column", "drop_index"] == [one.kind for one in said]
    assert ["old", "t", "t"] == [one.table for one in said]
