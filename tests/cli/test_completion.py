"""Completion in shells: the real bash, and what the scripts of the others ask for."""

import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from bootstrap.cli import cli
from tests.cli.conftest import Command
from tests.projects import ProjectFolder

PROGRAMS = Path(sys.executable).parent
BASH = r"""
eval "$(bootstrap completion bash)"
COMP_WORDS=(%s); COMP_CWORD=%d
_bootstrap_completion bootstrap
printf '%%s\n' "${COMPREPLY[@]}"
"""


def environ(**more: str) -> dict[str, str]:
    return {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", **more}


def in_bash(folder: Path, *words: str, **more: str) -> list[str]:
    """What bash offers for the last of these words; nothing may be said on standard error."""
    script = BASH % (" ".join(f"'{word}'" for word in words), len(words) - 1)
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=folder,
        env=environ(**more),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "" == done.stderr
    return done.stdout.split()


def asked(folder: Path, shell: str, *words: str) -> str:
    """What the script of a shell gets when it asks, for the last of these words."""
    last = words[-1] if shell == "fish" else str(len(words) - 1)
    done = subprocess.run(
        [PROGRAMS / "bootstrap"],
        cwd=folder,
        env=environ(
            _BOOTSTRAP_COMPLETE=f"{shell}_complete", COMP_WORDS=" ".join(words), COMP_CWORD=last
        ),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "" == done.stderr
    return done.stdout


@pytest.fixture
def labelled(project: ProjectFolder) -> ProjectFolder:
    project.revision("four", down="three", extra="branch_labels = ('shop',)")
    return project


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        (("bootstrap", "mig"), {"migrate"}),
        (
            ("bootstrap", "migrate", ""),
            {"head", "heads", "one", "two", "three", "four", "shop@head"},
        ),
        (("bootstrap", "migrate", "t"), {"two", "three"}),
        (("bootstrap", "downgrade", "b"), {"base"}),
        (("bootstrap", "stamp", "one", "th"), {"three"}),
        (("bootstrap", "show", "c"), {"current"}),
        (("bootstrap", "merge", "he"), {"heads"}),
        (("bootstrap", "up", "--form"), {"--format"}),
        (("bootstrap", "up", "--format", "j"), {"json"}),
        (("bootstrap", "json-schema", "st"), {"stamp", "status"}),
    ],
)
def test_bash_completes(labelled: ProjectFolder, words: tuple[str, ...], offers: set[str]) -> None:
    assert offers == set(in_bash(labelled.root, *words))


def test_the_tab_key_completes_a_revision(labelled: ProjectFolder) -> None:
    shell = pexpect.spawn(
        "bash",
        ["--norc", "--noprofile"],
        cwd=str(labelled.root),
        env=environ(PS1="ready> ", TERM="dumb"),
        encoding="utf-8",
        timeout=60,
    )
    shell.expect_exact("ready> ")
    shell.sendline('eval "$(bootstrap completion bash)"')
    shell.expect_exact("ready> ")

    shell.send("echo bootstrap; bootstrap show thr\t --format json\n")
    shell.expect_exact('"revision": "three"')
    shell.close(force=True)


def test_the_option_that_names_the_project_counts(labelled: ProjectFolder, tmp_path: Path) -> None:
    ini = str(labelled.root / "alembic.ini")

    offers = in_bash(tmp_path, "bootstrap", "migrate", "--config", ini, "fo")

    assert ["four"] == offers


def test_nothing_is_run_and_nobody_connects(labelled: ProjectFolder) -> None:
    """No url_command, no env.py, no revision file, no server."""
    (labelled.root / "migrations" / "env.py").write_text("raise SystemExit('ran')")
    (labelled.root / "migrations" / "versions" / "loud.py").write_text(
        "print('ran')\nrevision = 'loud'\ndown_revision = None\n"
    )
    marker = labelled.root / "ran"

    offers = in_bash(
        labelled.root,
        "bootstrap",
        "migrate",
        "lo",
        BOOTSTRAP_URL_COMMAND=f"touch {marker}",
    )

    assert ["loud"] == offers
    assert not marker.exists()


@pytest.mark.parametrize("deep", [False, True])
def test_revisions_are_found_where_the_project_has_them(
    labelled: ProjectFolder, deep: bool
) -> None:
    """In folders of its own, and in folders in them."""
    more = labelled.root / "more" / "deep" if deep else labelled.root / "more"
    more.mkdir(parents=True)
    (more / "five.py").write_text("revision: str = 'five'\ndown_revision = 'four'\n")
    ini = labelled.root / "alembic.ini"
    lines = "version_locations = %(here)s/more\nrecursive_version_locations = true\n"
    ini.write_text(ini.read_text().replace("[alembic]\n", f"[alembic]\n{lines}", 1))

    assert ["five"] == in_bash(labelled.root, "bootstrap", "show", "f")


def test_completing_does_not_wait_for_alembic(labelled: ProjectFolder) -> None:
    code = (
        "import atexit, sys\n"
        "heavy = {'sqlalchemy', 'alembic', 'rich'}\n"
        "atexit.register(lambda: print('LOADED', sorted(heavy & set(sys.modules))))\n"
        "from bootstrap.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=labelled.root,
        env=environ(
            _BOOTSTRAP_COMPLETE="bash_complete", COMP_WORDS="bootstrap show th", COMP_CWORD="2"
        ),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert "plain,three\nLOADED []\n" == done.stdout


def test_nothing_is_said_where_there_is_no_project(tmp_path: Path) -> None:
    assert ["head", "heads"] == in_bash(tmp_path, "bootstrap", "migrate", "h")


def test_broken_files_are_passed_over(labelled: ProjectFolder) -> None:
    versions = labelled.root / "migrations" / "versions"
    (versions / "two.py").write_text("revision = 'two'\n<<<<<<< HEAD\n")
    (versions / "computed.py").write_text("revision = str(5)\n")
    (versions / "bytes.py").write_bytes(b"\xff\x00")

    assert ["three"] == in_bash(labelled.root, "bootstrap", "show", "t")


def test_zsh_and_fish_get_the_titles_too(labelled: ProjectFolder) -> None:
    assert "plain\nthree\nthree title\n" == asked(labelled.root, "zsh", "bootstrap", "show", "th")
    assert "plain,three\tthree title\n" == asked(labelled.root, "fish", "bootstrap", "show", "th")


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("bash", "complete -o nosort -F _bootstrap_completion bootstrap"),
        ("zsh", "compdef _bootstrap_completion bootstrap"),
        ("fish", "complete --no-files --command bootstrap"),
    ],
)
def test_each_shell_has_its_script(run: Command, shell: str, line: str) -> None:
    done = run("completion", shell)

    assert (0, "") == (done.code, done.err)
    assert line in done.out
    assert f"_BOOTSTRAP_COMPLETE={shell}_complete" in done.out


@pytest.mark.parametrize(
    ("command", "parameter"),
    [
        (name, one.name)
        for name, command in cli.commands.items()
        for one in command.params
        if one.name in {"revision", "revisions"}
    ],
)
def test_every_argument_that_is_a_revision_completes(
    labelled: ProjectFolder, monkeypatch: pytest.MonkeyPatch, command: str, parameter: str
) -> None:
    import click

    monkeypatch.chdir(labelled.root)
    context = click.Context(cli.commands[command])
    (found,) = [one for one in cli.commands[command].params if one.name == parameter]

    assert ["four"] == [one.value for one in found.shell_complete(context, "four")]
