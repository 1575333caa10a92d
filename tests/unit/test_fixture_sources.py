"""What a template follows from: each change of it makes another one."""

from pathlib import Path

import pytest

from bootstrap.integrations.fixtures.sources import digest
from tests.projects import ProjectFolder, three_tables


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    made = three_tables(tmp_path / "project")
    for name, source in {
        "app/__init__.py": "",
        "app/kinds.py": "NAMES = ()",
        "app/models.py": "from .kinds import NAMES\nfrom app import extra",
        "app/extra.py": "",
        "app/web.py": "",
        "seeds/one.yaml": "table: t_one",
        "notes.txt": "",
    }.items():
        path = made.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    revision = made.files[0]
    revision.write_text("import app.models\n" + revision.read_text())
    return made


def _digest(folder: ProjectFolder, *, server: str = "15", further: tuple[Path, ...] = ()) -> str:
    seeds = (folder.root / "seeds",)
    return digest(folder.project, server=server, datasets=seeds, further=further)


@pytest.mark.parametrize(
    "name",
    [
        "migrations/env.py",
        "migrations/versions/three.py",
        "seeds/one.yaml",
        "app/models.py",
        "app/kinds.py",
        "app/extra.py",
        "app/__init__.py",
        "alembic.ini",
    ],
)
def test_what_the_revisions_follow_from_counts(folder: ProjectFolder, name: str) -> None:
    before = _digest(folder)
    path = folder.root / name
    path.write_text(path.read_text() + "\n# another\n")

    assert before != _digest(folder)


@pytest.mark.parametrize("name", ["app/web.py", "notes.txt", "migrations/README"])
def test_what_they_do_not_follow_from_does_not(folder: ProjectFolder, name: str) -> None:
    before = _digest(folder)
    (folder.root / name).write_text("# another\n")

    assert before == _digest(folder)


def test_a_new_revision_another_server_and_what_is_named_count(folder: ProjectFolder) -> None:
    notes = folder.root / "notes.txt"
    found = {_digest(folder), _digest(folder, server="16"), _digest(folder, further=(notes,))}
    notes.write_text("another")
    found.add(_digest(folder, further=(notes,)))
    folder.revision("four", down="three")
    found.add(_digest(folder))

    assert 5 == len(found)
