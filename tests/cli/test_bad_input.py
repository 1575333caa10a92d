"""Bad input gets its exit code, one sentence and a hint; nothing is lost, no secret is shown."""

import hashlib
import os
import socket
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from bootstrap.testing.servers import ThrowawayServer
from tests.cli.conftest import Command, Done
from tests.projects import ProjectFolder

SECRET = "p%40ss-geheim/42"  # as written in a URL
SECRETS = ("p%40ss-geheim/42", "p@ss-geheim/42", "p%40ss-geheim%2F42")
LOUD = ("--traceback", "--echo")


def refused(done: Done, code: int, sentence: str) -> None:
    """One error with this sentence, a hint, no traceback, no password."""
    assert code == done.code, done.err
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert 1 == len(errors), done.err
    assert sentence in errors[0]
    assert "\nhint: " in done.err
    assert "Traceback" not in done.err
    assert not [secret for secret in SECRETS if secret in done.out + done.err]


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


@pytest.mark.parametrize("scheme", ["postgresql", "mysql", "mariadb"])
def test_a_closed_port(run: Command, scheme: str) -> None:
    url = f"{scheme}://u:{SECRET}@127.0.0.1:{free_port()}/db"

    refused(run("up", "--url", url), 4, "nothing listens on 127.0.0.1:")


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_an_unknown_host(run: Command, scheme: str) -> None:
    done = run("migrate", "--url", f"{scheme}://u:{SECRET}@nobody.invalid/db")

    refused(done, 4, "nobody.invalid cannot be found")


@pytest.mark.parametrize("loud", [(), LOUD, ("--format", "json"), (*LOUD, "--format", "json")])
@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
def test_a_wrong_password_is_shown_nowhere(
    run: Command, fresh_url: str, loud: tuple[str, ...]
) -> None:
    url = fresh_url.replace("root@", f"root:{SECRET}@")

    done = run("up", "--url", url, *loud)

    assert 4 == done.code
    assert "the login was refused" in done.err
    assert not [secret for secret in SECRETS if secret in done.out + done.err]
    if "json" in loud:
        error = done.document["error"]
        assert ("DatabaseRefused", 4) == (error["kind"], error["exit_code"])
        assert error["hint"]
    assert ("--traceback" in loud) == ("Traceback" in done.err)


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("fresh_url")  # fails where PostgreSQL is required and missing
def test_a_wrong_password_for_postgresql(run: Command, tmp_path: Path) -> None:
    tmp_path.chmod(tmp_path.stat().st_mode | stat.S_IROTH | stat.S_IXOTH)
    rules = Path(f"/tmp/bootstrap-{os.getpid()}-hba.conf")  # the server's account must read it
    rules.write_text(
        "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    )
    rules.chmod(0o644)
    try:
        with ThrowawayServer("postgresql", options=("-c", f"hba_file={rules}")) as server:
            place = f"127.0.0.1:{server.url.port}"
            done = run("up", "--url", f"postgresql://app:{SECRET}@{place}/db", *LOUD)
    finally:
        rules.unlink()

    assert 4 == done.code
    assert "the login was refused" in done.err
    assert not [secret for secret in SECRETS if secret in done.out + done.err]


@pytest.mark.parametrize(
    "url",
    ["postgresql://u@h", "mysql://u@h/", "oracle://u@h/db", "postgresql+psycopg2://u@h/db", "nope"],
)
def test_a_url_that_cannot_be_used(run: Command, url: str) -> None:
    refused(run("up", "--url", url), 3, "")


@pytest.mark.parametrize("command", ["migrate", "status", "seed"])
def test_a_missing_database(run: Command, fresh_url: str, command: str) -> None:
    refused(run(command, "--url", fresh_url, *(["x.csv"] * (command == "seed"))), 4, "")


def test_a_folder_instead_of_a_file(run: Command, tmp_path: Path) -> None:
    for command in ("up", "create", "migrate", "status", "wait"):
        refused(run(command, "--url", f"sqlite:///{tmp_path}"), 4, "it is a folder")


def test_a_file_that_is_no_database_stays_as_it_is(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, " * 500)
    before = hashlib.sha256(path.read_bytes()).hexdigest()

    for command in ("up", "migrate", "status"):
        refused(run(command, "--url", f"sqlite:///{path}"), 4, "not a SQLite database")

    assert before == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_read_only_file_stays_as_it_is(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE kept (id INTEGER)")
    before = path.read_bytes()

    done = run("migrate", "--url", f"sqlite:///file:{path}?mode=ro&uri=true")

    refused(done, 4, "the URL opens it for reading only")
    assert before == path.read_bytes()


def test_an_unknown_revision_names_the_nearest(run: Command, project: ProjectFolder) -> None:
    url = f"sqlite:///{project.root}/x.db"
    run("create", "--url", url)

    done = run("migrate", "thre3", "--url", url)

    refused(done, 6, "no revision 'thre3'")
    assert "nearest: three" in done.err


def test_no_project_here(run: Command, tmp_path: Path) -> None:
    nowhere = Command(folder=tmp_path)

    done = nowhere("up", "--url", "sqlite:///x.db")

    refused(done, 3, "there is no Alembic project here")
    assert "bootstrap init" in done.err
    assert not (tmp_path / "x.db").exists()


def test_an_empty_folder_is_told_to_init(tmp_path: Path) -> None:
    done = Command(folder=tmp_path)("up")

    assert 3 == done.code
    assert "bootstrap init" in done.err


def test_dropping_needs_a_yes(run: Command, project: ProjectFolder) -> None:
    url = f"sqlite:///{project.root}/x.db"
    run("create", "--url", url)

    done = run("drop", "--url", url)

    assert 2 == done.code
    assert "--yes" in done.err
    assert (project.root / "x.db").exists()


def test_a_downgrade_that_loses_rows_needs_a_yes(run: Command, project: ProjectFolder) -> None:
    url = f"sqlite:///{project.root}/x.db"
    run("up", "--url", url)
    with closing(sqlite3.connect(project.root / "x.db")) as connection:
        connection.execute("INSERT INTO t_one VALUES (1)")
        connection.commit()

    done = run("downgrade", "base", "--url", url)

    refused(done, 7, "t_one (1 row)")
    assert "--yes" in done.err


def test_a_defect_is_said_as_such(run: Command, project: ProjectFolder) -> None:
    """Whatever happens, it ends with a code and a sentence, and not with a traceback."""
    broken = project.root / "sitecustomize.py"
    broken.write_text("import alembic.script\nalembic.script.ScriptDirectory.get_heads = None\n")

    done = run("up", "--url", "sqlite:///x.db", PYTHONPATH=str(project.root))

    assert done.code in {6, 70}
    assert "Traceback" not in done.err
