"""Revision files and models that cannot be used: exit code 6, file, line, and what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.projects import ProjectFolder

Spoil = Callable[[ProjectFolder], None]


def versions(project: ProjectFolder) -> Path:
    return project.root / "migrations" / "versions"


def syntax_error(project: ProjectFolder) -> None:
    path = versions(project) / "two.py"
    path.write_text(path.read_text().replace("def downgrade():", "def downgrade(:"))


def conflict(project: ProjectFolder) -> None:
    path = versions(project) / "three.py"
    line = "down_revision = 'two'\n"
    both = f"<<<<<<< HEAD\n{line}=======\ndown_revision = 'one'\n>>>>>>> feature\n"
    path.write_text(path.read_text().replace(line, both))


def same_id(project: ProjectFolder) -> None:
    path = versions(project) / "two.py"
    (versions(project) / "two_again.py").write_text(path.read_text())


def circle(project: ProjectFolder) -> None:
    project.revision("one", down="three")


def circle_of_dependencies(project: ProjectFolder) -> None:
    project.revision("two", down="one", extra="depends_on = 'three'")


def own_successor(project: ProjectFolder) -> None:
    project.revision("one", down="one")


def gone(project: ProjectFolder) -> None:
    project.revision("four", down="thee")


def gone_dependency(project: ProjectFolder) -> None:
    project.revision("four", down="three", extra="depends_on = ('other',)")


def no_such_import(project: ProjectFolder) -> None:
    path = versions(project) / "two.py"
    path.write_text(path.read_text().replace("import sqlalchemy as sa", "import sqlalchmey as sa"))


SPOILT: dict[str, tuple[Spoil, str, int, str, str]] = {
    "a syntax error": (syntax_error, "two.py", 9, "SyntaxError: ", "correct that line"),
    "a merge conflict": (
        conflict,
        "three.py",
        5,
        "three.py:5 has a merge-conflict marker",
        "keep one side of the conflict",
    ),
    "one id twice": (
        same_id,
        "two_again.py",
        4,
        "versions/two.py:4 and migrations/versions/two_again.py:4 both have the revision two",
        "if one is a copy, remove it",
    ),
    "a cycle": (circle, "one.py", 5, "one → three → two → one", "correct the one that is wrong"),
    "a cycle of dependencies": (
        circle_of_dependencies,
        "three.py",
        5,
        "three → two → three",
        "depends_on",
    ),
    "its own successor": (own_successor, "one.py", 5, "one → one", "down_revision"),
    "a missing down revision": (
        gone,
        "four.py",
        5,
        "down_revision of revision four names thee, which no file has",
        "did you mean three?",
    ),
    "a missing dependency": (
        gone_dependency,
        "four.py",
        6,
        "depends_on of revision four names other, which no file has",
        "bring the file of other back",
    ),
    "an import that fails": (
        no_such_import,
        "two.py",
        2,
        "ModuleNotFoundError: No module named 'sqlalchmey'",
        "prepend_sys_path",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_revisions_that_cannot_be_read_are_named_with_file_and_line(
    run: Command, project: ProjectFolder, case: str
) -> None:
    spoil, name, line, sentence, hint = SPOILT[case]
    spoil(project)
    before = sorted(project.root.rglob("*"))

    for command in ("migrate", "heads"):
        done = run(command, "--url", "sqlite:///app.db")

        assert (6, "") == (done.code, done.out), done.err
        error, said = done.err.splitlines()
        assert error.startswith("error: the revisions cannot be read: ")
        assert sentence in error
        assert f"migrations/versions/{name}:{line}" in error
        assert said.startswith("hint: ")
        assert hint in said
    without_caches = [path for path in project.root.rglob("*") if "__pycache__" not in str(path)]
    assert [path for path in before if "__pycache__" not in str(path)] == sorted(without_caches)


def test_json_has_the_place_as_data(run: Command, project: ProjectFolder) -> None:
    gone(project)

    done = run("heads", "--format", "json")

    place = done.document["error"]["place"]
    assert {"path": str(versions(project) / "four.py"), "line": 5} == place


def test_a_model_that_does_not_import_is_named_with_its_line(
    run: Command, project: ProjectFolder
) -> None:
    (project.root / "models.py").write_text("from decimal import Decimal\n\nimport shop.missing\n")
    env = project.root / "migrations" / "env.py"
    env.write_text(env.read_text().replace("metadata = MetaData()", "import models\nmetadata = 1"))
    run("create", "--url", "sqlite:///app.db")
    before = (project.root / "app.db").read_bytes()

    done = run("migrate", "--url", "sqlite:///app.db")

    assert (6, "") == (done.code, done.out)
    assert "error: env.py failed: ModuleNotFoundError: No module named 'shop' (models.py:3)" in (
        done.err
    )
    assert "hint: install what has shop, or add its folder to prepend_sys_path" in done.err
    assert before == (project.root / "app.db").read_bytes()


def test_a_model_that_sqlalchemy_refuses_is_blamed_on_the_model(
    run: Command, project: ProjectFolder
) -> None:
    """And not on the line of SQLAlchemy that raises."""
    (project.root / "models.py").write_text(
        "import sqlalchemy as sa\nfrom sqlalchemy.orm import DeclarativeBase\n\n"
        "class Base(DeclarativeBase):\n    pass\n\n"
        "class User(Base):\n    __tablename__ = 'users'\n    name = sa.Column(sa.String)\n"
    )
    env = project.root / "migrations" / "env.py"
    env.write_text(env.read_text().replace("metadata = MetaData()", "import models\nmetadata = 1"))
    run("create", "--url", "sqlite:///app.db")

    done = run("migrate", "--url", "sqlite:///app.db", "--format", "json")

    error = done.document["error"]
    assert (6, 7) == (done.code, error["place"]["line"])
    assert str(project.root / "models.py") == error["place"]["path"]
