"""`bootstrap drift` finds what was done by hand, and nothing else, and writes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

import bootstrap
from bootstrap import backends
from bootstrap.checking.differences import Difference
from bootstrap.database import Database
from bootstrap.errors import DatabaseError, RevisionError, SettingsError
from bootstrap.schema.changes import Kind
from tests.conformance.corpus import CASES, Case, cases, table
from tests.projects import ProjectFolder, new_project, three_tables

# Each change takes a run of env.py on two databases. `make test-full` tries all of them.
EVERY = 1 if os.environ.get("BOOTSTRAP_TEST_CHANGES") == "all" else 8


def made_by(statements: tuple[str, ...], root: Path) -> ProjectFolder:
    """A project with one revision, which runs these statements."""
    folder = new_project(root)
    folder.revision(
        "one",
        down=None,
        extra=f"STATEMENTS = {statements!r}",
        upgrade="for statement in STATEMENTS: op.get_bind().exec_driver_sql(statement)",
    )
    return folder


async def by_hand(url: str, *statements: str) -> None:
    async with Database.of(url).connect() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)
        await connection.commit()


def said(one: Difference) -> str:
    """A difference in the words of the corpus."""
    of = f" of {one.table}" if one.kind is not Kind.TABLE and one.table else ""
    name = one.table if one.kind is Kind.TABLE else one.name
    there = [side.value is not None for side in one.sides]
    action = {(False, True): "added", (True, False): "removed"}.get(
        (there[0], there[1]) if not one.attribute else (True, True), "changed"
    )
    attribute = f": {one.attribute}" if one.attribute else ""
    return f"{action} {one.kind} {name}{of}{attribute}"


@pytest.mark.parametrize(
    ("backend_name", "case"),
    [pytest.param(case.backend, case, id=str(case)) for case in table.changes(CASES)[::EVERY]],
    indirect=["backend_name"],
)
async def test_a_single_change_by_hand_is_found_and_named(
    case: Case, empty_url: str, tmp_path: Path
) -> None:
    folder = made_by(case.setup, tmp_path)
    await bootstrap.migrate(empty_url, project=folder.project)
    await by_hand(empty_url, *case.change)

    report = await bootstrap.drift(empty_url, project=folder.project)

    assert list(case.expected) == sorted(said(one) for one in report.differences)
    assert not report.is_clean


async def state(url: str) -> tuple[str, int, list[str]]:
    """What a run must not change: the catalogue, the rows, the databases of the server."""
    database = Database.of(url)
    async with database.connect() as connection:
        catalog = database.present(connection.dialect).catalog
        fingerprint = await connection.run_sync(catalog.fingerprint)
        rows = await connection.scalar(text("SELECT count(*) FROM t")) or 0
        names = list(await connection.scalars(text(_DATABASES[database.backend.name])))
    return fingerprint, rows, sorted(name for name in names if name.startswith("throwaway_"))


_SCHEMATA = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA"
_DATABASES = {
    "postgresql": "SELECT datname FROM pg_database",
    "mysql": _SCHEMATA,
    "mariadb": _SCHEMATA,
    "sqlite": "SELECT name FROM pragma_database_list",
}


async def test_a_database_as_its_history_made_it_has_no_drift_and_is_only_read(
    backend_name: str, empty_url: str, tmp_path: Path
) -> None:
    file = "mysql" if backend_name == "mariadb" else backend_name
    setup = cases(backend_name, file=file)[0].setup
    folder = made_by((*setup, "INSERT INTO t (id, email) VALUES (7, 'a@example.org')"), tmp_path)
    await bootstrap.migrate(empty_url, project=folder.project)
    before = await state(empty_url)

    report = await bootstrap.drift(empty_url, project=folder.project)

    assert () == report.differences
    assert ("one",) == report.revisions
    assert before == await state(empty_url)
    assert [] == before[2]


async def test_what_is_pending_is_no_drift_and_what_was_done_meanwhile_is(
    empty_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path)
    await bootstrap.migrate(empty_url, "two", project=folder.project)
    clean = await bootstrap.drift(empty_url, project=folder.project)
    await by_hand(empty_url, "CREATE TABLE t_three (id INTEGER)", "DROP TABLE t_one")

    report = await bootstrap.drift(empty_url, project=folder.project)

    assert (True, ("two",)) == (clean.is_clean, clean.revisions)
    assert ["removed table t_one", "added table t_three"] == [
        said(one) for one in report.differences if one.kind is Kind.TABLE
    ]


async def test_a_database_of_newer_code_is_refused_with_its_revision(
    empty_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path)
    await bootstrap.migrate(empty_url, project=folder.project)
    (folder.root / "migrations" / "versions" / "three.py").unlink()

    with pytest.raises(RevisionError, match="three"):
        await bootstrap.drift(empty_url, project=folder.project)


async def test_what_is_accepted_is_written_once_and_reported_when_it_is_gone(
    empty_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path)
    await bootstrap.migrate(empty_url, project=folder.project)
    await by_hand(empty_url, "CREATE TABLE by_hand (id INTEGER)")

    first = await bootstrap.drift(empty_url, project=folder.project, accept=True)
    second = await bootstrap.drift(empty_url, project=folder.project)
    await by_hand(empty_url, "DROP TABLE by_hand")
    third = await bootstrap.drift(empty_url, project=folder.project)

    assert (1, True, True) == (first.added, first.is_clean, second.is_clean)
    assert "[tool.bootstrap.drift]" in (folder.root / "pyproject.toml").read_text()
    assert ((), ["by_hand"]) == (third.differences, [one.table for one in third.unused])


@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
async def test_the_shadow_has_the_defaults_of_the_live_database(
    empty_url: str, tmp_path: Path
) -> None:
    name = make_url(empty_url).database
    await by_hand(empty_url, f"ALTER DATABASE `{name}` CHARACTER SET latin1 COLLATE latin1_bin")
    folder = three_tables(tmp_path)
    await bootstrap.migrate(empty_url, project=folder.project)

    assert () == (await bootstrap.drift(empty_url, project=folder.project)).differences


@pytest.fixture
async def poor_url(empty_url: str) -> str:
    """The URL of an account that may do anything in its database, and not create another."""
    url = make_url(empty_url)
    name = url.database
    await by_hand(
        empty_url, f"CREATE ROLE poor_{name} LOGIN", f"ALTER SCHEMA public OWNER TO poor_{name}"
    )
    return url.set(username=f"poor_{name}").render_as_string(hide_password=False)


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_without_the_right_to_create_databases_a_throwaway_server_is_taken(
    poor_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path)
    await bootstrap.migrate(poor_url, project=folder.project)
    await by_hand(poor_url, "DROP TABLE t_two")

    report = await bootstrap.drift(poor_url, project=folder.project)

    assert ["removed table t_two"] == [
        said(one) for one in report.differences if one.kind is Kind.TABLE
    ]
    assert report.shadow.startswith("a throwaway server of version ")


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_without_that_right_and_without_programs_the_error_says_both_ways_out(
    poor_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = three_tables(tmp_path)
    await bootstrap.migrate(poor_url, project=folder.project)
    server = backends.named("postgresql").server
    monkeypatch.setattr(type(server), "programs", lambda _: None)

    with pytest.raises(DatabaseError, match="no shadow database can be made") as refused:
        await bootstrap.drift(poor_url, project=folder.project)

    account = make_url(poor_url).username
    assert refused.value.hint.startswith(
        f'let the account create databases: ALTER ROLE "{account}" CREATEDB; or install'
    )


async def test_beyond_a_baseline_only_what_is_new_counts_and_what_is_gone_is_said(
    empty_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path)
    await bootstrap.migrate(empty_url, project=folder.project)
    await by_hand(empty_url, "CREATE TABLE old (id INTEGER)", "CREATE INDEX ix_a ON t_one (id)")
    file = tmp_path / "drift.json"

    first = await bootstrap.drift(
        empty_url, project=folder.project, baseline=file, update_baseline=True
    )
    same = await bootstrap.drift(empty_url, project=folder.project, baseline=file)
    await by_hand(empty_url, "DROP TABLE old", "CREATE TABLE newer (id INTEGER)")
    later = await bootstrap.drift(empty_url, project=folder.project, baseline=file)

    assert (True, True, ()) == (first.is_clean, same.is_clean, same.gone)
    assert ["newer"] == [one.table for one in later.open]
    assert ["old"] == [one.table for one in later.gone]
    assert later.restoration is not None
    assert "ix_a" not in later.restoration.script


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_what_is_in_the_baseline_and_changes_again_is_new(
    empty_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path)
    await bootstrap.migrate(empty_url, project=folder.project)
    await by_hand(empty_url, "CREATE VIEW v AS SELECT id FROM t_one")
    file = tmp_path / "drift.json"
    await bootstrap.drift(empty_url, project=folder.project, baseline=file, update_baseline=True)
    await by_hand(empty_url, "DROP VIEW v", "CREATE VIEW v AS SELECT id FROM t_two")

    report = await bootstrap.drift(empty_url, project=folder.project, baseline=file)

    assert (["v"], ["v"]) == ([one.name for one in report.open], [one.name for one in report.gone])


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("text", [None, "{", "[]", '{"version": 1, "differences": [{"kind": 1}]}'])
async def test_a_file_that_is_no_baseline_is_refused(
    text: str | None, empty_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path)
    await bootstrap.migrate(empty_url, project=folder.project)
    file = tmp_path / "drift.json"
    if text is not None:
        file.write_text(text)

    with pytest.raises(SettingsError, match="baseline") as refused:
        await bootstrap.drift(empty_url, project=folder.project, baseline=file)

    assert "--update-baseline" in refused.value.hint
