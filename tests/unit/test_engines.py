"""The fetcher of engines finds Debian's mirror, and keeps only what is whole."""

from pathlib import Path

import pytest

from tests.engines import cache
from tests.engines.apt_sources import mirror
from tests.engines.commands import EngineError

DEB822 = """\
# of somebody else
Types: deb
URIs: http://other.example/apt
Suites: bookworm
Components: main
Signed-By: /etc/apt/keyrings/other.gpg

Types: deb deb-src
URIs: http://security.example/debian
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
# URIs: http://commented.example/debian
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb [arch=amd64 signed-by=/etc/apt/keyrings/other.gpg] http://other.example/apt bookworm main
deb http://security.example/debian bookworm-security main
deb http://mirror.example/debian bookworm main
"""


@pytest.mark.parametrize(
    ("file", "content"), [("sources.list.d/debian.sources", DEB822), ("sources.list", ONE_LINE)]
)
def test_the_mirror_is_the_one_of_this_machine(tmp_path: Path, file: str, content: str) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / file).write_text(content)
    assert mirror(tmp_path) == "http://mirror.example/debian"


def test_a_machine_without_a_mirror_of_debian_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="name no mirror of Debian"):
        mirror(tmp_path)


def test_an_engine_is_made_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BOOTSTRAP_ENGINES", str(tmp_path))
    made: list[Path] = []

    def unpack(root: Path) -> None:
        made.append(root)
        (root / "programs").mkdir()

    assert cache.programs("one") is None
    assert cache.made("one", unpack) == tmp_path / "one" / "programs"
    assert cache.made("one", unpack) == cache.programs("one")
    assert len(made) == 1


def test_a_half_made_engine_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BOOTSTRAP_ENGINES", str(tmp_path))

    def unpack(root: Path) -> None:
        (root / "programs").mkdir()
        raise EngineError("the network is down")

    with pytest.raises(EngineError, match="the network is down"):
        cache.made("one", unpack)
    assert cache.programs("one") is None
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
