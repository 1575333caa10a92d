"""optuna's history, where it can be on rows, killed at its statements and run again, ends as ever.

Every 7th to 23rd point, by backend; `BOOTSTRAP_TEST_CHAOS=all tests/real.sh -k killed` takes each.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

import pytest

from tests.chaos.comparing import Contents
from tests.chaos.measuring import measure
from tests.chaos.places import Files, durable
from tests.chaos.runner import Runner, Tool, running
from tests.chaos.scenarios import Scenario
from tests.conformance.test_same_as_alembic import SYNC
from tests.projects import ProjectFolder, own_url
from tests.real import OPTUNA

EVERY_POINT = os.environ.get("BOOTSTRAP_TEST_CHAOS") == "all"
_CONFIGURES = "        context.configure(\n            connection=connection"
_ATTACHED = (
    f"        from tests.chaos import killing\n        killing.attach(connection)\n{_CONFIGURES}"
)
_UNIFORM = '{"name": "UniformDistribution", "attributes": {"low": 0.0, "high": 1.0}}'
_ROWS = (
    "INSERT INTO studies (study_id, study_name, direction) VALUES (1, 's', 'MINIMIZE')",
    "INSERT INTO trials (trial_id, study_id, state, value) VALUES (1, 1, 'COMPLETE', 0.5)",
    "INSERT INTO trials (trial_id, study_id, state, value) VALUES (2, 1, 'PRUNED', NULL)",
    "INSERT INTO trial_params (param_id, trial_id, param_name, param_value, distribution_json)"
    f" VALUES (1, 1, 'x', 0.5, '{_UNIFORM}')".replace(":", "\\:"),
    "INSERT INTO trial_values (trial_value_id, trial_id, step, value) VALUES (1, 1, 0, 0.25)",
)


def _written(root: Path, backend_name: str) -> ProjectFolder:
    """optuna's revisions and its env.py, which counts its statements."""
    folder = OPTUNA.folder(root)
    shutil.copytree(OPTUNA.scripts, root / "scripts")
    env = root / "scripts" / "env.py"
    text = env.read_text(encoding="utf-8")
    assert 1 == text.count(_CONFIGURES)
    env.write_text(text.replace(_CONFIGURES, _ATTACHED), encoding="utf-8")
    ini = root / "alembic.ini"
    ini.write_text(
        ini.read_text(encoding="utf-8").replace(str(OPTUNA.scripts), str(root / "scripts"))
    )
    example = "sqlite://" if backend_name == "sqlite" else f"{backend_name}://nobody@127.0.0.1/b"
    own_url(folder, example, driver=SYNC[backend_name])
    return folder


def _scenario(backend_name: str) -> Scenario:
    def write(root: Path) -> ProjectFolder:
        return _written(root, backend_name)

    if backend_name not in OPTUNA.backends:  # it comes no further there: test_histories.py
        return Scenario(name=OPTUNA.name, write=write, end="v1.3.0.a")
    if backend_name == "postgresql":  # v2.4.0.a makes a type that is there when it begins later
        return Scenario(name=OPTUNA.name, write=write)
    return Scenario(name=OPTUNA.name, write=write, start="v0.9.0.a", rows=_ROWS)


def _alike(one: Contents, other: Contents) -> bool:
    """The same but for keys: no server takes the next one back with what is rolled back."""
    return one.schema == other.schema and _without_keys(one) == _without_keys(other)


def _without_keys(found: Contents) -> dict[str, list[str]]:
    """The rows without their first column; what has no other one is no key of optuna's."""
    return {
        name: sorted(row.partition(", ")[2] or row for row in rows)
        for name, rows in found.rows.items()
    }


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with running("optuna.storages._rdb.models") as started:
        yield started


@pytest.mark.parametrize(
    ("backend_name", "every"),
    [("sqlite", 11), ("postgresql", 17), ("mysql", 23), ("mariadb", 7)],
    indirect=["backend_name"],
)
def test_a_killed_run_ends_as_one_that_nobody_has_disturbed(
    backend_name: str, every: int, runner: Runner, tmp_path: Path
) -> None:
    place = Files(tmp_path) if backend_name == "sqlite" else durable(backend_name)
    with nullcontext(place) if isinstance(place, Files) else closing(place):
        outcomes = measure(
            _scenario(backend_name),
            tool=Tool.BOOTSTRAP,
            place=place,
            runner=runner,
            folder=tmp_path,
            every=1 if EVERY_POINT else every,
            alike=_alike,
        )

    assert [] == [outcome for outcome in outcomes if outcome.lost]
    assert len(outcomes) > 4
