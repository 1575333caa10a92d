"""PostgreSQL's programs, and how a throwaway server is made of them."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import URL

from bootstrap.backends import programs as installed
from bootstrap.backends.base import ServerCommands

_VARIABLE = "BOOTSTRAP_POSTGRESQL_PROGRAMS"
_USUAL = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # the PostgreSQL project's RPMs
    "/usr/local/pgsql/bin",  # from source
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",  # Homebrew on Intel
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/Library/PostgreSQL/*/bin",  # EDB's installer
)
_FAST = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


class PostgreSQLServer:
    """A PostgreSQL server without passwords; the superuser is `postgres`."""

    def programs(self) -> Path | None:
        """The folder of the newest server's programs, or None when it is not installed.

        Raises:
            SettingsError: BOOTSTRAP_POSTGRESQL_PROGRAMS names a folder without them.
        """
        return max(
            installed.folders(_VARIABLE, usual=_USUAL, suits=_has_a_server),
            key=lambda folder: _ordered(self.version(folder)),
            default=None,
        )

    def version(self, programs: Path) -> str:
        """The version that the programs print of themselves, such as `15.18`; else empty."""
        found = re.search(r"\(PostgreSQL\) (\S+)", installed.version_text(programs / "postgres"))
        return found[1] if found else ""

    def install_hint(self) -> str:
        """How to install the server, for an error message."""
        return (
            "apt-get install postgresql (macOS: brew install postgresql@17), "
            f"or name the folder of its programs in {_VARIABLE}"
        )

    def commands(self, programs: Path, folder: Path, port: int, *, durable: bool) -> ServerCommands:
        """The commands for a server whose data stay inside `folder`; it opens no socket file."""
        made = str(folder / "data")
        # Locale C is there on every machine, and fits every encoding of a database made later.
        cluster = ("-D", made, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        network = ("-p", str(port), "-c", "listen_addresses=127.0.0.1")
        sockets = ("-c", "unix_socket_directories=")
        return ServerCommands(
            init=((str(programs / "initdb"), *cluster, *(() if durable else ("--no-sync",))),),
            run=(
                str(programs / "postgres"),
                *("-D", made, *network, *sockets, *(() if durable else _FAST)),
            ),
            url=URL.create(
                "postgresql", username="postgres", host="127.0.0.1", port=port, database="postgres"
            ),
            data_folder="SHOW data_directory",
            run_as=("postgres", "nobody"),  # initdb and postgres refuse root
        )


def _has_a_server(folder: Path) -> bool:
    # A client package brings some programs of PostgreSQL too.
    return all(installed.executable(folder / program) for program in ("initdb", "postgres"))


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))
