"""A copy of a database has all that the template has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

import bootstrap
from bootstrap.database import Database
from bootstrap.schema.compare import all_changes
from tests import available
from tests.available import BACKENDS
from tests.conformance.declarations import declared, project

_MYSQL = (
    "CREATE TABLE counted (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20),"
    " twice VARCHAR(40) AS (CONCAT(name, name)) STORED)",
    "INSERT INTO counted (name) VALUES ('a'), ('50%% \\' of it'), ('c')",
    "DELETE FROM counted WHERE name = 'c'",
    "CREATE VIEW a_view AS SELECT name FROM z_view",
    "CREATE FUNCTION plus_one(n INT) RETURNS INT DETERMINISTIC RETURN n + 1",
    "CREATE PROCEDURE fill() INSERT INTO counted (name) VALUES ('p')",
    "CREATE TRIGGER upper_case BEFORE INSERT ON counted FOR EACH ROW"
    " SET NEW.name = UPPER(NEW.name)",
    "CREATE EVENT never ON SCHEDULE EVERY 1 YEAR DISABLE DO DELETE FROM counted",
)
_FIRST = "CREATE VIEW z_view AS SELECT plus_one(id) AS id, name FROM counted"
_SEQUENCE = "CREATE SEQUENCE numbers START WITH 5 INCREMENT BY 2 NOCACHE"


@pytest.fixture
async def copied(empty_url: str) -> AsyncIterator[str]:
    """Where a copy is to be made."""
    url = make_url(empty_url)
    name = f"{url.database}_copy"
    copy = url.set(database=name)
    yield copy.render_as_string(hide_password=False)
    available.drop(copy)


async def _copy(template_url: str, to: str) -> None:
    template, copy = Database.of(template_url), Database.of(to)
    templates, engines = template.backend.templates, template.backend.engines
    connecting = template.connecting()
    assert not await templates.is_complete(engines, connecting)
    await templates.complete(engines, connecting)
    assert await templates.is_complete(engines, connecting)
    copier = await templates.copier(engines, connecting)
    await copier.copy(copy.connecting())
    await copier.close()


@pytest.mark.parametrize("backend_name", BACKENDS, indirect=True)
async def test_a_copy_has_the_schema_of_its_template(
    empty_url: str, copied: str, tmp_path: Path
) -> None:
    await bootstrap.migrate(empty_url, project=project(tmp_path).project)
    before = (await bootstrap.snapshot(empty_url)).schema
    await _copy(empty_url, copied)

    after = (await bootstrap.snapshot(copied)).schema
    assert len(declared().tables) == len(after.tables)
    assert () == all_changes(before, after)
    await _remove(empty_url)


@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
async def test_a_copy_has_the_rows_counters_and_programs_of_its_template(
    empty_url: str, copied: str, backend_name: str
) -> None:
    table, *others = _MYSQL
    rest = (*others[:2], others[3], _FIRST, others[2], *others[4:])
    more = (_SEQUENCE, "DO NEXTVAL(numbers)") if backend_name == "mariadb" else ()
    async with Database.of(empty_url).connect() as connection:
        for statement in (table, *rest, *more):
            await connection.exec_driver_sql(statement)
        await connection.commit()
    before = (await bootstrap.snapshot(empty_url)).schema
    await _copy(empty_url, copied)

    assert () == all_changes(before, (await bootstrap.snapshot(copied)).schema)
    async with Database.of(copied).connect() as connection:
        await connection.execute(text("CALL fill()"))
        rows = (
            await connection.execute(text("SELECT id, name FROM a_view JOIN counted USING (name)"))
        ).all()
        assert [(1, "a"), (2, "50% ' of it"), (4, "P")] == sorted((row[0], row[1]) for row in rows)
        twice = await connection.scalar(text("SELECT twice FROM counted WHERE id = 4"))
        assert "PP" == twice
        if more:
            assert 7 == await connection.scalar(text("SELECT NEXTVAL(numbers)"))
    await _remove(empty_url)


async def _remove(template_url: str) -> None:
    template = Database.of(template_url)
    await template.backend.templates.remove(template.backend.engines, template.connecting())
