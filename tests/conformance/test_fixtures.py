"""The databases that the fixtures hand out are what they promise."""

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from bootstrap.database import Database
from tests import available


async def test_a_fresh_url_names_a_database_that_is_not_there(fresh_url: str) -> None:
    assert not await Database.of(fresh_url).exists()


async def test_an_empty_url_names_a_database_without_tables(empty_url: str) -> None:
    async with Database.of(empty_url).connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize("backend_name", ["postgresql", "mysql", "mariadb"], indirect=True)
async def test_a_database_is_dropped_while_somebody_uses_it(empty_url: str) -> None:
    database = Database.of(empty_url)
    engine = database.engine()
    connection = await engine.connect()
    await connection.execute(text("CREATE TABLE t (id INTEGER)"))

    available.drop(make_url(empty_url))

    assert not await database.exists()
    with pytest.raises(DBAPIError):  # it cannot roll back any more
        await connection.close()
    await engine.dispose()
