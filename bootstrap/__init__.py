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
    from bootstrap.authoring.adopting import AdoptReport as AdoptReport
    from bootstrap.authoring.adopting import adopt as adopt
    from bootstrap.authoring.new_revision import RevisionReport as RevisionReport
    from bootstrap.authoring.new_revision import revision as revision
    from bootstrap.authoring.writing import EditReport as EditReport
    from bootstrap.authoring.writing import MergeReport as MergeReport
    from bootstrap.authoring.writing import edit as edit
    from bootstrap.authoring.writing import merge as merge
    from bootstrap.checking.acceptances import Acceptance as Acceptance
    from bootstrap.checking.baselining import BaselineReport as BaselineReport
    from bootstrap.checking.baselining import baseline as baseline
    from bootstrap.checking.diagrams import DiagramReport as DiagramReport
    from bootstrap.checking.diagrams import diagram_history as diagram_history
    from bootstrap.checking.diagrams import diagram_schema as diagram_schema
    from bootstrap.checking.drifting import DriftReport as DriftReport
    from bootstrap.checking.drifting import drift as drift
    from bootstrap.checking.repairing import RepairReport as RepairReport
    from bootstrap.checking.repairing import UnrecordedStep as UnrecordedStep
    from bootstrap.checking.repairing import repair as repair
    from bootstrap.checking.servers import ServerPrograms as ServerPrograms
    from bootstrap.checking.snapshots import SnapshotReport as SnapshotReport
    from bootstrap.checking.snapshots import snapshot as snapshot
    from bootstrap.checking.verifying import VerifyReport as VerifyReport
    from bootstrap.checking.verifying import verify as verify
    from bootstrap.configuration import ConfigReport as ConfigReport
    from bootstrap.configuration import config as config
    from bootstrap.database import Database as Database
    from bootstrap.datasets.reports import SeedReport as SeedReport
    from bootstrap.datasets.seeding import seed as seed
    from bootstrap.errors import BootstrapError as BootstrapError
    from bootstrap.errors import DatabaseError as DatabaseError
    from bootstrap.errors import DatabaseExists as DatabaseExists
    from bootstrap.errors import DatabaseInUse as DatabaseInUse
    from bootstrap.errors import DatabaseMissing as DatabaseMissing
    from bootstrap.errors import DatabaseRefused as DatabaseRefused
    from bootstrap.errors import DatabaseUnreachable as DatabaseUnreachable
    from bootstrap.errors import HalfApplied as HalfApplied
    from bootstrap.errors import LockLost as LockLost
    from bootstrap.errors import LockNotObtained as LockNotObtained
    from bootstrap.errors import PartsWouldBeLost as PartsWouldBeLost
    from bootstrap.errors import RevisionError as RevisionError
    from bootstrap.errors import RowsWouldBeLost as RowsWouldBeLost
    from bootstrap.errors import SeedError as SeedError
    from bootstrap.errors import SettingsError as SettingsError
    from bootstrap.errors import StatementFailed as StatementFailed
    from bootstrap.examining.doctoring import DoctorReport as DoctorReport
    from bootstrap.examining.doctoring import doctor as doctor
    from bootstrap.inspecting.accepting import AcceptReport as AcceptReport
    from bootstrap.inspecting.accepting import accept_changed as accept_changed
    from bootstrap.inspecting.browsing import BranchesReport as BranchesReport
    from bootstrap.inspecting.browsing import HeadsReport as HeadsReport
    from bootstrap.inspecting.browsing import HistoryReport as HistoryReport
    from bootstrap.inspecting.browsing import ShowReport as ShowReport
    from bootstrap.inspecting.browsing import branches as branches
    from bootstrap.inspecting.browsing import heads as heads
    from bootstrap.inspecting.browsing import history as history
    from bootstrap.inspecting.browsing import show as show
    from bootstrap.inspecting.checking import CheckReport as CheckReport
    from bootstrap.inspecting.checking import check as check
    from bootstrap.inspecting.ensuring import EnsureVersionReport as EnsureVersionReport
    from bootstrap.inspecting.ensuring import ensure_version as ensure_version
    from bootstrap.inspecting.inspection import CurrentReport as CurrentReport
    from bootstrap.inspecting.inspection import StatusReport as StatusReport
    from bootstrap.inspecting.inspection import current as current
    from bootstrap.inspecting.inspection import status as status
    from bootstrap.inspecting.locking import LockReport as LockReport
    from bootstrap.inspecting.locking import lock_break as lock_break
    from bootstrap.inspecting.locking import lock_status as lock_status
    from bootstrap.inspecting.logged import LogReport as LogReport
    from bootstrap.inspecting.logged import log as log
    from bootstrap.inspecting.planning import PlanReport as PlanReport
    from bootstrap.inspecting.planning import plan as plan
    from bootstrap.inspecting.surveying import CurrentEachReport as CurrentEachReport
    from bootstrap.inspecting.surveying import LogEachReport as LogEachReport
    from bootstrap.inspecting.surveying import PlanEachReport as PlanEachReport
    from bootstrap.inspecting.surveying import StatusEachReport as StatusEachReport
    from bootstrap.inspecting.surveying import current_each as current_each
    from bootstrap.inspecting.surveying import log_each as log_each
    from bootstrap.inspecting.surveying import plan_each as plan_each
    from bootstrap.inspecting.surveying import status_each as status_each
    from bootstrap.lifecycle import CreateReport as CreateReport
    from bootstrap.lifecycle import DropReport as DropReport
    from bootstrap.lifecycle import UpReport as UpReport
    from bootstrap.lifecycle import WaitHeadsReport as WaitHeadsReport
    from bootstrap.lifecycle import WaitReport as WaitReport
    from bootstrap.lifecycle import create as create
    from bootstrap.lifecycle import drop as drop
    from bootstrap.lifecycle import up as up
    from bootstrap.lifecycle import wait as wait
    from bootstrap.lifecycle import wait_heads as wait_heads
    from bootstrap.positions.changed import ChangedFile as ChangedFile
    from bootstrap.project import Project as Project
    from bootstrap.records.log import LogEntry as LogEntry
    from bootstrap.records.log import Outcome as Outcome
    from bootstrap.revisions.reach import HandOver as HandOver
    from bootstrap.revisions.reach import Reach as Reach
    from bootstrap.running.each import MigrateEachReport as MigrateEachReport
    from bootstrap.running.each import downgrade_each as downgrade_each
    from bootstrap.running.each import migrate_each as migrate_each
    from bootstrap.running.repairing import HalfAppliedStep as HalfAppliedStep
    from bootstrap.running.runner import MigrationReport as MigrationReport
    from bootstrap.running.runner import downgrade as downgrade
    from bootstrap.running.runner import migrate as migrate
    from bootstrap.running.runner import stamp as stamp
    from bootstrap.running.scripting import ScriptReport as ScriptReport
    from bootstrap.running.scripting import migration_script as migration_script
    from bootstrap.running.scripting import version_table_script as version_table_script
    from bootstrap.scaffold import InitReport as InitReport
    from bootstrap.scaffold import init as init
    from bootstrap.settings import Settings as Settings
    from bootstrap.targets import Target as Target

