"""What a revision does on another connection is noticed, and a run that goes on stops there."""

from __future__ import annotations

from pathlib import Path

import pytest

import bootstrap
from bootstrap.errors import HalfApplied, StatementFailed
from tests.conformance.test_journal_killed import KILL, killed
from tests.conformance.test_repair import rows
from tests.projects import ProjectFolder, new_project

on_journals = pytest.mark.parametrize(
    "backend_name", ["mariadb", "mysql", "postgresql"], indirect=True
)
T = "op.execute('CREATE TABLE t (n INTEGER)')"
U = "op.execute('CREATE TABLE u (n INTEGER)')"
INSERT = "sa.text('INSERT INTO t (n) VALUES (1)')"
FAILS = "op.execute('CREATE TABLE t (wrong INTEGER)')"
BESIDE = f"with op.get_bind().engine.begin() as other:\n    other.execute({INSERT})"
RAW = (
    "other = op.get_bind().engine.raw_connection()\n"
    "cursor = other.cursor()\n"
    "cursor.execute('INSERT INTO t (n) VALUES (1)')\n"
    "other.commit()\n"
    "other.close()"
)
READS = (
    "with op.get_bind().engine.connect() as other:\n"
    "    assert 't' in sa.inspect(other).get_table_names()\n"
    "    other.execute(sa.text('SELECT n FROM t')).all()"
)


def project(tmp_path: Path, url: str, *lines: str) -> ProjectFolder:
    """A revision of these lines, each durable by itself: PostgreSQL does so in a block."""
    folder = new_project(tmp_path)
    folder.revision("one", down=None, upgrade=_body(url, *lines))
    return folder


def _body(url: str, *lines: str) -> str:
    body = "\n".join(lines)
    if not url.startswith("postgresql"):
        return body
    inside = body.replace("\n", "\n    ")
    return f"with op.get_context().autocommit_block():\n    {inside}"


@on_journals
@pytest.mark.parametrize(
    ("beside", "said"),
    [(BESIDE, "on another connection: INSERT INTO t"), (RAW, "another connection")],
)
async def test_a_revision_does_not_go_on_after_it(
    empty_url: str, tmp_path: Path, beside: str, said: str
) -> None:
    folder = project(tmp_path, empty_url, T, beside, U, FAILS)
    with pytest.raises(StatementFailed):
        await bootstrap.migrate(empty_url, project=folder.project)

    with pytest.raises(HalfApplied, match="cannot be done again") as refused:
        await bootstrap.migrate(empty_url, project=folder.project)

    assert said in refused.value.message
    assert "--done" in refused.value.hint
    assert [(1,)] == await rows(empty_url, "SELECT n FROM t")


@on_journals
async def test_nor_when_it_was_killed_before_anything_was_committed_after_it(
    empty_url: str, tmp_path: Path
) -> None:
    pending = "op.execute('INSERT INTO u (n) VALUES (2)')"
    folder = project(tmp_path, empty_url, T, U, pending, BESIDE, KILL)
    await killed(folder, empty_url)
    folder.revision("one", down=None, upgrade=_body(empty_url, T, U, pending, BESIDE))

    with pytest.raises(HalfApplied, match="on another connection: INSERT INTO t"):
        await bootstrap.migrate(empty_url, project=folder.project)

    assert [(1,)] == await rows(empty_url, "SELECT n FROM t")


@pytest.mark.parametrize("backend_name", ["mariadb", "mysql"], indirect=True)
async def test_nor_does_a_run_that_has_locked_the_tables_wait_for_itself(
    empty_url: str, tmp_path: Path
) -> None:
    lock, unlock = "op.execute('LOCK TABLES u WRITE')", "op.execute('UNLOCK TABLES')"
    folder = project(tmp_path, empty_url, T, U, lock, BESIDE, unlock, FAILS)
    with pytest.raises(StatementFailed):
        await bootstrap.migrate(empty_url, project=folder.project)

    with pytest.raises(HalfApplied, match="on another connection: INSERT INTO t"):
        await bootstrap.migrate(empty_url, project=folder.project)


@on_journals
async def test_what_only_reads_there_is_no_harm(empty_url: str, tmp_path: Path) -> None:
    folder = project(tmp_path, empty_url, T, READS, U, FAILS)
    with pytest.raises(StatementFailed):
        await bootstrap.migrate(empty_url, project=folder.project)
    folder.revision("one", down=None, upgrade=_body(empty_url, T, READS, U))

    report = await bootstrap.migrate(empty_url, project=folder.project)

    assert ("one",) == report.after
    assert [] == await rows(empty_url, "SELECT n FROM u")


@on_journals
async def test_a_revision_that_is_not_disturbed_leaves_nothing_behind(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, empty_url, T, BESIDE, RAW, U)

    report = await bootstrap.migrate(empty_url, project=folder.project)

    assert ("one",) == report.after
    assert [(1,), (1,)] == await rows(empty_url, "SELECT n FROM t")
    left = "SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'bootstrap_j%%'"
    assert [] == await rows(empty_url, left)
