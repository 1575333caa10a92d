"""The ways in which an env.py learns of its database, and what it leaves as it was."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bootstrap
from bootstrap import HandOver, Reach
from bootstrap.project import Project
from tests.cli.conftest import Command
from tests.conformance.test_moves import tables_of
from tests.projects import ProjectFolder, three_tables

on_sqlite = pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
THREE = {"t_one", "t_two", "t_three", "alembic_version"}
ENV = """
import asyncio
import os
from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import create_async_engine

def run(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def connect():
    engine = create_async_engine({url}, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()

asyncio.run(connect())
"""
HANDED = """
from alembic import context
connection = context.config.attributes["connection"]
context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
"""


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    return three_tables(tmp_path / "project")


def reaching(folder: ProjectFolder, reach: Reach) -> Project:
    return Project.at(folder.root / "alembic.ini", reach=reach)


# The environment ----------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [None, "sqlite+aiosqlite:///elsewhere.db"])
async def test_a_variable_has_the_url_while_env_py_runs(
    empty_url: str, folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    monkeypatch.delenv("APP_DATABASE", raising=False)
    if before:
        monkeypatch.setenv("APP_DATABASE", before)
    folder.env(ENV.format(url="os.environ['APP_DATABASE']"))

    report = await bootstrap.migrate(
        empty_url, project=reaching(folder, Reach(env_var="APP_DATABASE"))
    )

    assert ("three",) == report.after
    assert before == os.environ.get("APP_DATABASE")


@on_sqlite
async def test_a_variable_is_restored_after_a_failure(
    empty_url: str, folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("APP_DATABASE", raising=False)
    folder.env("raise ValueError('no')")

    with pytest.raises(bootstrap.RevisionError):
        await bootstrap.status(empty_url, project=reaching(folder, Reach(env_var="APP_DATABASE")))

    assert "APP_DATABASE" not in os.environ


@pytest.mark.parametrize("way", ["option", "pyproject", "environment"])
def test_the_command_takes_the_name_of_the_variable(
    tmp_path: Path, folder: ProjectFolder, way: str
) -> None:
    folder.env(ENV.format(url="os.environ['APP_DATABASE']"))
    run = Command(folder=folder.root)
    url = f"sqlite:///{tmp_path}/a.db"
    if way == "pyproject":
        (folder.root / "pyproject.toml").write_text('[tool.bootstrap]\nenv_var = "APP_DATABASE"\n')
    options = ["--env-var", "APP_DATABASE"] if way == "option" else []
    environ = {"BOOTSTRAP_ENV_VAR": "APP_DATABASE"} if way == "environment" else {}

    run("create", "--url", url)
    done = run("migrate", "--url", url, *options, **environ)
    without = run("status", "--url", url, BOOTSTRAP_ENV_VAR="ANOTHER")

    assert 0 == done.code, done.err
    if way != "pyproject":
        assert (6, True) == (without.code, "KeyError: 'APP_DATABASE'" in without.err)


# A hook -------------------------------------------------------------------------------------------


async def test_a_hook_sets_what_only_the_project_knows(
    empty_url: str, folder: ProjectFolder, request: pytest.FixtureRequest
) -> None:
    module = f"hooks_{abs(hash(request.node.name))}"
    (folder.root / f"{module}.py").write_text(
        "def tell(config, url):\n    config.attributes['ours'] = {'database': url}\n"
    )
    ini = folder.root / "alembic.ini"
    ini.write_text(
        re.sub(r"prepend_sys_path = .*", "prepend_sys_path = %(here)s", ini.read_text())
        if "prepend_sys_path" in ini.read_text()
        else ini.read_text().replace("[alembic]\n", "[alembic]\nprepend_sys_path = %(here)s\n")
    )
    folder.env(ENV.format(url="context.config.attributes['ours']['database']"))

    report = await bootstrap.migrate(
        empty_url, project=reaching(folder, Reach(configure=f"{module}:tell"))
    )

    assert ("three",) == report.after


@on_sqlite
@pytest.mark.parametrize(
    ("named", "error", "said"),
    [
        ("nowhere_at_all:f", bootstrap.SettingsError, "names no function: No module named"),
        ("os:nothing", bootstrap.SettingsError, "names no function: module 'os' has no"),
        ("os:sep", bootstrap.SettingsError, "names no function, but"),
        ("os", bootstrap.SettingsError, "names no function"),
        ("operator:truediv", bootstrap.RevisionError, "failed: TypeError"),
    ],
)
async def test_a_hook_that_cannot_be_called_is_named(
    empty_url: str,
    folder: ProjectFolder,
    named: str,
    error: type[bootstrap.BootstrapError],
    said: str,
) -> None:
    with pytest.raises(error, match=rf"configure = '{named}' {said}"):
        await bootstrap.migrate(empty_url, project=reaching(folder, Reach(configure=named)))

    assert set() == await tables_of(empty_url)


# A connection -------------------------------------------------------------------------------------


async def test_a_connection_is_handed_over_where_the_project_says_so(
    empty_url: str, folder: ProjectFolder
) -> None:
    folder.env(HANDED)

    report = await bootstrap.migrate(
        empty_url, project=reaching(folder, Reach(hand_over=HandOver.CONNECTION))
    )
    status = await bootstrap.status(
        empty_url, project=reaching(folder, Reach(hand_over=HandOver.CONNECTION))
    )

    assert (("three",), ("three",)) == (report.after, tuple(status.current))
    assert THREE == await tables_of(empty_url)


def test_the_command_hands_a_connection_over(tmp_path: Path, folder: ProjectFolder) -> None:
    folder.env(HANDED)
    run = Command(folder=folder.root)
    url = f"sqlite:///{tmp_path}/a.db"
    run("create", "--url", url)

    without = run("migrate", "--url", url)
    (folder.root / "pyproject.toml").write_text('[tool.bootstrap]\nhand_over = "connection"\n')
    done = run("migrate", "--url", url)
    (folder.root / "pyproject.toml").write_text('[tool.bootstrap]\nhand_over = "engine"\n')
    wrong = run("migrate", "--url", url)

    assert (6, 0, 3) == (without.code, done.code, wrong.code), done.err
    assert "KeyError: 'connection'" in without.err
    assert "nothing or connection" in wrong.err


# Logging ------------------------------------------------------------------------------------------

LOGGING = """
from logging.config import fileConfig
import pathlib
ini = pathlib.Path(__file__).with_name("logging.ini")
ini.write_text('''
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys =
[logger_root]
level = ERROR
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
''')
fileConfig(ini)
"""


@on_sqlite
async def test_a_programs_logging_is_as_before_when_env_py_has_configured_its_own(
    empty_url: str, folder: ProjectFolder, tmp_path: Path
) -> None:
    folder.env(
        LOGGING + ENV.format(url="context.config.get_main_option('sqlalchemy.url')"),
    )
    log = tmp_path / "app.log"
    file = logging.FileHandler(log, mode="w")
    logger = logging.getLogger("an.application")
    root = (list(logging.root.handlers), logging.root.level)
    logger.addHandler(file)
    logger.setLevel(logging.INFO)
    try:
        logger.info("before")
        await bootstrap.migrate(empty_url, project=folder.project)
        logger.info("after")
        after = (list(logging.root.handlers), logging.root.level)
    finally:
        logger.removeHandler(file)
        file.close()

    assert "before\nafter\n" == log.read_text()
    assert root == after


def test_alembic_alone_silences_the_program(folder: ProjectFolder) -> None:
    """The control: the same in a process of its own, with Alembic's API."""
    folder.env(
        LOGGING + ENV.format(url="'sqlite+aiosqlite:///a.db'"),
    )
    program = (
        "import logging\n"
        "from alembic import command, config\n"
        "logger = logging.getLogger('an.application')\n"
        "logger.addHandler(logging.FileHandler('app.log', mode='w'))\n"
        "logger.setLevel('INFO')\n"
        "logger.info('before')\n"
        "command.upgrade(config.Config('alembic.ini'), 'head')\n"
        "logger.info('after')\n"
    )
    (folder.root / "program.py").write_text(program)

    subprocess.run([sys.executable, "program.py"], cwd=folder.root, check=True)

    assert "before\n" == (folder.root / "app.log").read_text()


def test_the_command_is_not_silenced(tmp_path: Path, folder: ProjectFolder) -> None:
    folder.env(
        LOGGING + ENV.format(url="context.config.get_main_option('sqlalchemy.url')"),
    )
    run = Command(folder=folder.root)
    url = f"sqlite:///{tmp_path}/a.db"
    run("create", "--url", url)

    done = run("migrate", "--url", url)

    assert 0 == done.code, done.err
    assert "three" in done.out + done.err
