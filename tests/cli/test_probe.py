"""`bootstrap verify --probe` on the command line."""

from __future__ import annotations

from pathlib import Path

import xmlschema

from tests.cli.conftest import Command
from tests.projects import ProjectFolder

XSD = xmlschema.XMLSchema(Path(__file__).parents[1] / "junit.xsd")
BOTH = ("verify", "--backend", "sqlite", "--backend", "postgresql", "--no-models", "--probe")


def test_each_report_has_the_answers_and_what_was_not_asked(
    run: Command, project: ProjectFolder
) -> None:
    (project.root / "migrations" / "versions" / "three.py").unlink()
    project.revision(
        "more",
        down="two",
        upgrade="op.create_table('t_more', sa.Column('id', sa.Integer, primary_key=True),"
        " sa.Column('name', sa.String(9)), sa.CheckConstraint(\"name > 'a' || 'b'\", 'ck_odd'))",
    )

    done = run(*BOTH, "--junit", "verify.xml", "--markdown", "verify.md")

    junit, markdown = (project.root / name for name in ("verify.xml", "verify.md"))
    assert 1 == done.code, done.err
    assert done.err.endswith("The servers do not answer the same to the same rows.\n")
    assert "What the servers say to the same rows:" in done.out
    assert "range of t_more.id, t_one.id, t_two.id" in done.out
    assert "Not probed:\n  t_more.ck_odd: its condition is not understood" in done.out
    XSD.validate(junit)
    text = junit.read_text()
    assert 3 == text.count('classname="verify.probe"')
    assert "length is not checked" in text
    shown = markdown.read_text()
    assert "**What the servers say to the same rows:**" in shown
    assert "**Not probed:**\n\n- t\\_more.ck\\_odd: its condition is not understood" in shown


def test_accepted_answers_are_no_longer_a_no_and_nothing_is_missed_without_the_option(
    run: Command, project: ProjectFolder
) -> None:
    entries = ",\n".join(
        f'{{comparison = "probe", kind = "column", attribute = "{name}", reason = "so"}}'
        for name in ("range", "type")
    )
    text = f"[tool.bootstrap.verify]\naccept = [\n{entries}\n]\n"
    (project.root / "pyproject.toml").write_text(text)

    probed = run(*BOTH, "--format", "json")
    without = run("verify", "--backend", "sqlite", "--no-models")

    assert 0 == probed.code, probed.err
    report = probed.document["report"]
    assert ["t_one", "t_three", "t_two"] == report["probed"]["tables"]
    assert {"probe"} == {one["comparison"] for one in report["differences"]}
    assert {"so"} == {one["accepted"] for one in report["differences"]}
    assert 0 == without.code
    assert "not to be found here" not in without.out


def test_one_server_alone_is_refused(run: Command) -> None:
    done = run("verify", "--backend", "sqlite", "--probe")

    assert 3 == done.code
    assert "nothing that its answers could be compared with" in done.err
    assert "verified" not in done.err
