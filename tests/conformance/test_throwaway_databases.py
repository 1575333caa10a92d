"""A throwaway database is empty, and gone afterwards with all that it needed."""

from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text

from bootstrap.database import Database
from bootstrap.errors import SettingsError
from bootstrap.testing import throwaway_database, throwaway_databases
from tests.available import Found, look_for


def programs(backend_name: str) -> Path | None:
    found = look_for(backend_name)
    assert isinstance(found, Found)
    if found.url is not None:
        pytest.skip("the server of this run is another's")
    return found.programs


async def tables(database: Database) -> list[str]:
    def names(connection: Connection) -> list[str]:
        return inspect(connection).get_table_names()

    async with database.connect() as connection:
        return await connection.run_sync(names)


async def add_table(database: Database) -> None:
    async with database.connect() as connection:
        await connection.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY)"))
        await connection.commit()


async def test_a_throwaway_database_can_be_used_and_is_gone_afterwards(backend_name: str) -> None:
    async with throwaway_database(backend_name, programs=programs(backend_name)) as database:
        assert backend_name == database.backend.name
        assert [] == await tables(database)
        await add_table(database)
        assert ["t"] == await tables(database)

    if database.backend.features.is_file:
        assert not Path(database.name).parent.exists()
    else:
        with pytest.raises(Exception, match="cannot look for"):
            await database.exists()


async def test_several_are_made_in_one_place_and_know_nothing_of_each_other(
    backend_name: str,
) -> None:
    async with throwaway_databases(backend_name, programs=programs(backend_name)) as databases:
        async with databases.empty() as one, databases.empty() as other:
            await add_table(one)
            assert (["t"], []) == (await tables(one), await tables(other))

        assert [False, False] == [await one.exists(), await other.exists()]


async def test_a_database_is_dropped_although_the_block_failed_and_somebody_is_connected(
    backend_name: str,
) -> None:
    async with throwaway_databases(backend_name, programs=programs(backend_name)) as databases:
        with suppress(ZeroDivisionError):
            async with databases.empty() as database, database.connect() as connection:
                await connection.execute(text("SELECT 1"))
                raise ZeroDivisionError

        assert not await database.exists()


async def test_a_backend_that_does_not_exist_is_named() -> None:
    with pytest.raises(SettingsError, match="there is no backend 'oracle'"):
        async with throwaway_database("oracle"):
            pass
