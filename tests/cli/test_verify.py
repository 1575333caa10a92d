"""`bootstrap verify` on the command line."""

import re
from pathlib import Path

import pytest
import xmlschema

from tests.cli.conftest import Command
from tests.projects import ProjectFolder

XSD = xmlschema.XMLSchema(Path(__file__).parents[1] / "junit.xsd")
SQLITE = ("verify", "--backend", "sqlite")


def test_what_the_models_lack_is_shown_and_the_exit_code_is_1(run: Command) -> None:
    done = run(*SQLITE)

    assert 1 == done.code
    assert "Between the models and the revisions:" in done.out
    assert "table t_one" in done.out
    assert "3 definition differences" in done.out
    assert done.err.endswith("The history does not make the same schema everywhere.\n")


def test_as_json_every_difference_is_there(run: Command) -> None:
    done = run(*SQLITE, "--format", "json")

    report = done.document["report"]
    (server,) = report["servers"]
    first = report["differences"][0]
    assert (1, False, 3) == (done.code, report["is_clean"], len(report["differences"]))
    assert ("models", "definition", "table", "t_one") == tuple(
        first[key] for key in ("comparison", "weight", "kind", "name")
    )
    assert [server["name"]] == first["servers"]
    assert ["models", "revisions"] == [side["where"] for side in first["sides"]]


def test_what_was_accepted_is_no_longer_a_no(run: Command, project: ProjectFolder) -> None:
    pyproject = project.root / "pyproject.toml"

    wrote = run(*SQLITE, "--accept")
    again = run(*SQLITE)
    (project.root / "migrations" / "versions" / "three.py").unlink()
    less = run(*SQLITE)

    assert (0, 0, 0) == (wrote.code, again.code, less.code), wrote.err
    assert f"Wrote 3 of them to {pyproject.name}; edit their reasons" in wrote.out
    assert 3 == pyproject.read_text().count('reason = "TODO: ')
    assert "3 accepted" in again.out
    assert "Accepted in pyproject.toml, and not to be found here:" in less.out
    assert "models definition table t_three t_three: TODO: " in less.out


def test_an_acceptance_without_a_reason_is_refused_before_a_server_is_started(
    run: Command, project: ProjectFolder
) -> None:
    text = '[tool.bootstrap.verify]\naccept = [{table = "t_one"}]\n'
    (project.root / "pyproject.toml").write_text(text)

    done = run(*SQLITE)

    assert 3 == done.code
    assert "entry 1 of [tool.bootstrap.verify] accept has no reason" in done.err
    assert "verified" not in done.err


def test_backends_of_the_settings_are_taken(run: Command, project: ProjectFolder) -> None:
    (project.root / "pyproject.toml").write_text('[tool.bootstrap]\nbackends = ["sqlite"]\n')

    done = run("verify", "--no-models")

    assert 0 == done.code, done.err
    assert done.out.startswith("Server")
    assert "The history makes the same schema everywhere." in done.out


def test_a_url_may_stand_before_the_command_and_its_password_is_nowhere(run: Command) -> None:
    url = "postgresql://app:geheim@127.0.0.1:1/app"

    before = run("--url", url, "verify")
    after = run("verify", "--url", url)

    for done in (before, after):
        assert 4 == done.code, done.err
        assert "the history cannot be verified\nPostgreSQL, start: cannot create" in done.err
        assert "geheim" not in done.err + done.out


def test_an_unknown_backend_is_told_with_those_there_are(run: Command) -> None:
    done = run("verify", "--backend", "oracle")

    assert 3 == done.code
    assert "hint: use one of: mariadb, mysql, postgresql, sqlite" in done.err


def test_what_names_no_server_is_refused(run: Command) -> None:
    done = run("verify", "--server", "postgresql")

    assert 3 == done.code
    assert "hint: write NAME=FOLDER or NAME=VERSION:FOLDER" in done.err


@pytest.fixture
def odd(project: ProjectFolder) -> ProjectFolder:
    """A project with a name that XML, Markdown and annotations must be careful with."""
    project.revision(
        "odd",
        down="three",
        upgrade="op.create_table('a|<b>\\x01&%', sa.Column('id', sa.Integer, primary_key=True))",
    )
    return project


@pytest.mark.usefixtures("odd")
def test_junit_xml_has_a_case_for_each_table_and_revision(run: Command) -> None:
    done = run(*SQLITE, "--stairway", "--junit", "junit.xml")

    xml = xmlschema.XMLResource(run.folder / "junit.xml").root
    XSD.validate(run.folder / "junit.xml")
    cases = {(case.get("classname") or "", case.get("name")): case for case in xml.iter("testcase")}
    failed = {name for (_, name), case in cases.items() if case.find("failure") is not None}
    assert 1 == done.code
    assert {"t_one", "t_two", "t_three", "odd", "a|<b>\ufffd&%"} == failed
    stairs = [name for group, name in cases if group.startswith("verify.stairway on SQLite ")]
    assert ["one", "two", "three", "odd"] == stairs
    assert (str(len(cases)), "5") == (xml.get("tests"), xml.get("failures"))


def test_what_is_accepted_does_not_fail_in_junit_xml(run: Command) -> None:
    run(*SQLITE, "--accept")
    done = run(*SQLITE, "--junit", "junit.xml")

    text = (run.folder / "junit.xml").read_text()
    XSD.validate(text)
    assert 0 == done.code
    assert "<failure" not in text
    assert "accepted: table t_one: TODO: a table that is on one side only" in text


@pytest.mark.usefixtures("odd")
def test_markdown_is_one_row_for_each_difference(run: Command) -> None:
    run(*SQLITE, "--markdown", "pr.md")

    text = (run.folder / "pr.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| definition")]
    assert text.startswith("### ❌ bootstrap verify\n\nThe history does not make the same schema")
    assert 4 == len(rows)
    assert all(4 == len(re.findall(r"(?<!\\)\|", row)) - 1 for row in rows)
    assert any(r"table a\|\<b\>" in row for row in rows)
    assert "\n4 definition differences\n" in text


@pytest.mark.usefixtures("odd")
def test_on_github_each_difference_is_an_annotation(run: Command) -> None:
    done = run(*SQLITE, GITHUB_ACTIONS="true")

    annotations = [line for line in done.err.splitlines() if line.startswith("::error ")]
    assert 5 == len(annotations)
    assert annotations[-1].endswith("::The history does not make the same schema everywhere.")
    assert any("::definition: table a|<b>\x01&%25%0A" in line for line in annotations)


@pytest.mark.usefixtures("odd")
def test_the_page_is_written_and_the_text_stays_as_it_is(run: Command) -> None:
    done = run(*SQLITE, "--html", "verify.html")

    text = (run.folder / "verify.html").read_text(encoding="utf-8")
    assert 1 == done.code
    assert "4 definition differences" in done.out
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert r"a|&lt;b&gt;\x01&amp;%" in text
    assert text.endswith("</html>\n")


@pytest.mark.parametrize(("option", "what"), [("--junit", "JUnit"), ("--html", "HTML")])
def test_a_report_that_cannot_be_written_is_an_error(run: Command, option: str, what: str) -> None:
    done = run(*SQLITE, option, "nowhere/report")

    assert 3 == done.code
    assert f"cannot write the {what} report nowhere/report: No such file" in done.err
