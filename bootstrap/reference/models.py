"""The reference schema: users, and the items that they own."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Dialect,
    ForeignKey,
    Integer,
    MetaData,
    UniqueConstraint,
    column,
    text,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from bootstrap.backends import of_dialect
from bootstrap.types import ExactDecimal, ExactString, UtcDateTime, ascii_lower, utc_now

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# 64 bits everywhere: on SQLite only a column of type INTEGER is the rowid, which has 64 bits.
_Id = BigInteger().with_variant(Integer(), "sqlite")


def _types_are_hints(*_: object, dialect: Dialect, **__: object) -> bool:
    return not of_dialect(dialect).features.enforces_types


def _has_no_boolean(*_: object, dialect: Dialect, **__: object) -> bool:
    return not of_dialect(dialect).features.native_booleans


def _held_by_type(name: str, condition: str) -> CheckConstraint:
    """What the type of a column enforces, but on SQLite, where a CHECK has to."""
    return CheckConstraint(condition, name=name).ddl_if(callable_=_types_are_hints)


def _boolean(name: str) -> CheckConstraint:
    """What a boolean type enforces, where there is none."""
    return CheckConstraint(f"{name} IN (0, 1)", name=f"{name}_boolean").ddl_if(
        callable_=_has_no_boolean
    )


class Base(DeclarativeBase):
    """The base of the reference models."""

    metadata = metadata


class User(Base):
    """Somebody who can log in."""

    __tablename__ = "users"
    __table_args__: Any = (
        UniqueConstraint("username"),
        UniqueConstraint("email"),
        CheckConstraint(column("email") == ascii_lower(column("email")), name="email_lower"),
        _held_by_type("username_length", "length(username) <= 50"),
        _held_by_type("email_length", "length(email) <= 255"),
        _held_by_type("hashed_password_length", "length(hashed_password) <= 255"),
        _held_by_type("name_length", "length(name) <= 100"),
        _held_by_type(
            "created_at_time",
            "length(created_at) = 26 AND datetime(created_at) IS substr(created_at, 1, 19)",
        ),
        _boolean("is_active"),
        # Ids are never used again, as on the servers.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    username: Mapped[str] = mapped_column(ExactString(50))
    email: Mapped[str] = mapped_column(ExactString(255))
    hashed_password: Mapped[str] = mapped_column(ExactString(255))
    # No name is the empty string: with NULL there were two ways to say it.
    name: Mapped[str] = mapped_column(ExactString(100), server_default=text("''"))
    is_active: Mapped[bool] = mapped_column(server_default=true())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), server_default=utc_now())

    items: Mapped[list[Item]] = relationship(
        back_populates="owner", cascade="all, delete-orphan", passive_deletes=True
    )


class Item(Base):
    """Something that a user owns."""

    __tablename__ = "items"
    __table_args__: Any = (
        # The upper end refuses PostgreSQL's NaN, and on SQLite text and too many digits as well.
        CheckConstraint("price BETWEEN 0 AND 9999999999.99", name="price_range"),
        _held_by_type("price_scale", "price = round(price, 2)"),
        _held_by_type("name_length", "length(name) <= 100"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    name: Mapped[str] = mapped_column(ExactString(100))
    price: Mapped[Decimal] = mapped_column(ExactDecimal(12, 2))
    owner_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)

    owner: Mapped[User] = relationship(back_populates="items")
