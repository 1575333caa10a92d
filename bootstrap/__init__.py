"""Creates, migrates and seeds a schema with Alembic on async PostgreSQL, MySQL, MariaDB and SQLite.

Every command of the `bootstrap` program is a function of the same name here:

    project = bootstrap.Project.at(Path("alembic.ini"))
    report = await bootstrap.up("sqlite:///users.db", project=project)

Names are imported when they are first used, so that `import bootstrap` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from bootstrap.version import __version__

if TYPE_CHECKING:
    from bootstrap.configuration import ConfigReport as ConfigReport
    from bootstrap.configuration import config as config
    from bootstrap.database import Database as Database
    from bootstrap.datasets.seeding import SeedReport as SeedReport
    from bootstrap.datasets.seeding import seed as seed
    from bootstrap.errors import BootstrapError as BootstrapError
    from bootstrap.errors import DatabaseError as DatabaseError
    from bootstrap.errors import DatabaseExists as DatabaseExists
    from bootstrap.errors import DatabaseInUse as DatabaseInUse
    from bootstrap.errors import DatabaseMissing as DatabaseMissing
    from bootstrap.errors import DatabaseRefused as DatabaseRefused
    from bootstrap.errors import DatabaseUnreachable as DatabaseUnreachable
    from bootstrap.errors import RevisionError as RevisionError
    from bootstrap.errors import RowsWouldBeLost as RowsWouldBeLost
    from bootstrap.errors import SeedError as SeedError
    from bootstrap.errors import SettingsError as SettingsError
    from bootstrap.errors import StatementFailed as StatementFailed
    from bootstrap.lifecycle import CreateReport as CreateReport
    from bootstrap.lifecycle import DropReport as DropReport
    from bootstrap.lifecycle import UpReport as UpReport
    from bootstrap.lifecycle import WaitReport as WaitReport
    from bootstrap.lifecycle import create as create
    from bootstrap.lifecycle import drop as drop
    from bootstrap.lifecycle import up as up
    from bootstrap.lifecycle import wait as wait
    from bootstrap.project import Project as Project
    from bootstrap.running.browsing import BranchesReport as BranchesReport
    from bootstrap.running.browsing import HeadsReport as HeadsReport
    from bootstrap.running.browsing import HistoryReport as HistoryReport
    from bootstrap.running.browsing import ShowReport as ShowReport
    from bootstrap.running.browsing import branches as branches
    from bootstrap.running.browsing import heads as heads
    from bootstrap.running.browsing import history as history
    from bootstrap.running.browsing import show as show
    from bootstrap.running.checking import CheckReport as CheckReport
    from bootstrap.running.checking import check as check
    from bootstrap.running.inspection import CurrentReport as CurrentReport
    from bootstrap.running.inspection import StatusReport as StatusReport
    from bootstrap.running.inspection import current as current
    from bootstrap.running.inspection import status as status
    from bootstrap.running.runner import MigrationReport as MigrationReport
    from bootstrap.running.runner import downgrade as downgrade
    from bootstrap.running.runner import migrate as migrate
    from bootstrap.running.runner import stamp as stamp
    from bootstrap.running.writing import EditReport as EditReport
    from bootstrap.running.writing import MergeReport as MergeReport
    from bootstrap.running.writing import edit as edit
    from bootstrap.running.writing import merge as merge
    from bootstrap.scaffold import InitReport as InitReport
    from bootstrap.scaffold import init as init
    from bootstrap.settings import Settings as Settings

_HOMES = {
    "bootstrap.configuration": ("ConfigReport", "config"),
    "bootstrap.database": ("Database",),
    "bootstrap.datasets.seeding": ("SeedReport", "seed"),
    "bootstrap.errors": (
        "BootstrapError",
        "DatabaseError",
        "DatabaseExists",
        "DatabaseInUse",
        "DatabaseMissing",
        "DatabaseRefused",
        "DatabaseUnreachable",
        "RevisionError",
        "RowsWouldBeLost",
        "SeedError",
        "SettingsError",
        "StatementFailed",
    ),
    "bootstrap.lifecycle": (
        "CreateReport",
        "DropReport",
        "UpReport",
        "WaitReport",
        "create",
        "drop",
        "up",
        "wait",
    ),
    "bootstrap.project": ("Project",),
    "bootstrap.running.browsing": (
        "BranchesReport",
        "HeadsReport",
        "HistoryReport",
        "ShowReport",
        "branches",
        "heads",
        "history",
        "show",
    ),
    "bootstrap.running.checking": ("CheckReport", "check"),
    "bootstrap.running.inspection": ("CurrentReport", "StatusReport", "current", "status"),
    "bootstrap.running.runner": ("MigrationReport", "downgrade", "migrate", "stamp"),
    "bootstrap.running.writing": ("EditReport", "MergeReport", "edit", "merge"),
    "bootstrap.scaffold": ("InitReport", "init"),
    "bootstrap.settings": ("Settings",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_HOME]  # noqa: PLE0604 - a test compares it with the names above


def __getattr__(name: str) -> object:
    """Imports a public name when it is first asked for (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
