"""SQLite."""

from bootstrap.backends.base import Backend, Features
from bootstrap.backends.scripts import PlainScripts
from bootstrap.backends.sqlite.admin import SQLiteAdmin
from bootstrap.backends.sqlite.altering import SQLiteAlterations
from bootstrap.backends.sqlite.atomicity import SQLiteAtomicity
from bootstrap.backends.sqlite.bulk import SQLiteBulk
from bootstrap.backends.sqlite.cancelling import SQLiteCancelling
from bootstrap.backends.sqlite.catalog import SQLiteCatalog
from bootstrap.backends.sqlite.drivers import DRIVERS, SYNC_DRIVERS
from bootstrap.backends.sqlite.effects import SQLiteEffects
from bootstrap.backends.sqlite.engine import SQLiteEngines
from bootstrap.backends.sqlite.errors import SQLiteErrors
from bootstrap.backends.sqlite.fingerprints import SQLiteFingerprints
from bootstrap.backends.sqlite.health import SQLiteHealth
from bootstrap.backends.sqlite.locks import SQLiteLocks
from bootstrap.backends.sqlite.templates import SQLiteTemplates
from bootstrap.backends.sqlite.types import SQLiteTypes
from bootstrap.backends.sqlite.values import SQLiteValues
from bootstrap.backends.sqlite.waits import SQLiteWaits

BACKEND = Backend(
    name="sqlite",
    title="SQLite",
    schemes=("sqlite",),
    drivers=DRIVERS,
    sync_drivers=SYNC_DRIVERS,
    features=Features(
        transactional_ddl=True, is_file=True, enforces_types=False, native_booleans=False
    ),
    engines=SQLiteEngines(),
    errors=SQLiteErrors(),
    admin=SQLiteAdmin(),
    locks=SQLiteLocks(),
    cancelling=SQLiteCancelling(),
    waits=SQLiteWaits(),
    types=SQLiteTypes(),
    values=SQLiteValues(),
    scripts=PlainScripts(),
    catalog=SQLiteCatalog(),
    templates=SQLiteTemplates(),
    bulk=SQLiteBulk(),
    fingerprints=SQLiteFingerprints(),
    health=SQLiteHealth(),
    alterations=SQLiteAlterations(),
    server=None,
    session_user="NULL",  # nobody logs in
    effects=SQLiteEffects(),
    atomicity=SQLiteAtomicity(),
)
