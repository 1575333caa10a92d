"""An application's database, and the one table that its tests write."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import bootstrap
from bootstrap.integrations.applications import ApplicationDatabase
from tests.projects import ProjectFolder, three_tables


class Base(DeclarativeBase):
    """The base of the model."""


class One(Base):
    """A row of `t_one`."""

    __tablename__ = "t_one"

    id: Mapped[int] = mapped_column(primary_key=True)


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    """A project of three revisions."""
    return three_tables(tmp_path / "project")


@pytest.fixture
async def migrated(empty_url: str, folder: ProjectFolder) -> ApplicationDatabase:
    """A database that has all of them."""
    await bootstrap.migrate(empty_url, project=folder.project)
    return ApplicationDatabase(empty_url, project=folder.project)
