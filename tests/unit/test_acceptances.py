"""Accepted differences: what they fit, how they are read, and how they are written."""

import tomllib
from pathlib import Path

import pytest

from bootstrap.checking.acceptances import (
    Acceptance,
    accept_known,
    read_accepted,
    unused,
    write_accepted,
)
from bootstrap.checking.differences import Comparison, Difference, Side
from bootstrap.errors import SettingsError
from bootstrap.schema.changes import Kind, Weight

LENGTH = Difference(
    comparison=Comparison.SERVERS,
    weight=Weight.POLICY,
    kind=Kind.COLUMN,
    table="users",
    name="email",
    attribute="length",
    sides=(Side(where="SQLite 3", value=None), Side(where="MySQL 9", value="255")),
    servers=("SQLite 3", "MySQL 9"),
    why="the backends take values of different length",
)
KEPT = """# a comment that stays

[tool.bootstrap]
url = "sqlite:///app.db"   # this one too

[tool.other]
key = 1
"""


@pytest.fixture
def pyproject(tmp_path: Path) -> Path:
    path = tmp_path / "pyproject.toml"
    path.write_text(KEPT)
    return path


@pytest.mark.parametrize(
    ("acceptance", "fits"),
    [
        (Acceptance(reason="r", table="users"), True),
        (Acceptance(reason="r", table="users", weight="policy", attribute="length"), True),
        (Acceptance(reason="r", name="e*l"), True),
        (Acceptance(reason="r", table="user"), False),
        (Acceptance(reason="r", table="users", weight="definition"), False),
        (Acceptance(reason="r", table="users", attribute=""), False),
        (Acceptance(reason="r", table="users", comparison="models"), False),
        (Acceptance(reason="r", name="e.*l"), False),
    ],
)
def test_an_acceptance_is_about_what_it_names(acceptance: Acceptance, fits: bool) -> None:
    (found,) = accept_known([LENGTH], [acceptance])

    assert ("r" if fits else "") == found.accepted
    assert (() if fits else (acceptance,)) == unused([LENGTH], [acceptance])


def test_what_is_written_is_read_again_and_all_else_stays(pyproject: Path) -> None:
    count = write_accepted([LENGTH], pyproject)

    text = pyproject.read_text()
    (acceptance,) = read_accepted(pyproject)
    assert 1 == count
    assert acceptance.fits(LENGTH)
    assert f"TODO: {LENGTH.why}" == acceptance.reason
    assert "policy" == acceptance.weight
    assert text.startswith(KEPT.partition("[tool.other]")[0].rstrip())
    assert {"key": 1} == tomllib.loads(text)["tool"]["other"]


def test_a_second_one_is_added_to_the_first(pyproject: Path) -> None:
    write_accepted([LENGTH], pyproject)
    first = read_accepted(pyproject)
    other = Difference(
        **{name: getattr(LENGTH, name) for name in Difference.__slots__} | {"name": 'na"me\n'}
    )

    again = write_accepted(accept_known([LENGTH, other], first), pyproject)

    assert 1 == again
    assert ["email", 'na"me\n'] == [one.name for one in read_accepted(pyproject)]


def test_nothing_is_written_when_all_is_accepted(pyproject: Path) -> None:
    accepted = accept_known([LENGTH], [Acceptance(reason="r", table="users")])

    assert 0 == write_accepted(accepted, pyproject)
    assert KEPT == pyproject.read_text()


def test_a_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"

    write_accepted([LENGTH], path)

    assert 1 == len(read_accepted(path))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('accept = "all"', "is not a list"),
        ("accept = [1]", "entry 1 of [tool.bootstrap.verify] accept is not a table of texts"),
        ('accept = [{table = "users"}]', "has no reason"),
        ('accept = [{table = "users", reason = " "}]', "has no reason"),
        ('accept = [{reason = "r"}]', "does not say what it is about"),
        ('accept = [{class = "policy", reason = "r"}]', "does not say what it is about"),
        ('accept = [{tabel = "users", reason = "r"}]', "has a key 'tabel'"),
        ("accepted = []", "knows the key accept and no other"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, lines: str, said: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(f"[tool.bootstrap.verify]\n{lines}\n")

    with pytest.raises(SettingsError) as refused:
        read_accepted(path)

    assert said in refused.value.message
    assert refused.value.hint
