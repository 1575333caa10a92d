"""What goes in and out: whatever these take, each backend takes too."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

_ID = 2**63 - 1  # of a column of 64 bits


def _lowered(email: str) -> str:
    """A to Z in lower case, as the CHECK of the schema wants it; other letters are left alone."""
    return "".join(one.lower() if one.isascii() else one for one in email)


Username = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[\w.-]+$")]
Email = Annotated[
    str, Field(max_length=255, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$"), AfterValidator(_lowered)
]
Password = Annotated[str, Field(min_length=8, max_length=200)]
Text = Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")]  # PostgreSQL has no U+0000
Price = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]
Id = Annotated[int, Field(ge=1, le=_ID)]
Limit = Annotated[int, Field(ge=1, le=100)]
Offset = Annotated[int, Field(ge=0, le=_ID)]


class NewItem(BaseModel):
    """An item of a new user."""

    name: Text
    price: Price


class NewUser(BaseModel):
    """Somebody who will be able to log in."""

    username: Username
    email: Email
    password: Password
    name: Text = ""
    items: Annotated[list[NewItem], Field(max_length=100)] = []


NewUsers = Annotated[list[NewUser], Field(min_length=1, max_length=100)]


class Changes(TypedDict, total=False):
    """What is to be changed; what is left out stays, and nothing becomes null."""

    email: Email
    password: Password
    name: Text
    is_active: bool


class FromRow(BaseModel):
    """Is read from a row."""

    model_config = ConfigDict(from_attributes=True)


class ShownItem(FromRow):
    """An item, as others see it."""

    id: int
    name: str
    price: Decimal


class ShownUser(FromRow):
    """A user, as others see them: without the hash of the password."""

    id: int
    username: str
    email: str
    name: str
    is_active: bool
    created_at: datetime
    items: list[ShownItem]


class Count(BaseModel):
    """How many there are."""

    count: int
