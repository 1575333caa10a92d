"""MySQL's programs, and how a throwaway server is made of them."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import URL

from bootstrap.backends import programs as installed
from bootstrap.backends.base import ServerCommands

_VARIABLE = "BOOTSTRAP_MYSQL_PROGRAMS"
_USUAL = (
    "/usr/sbin",  # Debian, Ubuntu, Oracle's packages; not in PATH of an ordinary user
    "/usr/libexec",  # Fedora
    "/usr/local/mysql/bin",  # Oracle's archives and installers
    "/opt/homebrew/opt/mysql*/bin",
    "/usr/local/opt/mysql*/bin",  # Homebrew on Intel
)
ACCOUNTS = ("mysql", "nobody")  # mysqld refuses root
# "loose" options are skipped by versions that do not know them.
_SMALL = ("--loose-innodb-redo-log-capacity=8M", "--innodb-buffer-pool-size=64M")
_FAST = ("--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0", "--innodb-doublewrite=OFF")


class MySQLServer:
    """A MySQL server whose superuser `root` has no password."""

    def programs(self) -> Path | None:
        """The folder of the server's programs, or None when it is not installed.

        Raises:
            SettingsError: BOOTSTRAP_MYSQL_PROGRAMS names a folder without them.
        """
        found = installed.folders(_VARIABLE, usual=_USUAL, suits=_has_a_server)
        return found[0] if found else None

    def version(self, programs: Path) -> str:
        """The version that the programs print of themselves, such as `9.7.0`; else empty."""
        return version_in(installed.version_text(programs / "mysqld"))

    def install_hint(self) -> str:
        """How to install the server, for an error message."""
        return (
            "install MySQL from dev.mysql.com/downloads/mysql (macOS: brew install mysql), "
            f"or name the folder of its programs in {_VARIABLE}"
        )

    def commands(self, programs: Path, folder: Path, port: int, *, durable: bool) -> ServerCommands:
        """The commands for a server whose data and sockets stay inside `folder`."""
        server = str(programs / "mysqld")
        return ServerCommands(
            init=((server, *own_options(folder), "--initialize-insecure", *_SMALL),),
            run=(
                server,
                *(*own_options(folder), *network_options(folder, port), *_SMALL),
                "--mysqlx=OFF",
                "--secure-file-priv=NULL",  # the compiled-in folder may not be there
                *(() if durable else _FAST),
            ),
            url=superuser(port),
            data_folder="SELECT @@datadir",
            run_as=ACCOUNTS,
            init_takes_options=True,  # lower_case_table_names must be the same ever after
        )


def own_options(folder: Path) -> tuple[str, ...]:
    """The options that keep a server in its folder, here and in the room of MariaDB."""
    return ("--no-defaults", f"--datadir={folder / 'data'}")


def network_options(folder: Path, port: int) -> tuple[str, ...]:
    """The options for a server that only this machine can reach."""
    return (
        "--bind-address=127.0.0.1",
        f"--port={port}",
        # Relative to the data folder: the path of a socket may have 107 bytes at most (unix(7)).
        "--socket=server.sock",
        f"--pid-file={folder / 'server.pid'}",
        f"--tmpdir={folder}",
    )


def superuser(port: int) -> URL:
    """Where the server answers."""
    return URL.create("mysql", username="root", host="127.0.0.1", port=port, database="mysql")


def version_in(text: str) -> str:
    """The version in what `mysqld --version` prints; empty when there is none."""
    found = re.search(r"Ver (\d+(?:\.\d+)+)", text)
    return found[1] if found else ""


def _has_a_server(folder: Path) -> bool:
    program = folder / "mysqld"
    # Packages of MariaDB bring a `mysqld` of that name too.
    return installed.executable(program) and "MariaDB" not in installed.version_text(program)
