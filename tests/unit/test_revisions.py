"""The revisions of a project, from its files alone; merging them."""

from pathlib import Path

import pytest

import bootstrap
from tests.projects import ProjectFolder, new_project

HOOK = """
[post_write_hooks]
hooks = note
note.type = exec
note.executable = {program}
note.options = REVISION_SCRIPT_FILENAME {argument}
"""


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    folder = new_project(tmp_path / "project")
    folder.revision("root", down=None)
    folder.revision("left", down="root", extra="branch_labels = ('west',)")
    folder.revision("right", down="root")
    folder.revision("apart", down=None, extra="depends_on = ('left',)")
    return folder


def files(folder: ProjectFolder) -> dict[str, bytes]:
    versions = folder.root / "migrations" / "versions"
    return {path.name: path.read_bytes() for path in versions.glob("*.py")}


def add_hook(folder: ProjectFolder, *, program: Path, argument: str = "") -> None:
    ini = folder.root / "alembic.ini"
    ini.write_text(ini.read_text() + HOOK.format(program=program, argument=argument))


async def test_heads_may_leave_out_what_others_depend_on(folder: ProjectFolder) -> None:
    every = await bootstrap.heads(project=folder.project)
    effective = await bootstrap.heads(project=folder.project, resolve_dependencies=True)

    assert {"left", "right", "apart"} == {one.revision for one in every.revisions}
    assert {"right", "apart"} == {one.revision for one in effective.revisions}
    assert ["left"] == [one.revision for one in every.revisions if one.is_depended_on]


async def test_branches_are_where_several_revisions_follow(folder: ProjectFolder) -> None:
    report = await bootstrap.branches(project=folder.project)

    (point,) = report.branch_points
    assert ("root", True) == (point.revision.revision, point.revision.is_branch_point)
    assert ["left", "right"] == [one.revision for one in point.branches]
    assert [("west",), ()] == [one.labels for one in point.branches]


async def test_a_project_without_revisions_has_no_history(tmp_path: Path) -> None:
    project = new_project(tmp_path / "project").project

    assert () == (await bootstrap.heads(project=project)).revisions
    assert () == (await bootstrap.branches(project=project)).branch_points
    assert () == (await bootstrap.history(project=project)).revisions


@pytest.mark.parametrize("text", ["root", "root:left:right", ""])
async def test_a_range_has_one_colon(folder: ProjectFolder, text: str) -> None:
    with pytest.raises(bootstrap.RevisionError, match="is no range of revisions"):
        await bootstrap.history(text, project=folder.project)


async def test_a_range_goes_from_the_older_to_the_newer(folder: ProjectFolder) -> None:
    report = await bootstrap.history("root:right", project=folder.project)

    assert ["right", "root"] == [one.revision for one in report.revisions]
    with pytest.raises(bootstrap.RevisionError, match="not below its end"):
        await bootstrap.history("right:root", project=folder.project)


@pytest.mark.parametrize("text", ["rigth:", ":rigth", "root:rigth"])
async def test_an_unknown_end_of_a_range_names_the_nearest(
    folder: ProjectFolder, text: str
) -> None:
    with pytest.raises(bootstrap.RevisionError, match="no revision 'rigth'") as refused:
        await bootstrap.history(text, project=folder.project)

    assert "nearest: right (right title)" in refused.value.hint


async def test_a_relative_range_that_is_ambiguous_is_refused(folder: ProjectFolder) -> None:
    folder.revision("joined", down=("left", "right"))

    with pytest.raises(bootstrap.RevisionError, match="'-2:joined' cannot be resolved"):
        await bootstrap.history("-2:joined", project=folder.project)


async def test_current_needs_a_database(folder: ProjectFolder) -> None:
    for reading in (
        bootstrap.history("current:", project=folder.project),
        bootstrap.show("current", project=folder.project),
        bootstrap.edit("current", project=folder.project),
    ):
        with pytest.raises(bootstrap.SettingsError, match="no database is named"):
            await reading


async def test_base_is_no_file_to_show(folder: ProjectFolder) -> None:
    with pytest.raises(bootstrap.RevisionError, match="base names no revision file"):
        await bootstrap.show("base", project=folder.project)


