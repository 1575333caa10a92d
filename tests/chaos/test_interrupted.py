"""A run whose connections are cut takes its lock again, and goes on where the database is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from sqlalchemy import text

import bootstrap
from bootstrap.database import Database
from bootstrap.events import Event, LockAwaited
from bootstrap.running import retrying
from tests.available import Servers
from tests.chaos.interrupting import (
    STEPS,
    Interrupted,
    database,
    interrupted,
    undisturbed,
    with_alembic,
    written,
)
from tests.chaos.proxy import Cut, proxied

EVERY_POINT = os.environ.get("BOOTSTRAP_TEST_CHAOS") == "all"
SCHEMES = ["postgresql", "postgresql+psycopg", "mysql", "mariadb", "mariadb+asyncmy"]
# Of a run's messages; which one carries what depends on the driver's time.
_FEW = 6
_COMMIT = b"COMMIT"
_TWO = b"n + 1, more"  # an UPDATE that leaves other rows when it is sent twice

_IS_BUILT = b"*/ CREATE INDEX CONCURRENTLY"  # in the journal it has no mark before it
_BUILD = """
    with op.get_context().autocommit_block():
        op.create_index("ix_notes_n", "notes", ["n"], postgresql_concurrently=True)
    op.execute("UPDATE notes SET n = n + 1")
"""
_INDEX = """
    SELECT CAST(indexrelid AS bigint), indisvalid FROM pg_index
    WHERE indexrelid = to_regclass('ix_notes_n')
