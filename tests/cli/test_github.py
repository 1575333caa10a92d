"""GitHub Actions is told how a command ended; elsewhere nothing is written."""

from functools import partial
from pathlib import Path

import pytest

from bootstrap.cli import screen
from bootstrap.errors import Place, RevisionError
from bootstrap.inspecting.checking import CheckReport
from bootstrap.reports import markdown
from bootstrap.reports.github import annotation, error_annotation
from bootstrap.revisions.operations import Operation
from tests.cli.conftest import Command
from tests.projects import ProjectFolder

URL = "sqlite:///app.db"


@pytest.fixture
def summary(run: Command, project: ProjectFolder, tmp_path: Path) -> Path:
    """The summary of a job; the command is told that it runs in it."""
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    run.environ |= {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(project.root.parent),
        "GITHUB_STEP_SUMMARY": str(path),
    }
    return path


def annotations(err: str) -> list[str]:
    return [line for line in err.splitlines() if line.startswith("::")]


def test_what_is_special_in_a_workflow_command_is_escaped() -> None:
    error = RevisionError(
        "100% of a:b,c\r\nsecond", hint="go", place=Place(path=Path("a,b:c%.py"), line=3)
    )

    said = error_annotation("up", error, workspace=Path("/nowhere"))

    assert (
        "::error file=a%2Cb%3Ac%25.py,line=3,title=bootstrap up"
        "::100%25 of a:b,c%0D%0Asecond%0Ahint: go"
    ) == said
    assert "::error title=bootstrap up::no" == annotation("up", "no")


def test_a_secret_is_masked_before_an_escaped_line_break_makes_a_longer_word_of_it() -> None:
    error = RevisionError("it is\ngeheim", hint="100%")
    masked = partial(screen.masked, secrets={"geheim", "100%"})

    said = error_annotation("up", error, workspace=Path("/nowhere"), masked=masked)

    assert "::error title=bootstrap up::it is%0A***%0Ahint: ***" == said


def test_an_error_is_an_annotation_at_its_line(
    run: Command, project: ProjectFolder, summary: Path
) -> None:
    project.revision("four", down="nope")

    done = run("heads", "--format", "json")

    (said,) = annotations(done.err)
    place = "file=project/migrations/versions/four.py,line=5,title=bootstrap heads"
    assert said.startswith(f"::error {place}::the revisions cannot be read: ")
    assert "%0Ahint: " in said
    assert 6 == done.document["error"]["exit_code"]
    assert summary.read_text().startswith("before\n### ❌ bootstrap heads\n\n```text\nthe revis")


def test_a_no_is_an_annotation_too(run: Command, summary: Path) -> None:
    run("up", "--url", URL)

    done = run("check", "--url", URL, "--format", "json")

    said = "::error title=bootstrap check::The database does not have what the models say."
    assert (1, [said]) == (done.code, annotations(done.err))
    assert done.document["report"]["is_clean"] is False
    text = summary.read_text()
    assert "### ✅ bootstrap up\n\n- **Database** sqlite:///app.db (sqlite " in text
    assert "- **Revision** none → three\n\n| Step | Revision | Title | Seconds |\n| --- " in text
    assert "\n| upgrade | one | one title | 0." in text
    assert "### ❌ bootstrap check\n\nThe database does not have" in text
    assert "| drop\\_table | t\\_one | drop table t\\_one |\n" in text


@pytest.mark.parametrize("arguments", ["status", "heads", "current", "config", "wait"])
def test_every_report_has_a_summary(run: Command, summary: Path, arguments: str) -> None:
    run("up", "--url", URL)

    done = run(*arguments.split(), "--url", URL)

    assert (0, []) == (done.code, annotations(done.err)), done.err
    assert f"### ✅ bootstrap {arguments}\n" in summary.read_text()


def test_a_usage_error_is_an_annotation(run: Command, summary: Path) -> None:
    run("create", "--url", URL)

    done = run("drop", "--url", URL)

    assert 2 == done.code
    assert "::error title=bootstrap drop::Drop SQLite file app.db" in done.err


def test_a_secret_gets_into_neither(run: Command, summary: Path) -> None:
    url = "postgresql://app:geheim@127.0.0.1:1/app"

    done = run("status", "--url", url, "--format", "json")

    assert 4 == done.code
    assert 1 == len(annotations(done.err))
    assert "geheim" not in done.out + done.err + summary.read_text()


def test_a_summary_that_cannot_be_written_is_no_failure(run: Command, summary: Path) -> None:
    summary.unlink()
    summary.mkdir()

    done = run("heads")

    assert (0, "three (head)\n") == (done.code, done.out)
    assert "GITHUB_STEP_SUMMARY cannot be written: " in done.err


def test_elsewhere_nothing_is_written(run: Command, summary: Path) -> None:
    run.environ["GITHUB_ACTIONS"] = "false"

    done = run("status", "--url", URL)

    assert (4, []) == (done.code, annotations(done.err))
    assert "before\n" == summary.read_text()


def test_names_and_sql_are_no_markup() -> None:
    report = CheckReport(
        database="sqlite:///a|b.db",
        backend="sqlite",
        server_version="3",
        operations=(Operation(kind="add_column", table="<t>", text="a | b\n`c`"),),
    )

    text = markdown.summary("check", report)

    assert "- **Database** sqlite:///a\\|b.db (sqlite 3)\n" in text
    assert "| add\\_column | \\<t\\> | a \\| b \\`c\\` |\n" in text


def test_a_fence_is_longer_than_those_in_the_text() -> None:
    text = markdown.error_summary("up", RevisionError("a\n```\nb"))

    assert "````text\na\n```\nb\n````\n" in text
