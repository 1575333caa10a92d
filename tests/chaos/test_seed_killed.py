"""A run that is killed in the middle of a large data set: the next one has every row once.

What the killed one would have remembered of the file is gone with its rows.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select

from bootstrap.database import Database
from tests.chaos.seeding import Moment
from tests.forking import Forks

_METADATA = MetaData()
# No constraint keeps a row from being there twice.
_TABLE = Table(
    "things",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(20), nullable=False),
    Column("size", Integer),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "things.csv"
    lines = "".join(f"thing {number},{number}\n" for number in range(100))
    path.write_text("name (key),size\n" + lines)
    return path


async def _prepare(url: str, *rows: tuple[str, int]) -> None:
    async with Database.of(url).connect() as connection:
        await connection.run_sync(_METADATA.create_all)
        for name, size in rows:
            await connection.execute(insert(_TABLE), {"name": name, "size": size})
        await connection.commit()


async def _rows(url: str) -> list[tuple[str, int]]:
    async with Database.of(url).connect() as connection:
        found = await connection.execute(select(_TABLE.c.name, _TABLE.c.size))
        return sorted((name, size) for name, size in found)


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with closing(Forks("tests.chaos.seeding")) as started:
        yield started


def _seed(forks: Forks, url: str, path: Path, moment: Moment) -> tuple[int, str]:
    out, err = path.with_suffix(".out"), path.with_suffix(".err")
    asked = {"url": url, "path": str(path), "moment": moment, "out": str(out), "err": str(err)}
    code = forks.ask(asked)
    return code, out.read_text().strip() or err.read_text()


@pytest.mark.parametrize(
    ("moment", "said"),
    [(Moment.BETWEEN, "killed"), (Moment.BEFORE_COMMIT, "killed with 1 remembered")],
)
@pytest.mark.parametrize("there", [[], [("thing 1", 1), ("thing 2", 0), ("other", 7)]])
async def test_every_row_is_there_once_after_the_next_run(
    forks: Forks,
    empty_url: str,
    path: Path,
    moment: Moment,
    said: str,
    there: list[tuple[str, int]],
) -> None:
    await _prepare(empty_url, *there)

    killed = _seed(forks, empty_url, path, moment)
    between = await _rows(empty_url)
    again = _seed(forks, empty_url, path, Moment.NEVER)
    unchanged = _seed(forks, empty_url, path, Moment.NEVER)

    assert (-signal.SIGKILL, said) == killed
    assert sorted(there) == between
    assert (0, "98 1 1" if there else "100 0 0") == again
    assert (0, "0 0 100") == unchanged
    others = [("other", 7)] if there else []
    assert sorted([*((f"thing {n}", n) for n in range(100)), *others]) == await _rows(empty_url)
