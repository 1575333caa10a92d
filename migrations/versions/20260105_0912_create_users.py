"""Create users.

Revision: create_users
Revises:
Created: 2026-01-05 09:12:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bootstrap.backends import of_dialect
from bootstrap.types import ExactString

revision = "create_users"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("username", ExactString(30), nullable=False),
        sa.Column("email", ExactString(255), nullable=False),
        sa.Column("hashed_password", ExactString(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        *checks(),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("users")


def checks() -> list[sa.CheckConstraint]:
    """What the types of the columns enforce, where types are only hints."""
    if of_dialect(op.get_context().dialect).features.enforces_types:
        return []
    lengths = {"username": 30, "email": 255, "hashed_password": 255}
    return [
        sa.CheckConstraint(f"length({name}) <= {length}", name=op.f(f"ck_users_{name}_length"))
        for name, length in lengths.items()
    ]
