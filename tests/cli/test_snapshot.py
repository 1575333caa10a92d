"""`bootstrap snapshot` as people and pipelines run it."""

from __future__ import annotations

import json

from bootstrap.schema.document import digest, loads
from tests.cli.conftest import Command


def migrated(run: Command, url: str) -> None:
    assert 0 == run("up", "--url", url).code


def test_a_snapshot_is_json_that_can_be_read_again(run: Command, fresh_url: str) -> None:
    migrated(run, fresh_url)

    done = run("snapshot", "--url", fresh_url)
    kept = run("snapshot", "--url", fresh_url, "--output", "schema.json")

    text = (run.folder / "schema.json").read_text(encoding="utf-8")
    assert (0, 0) == (done.code, kept.code)
    assert text == done.out
    schema = loads(text)
    assert f"Wrote schema.json ({digest(schema)})\n" == kept.out
    assert schema.tables
    assert "alembic_version" not in [table.name for table in schema.tables]


def test_a_database_has_the_schema_of_its_snapshot_until_it_changes(
    run: Command, fresh_url: str
) -> None:
    migrated(run, fresh_url)
    run("snapshot", "--url", fresh_url, "-o", "schema.json")

    same = run("snapshot", "--url", fresh_url, "--check", "schema.json")
    run("downgrade", "-1", "--yes", "--url", fresh_url)
    other = run("snapshot", "--url", fresh_url, "--check", "schema.json")
    data = run("snapshot", "--url", fresh_url, "--check", "schema.json", "--format", "json")

    assert (0, 1, 1) == (same.code, other.code, data.code)
    assert "has the schema of schema.json" in same.out
    changes = data.document["report"]["changes"]
    assert {"removed"} == {change["action"] for change in changes if not change["attribute"]}
    assert all(change["why"] for change in changes)
    assert all(str(change["name"]) in other.out for change in changes)


def test_a_file_that_is_no_snapshot_is_an_error_and_stays(run: Command, fresh_url: str) -> None:
    migrated(run, fresh_url)
    wrong = run.folder / "schema.json"
    wrong.write_text("[1]", encoding="utf-8")

    done = run("snapshot", "--url", fresh_url, "--check", "schema.json")
    missing = run("snapshot", "--url", fresh_url, "--check", "nowhere.json")

    assert (3, 3) == (done.code, missing.code)
    assert "schema.json: the document is not a snapshot" in done.err
    assert "nowhere.json" in missing.err
    assert "[1]" == wrong.read_text(encoding="utf-8")


def test_a_snapshot_that_cannot_be_written_leaves_nothing(run: Command, fresh_url: str) -> None:
    migrated(run, fresh_url)

    done = run("snapshot", "--url", fresh_url, "--output", "no/such/folder/schema.json")

    assert 3 == done.code
    assert "cannot write the snapshot no/such/folder/schema.json" in done.err
    assert [] == list(run.folder.rglob("*schema.json*"))


def test_a_missing_database_is_an_error(run: Command, fresh_url: str) -> None:
    done = run("snapshot", "--url", fresh_url, "--format", "json")

    assert 4 == done.code
    assert 4 == json.loads(done.out)["error"]["exit_code"]


def test_a_table_can_be_left_out(run: Command, fresh_url: str) -> None:
    migrated(run, fresh_url)
    every = [table.name for table in loads(run("snapshot", "--url", fresh_url).out).tables]

    done = run("snapshot", "--url", fresh_url, "--leave-out", every[0])

    assert every[1:] == [table.name for table in loads(done.out).tables]