"""

# asyncpg prepares a statement in one message, and has it carried out in another one.
on_psycopg = pytest.mark.parametrize("backend_name", ["postgresql+psycopg"], indirect=True)
on_servers = pytest.mark.parametrize("backend_name", SCHEMES, indirect=True)


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "_FIRST_PAUSE", 0.02)


def _said(run: Interrupted) -> list[str]:
    return [event.fault for event in run.retried]


@on_servers
async def test_a_run_that_is_cut_at_any_message_ends_as_if_nothing_had_happened(
    backend_name: str, scheme: str, servers: Servers, tmp_path: Path
) -> None:
    server, folder = servers.url(backend_name), written(tmp_path / "project")
    sent, expected = await undisturbed(server, scheme, folder)
    every = 1 if EVERY_POINT else len(sent) // _FEW

    for position, message in enumerate(sent[: -len(sent) // _FEW : every]):
        for cut in Cut if EVERY_POINT else [list(Cut)[position % len(Cut)]]:
            run = await interrupted(server, scheme, folder, cut=cut, at=message.number)

            assert run.has_cut, (cut, message)
            assert run.report is not None, (cut, message, run.error)
            assert expected == run.contents, (cut, message)
            assert [2, 1] == [run.report.tries, len(run.retried)], (cut, message)
            assert STEPS == [step.revision for step in run.report.steps], (cut, message)


@on_servers
@pytest.mark.parametrize("cut", Cut)
async def test_whether_a_commit_without_an_answer_was_carried_out_is_looked_up(
    backend_name: str, scheme: str, servers: Servers, tmp_path: Path, cut: Cut
) -> None:
    server, folder = servers.url(backend_name), written(tmp_path / "project")
    _, expected = await undisturbed(server, scheme, folder)

    run = await interrupted(server, scheme, folder, cut=cut, at=1, only=_COMMIT)

    assert run.has_cut
    assert run.report is not None, run.error
    assert expected == run.contents
    assert ((), ("three",), 2) == (run.report.before, run.report.after, run.report.tries)
    assert STEPS == [step.revision for step in run.report.steps]


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_revisions_with_transactions_of_their_own_are_not_done_again(
    backend_name: str, scheme: str, servers: Servers, tmp_path: Path
) -> None:
    server = servers.url(backend_name)
    folder = written(tmp_path / "project", per_revision=True)
    _, expected = await undisturbed(server, scheme, folder)

    for cut in Cut:
        run = await interrupted(server, scheme, folder, cut=cut, at=2, only=_COMMIT)

        assert run.has_cut
        assert run.report is not None, run.error
        assert expected == run.contents
        assert STEPS == [step.revision for step in run.report.steps]


@pytest.mark.parametrize("backend_name", ["postgresql", "postgresql+psycopg"], indirect=True)
async def test_what_has_left_its_transaction_goes_on_at_its_statement(
    backend_name: str, scheme: str, servers: Servers, tmp_path: Path
) -> None:
    server, folder = servers.url(backend_name), written(tmp_path / "project", leaves=True)
    sent, expected = await undisturbed(server, scheme, folder)
    left = next(one.number for one in sent if b"CONCURRENTLY" in one.content)
    every = 1 if EVERY_POINT else len(sent) // _FEW

    for position, message in enumerate(sent[left - 2 : -len(sent) // _FEW : every]):
        for cut in Cut if EVERY_POINT else [list(Cut)[position % len(Cut)]]:
            run = await interrupted(server, scheme, folder, cut=cut, at=message.number)

            assert run.has_cut, (cut, message)
            assert run.report is not None, (cut, message, run.error)
            assert expected == run.contents, (cut, message)
            assert [2, 1] == [run.report.tries, len(run.retried)], (cut, message)
            assert STEPS == [step.revision for step in run.report.steps], (cut, message)


@on_psycopg
@pytest.mark.parametrize("cut", Cut)
async def test_a_build_that_is_cut_off_is_known_to_be_done_or_begun_anew(
    backend_name: str, scheme: str, servers: Servers, tmp_path: Path, cut: Cut
) -> None:
    server, folder = servers.url(backend_name), written(tmp_path / "project", leaves=True)
    _, expected = await undisturbed(server, scheme, folder)

    run = await interrupted(server, scheme, folder, cut=cut, at=1, only=_IS_BUILT)

    assert run.has_cut
    assert run.report is not None, run.error
    assert expected == run.contents
    assert 2 == run.report.tries


@on_psycopg
async def test_a_build_that_goes_on_without_its_client_is_waited_for_and_not_begun_again(
    backend_name: str, scheme: str, servers: Servers, tmp_path: Path
) -> None:
    server, folder = servers.url(backend_name), written(tmp_path / "project")
    folder.revision("two", down="one", upgrade=_BUILD)
    waits = asyncio.Event()

    def seen(event: Event) -> None:
        if isinstance(event, LockAwaited) and event.holder == "a statement of an earlier run":
            waits.set()

    async with (
        database(server, scheme) as url,
        proxied(server, cut=Cut.AT_ONCE, at=1, only=_IS_BUILT) as proxy,
    ):
        await bootstrap.migrate(url, "one", project=folder.project)
        async with Database.of(url).connect() as somebody:
            await somebody.execute(text("UPDATE notes SET n = 0"))  # the build waits for its end
            run = asyncio.create_task(
                bootstrap.migrate(proxy.url(url), "two", project=folder.project, emit=seen)
            )
            await asyncio.wait_for(waits.wait(), 60)
            begun = [tuple(row) for row in await somebody.execute(text(_INDEX))]
            await somebody.rollback()
        report = await run
        async with Database.of(url).connect() as somebody:
            after = [tuple(row) for row in await somebody.execute(text(_INDEX))]
            notes = [tuple(row) for row in await somebody.execute(text("TABLE notes ORDER BY id"))]

    assert proxy.has_cut
    assert 2 == report.tries
    # The control: it was not done when it was waited for, and it is the same one now.
    assert [(begun[0][0], False)] == begun
    assert [(begun[0][0], True)] == after
    assert [(1, 2), (2, 3), (3, 4)] == notes


@on_servers
async def test_a_server_that_refuses_for_a_while_is_waited_for(
    backend_name: str, scheme: str, servers: Servers, tmp_path: Path
) -> None:
    server, folder = servers.url(backend_name), written(tmp_path / "project")
    _, expected = await undisturbed(server, scheme, folder)

    run = await interrupted(server, scheme, folder, cut=Cut.AT_ONCE, at=1, only=_TWO, refused=3)

    assert run.report is not None, run.error
    assert expected == run.contents
    assert run.report.tries == len(run.retried) + 1 > 2


@pytest.mark.parametrize("backend_name", ["postgresql", "mariadb"], indirect=True)
async def test_without_a_second_try_the_next_run_goes_on(
    backend_name: str, scheme: str, servers: Servers, tmp_path: Path
) -> None:
    """The control: it is the tries that make the difference."""
    server, folder = servers.url(backend_name), written(tmp_path / "project")
    _, expected = await undisturbed(server, scheme, folder)

    run = await interrupted(
        server, scheme, folder, cut=Cut.UNANSWERED, at=1, only=_TWO, retry_for=0
    )

    assert run.has_cut
    assert isinstance(run.error, bootstrap.StatementFailed)
    assert 7 == run.error.exit_code
    assert expected != run.contents
    assert [] == _said(run)


@pytest.mark.parametrize("backend_name", ["mariadb"], indirect=True)
async def test_plain_alembic_is_left_with_half_a_revision(
    backend_name: str, scheme: str, servers: Servers, tmp_path: Path
) -> None:
    server, folder = servers.url(backend_name), written(tmp_path / "project")

    exit_code, has_cut, _ = await with_alembic(
        server, scheme, folder, cut=Cut.UNANSWERED, at=1, only=_TWO
    )

    assert has_cut
    assert 0 != exit_code
