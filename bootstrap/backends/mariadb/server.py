"""MariaDB's programs, and how a throwaway server is made of them."""

from __future__ import annotations

from pathlib import Path

from bootstrap.backends import programs as installed
from bootstrap.backends.base import ServerCommands
from bootstrap.backends.mysql.server import (
    ACCOUNTS,
    network_options,
    own_options,
    superuser,
    version_in,
)

_VARIABLE = "BOOTSTRAP_MARIADB_PROGRAMS"
_USUAL = (
    "/usr/sbin",  # Debian, Ubuntu, MariaDB's packages; not in PATH of an ordinary user
    "/usr/libexec",  # Fedora
    "/usr/local/mysql/bin",  # MariaDB's archives
    "/opt/homebrew/opt/mariadb*/bin",
    "/usr/local/opt/mariadb*/bin",  # Homebrew on Intel
)
_INSTALL = "mariadb-install-db"
_SMALL = ("--innodb-log-file-size=8M", "--innodb-buffer-pool-size=64M")
_FAST = ("--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0")


class MariaDBServer:
    """A MariaDB server whose superuser `root` has no password."""

    def programs(self) -> Path | None:
        """The folder of the server's programs, or None when it is not installed.

        Raises:
            SettingsError: BOOTSTRAP_MARIADB_PROGRAMS names a folder without them.
        """
        found = installed.folders(_VARIABLE, usual=_USUAL, suits=_has_a_server)
        return found[0] if found else None

    def version(self, programs: Path) -> str:
        """The version that the programs print of themselves, such as `10.11.6`; else empty."""
        return version_in(installed.version_text(programs / "mariadbd"))

    def install_hint(self) -> str:
        """How to install the server, for an error message."""
        return (
            "apt-get install mariadb-server (macOS: brew install mariadb), "
            f"or name the folder of its programs in {_VARIABLE}"
        )

    def commands(self, programs: Path, folder: Path, port: int, *, durable: bool) -> ServerCommands:
        """The commands for a server whose data and sockets stay inside `folder`."""
        return ServerCommands(
            init=(
                (
                    str(_install_script(programs)),
                    *own_options(folder),
                    "--auth-root-authentication-method=normal",  # root, without a password
                    "--skip-test-db",
                    "--skip-name-resolve",
                    "--force",  # do not look up the name of this machine
                    *_SMALL,
                ),
            ),
            run=(
                str(programs / "mariadbd"),
                *(*own_options(folder), *network_options(folder, port), *_SMALL),
                *(() if durable else _FAST),
            ),
            url=superuser(port).set(drivername="mariadb"),
            data_folder="SELECT @@datadir",
            # Not root by --user=root: mariadb-install-db would then change the owner of a folder of
            # the installed server, plugin/auth_pam_tool_dir.
            run_as=ACCOUNTS,
        )


def _install_script(programs: Path) -> Path | None:
    beside = (programs, programs.parent / "bin", programs.parent / "scripts")
    return next((at / _INSTALL for at in beside if installed.executable(at / _INSTALL)), None)


def _has_a_server(folder: Path) -> bool:
    return installed.executable(folder / "mariadbd") and _install_script(folder) is not None
