"""`init` leaves what is there as it was, and what it writes can be read."""

import tomllib
from pathlib import Path

import pytest

import bootstrap


async def test_a_pyproject_with_crlf_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = m\n")
    before = b'[project]\r\nname = "shop"\r\n'
    (tmp_path / "pyproject.toml").write_bytes(before)

    await bootstrap.init(tmp_path, url="sqlite:///shop.db")

    after = (tmp_path / "pyproject.toml").read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == after.count(b"\r\n")


@pytest.mark.parametrize("name", ["😀.db", 'a"b.db', "c\\d.db", "größe.db"])
async def test_any_url_can_be_read_again(tmp_path: Path, name: str) -> None:
    await bootstrap.init(tmp_path, empty=True, url=f"sqlite:///{name}")

    written = tomllib.loads((tmp_path / "pyproject.toml").read_text(encoding="utf-8"))

    assert f"sqlite:///{name}" == written["tool"]["bootstrap"]["url"]


async def test_a_broken_pyproject_is_said(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("tool = = 3\n")

    with pytest.raises(bootstrap.SettingsError, match="is not valid TOML"):
        await bootstrap.init(tmp_path)


async def test_a_broken_ini_is_named_and_not_quoted(tmp_path: Path) -> None:
    ini = tmp_path / "alembic.ini"
    ini.write_text("[alembic]\nscript_location = m\npassword geheim\n")

    with pytest.raises(bootstrap.SettingsError, match=r"alembic\.ini:3") as refused:
        await bootstrap.status(f"sqlite:///{tmp_path}/x.db", project=bootstrap.Project.at(ini))

    assert "geheim" not in refused.value.message
