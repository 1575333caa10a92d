"""The examples for drivers, on real servers that bootstrap has migrated."""

from __future__ import annotations

import sys
from subprocess import run

import aiomysql  # type: ignore[import-untyped]  # has no annotations
import asyncpg  # type: ignore[import-untyped]  # has no annotations
import pytest
from sqlalchemy import make_url

import bootstrap
from bootstrap.reference import configuration_file
from examples.drivers import with_aiomysql, with_asyncpg

_QUOTED = "o'brien\\\"; --"  # a value stays one, whatever is in it


@pytest.fixture
async def url(empty_url: str) -> str:
    """A migrated database, as the driver takes its URL."""
    project = bootstrap.Project.at(configuration_file())
    await bootstrap.migrate(empty_url, project=project)
    return empty_url


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_asyncpg_inserts_and_finds(url: str) -> None:
    async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
        ids = [
            await with_asyncpg.add_user(pool, name, f"{number}@example.org", "hash")
            for number, name in enumerate(("ada", _QUOTED))
        ]
        found = [await with_asyncpg.find_user(pool, f"{number}@example.org") for number in (1, 2)]

    assert [1, 2] == ids
    assert [(2, _QUOTED), None] == found


@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
async def test_aiomysql_inserts_and_finds(url: str) -> None:
    async with aiomysql.create_pool(minsize=1, maxsize=2, **with_aiomysql.arguments(url)) as pool:
        ids = [
            await with_aiomysql.add_user(pool, name, f"{number}@example.org", "hash")
            for number, name in enumerate(("ada", _QUOTED))
        ]
        found = [await with_aiomysql.find_user(pool, f"{number}@example.org") for number in (1, 2)]

    assert [1, 2] == ids
    assert [(2, _QUOTED), None] == found


@pytest.mark.parametrize("backend_name", ["postgresql", "mariadb"], indirect=True)
def test_they_are_programs_too(url: str, backend_name: str) -> None:
    module = {"postgresql": "with_asyncpg", "mariadb": "with_aiomysql"}[backend_name]
    plain = make_url(url).set(drivername=backend_name).render_as_string(hide_password=False)

    done = run(
        [sys.executable, "-m", f"examples.drivers.{module}", plain],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ("1 (1, 'ada')\n", "") == (done.stdout, done.stderr)
