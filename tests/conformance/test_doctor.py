"""`bootstrap doctor`: each finding provoked on a real server, and none where all is well."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url, text

import bootstrap
from bootstrap import settings
from bootstrap.backends.health import Circumstances, Finding, Verdict
from bootstrap.backends.mysql.rights import Rights
from bootstrap.database import Database
from tests import available
from tests.available import Servers
from tests.conformance.test_lock_behind_pgbouncer import pooled
from tests.conformance.test_run_lock import session_of
from tests.prepared import throwaway
from tests.projects import ProjectFolder, three_tables
from tests.tls import TLS

SERVERS = pytest.mark.parametrize("backend_name", ["postgresql", "mysql", "mariadb"], indirect=True)
POSTGRES = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
MYSQLS = pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
TODAY = date(2026, 11, 21)


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    return three_tables(tmp_path / "project")


async def examined(project: ProjectFolder, url: str, **environ: str) -> bootstrap.DoctorReport:
    """What the command would find in the project's folder."""
    return await bootstrap.doctor(
        settings.resolve(options={"url": url}, environ=environ, cwd=project.root)
    )


def found(report: bootstrap.DoctorReport, check: str) -> list[Finding]:
    return [one for one in report.findings if one.check == check]


async def checked(url: str, check: str, *, patience: float = 0.0) -> list[Finding]:
    """What one check finds, as if the server were far away."""
    database = Database.of(url)
    known = Circumstances(url=database.url.set(host="db"), today=TODAY, patience=patience)
    async with database.connect() as connection:
        checks = database.present(connection.dialect).health.checks
        (one,) = (one for one in checks if one.name == check)
        return list(await connection.run_sync(one.findings, known))


async def executed(url: str | URL, *statements: str) -> None:
    async with Database.of(url).connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in statements:
            await connection.exec_driver_sql(statement)


@asynccontextmanager
async def reading(url: str, table: str) -> AsyncIterator[str]:
    """Somebody who has read a table and goes on; gives the number of the session."""
    async with Database.of(url).connect() as connection:
        await connection.execute(text(f"SELECT * FROM {table}"))
        question = {"postgresql": "SELECT pg_backend_pid()"}
        name = Database.of(url).backend.name
        yield str(await connection.scalar(text(question.get(name, "SELECT CONNECTION_ID()"))))
        await connection.invalidate()  # the server may have ended it


async def test_a_healthy_database_has_nothing_but_fine_findings(
    project: ProjectFolder, empty_url: str
) -> None:
    await bootstrap.migrate(empty_url, project=project.project)

    report = await examined(project, empty_url)

    worse = [one for one in report.findings if one.verdict is not Verdict.FINE]
    # The server of the test may itself be of a line that is not maintained any more.
    assert [] == [one for one in worse if one.check != "version"]
    assert report.is_healthy
    assert "nothing is pending" in found(report, "position")[0].text


async def test_looking_changes_nothing(project: ProjectFolder, empty_url: str) -> None:
    before = await bootstrap.snapshot(empty_url)

    await examined(project, empty_url)

    assert before.digest == (await bootstrap.snapshot(empty_url)).digest


async def test_what_is_pending_is_fine_and_said(project: ProjectFolder, empty_url: str) -> None:
    report = await examined(project, empty_url)

    (position,) = found(report, "position")
    assert (Verdict.FINE, "bootstrap migrate") == (position.verdict, position.hint)
    assert "3 revisions are pending" in position.text


async def test_a_missing_database_is_a_problem_and_the_project_is_still_looked_at(
    project: ProjectFolder, fresh_url: str
) -> None:
    report = await examined(project, fresh_url)

    (connection,) = found(report, "connection")
    assert Verdict.PROBLEM is connection.verdict
    assert connection.hint.startswith("bootstrap create")
    assert Verdict.FINE is found(report, "revisions")[0].verdict
    assert not report.is_healthy


async def test_revisions_of_newer_code_are_a_problem(
    project: ProjectFolder, empty_url: str
) -> None:
    await bootstrap.migrate(empty_url, project=project.project)
    (project.root / "migrations" / "versions" / "three.py").unlink()

    (position,) = found(await examined(project, empty_url), "position")

    assert Verdict.PROBLEM is position.verdict
    assert "three" in position.text


async def test_the_run_lock_and_its_holder_are_named(
    project: ProjectFolder, empty_url: str
) -> None:
    session = await session_of(empty_url)
    try:
        assert await session.acquire()
        await session.announce()

        (lock,) = found(await examined(project, empty_url), "run lock")
    finally:
        await session.close()

    assert Verdict.WARNING is lock.verdict
    assert f"pid {os.getpid()}" in lock.text


@SERVERS
async def test_a_transaction_in_the_way_is_named_with_how_to_end_it(
    project: ProjectFolder, empty_url: str
) -> None:
    await bootstrap.migrate(empty_url, project=project.project)
    async with reading(empty_url, "t_one") as number:
        (session,) = await checked(empty_url, "sessions")
        assert Verdict.WARNING is session.verdict
        assert f"session {number} " in session.text

        await executed(empty_url, session.hint.rpartition("or: ")[2].rstrip(";"))

        assert Verdict.FINE is (await checked(empty_url, "sessions"))[0].verdict


