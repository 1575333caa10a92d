"""What bootstrap makes of the histories of others is what Alembic makes of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import bootstrap
from bootstrap.schema.compare import compare
from tests.conformance.test_drift import by_hand
from tests.conformance.test_same_as_alembic import SYNC, twin_url
from tests.projects import ProjectFolder, own_url
from tests.real import PROJECTS, Real, differences

__all__ = ["twin_url"]  # a fixture


@pytest.fixture(params=PROJECTS, ids=lambda real: real.name)
def real(request: pytest.FixtureRequest) -> Real:
    found: Real = request.param
    return found


@pytest.fixture
def folder(real: Real, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    made = real.folder(tmp_path / "project")
    monkeypatch.syspath_prepend(str(made.root))
    monkeypatch.delitem(sys.modules, "first_time", raising=False)
    return made


def sync_url(url: str, backend: str) -> str:
    resolved = bootstrap.Database.of(url).url
    driver = f"{resolved.get_backend_name()}+{SYNC[backend]}"
    return resolved.set(drivername=driver).render_as_string(hide_password=False)


def plain(
    real: Real, folder: ProjectFolder, url: str, backend: str
) -> subprocess.CompletedProcess[str]:
    """As the project's own program does it."""
    if real.first:
        subprocess.run(
            [sys.executable, "first_time.py", sync_url(url, backend)],
            cwd=folder.root,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            check=True,
        )
    own_url(folder, url, driver=SYNC[backend])
    return folder.alembic("upgrade", "head")


@pytest.mark.parametrize(
    "backend_name", ["sqlite", "postgresql", "mysql", "mariadb"], indirect=True
)
@pytest.mark.filterwarnings("ignore")  # theirs
async def test_the_schema_is_the_one_of_alembic(
    empty_url: str, twin_url: str, backend_name: str, real: Real, folder: ProjectFolder
) -> None:
    alone = plain(real, folder, twin_url, backend_name)
    if backend_name not in real.backends:
        assert (1, True) == (alone.returncode, "(1072," in alone.stderr)
        with pytest.raises(bootstrap.StatementFailed, match="mariadb 1072"):
            await bootstrap.migrate(empty_url, project=real.project(folder))
        return
    assert 0 == alone.returncode, alone.stderr

    report = await bootstrap.migrate(empty_url, project=real.project(folder))
    again = await bootstrap.migrate(empty_url, project=real.project(folder))

    assert len(list((real.scripts / "versions").glob("*.py"))) <= len(report.steps) + 1
    assert () == again.steps
    ours, theirs = await bootstrap.snapshot(empty_url), await bootstrap.snapshot(twin_url)
    assert ours.schema.tables
    assert () == compare(theirs.schema, ours.schema)


@pytest.mark.parametrize(
    "backend_name", ["sqlite", "postgresql", "mysql", "mariadb"], indirect=True
)
@pytest.mark.filterwarnings("ignore")  # theirs
async def test_what_alembic_has_made_has_no_drift(
    empty_url: str, backend_name: str, real: Real, folder: ProjectFolder
) -> None:
    """And what somebody has done since is found among all of their tables."""
    if backend_name not in real.backends:
        pytest.skip(f"the revisions of {real.name} cannot be run on {backend_name}")
    alone = plain(real, folder, empty_url, backend_name)
    assert 0 == alone.returncode, alone.stderr

    report = await bootstrap.drift(empty_url, project=real.project(folder))
    await by_hand(empty_url, "CREATE TABLE by_hand (id INTEGER)")
    after = await bootstrap.drift(empty_url, project=real.project(folder))

    assert [] == [one.title for one in report.differences]
    assert len(report.tables) > 10
    assert ["table by_hand"] == [one.title for one in after.differences]


@pytest.mark.filterwarnings("ignore")  # theirs
async def test_what_differs_between_the_backends_is_known(
    real: Real, folder: ProjectFolder
) -> None:
    listed = json.loads(real.page.read_text(encoding="utf-8"))

    found = await differences(real, folder)

    assert [] == [one["of"] for one in listed if not one["reason"]]
    assert [{k: v for k, v in one.items() if k != "reason"} for one in listed] == found
