"""Add the profile of users.

Revision: add_profile
Revises: create_users
Created: 2026-01-19 14:05:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bootstrap.backends import of_dialect
from bootstrap.types import ExactString, UtcDateTime, utc_now

revision = "add_profile"
down_revision = "create_users"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("users", copy_from=users()) as batch:
        for column in profile():
            batch.add_column(column)
        for name, condition in checks().items():
            batch.create_check_constraint(op.f(name), sa.text(condition))


def downgrade() -> None:
    constraints = [sa.CheckConstraint(text, name=name) for name, text in checks().items()]
    with op.batch_alter_table("users", copy_from=users(*profile(), *constraints)) as batch:
        for name in checks():
            batch.drop_constraint(op.f(name), type_="check")
        for column in profile():
            batch.drop_column(column.name)


def profile() -> list[sa.Column[object]]:
    """The new columns; users that are there get the defaults, and no name is an empty one."""
    return [
        sa.Column("name", ExactString(100), server_default=sa.text("''"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", UtcDateTime(), server_default=utc_now(), nullable=False),
    ]


def checks() -> dict[str, str]:
    """What the types of the new columns enforce, where there are none or they are only hints."""
    features = of_dialect(op.get_context().dialect).features
    found = {}
    if not features.native_booleans:
        found["ck_users_is_active_boolean"] = "is_active IN (0, 1)"
    if not features.enforces_types:
        found["ck_users_name_length"] = "length(name) <= 100"
        found["ck_users_created_at_time"] = (
            "length(created_at) = 26 AND datetime(created_at) IS substr(created_at, 1, 19)"
        )
    return found


def users(*profile: sa.Column[object] | sa.CheckConstraint) -> sa.Table:
    """The table that SQLite copies; stated, because an offline script cannot look at it."""
    return sa.Table(
        "users",
        sa.MetaData(),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", ExactString(30), nullable=False),
        sa.Column("email", ExactString(255), nullable=False),
        sa.Column("hashed_password", ExactString(255), nullable=False),
        *profile,
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("username", name="uq_users_username"),
        sa.UniqueConstraint("email", name="uq_users_email"),
        sa.CheckConstraint("length(username) <= 30", name="ck_users_username_length"),
        sa.CheckConstraint("length(email) <= 255", name="ck_users_email_length"),
        sa.CheckConstraint(
            "length(hashed_password) <= 255", name="ck_users_hashed_password_length"
        ),
        sqlite_autoincrement=True,
    )
