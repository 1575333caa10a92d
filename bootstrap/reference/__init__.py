"""The reference project: a schema of users and items, its migrations and its data sets.

`metadata`, `User` and `Item` are loaded on first use, so that who only asks for the folders
imports no SQLAlchemy.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bootstrap.reference.models import Item, User, metadata

__all__ = [
    "METADATA_IMPORT",
    "Item",
    "User",
    "configuration_file",
    "datasets_folder",
    "metadata",
    "migrations_folder",
]

METADATA_IMPORT = "from bootstrap.reference import metadata"  # the line in migrations/env.py

_HERE = Path(__file__).parent
_LAZY = frozenset({"Item", "User", "metadata"})


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from bootstrap.reference import models  # noqa: PLC0415 - see the docstring of the module

    return getattr(models, name)


def migrations_folder() -> Path:
    """The folder with env.py."""
    return _installed_or_checked_out("migrations")


def configuration_file() -> Path:
    """The alembic.ini."""
    return _installed_or_checked_out("alembic.ini")


def datasets_folder() -> Path:
    """The folder with the development data sets."""
    return _HERE / "datasets"


def _installed_or_checked_out(name: str) -> Path:
    """The wheel carries in this package what stands at the root of a checkout."""
    installed = _HERE / name
    return installed if installed.exists() else _HERE.parents[1] / name