async def test_a_merge_joins_its_revisions(folder: ProjectFolder) -> None:
    report = await bootstrap.merge(
        ["left", "right"],
        project=folder.project,
        message="Join both sides",
        rev_id="both",
        branch_label="joined",
    )

    heads = await bootstrap.heads(project=folder.project)
    assert ("both", True) == (report.revision.revision, report.revision.is_merge_point)
    assert ("left", "right") == report.revision.down_revisions
    assert "Join both sides." == report.revision.title
    assert "joined" in report.revision.labels
    assert report.revision.path.name in files(folder)
    assert {"both", "apart"} == {one.revision for one in heads.revisions}


async def test_a_merge_of_all_heads_says_by_itself_what_it_merges(folder: ProjectFolder) -> None:
    report = await bootstrap.merge("heads", project=folder.project)

    assert {"right", "apart"} == set(report.revision.down_revisions)
    assert f"Merge {', '.join(report.revision.down_revisions)}." == report.revision.title


async def test_post_write_hooks_of_the_project_run(
    folder: ProjectFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    add_hook(folder, program=Path("/bin/cp"), argument=f"{folder.root}/copy")

    report = await bootstrap.merge(["left", "right"], project=folder.project)

    assert (folder.root / "copy").read_bytes() == report.revision.path.read_bytes()
    assert "" == capfd.readouterr().out


@pytest.mark.parametrize(
    ("revisions", "options", "message"),
    [
        ("left", {}, "nothing to merge: left means left alone"),
        (["root", "right"], {}, "root cannot be merged"),
        (["left", "nope"], {}, "no revision 'nope'"),
        (["left", "right"], {"rev_id": "apart"}, "there is a revision apart already"),
        (["left", "right"], {"rev_id": "a+b"}, "cannot be written: .*revision identifier"),
        (["left", "right"], {"branch_label": "west"}, "cannot be written: Branch name 'west'"),
        (["left", "right"], {"message": 'x """ y'}, "cannot be written: SyntaxError"),
    ],
)
async def test_a_merge_that_cannot_be_leaves_no_file(
    folder: ProjectFolder, revisions: list[str], options: dict[str, str], message: str
) -> None:
    before = files(folder)

    with pytest.raises(bootstrap.RevisionError, match=message):
        await bootstrap.merge(
            revisions,
            project=folder.project,
            message=options.get("message"),
            rev_id=options.get("rev_id"),
            branch_label=options.get("branch_label"),
        )

    assert before == files(folder)


async def test_a_hook_that_cannot_run_leaves_no_file(folder: ProjectFolder) -> None:
    add_hook(folder, program=Path("/does/not/exist"))
    before = files(folder)

    with pytest.raises(bootstrap.RevisionError, match=r"cannot be written: .*/does/not/exist"):
        await bootstrap.merge(["left", "right"], project=folder.project)

    assert before == files(folder)


async def test_no_file_is_overwritten(folder: ProjectFolder) -> None:
    """The name of a file need not have the id in it."""
    ini = folder.root / "alembic.ini"
    lines = ini.read_text().splitlines(keepends=True)
    ini.write_text(
        "".join(
            "file_template = %%(slug)s\n" if "file_template" in line else line for line in lines
        )
    )
    await bootstrap.merge(["left", "right"], project=folder.project, message="Join")
    before = files(folder)

    with pytest.raises(bootstrap.RevisionError, match=r"join\.py is there already"):
        await bootstrap.merge("heads", project=folder.project, message="Join")

    assert before == files(folder)


async def test_splice_merges_what_is_no_head(folder: ProjectFolder) -> None:
    report = await bootstrap.merge(["root", "apart"], project=folder.project, splice=True)

    assert ("root", "apart") == report.revision.down_revisions


async def test_a_merge_runs_env_py_where_the_project_wants_that(folder: ProjectFolder) -> None:
    ini = folder.root / "alembic.ini"
    ini.write_text(
        ini.read_text().replace("[alembic]\n", "[alembic]\nrevision_environment = true\n", 1)
    )
    mako = folder.root / "migrations" / "script.py.mako"
    mako.write_text(mako.read_text() + "\nteam = ${repr(team)}\n")
    env = folder.root / "migrations" / "env.py"
    text = env.read_text().replace(
        "if context.is_offline_mode():",
        "context._proxy.context_opts['template_args']['team'] = 'blue'\n"
        "if context.is_offline_mode():",
    )
    env.write_text(text)
    url = f"sqlite:///{folder.root}/x.db"
    await bootstrap.create(url)

    with pytest.raises(bootstrap.SettingsError, match="no database is named"):
        await bootstrap.merge(["left", "right"], project=folder.project)
    report = await bootstrap.merge(["left", "right"], project=folder.project, database=url)

    assert "team = 'blue'" in report.revision.path.read_text()