_HOMES = {
    "bootstrap.authoring.adopting": ("AdoptReport", "adopt"),
    "bootstrap.authoring.new_revision": ("RevisionReport", "revision"),
    "bootstrap.authoring.writing": ("EditReport", "MergeReport", "edit", "merge"),
    "bootstrap.checking.snapshots": ("SnapshotReport", "snapshot"),
    "bootstrap.checking.acceptances": ("Acceptance",),
    "bootstrap.checking.baselining": ("BaselineReport", "baseline"),
    "bootstrap.checking.diagrams": ("DiagramReport", "diagram_history", "diagram_schema"),
    "bootstrap.checking.drifting": ("DriftReport", "drift"),
    "bootstrap.checking.repairing": ("RepairReport", "UnrecordedStep", "repair"),
    "bootstrap.checking.servers": ("ServerPrograms",),
    "bootstrap.checking.verifying": ("VerifyReport", "verify"),
    "bootstrap.configuration": ("ConfigReport", "config"),
    "bootstrap.database": ("Database",),
    "bootstrap.datasets.reports": ("SeedReport",),
    "bootstrap.datasets.seeding": ("seed",),
    "bootstrap.errors": (
        "BootstrapError",
        "DatabaseError",
        "DatabaseExists",
        "DatabaseInUse",
        "DatabaseMissing",
        "DatabaseRefused",
        "DatabaseUnreachable",
        "LockLost",
        "LockNotObtained",
        "HalfApplied",
        "PartsWouldBeLost",
        "RevisionError",
        "RowsWouldBeLost",
        "SeedError",
        "SettingsError",
        "StatementFailed",
    ),
    "bootstrap.examining.doctoring": ("DoctorReport", "doctor"),
    "bootstrap.lifecycle": (
        "CreateReport",
        "DropReport",
        "UpReport",
        "WaitHeadsReport",
        "WaitReport",
        "create",
        "drop",
        "up",
        "wait",
        "wait_heads",
    ),
    "bootstrap.project": ("Project",),
    "bootstrap.revisions.reach": ("HandOver", "Reach"),
    "bootstrap.inspecting.accepting": ("AcceptReport", "accept_changed"),
    "bootstrap.inspecting.browsing": (
        "BranchesReport",
        "HeadsReport",
        "HistoryReport",
        "ShowReport",
        "branches",
        "heads",
        "history",
        "show",
    ),
    "bootstrap.inspecting.checking": ("CheckReport", "check"),
    "bootstrap.running.each": ("MigrateEachReport", "downgrade_each", "migrate_each"),
    "bootstrap.inspecting.ensuring": ("EnsureVersionReport", "ensure_version"),
    "bootstrap.inspecting.inspection": ("CurrentReport", "StatusReport", "current", "status"),
    "bootstrap.running.repairing": ("HalfAppliedStep",),
    "bootstrap.records.log": ("LogEntry", "Outcome"),
    "bootstrap.positions.changed": ("ChangedFile",),
    "bootstrap.inspecting.logged": ("LogReport", "log"),
    "bootstrap.inspecting.planning": ("PlanReport", "plan"),
    "bootstrap.inspecting.locking": ("LockReport", "lock_break", "lock_status"),
    "bootstrap.running.runner": ("MigrationReport", "downgrade", "migrate", "stamp"),
    "bootstrap.running.scripting": ("ScriptReport", "migration_script", "version_table_script"),
    "bootstrap.inspecting.surveying": (
        "CurrentEachReport",
        "LogEachReport",
        "PlanEachReport",
        "StatusEachReport",
        "current_each",
        "log_each",
        "plan_each",
        "status_each",
    ),
    "bootstrap.scaffold": ("InitReport", "init"),
    "bootstrap.settings": ("Settings",),
    "bootstrap.targets": ("Target",),
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
