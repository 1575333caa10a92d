"""Connections that are opened beside a revision are noticed, and those of others are not."""

from __future__ import annotations

import asyncio
import threading

from sqlalchemy import NullPool, create_engine

from bootstrap.journal import beside

_ENGINE = create_engine("sqlite://", poolclass=NullPool)


def _used() -> None:
    with _ENGINE.connect() as connection:
        connection.exec_driver_sql("SELECT 1")


def test_each_statement_on_one_is_told_and_nothing_afterwards() -> None:
    told: list[str | None] = []
    with beside.watched(told.append):
        _used()
    _used()

    assert ["SELECT 1"] == told


def test_one_that_goes_past_sqlalchemy_is_told_at_once() -> None:
    told: list[str | None] = []
    with beside.watched(told.append):
        _ENGINE.raw_connection().close()

    assert [None] == told


def test_bootstraps_own_is_not_told() -> None:
    told: list[str | None] = []
    with beside.watched(told.append), beside.unwatched():
        _used()

    assert [] == told


def test_those_of_other_threads_and_tasks_of_the_program_are_not_told() -> None:
    told: list[str | None] = []

    async def both() -> None:
        begun, done = asyncio.Event(), asyncio.Event()

        async def program() -> None:
            await begun.wait()
            _used()
            done.set()

        async def run() -> None:
            with beside.watched(told.append):
                begun.set()
                await done.wait()
                other = threading.Thread(target=_used)
                other.start()
                other.join()
                await asyncio.to_thread(_used)

        async with asyncio.TaskGroup() as group:
            group.create_task(program())
            group.create_task(run())

    asyncio.run(both())

    assert [] == told
