"""Lower the letters A to Z in emails, and keep them out.

Two users whose emails differ in nothing else stop this revision: the server says that the unique
constraint of emails is violated, and nothing is changed. Only a person can say who is right.
The downgrade cannot bring the capitals back.

Revision: lower_emails
Revises: create_items
Created: 2026-02-16 16:20:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bootstrap.types import ExactString, UtcDateTime, ascii_lower, utc_now

revision = "lower_emails"
down_revision = "create_items"
branch_labels = None
depends_on = None


LOWER = "ck_users_email_lower"


def upgrade() -> None:
    email, lowered = emails()
    op.execute(
        sa.update(sa.table("users", sa.column("email")))
        .values(email=lowered)
        .where(email != lowered)
    )
    with op.batch_alter_table("users", copy_from=users()) as batch:
        batch.create_check_constraint(op.f(LOWER), email == lowered)


def downgrade() -> None:
    email, lowered = emails()
    rule = sa.CheckConstraint(email == lowered, name=LOWER)
    with op.batch_alter_table("users", copy_from=users(rule)) as batch:
        batch.drop_constraint(op.f(LOWER), type_="check")


def emails() -> tuple[sa.ColumnElement[str], sa.ColumnElement[str]]:
    """The column as it is, and as it should be."""
    email = sa.column("email", sa.String())
    return email, ascii_lower(email)


def users(*constraints: sa.CheckConstraint) -> sa.Table:
    """The table that SQLite copies; stated, because an offline script cannot look at it."""
    return sa.Table(
        "users",
        sa.MetaData(),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", ExactString(30), nullable=False),
        sa.Column("email", ExactString(255), nullable=False),
        sa.Column("hashed_password", ExactString(255), nullable=False),
        sa.Column("name", ExactString(100), server_default=sa.text("''"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", UtcDateTime(), server_default=utc_now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("username", name="uq_users_username"),
        sa.UniqueConstraint("email", name="uq_users_email"),
        sa.CheckConstraint("length(username) <= 30", name="ck_users_username_length"),
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
        *constraints,
        sqlite_autoincrement=True,
    )
