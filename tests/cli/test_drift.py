"""`bootstrap drift` on the command line."""

import re
import sqlite3
from contextlib import closing

import pytest
import xmlschema
from sqlalchemy import URL

from tests.cli.conftest import Command
from tests.cli.test_verify import XSD

DRIFT = ("drift", "--url", "sqlite:///app.db")


@pytest.fixture
def changed(run: Command) -> Command:
    """In a folder with a database that somebody has added a table to."""
    assert 0 == run("up", "--url", "sqlite:///app.db").code
    with closing(sqlite3.connect(run.folder / "app.db")) as connection:
        connection.execute("CREATE TABLE by_hand (id INTEGER)")
        connection.execute("ALTER TABLE t_one ADD COLUMN more TEXT")
        connection.commit()
    return run


def test_what_was_done_by_hand_is_shown_and_the_exit_code_is_1(changed: Command) -> None:
    done = changed(*DRIFT)

    assert 1 == done.code
    assert "From the revisions to the database:" in done.out
    assert "column more of t_one" in done.out
    assert "2 definition differences" in done.out
    assert done.err.endswith("The database does not have the schema that its history makes.\n")


def test_as_json_every_difference_has_both_sides(changed: Command) -> None:
    done = changed(*DRIFT, "--format", "json")

    report = done.document["report"]
    table, column = report["differences"]
    assert (1, False, ["three"]) == (done.code, report["is_clean"], report["revisions"])
    assert ("by_hand", "more") == (table["name"], column["name"])
    assert ["revisions", "database"] == [side["where"] for side in column["sides"]]


def test_junit_xml_has_a_case_for_each_table(changed: Command) -> None:
    changed(*DRIFT, "--junit", "junit.xml")

    XSD.validate(changed.folder / "junit.xml")
    xml = xmlschema.XMLResource(changed.folder / "junit.xml").root
    cases = {case.get("name"): case.find("failure") is not None for case in xml.iter("testcase")}
    assert {"by_hand": True, "t_one": True, "t_two": False, "t_three": False} == cases


def test_markdown_and_annotations_have_each_difference(changed: Command) -> None:
    done = changed(*DRIFT, "--markdown", "pr.md", GITHUB_ACTIONS="true")

    text = (changed.folder / "pr.md").read_text()
    annotations = [line for line in done.err.splitlines() if line.startswith("::error ")]
    assert text.startswith("### ❌ bootstrap drift\n\nThe database does not have the schema")
    assert 2 == len([line for line in text.splitlines() if line.startswith("| definition")])
    assert 3 == len(annotations)
    assert any("::definition: column more of t_one%0A" in line for line in annotations)


def test_what_was_accepted_is_no_longer_a_no(changed: Command) -> None:
    wrote = changed(*DRIFT, "--accept")
    again = changed(*DRIFT)

    assert (0, 0) == (wrote.code, again.code), wrote.err
    assert "Wrote 2 of them to pyproject.toml; edit their reasons" in wrote.out
    assert "[tool.bootstrap.drift]" in (changed.folder / "pyproject.toml").read_text()
    assert "2 accepted" in again.out


def test_an_acceptance_without_a_reason_is_refused(changed: Command) -> None:
    text = '[tool.bootstrap.drift]\naccept = [{table = "t_one"}]\n'
    (changed.folder / "pyproject.toml").write_text(text)

    done = changed(*DRIFT)

    assert 3 == done.code
    assert "entry 1 of [tool.bootstrap.drift] accept has no reason" in done.err


def test_a_missing_database_is_an_error_and_is_not_made(run: Command) -> None:
    done = run("drift", "--url", "sqlite:///nowhere.db")

    assert 4 == done.code
    assert not (run.folder / "nowhere.db").exists()


def test_a_baseline_that_is_not_found_is_a_no_with_what_differs_from_the_nearest(
    changed: Command,
) -> None:
    changed("stamp", "base", "--url", "sqlite:///app.db")

    done = changed("baseline", "--url", "sqlite:///app.db")

    assert 1 == done.code
    assert re.search(r"Nearest +three\n", done.out)
    assert "column more of t_one" in done.out
    assert done.err.endswith("No revision makes the schema of the database.\n")


@pytest.mark.parametrize("kind", ["junit", "markdown", "html"])
def test_a_revision_that_adopts_has_no_report_of_differences(run: Command, kind: str) -> None:
    done = run(*DRIFT, "--adopt", f"--{kind}", "report")

    assert 2 == done.code
    assert "--adopt takes neither" in done.err
    assert not (run.folder / "report").exists()


@pytest.mark.parametrize("secret", ["name", "testcase", "p&q", 'quo"te', "ge_heim"])
def test_no_document_has_a_secret_and_none_is_broken_by_one(run: Command, secret: str) -> None:
    assert 0 == run("up", "--url", "sqlite:///app.db").code
    with closing(sqlite3.connect(run.folder / "app.db")) as connection:
        quoted = secret.replace('"', '""')
        connection.execute(f'CREATE TABLE "{quoted}" (id INTEGER)')
        connection.execute(f"CREATE VIEW two AS SELECT 'a line\n{secret}' AS said")
        connection.commit()
    url = URL.create("postgresql", username="app", password=secret, host="db", database="app")
    files = ("--junit", "junit.xml", "--markdown", "pr.md")

    done = run(*DRIFT, *files, "--format", "json", "-x", f"url={url.render_as_string(False)}")

    table, view = done.document["report"]["differences"]
    assert ("***", "two") == (table["name"], view["name"])
    assert "'a line\n***'" in view["sides"][1]["value"]
    XSD.validate(run.folder / "junit.xml")
    xml = xmlschema.XMLResource(run.folder / "junit.xml").root
    assert "***" in [case.get("name") for case in xml.iter("testcase")]
    assert "'a line\n***'" in "".join(xml.itertext())
    cells = re.split(r" \| |\n", (run.folder / "pr.md").read_text())
    assert "table ***" in cells
    assert "'a line ***'" in "".join(cells)