@SERVERS
async def test_a_young_transaction_is_not_in_the_way(
    project: ProjectFolder, empty_url: str
) -> None:
    await bootstrap.migrate(empty_url, project=project.project)
    async with reading(empty_url, "t_one"):
        (session,) = await checked(empty_url, "sessions", patience=3600.0)

    assert Verdict.FINE is session.verdict


@POSTGRES
async def test_a_prepared_transaction_is_named(tls: TLS, backend_name: str) -> None:
    found = available.look_for(backend_name)
    assert isinstance(found, available.Found)
    with throwaway(
        backend_name, programs=found.programs, options=("-cmax_prepared_transactions=2",)
    ) as server:
        url = server.url.render_as_string(hide_password=False)
        await executed(url, "BEGIN", "CREATE TABLE t (id int)", "PREPARE TRANSACTION 'forgotten'")

        (session,) = await checked(url, "sessions")

        assert "'forgotten'" in session.text
        await executed(url, session.hint.rstrip(";"))


@SERVERS
@pytest.mark.parametrize("encrypted", [True, False])
async def test_a_connection_over_the_network_must_be_encrypted(
    backend_name: str, tls: TLS, *, encrypted: bool
) -> None:
    (finding,) = await checked(tls.url(backend_name, "", tls=encrypted), "encryption")

    assert (Verdict.FINE if encrypted else Verdict.WARNING) is finding.verdict
    assert ("TLSv1" in finding.text) == encrypted
    assert bool(finding.hint) != encrypted


@asynccontextmanager
async def poor_account(url: str, *grants: str) -> AsyncIterator[str]:
    """An account that has the rights named, and no others; gives its URL."""
    database, name = Database.of(url), f"poor_{secrets.token_hex(4)}"
    if database.backend.name == "postgresql":
        create, drop = f"CREATE ROLE {name} LOGIN", f"DROP OWNED BY {name}"
    else:
        create, drop = f"CREATE USER {name}@'%%'", "SELECT 1"
    await executed(url, create, *(f"{grant} TO {name}" for grant in grants))
    try:
        yield database.url.set(username=name, password=None).render_as_string()
    finally:
        kind = "ROLE" if database.backend.name == "postgresql" else "USER"
        await executed(url, drop, f"DROP {kind} {name}")


