"""A migration that is killed at any statement and run again ends as if nothing had happened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.available import Servers
from tests.chaos import table
from tests.chaos.killing import Moment
from tests.chaos.measuring import Outcome, measure
from tests.chaos.places import Durable, Files, Place, Templates, durable
from tests.chaos.runner import Runner, Tool, running
from tests.chaos.scenarios import COMMITTING, LEAVING, SCENARIOS, Scenario

# `make test-full` kills at every point; each takes two processes.
EVERY = 1 if os.environ.get("BOOTSTRAP_TEST_CHAOS") == "all" else 3


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with running() as started:
        yield started


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_killed_run_loses_nothing(scenario: Scenario, runner: Runner, tmp_path: Path) -> None:
    outcomes = measure(
        scenario,
        tool=Tool.BOOTSTRAP,
        place=Files(tmp_path),
        runner=runner,
        folder=tmp_path,
        every=EVERY,
    )

    assert [] == [outcome for outcome in outcomes if outcome.lost]
    assert {*Moment} == {outcome.point.moment for outcome in outcomes}
    if EVERY == 1 and table.versions() in table.PAGE.read_text(encoding="utf-8"):
        assert table.documented(scenario.name, Tool.BOOTSTRAP) == table.cell(outcomes)


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
def test_a_killed_run_loses_nothing_on_a_server_either(
    backend_name: str, servers: Servers, runner: Runner, tmp_path: Path
) -> None:
    place = Templates(servers.url(backend_name))
    try:
        outcomes = measure(
            SCENARIOS[-1],
            tool=Tool.BOOTSTRAP,
            place=place,
            runner=runner,
            folder=tmp_path,
            every=2 * EVERY,
        )
    finally:
        place.close()

    assert [] == [outcome for outcome in outcomes if outcome.lost]


# Every so many points; a run on MySQL takes three seconds there.
@pytest.mark.parametrize(
    ("backend_name", "every"),
    [("mariadb", 9), ("mysql", 29)],
    indirect=["backend_name"],
)
@pytest.mark.parametrize(
    "scenario", [SCENARIOS[-1], *COMMITTING], ids=lambda scenario: scenario.name
)
def test_a_killed_run_goes_on_where_it_was_on_a_server_that_commits_each_statement(
    backend_name: str, every: int, scenario: Scenario, runner: Runner, tmp_path: Path
) -> None:
    place = Durable(backend_name)
    try:
        outcomes = measure(
            scenario,
            tool=Tool.BOOTSTRAP,
            place=place,
            runner=runner,
            folder=tmp_path,
            every=1 if EVERY == 1 else every,
        )
    finally:
        place.close()

    assert [] == [outcome for outcome in outcomes if outcome.lost]
    assert outcomes


@pytest.mark.parametrize(
    ("backend_name", "every"),
    [("mariadb", 13), ("mysql", 29)],
    indirect=["backend_name"],
)
def test_what_plain_alembic_has_left_on_a_server_is_repaired_or_said_not_to_be_known(
    backend_name: str, every: int, runner: Runner, tmp_path: Path
) -> None:
    place = Durable(backend_name)
    try:
        outcomes = _repaired(place, runner, tmp_path, every=1 if EVERY == 1 else every)
    finally:
        place.close()

    assert [] == [outcome for outcome in outcomes if outcome.lost and not outcome.untold]
    assert [outcome for outcome in outcomes if outcome.same]


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
def test_what_plain_alembic_has_left_of_an_autocommit_block_is_repaired_too(
    backend_name: str, runner: Runner, tmp_path: Path
) -> None:
    with closing(durable(backend_name)) as place:
        every = 1 if EVERY == 1 else 17
        outcomes = _repaired(place, runner, tmp_path, every=every, scenario=LEAVING[0])

    assert [] == [outcome for outcome in outcomes if outcome.lost and not outcome.untold]
    assert [outcome for outcome in outcomes if outcome.same]


def test_what_plain_alembic_has_left_in_a_file_is_repaired(runner: Runner, tmp_path: Path) -> None:
    outcomes = _repaired(Files(tmp_path), runner, tmp_path, every=1 if EVERY == 1 else 6)

    assert [] == [outcome for outcome in outcomes if outcome.lost]
    assert outcomes


def _repaired(
    place: Place, runner: Runner, folder: Path, *, every: int, scenario: Scenario = SCENARIOS[-1]
) -> list[Outcome]:
    return measure(
        scenario,
        tool=Tool.ALEMBIC,
        then=Tool.REPAIR,
        place=place,
        runner=runner,
        folder=folder,
        every=every,
    )


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
def test_a_killed_run_goes_on_where_it_was_when_it_has_left_its_transaction(
    backend_name: str, runner: Runner, tmp_path: Path
) -> None:
    with closing(durable(backend_name)) as place:
        outcomes = measure(
            LEAVING[0],
            tool=Tool.BOOTSTRAP,
            place=place,
            runner=runner,
            folder=tmp_path,
            every=1 if EVERY == 1 else 9,
        )

    assert [] == [outcome for outcome in outcomes if outcome.lost]
    assert {*Moment} == {outcome.point.moment for outcome in outcomes}


def test_plain_alembic_loses_something_at_the_same_points(runner: Runner, tmp_path: Path) -> None:
    outcomes = measure(
        SCENARIOS[0],
        tool=Tool.ALEMBIC,
        place=Files(tmp_path),
        runner=runner,
        folder=tmp_path,
        every=5,
    )

    assert [outcome for outcome in outcomes if outcome.lost]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_table_has_every_scenario_and_no_loss_of_ours(scenario: Scenario) -> None:
    assert table.documented(scenario.name, Tool.BOOTSTRAP).endswith("lost: 0")
    assert not table.documented(scenario.name, Tool.ALEMBIC).endswith("lost: 0")


@pytest.mark.parametrize(
    ("backend_name", "scenario"),
    [
        *(("mariadb", scenario) for scenario in (*SCENARIOS, *COMMITTING)),
        *(("postgresql", scenario) for scenario in LEAVING),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_the_table_of_the_journal_has_every_scenario_and_no_loss_of_ours(
    backend_name: str, scenario: Scenario
) -> None:
    name = table.named(backend_name, scenario.name)
    assert table.documented(name, Tool.BOOTSTRAP, table.JOURNAL).endswith("lost: 0")
    assert not table.documented(name, Tool.ALEMBIC, table.JOURNAL).endswith("lost: 0")
