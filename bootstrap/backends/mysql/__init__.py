"""MySQL; MariaDB overrides what it does differently in a room of its own."""

from sqlalchemy import Dialect

from bootstrap.backends.base import Backend, Features
from bootstrap.backends.engine import PlainEngines
from bootstrap.backends.mysql.admin import MySQLAdmin
from bootstrap.backends.mysql.altering import MySQLAlterations
from bootstrap.backends.mysql.bulk import MySQLBulk
from bootstrap.backends.mysql.cancelling import MySQLCancelling
from bootstrap.backends.mysql.catalog import MySQLCatalog
from bootstrap.backends.mysql.drivers import DRIVERS, SYNC_DRIVERS
from bootstrap.backends.mysql.effects import MySQLEffects
from bootstrap.backends.mysql.errors import MySQLErrors
from bootstrap.backends.mysql.fingerprints import MySQLFingerprints
from bootstrap.backends.mysql.health import MySQLHealth
from bootstrap.backends.mysql.journal.atomicity import MySQLAtomicity
from bootstrap.backends.mysql.journal.evidence import Evidence
from bootstrap.backends.mysql.locks import MySQLLocks
from bootstrap.backends.mysql.scripts import MySQLScripts
from bootstrap.backends.mysql.server import MySQLServer
from bootstrap.backends.mysql.templates import MySQLTemplates
from bootstrap.backends.mysql.types import MySQLTypes
from bootstrap.backends.mysql.values import MySQLValues
from bootstrap.backends.mysql.waits import MySQLWaits


def _refine(dialect: Dialect) -> str:
    """A `mysql` URL may lead to MariaDB; the dialect knows after its first connection."""
    return "mariadb" if getattr(dialect, "is_mariadb", False) else "mysql"


BACKEND = Backend(
    name="mysql",
    title="MySQL",
    schemes=("mysql",),
    drivers=DRIVERS,
    sync_drivers=SYNC_DRIVERS,
    features=Features(
        transactional_ddl=False,
        is_file=False,
        create_options=frozenset({"encoding", "collation"}),
        native_booleans=False,
    ),
    engines=PlainEngines(),
    errors=MySQLErrors(),
    admin=MySQLAdmin(),
    locks=MySQLLocks(),
    cancelling=MySQLCancelling(),
    waits=MySQLWaits(),
    types=MySQLTypes(),
    values=MySQLValues(),
    scripts=MySQLScripts(),
    catalog=MySQLCatalog(),
    templates=MySQLTemplates(),
    bulk=MySQLBulk(),
    fingerprints=MySQLFingerprints(),
    health=MySQLHealth(),
    alterations=MySQLAlterations(),
    server=MySQLServer(),
    session_user="user()",
    effects=MySQLEffects(),
    atomicity=MySQLAtomicity(Evidence),
    refine=_refine,
)
