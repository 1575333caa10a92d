"""Unpacks Debian packages into a folder, with all that they need; installs nothing.

apt is given a state of its own in which no package is installed, so it brings the C library and
the loader along: the programs run on any Linux and as any user, whatever is installed there.
"""

from __future__ import annotations

import re
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.engines.apt_sources import mirror
from tests.engines.commands import EngineError, run

_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_WANTED = re.compile(r"usr/(lib|share/mysql|share/mariadb)/")
_UNWANTED = re.compile(r"/(perl|perl5|perl-base|gconv|systemd|udev|galera|auth_pam_tool_dir)/")
_HIDDEN = "usr/libexec/wrapped"
_WRAPPER = """\
#!/bin/sh
root=$(readlink -f "$0")
root=${{root%/usr/*}}
exec {command} "$@" {options}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program of a package.

    Attributes:
        path: Where the package has it, without the first slash.
        options: Added at the end of each call; `$root` is the folder of the engine.
        script: Whether the shell of this machine runs it.
    """

    path: str
    options: str = ""
    script: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianPackages:
    """Packages of one suite of Debian, and the programs to be had from them."""

    suite: str
    packages: tuple[str, ...]
    programs: tuple[Program, ...]

    def unpack(self, root: Path) -> None:
        """Downloads the packages and unpacks the programs, with what they need to run."""
        with TemporaryDirectory(dir=root) as scratch:
            for package in _downloaded(self.suite, self.packages, Path(scratch)):
                self._unpack_one(package, root)
        (root / "programs").mkdir()
        (root / _HIDDEN).mkdir(parents=True)
        for program in self.programs:
            _wrap(program, root)

    def _unpack_one(self, package: Path, root: Path) -> None:
        command = ["dpkg-deb", "--fsys-tarfile", str(package)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as unpacking:
            assert unpacking.stdout is not None
            with tarfile.open(fileobj=unpacking.stdout, mode="r|") as content:
                # All links stay as they are; Python 3.11.4 is the first that asks about them.
                content.extraction_filter = lambda member, _folder: member
                content.extractall(root, members=self._needed(content))
            unpacking.stdout.read()  # the padding, without which dpkg-deb would end with an error
        if unpacking.returncode:
            raise EngineError(f"{package.name} could not be unpacked")

    def _needed(self, content: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
        paths = {program.path for program in self.programs}
        for member in content:
            name = member.name.removeprefix("./")
            if name in paths or (_WANTED.match(name) and not _UNWANTED.search(name)):
                member.mode &= 0o755  # without setuid
                yield member


def _downloaded(suite: str, packages: tuple[str, ...], scratch: Path) -> Iterator[Path]:
    if not _KEYS.is_file():
        raise EngineError(f"packages of Debian need Debian's apt: {_KEYS} does not exist")
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (scratch / folder).mkdir(parents=True)
    (scratch / "status").touch()
    (scratch / "sources.list").write_text(f"deb [signed-by={_KEYS}] {mirror()} {suite} main\n")
    apt = ("apt-get", "-qq", *_options(scratch))
    run(*apt, "update", tried=f"reading the list of packages of {suite}")
    install = ("install", "--yes", "--no-install-recommends", "--download-only")
    run(*apt, *install, *packages, tried=f"downloading {', '.join(packages)}")
    yield from sorted(scratch.glob("cache/archives/*.deb"))


def _options(scratch: Path) -> tuple[str, ...]:
    settings = {
        "Dir::Etc::sourcelist": scratch / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State": scratch / "state",
        "Dir::State::status": scratch / "status",
        "Dir::Cache": scratch / "cache",
        "APT::Sandbox::User": "root",  # as root: another user cannot write into our folder
    }
    return tuple(part for name, value in settings.items() for part in ("-o", f"{name}={value}"))


def _wrap(program: Program, root: Path) -> None:
    """Puts a script in the place of a program, which runs it with the libraries beside it."""
    visible = root / program.path
    hidden = f"{_HIDDEN}/{visible.name}"
    visible.rename(root / hidden)
    visible.write_text(
        _WRAPPER.format(command=_command(program, root, hidden), options=program.options)
    )
    visible.chmod(0o755)
    (root / "programs" / visible.name).symlink_to(Path("..", program.path))


def _command(program: Program, root: Path, hidden: str) -> str:
    if program.script:
        return f'/bin/sh "$root/{hidden}"'
    loader = next(root.glob("usr/lib/*/ld-linux*.so.*")).relative_to(root)
    return f'"$root/{loader}" --library-path "$root/{loader.parent}" "$root/{hidden}"'
