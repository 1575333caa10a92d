"""Widen usernames from 30 to 50 characters.

Revision: widen_usernames
Revises: lower_emails
Created: 2026-03-09 08:55:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bootstrap.backends import of_dialect
from bootstrap.types import ExactString, UtcDateTime, ascii_lower, utc_now

revision = "widen_usernames"
down_revision = "lower_emails"
branch_labels = None
depends_on = None


NARROW = 30
WIDE = 50
LENGTH = "ck_users_username_length"


def upgrade() -> None:
    resize(NARROW, WIDE)


def downgrade() -> None:
    resize(WIDE, NARROW)  # the server refuses when a username is longer


def resize(before: int, after: int) -> None:
    """Changes the type in place, and the CHECK where the type is only a hint."""
    with op.batch_alter_table("users", copy_from=users(before)) as batch:
        batch.alter_column(
            "username",
            existing_type=ExactString(before),
            type_=ExactString(after),
            existing_nullable=False,
        )
        if not of_dialect(op.get_context().dialect).features.enforces_types:
            batch.drop_constraint(op.f(LENGTH), type_="check")
            batch.create_check_constraint(op.f(LENGTH), sa.text(f"length(username) <= {after}"))


def users(username_length: int) -> sa.Table:
    """The table that SQLite copies; stated, because an offline script cannot look at it."""
    email = sa.column("email", sa.String())
    return sa.Table(
        "users",
        sa.MetaData(),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", ExactString(username_length), nullable=False),
        sa.Column("email", ExactString(255), nullable=False),
        sa.Column("hashed_password", ExactString(255), nullable=False),
        sa.Column("name", ExactString(100), server_default=sa.text("''"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", UtcDateTime(), server_default=utc_now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("username", name="uq_users_username"),
        sa.UniqueConstraint("email", name="uq_users_email"),
        sa.CheckConstraint(f"length(username) <= {username_length}", name=LENGTH),
        sa.CheckConstraint("length(email) <= 255", name="ck_users_email_length"),
        sa.CheckConstraint(
            "length(hashed_password) <= 255", name="ck_users_hashed_password_length"
        ),
        sa.CheckConstraint("length(name) <= 100", name="ck_users_name_length"),
        sa.CheckConstraint(
            "length(created_at) = 26 AND datetime(created_at) IS substr(created_at, 1, 19)",
            name="ck_users_created_at_time",
        ),
        sa.CheckConstraint("is_active IN (0, 1)", name="ck_users_is_active_boolean"),
        sa.CheckConstraint(email == ascii_lower(email), name="ck_users_email_lower"),
        sqlite_autoincrement=True,
    )
