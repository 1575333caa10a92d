"""An independent judge: the server's own words differ exactly when a comparison finds a change.

Random changes by plain SQL, from fixed seeds. The judge is `pg_dump`, `SHOW CREATE` or the text in
`sqlite_master`; it shares no code with what is judged.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap import backends
from bootstrap.database import Database
from bootstrap.schema.compare import compare
from tests.conformance.corpus import cases

SEEDS = range(int(os.environ.get("BOOTSTRAP_TEST_ORACLE_SEEDS", "2")))
STEPS = 12
# Changes that change nothing, so that the judge says so too.
NOTHING = {
    "postgresql": (
        ("ALTER TABLE t ALTER COLUMN name SET NOT NULL",),
        ("DROP INDEX ix_lower", "CREATE INDEX ix_lower ON t (lower(name))"),
        ("ALTER TABLE t ALTER COLUMN n TYPE integer",),
        ("COMMENT ON TABLE parent IS NULL",),
        ("ALTER TABLE ids ADD COLUMN gone integer", "ALTER TABLE ids DROP COLUMN gone"),
    ),
    "mysql": (
        ("ALTER TABLE small MODIFY b int",),
        ("ALTER TABLE parent ADD COLUMN gone int", "ALTER TABLE parent DROP COLUMN gone"),
        ("DROP INDEX ix_body ON t", "CREATE INDEX ix_body ON t (body(10))"),
    ),
    "sqlite": (
        ("DROP INDEX ix_lower", "CREATE INDEX ix_lower ON t (lower(name))"),
        ("CREATE TABLE gone (a INTEGER)", "DROP TABLE gone"),
    ),
}


async def words(connection: AsyncConnection, url: str, backend_name: str) -> list[str]:
    """The schema in the server's words, in an order that does not depend on when it was made."""
    if backend_name == "postgresql":
        return dumped(url)
    if backend_name == "sqlite":
        rows = await connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master")
        return sorted(re.sub(r"\s+", " ", f"{row}") for row in rows)
    return await shown(connection)


def dumped(url: str) -> list[str]:
    """What `pg_dump` writes, without comments and settings of its session."""
    server = backends.named("postgresql").server
    programs = server.programs() if server else None
    beside = (programs / "postgres").resolve().with_name("pg_dump") if programs else None
    dump = str(beside) if beside and beside.exists() else shutil.which("pg_dump")
    if dump is None:
        pytest.skip("there is no pg_dump")
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    done = subprocess.run(
        [dump, "-s", "--no-owner", "--no-privileges", plain],
        capture_output=True,
        text=True,
        check=True,
    )
    kept = [
        line
        for line in done.stdout.splitlines()
        if not line.startswith(("--", "SET ", "\\", "SELECT pg_catalog.set_config"))
    ]
    return sorted(part.strip() for part in "\n".join(kept).split("\n\n") if part.strip())


async def shown(connection: AsyncConnection) -> list[str]:
    """What SHOW CREATE says of everything; keys of a table ordered by their text."""
    found = []
    queries = {
        "TABLE": "SELECT TABLE_NAME FROM information_schema.TABLES "
        "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')",
        "VIEW": "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()",
        "TRIGGER": "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS "
        "WHERE TRIGGER_SCHEMA = DATABASE()",
        "PROCEDURE": "SELECT ROUTINE_NAME FROM information_schema.ROUTINES "
        "WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_TYPE = 'PROCEDURE'",
        "EVENT": "SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()",
        "SEQUENCE": "SELECT TABLE_NAME FROM information_schema.TABLES "
        "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'SEQUENCE'",
    }
    for kind, query in queries.items():
        for (name,) in (await connection.exec_driver_sql(query)).all():
            row = (await connection.exec_driver_sql(f"SHOW CREATE {kind} `{name}`")).one()
            text = re.sub(r" AUTO_INCREMENT=\d+", "", " | ".join(str(one) for one in row[:4]))
            lines = [line.strip().rstrip(",") for line in text.splitlines()]
            keys = [line for line in lines if re.match(r"(UNIQUE |FULLTEXT )?KEY|CONSTRAINT", line)]
            found.append("\n".join([*(one for one in lines if one not in keys), *sorted(keys)]))
    return sorted(found)


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_server_and_the_comparison_agree_on_what_changed(
    backend_name: str, empty_url: str, seed: int
) -> None:
    file = "mysql" if backend_name == "mariadb" else backend_name
    pool = [case for case in cases(backend_name, file=file) if "spelling" not in case.name]
    changes = [case.change for case in pool] + list(NOTHING[file]) * 4
    order = random.Random(f"{backend_name} {seed}")
    database = Database.of(empty_url)
    silent = differing = 0
    async with database.connect() as connection:
        catalog = database.present(connection.dialect).catalog
        for statement in pool[0].setup:
            await connection.exec_driver_sql(statement)
        await connection.commit()
        before = await connection.run_sync(catalog.read)
        text = await words(connection, empty_url, backend_name)
        for _ in range(STEPS):
            chosen = order.choice(changes)
            try:
                for statement in chosen:
                    await connection.exec_driver_sql(statement)
                await connection.commit()
            except DBAPIError:  # a change before it took away what this one needs
                await connection.rollback()
            after = await connection.run_sync(catalog.read)
            other_text = await words(connection, empty_url, backend_name)
            await connection.commit()
            found = compare(before, after)
            assert (text != other_text) is (found != ()), (chosen, found)
            silent += not found
            differing += bool(found)
            before, text = after, other_text

    assert silent
    assert differing
