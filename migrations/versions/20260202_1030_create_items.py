"""Create items.

Revision: create_items
Revises: add_profile
Created: 2026-02-02 10:30:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bootstrap.backends import of_dialect
from bootstrap.types import ExactDecimal, ExactString

revision = "create_items"
down_revision = "add_profile"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "items",
        sa.Column("id", big, nullable=False),
        sa.Column("name", ExactString(100), nullable=False),
        sa.Column("price", ExactDecimal(12, 2), nullable=False),
        sa.Column("owner_id", big, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["users.id"],
            name=op.f("fk_items_owner_id_users"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("price BETWEEN 0 AND 9999999999.99", name=op.f("ck_items_price_range")),
        *checks(),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_items_owner_id"), "items", ["owner_id"])


def downgrade() -> None:
    op.drop_table("items")  # with its index, which MySQL needs as long as the foreign key is there


def checks() -> list[sa.CheckConstraint]:
    """What the types of the columns enforce, where types are only hints."""
    if of_dialect(op.get_context().dialect).features.enforces_types:
        return []
    return [
        sa.CheckConstraint("price = round(price, 2)", name=op.f("ck_items_price_scale")),
        sa.CheckConstraint("length(name) <= 100", name=op.f("ck_items_name_length")),
    ]