@POSTGRES
async def test_a_schema_without_the_right_to_create_is_a_problem(empty_url: str) -> None:
    await executed(empty_url, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    async with poor_account(empty_url) as url:
        (rights,) = await checked(url, "rights")
        assert Verdict.PROBLEM is rights.verdict

        await executed(empty_url, rights.hint)

        assert Verdict.FINE is (await checked(url, "rights"))[0].verdict


@POSTGRES
async def test_tables_that_belong_to_others_are_named(empty_url: str) -> None:
    await executed(empty_url, 'CREATE TABLE "Theirs" (id int)')
    async with poor_account(empty_url, "GRANT CREATE ON SCHEMA public") as url:
        may_create, tables = await checked(url, "rights")
        assert (Verdict.FINE, Verdict.WARNING) == (may_create.verdict, tables.verdict)
        assert 'public."Theirs" to' in tables.text

        await executed(empty_url, tables.hint)

        assert 1 == len(await checked(url, "rights"))


@MYSQLS
async def test_rights_that_are_missing_are_named_with_the_grant(empty_url: str) -> None:
    name = make_url(empty_url).database
    async with poor_account(empty_url, f"GRANT SELECT, INSERT ON {name}.*") as url:
        rights, process = await checked(url, "rights")
        assert (Verdict.PROBLEM, Verdict.WARNING) == (rights.verdict, process.verdict)
        assert "CREATE, ALTER, DROP, INDEX, REFERENCES, UPDATE, DELETE" in rights.text
        (hidden,) = await checked(url, "sessions")
        assert (Verdict.UNKNOWN, process.hint) == (hidden.verdict, hidden.hint)

        for finding in (rights, process):
            await executed(empty_url, finding.hint.replace("%", "%%"))

        assert [Verdict.FINE] == [one.verdict for one in await checked(url, "rights")]
        assert Verdict.FINE is (await checked(url, "sessions"))[0].verdict


@MYSQLS
async def test_the_rights_of_an_active_role_count(empty_url: str) -> None:
    name, role = make_url(empty_url).database, f"role_{secrets.token_hex(4)}"
    await executed(empty_url, f"CREATE ROLE {role}", f"GRANT ALL ON {name}.* TO {role}")
    async with poor_account(empty_url, f"GRANT SELECT ON {name}.*", f"GRANT {role}") as url:
        without = await checked(url, "rights")
        async with Database.of(url).connect() as connection:
            await connection.exec_driver_sql(f"SET ROLE {role}")
            active = await connection.run_sync(Rights.of)
    await executed(empty_url, f"DROP ROLE {role}")

    assert Verdict.PROBLEM is without[0].verdict
    assert active.on(str(name), "CREATE")


@MYSQLS
async def test_a_database_in_another_character_set_is_told(empty_url: str) -> None:
    name = make_url(empty_url).database
    await executed(empty_url, f"ALTER DATABASE {name} CHARACTER SET latin1")

    (characters,) = await checked(empty_url, "characters")

    assert Verdict.WARNING is characters.verdict
    assert "latin1" in characters.text
    await executed(empty_url, characters.hint.partition(";")[0])
    assert Verdict.FINE is (await checked(empty_url, "characters"))[0].verdict


@POSTGRES
async def test_a_database_that_does_not_hold_unicode_is_told(fresh_url: str) -> None:
    name = make_url(fresh_url).database
    server = make_url(fresh_url).set(database="postgres")
    await executed(
        server, f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
    )

    (characters,) = await checked(fresh_url, "characters")

    assert Verdict.WARNING is characters.verdict
    assert "LATIN1" in characters.text


@POSTGRES
async def test_a_time_zone_other_than_utc_is_told(empty_url: str) -> None:
    name = make_url(empty_url).database
    await executed(empty_url, f"ALTER DATABASE {name} SET timezone TO 'Asia/Kolkata'")

    (zone,) = await checked(empty_url, "time zone")

    assert Verdict.WARNING is zone.verdict
    await executed(empty_url, zone.hint)
    assert Verdict.FINE is (await checked(empty_url, "time zone"))[0].verdict


@MYSQLS
async def test_the_time_zone_of_the_session_is_told(empty_url: str) -> None:
    url = make_url(empty_url).update_query_dict({"init_command": "SET time_zone = '+05:30'"})

    (zone,) = await checked(url.render_as_string(), "time zone")

    assert Verdict.WARNING is zone.verdict
    assert "+05:30" in zone.text


@SERVERS
async def test_what_a_killed_run_has_left_is_named(project: ProjectFolder, empty_url: str) -> None:
    name = f"throwaway_{secrets.token_hex(8)}"
    await executed(empty_url, f"CREATE DATABASE {name}")

    report = await examined(project, empty_url)
    left = [one for one in found(report, "leftovers") if name in one.text]

    assert [Verdict.WARNING] == [one.verdict for one in left]
    await executed(empty_url, left[0].hint.partition(";")[0])
    assert name not in str(found(await examined(project, empty_url), "leftovers"))


@pytest.mark.parametrize("backend_name", ["postgresql", "postgresql+psycopg"], indirect=True)
async def test_a_pooler_in_transaction_mode_is_recognised(
    project: ProjectFolder, empty_url: str, servers: Servers
) -> None:
    with pooled(servers, empty_url, size=2) as url:
        report = await examined(project, url)

    (pooler,) = found(report, "pooler")
    assert Verdict.WARNING is pooler.verdict
    assert "transaction mode" in pooler.text
    assert Verdict.UNKNOWN is found(report, "encryption")[0].verdict


async def test_an_env_py_that_cannot_be_run_is_a_problem(
    project: ProjectFolder, empty_url: str
) -> None:
    project.env("raise RuntimeError('not today')")

    (env,) = found(await examined(project, empty_url), "env.py")

    assert Verdict.PROBLEM is env.verdict
    assert "not today" in env.text


@MYSQLS
async def test_a_half_applied_revision_is_told(project: ProjectFolder, empty_url: str) -> None:
    broken = "op.create_table('a', sa.Column('id', sa.Integer))\nop.execute('nonsense')"
    project.revision("four", down="three", upgrade=broken)
    with pytest.raises(bootstrap.StatementFailed):
        await bootstrap.migrate(empty_url, project=project.project)

    (half,) = found(await examined(project, empty_url), "half-applied")

    assert Verdict.WARNING is half.verdict
    assert "four" in half.text


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_a_file_that_is_opened_for_reading_only_is_a_problem(
    project: ProjectFolder, empty_url: str
) -> None:
    report = await examined(project, f"{empty_url}?mode=ro")

    (writable,) = found(report, "writable")
    assert Verdict.PROBLEM is writable.verdict


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_a_file_that_is_no_database_is_a_problem(
    project: ProjectFolder, fresh_url: str
) -> None:
    Path(str(make_url(fresh_url).database)).write_text("no database" * 100)

    report = await examined(project, fresh_url)

    assert not report.is_healthy


async def test_settings_are_looked_at_where_nothing_can_be_connected_to(
    project: ProjectFolder,
) -> None:
    (project.root / "migrations" / "versions" / "two.py").write_text("import nothing_like_it")

    report = await bootstrap.doctor(
        settings.resolve(environ={}, cwd=project.root, options={"config": "alembic.ini"})
    )

    assert Verdict.PROBLEM is found(report, "project")[0].verdict
    assert "no database" in found(report, "settings")[0].text
