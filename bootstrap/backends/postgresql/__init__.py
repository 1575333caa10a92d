"""PostgreSQL."""

from bootstrap.backends.base import Backend, Features
from bootstrap.backends.engine import PlainEngines
from bootstrap.backends.postgresql.admin import PostgreSQLAdmin
from bootstrap.backends.postgresql.altering import PostgreSQLAlterations
from bootstrap.backends.postgresql.bulk import PostgreSQLBulk
from bootstrap.backends.postgresql.cancelling import PostgreSQLCancelling
from bootstrap.backends.postgresql.catalog import PostgreSQLCatalog
from bootstrap.backends.postgresql.drivers import DRIVERS, SYNC_DRIVERS
from bootstrap.backends.postgresql.effects import PostgreSQLEffects
from bootstrap.backends.postgresql.errors import PostgreSQLErrors
from bootstrap.backends.postgresql.extensions import tables_of_extensions
from bootstrap.backends.postgresql.fingerprints import PostgreSQLFingerprints
from bootstrap.backends.postgresql.health import PostgreSQLHealth
from bootstrap.backends.postgresql.journal.atomicity import PostgreSQLAtomicity
from bootstrap.backends.postgresql.locks import PostgreSQLLocks
from bootstrap.backends.postgresql.scripts import PostgreSQLScripts
from bootstrap.backends.postgresql.server import PostgreSQLServer
from bootstrap.backends.postgresql.templates import PostgreSQLTemplates
from bootstrap.backends.postgresql.types import PostgreSQLTypes
from bootstrap.backends.postgresql.values import PostgreSQLValues
from bootstrap.backends.postgresql.waits import PostgreSQLWaits

BACKEND = Backend(
    name="postgresql",
    title="PostgreSQL",
    schemes=("postgresql", "postgres"),
    drivers=DRIVERS,
    sync_drivers=SYNC_DRIVERS,
    features=Features(
        transactional_ddl=True,
        is_file=False,
        schemas=True,
        create_options=frozenset({"owner", "encoding", "template"}),
    ),
    engines=PlainEngines(),
    errors=PostgreSQLErrors(),
    admin=PostgreSQLAdmin(),
    locks=PostgreSQLLocks(),
    cancelling=PostgreSQLCancelling(),
    waits=PostgreSQLWaits(),
    types=PostgreSQLTypes(),
    values=PostgreSQLValues(),
    scripts=PostgreSQLScripts(),
    catalog=PostgreSQLCatalog(),
    templates=PostgreSQLTemplates(),
    bulk=PostgreSQLBulk(),
    fingerprints=PostgreSQLFingerprints(),
    health=PostgreSQLHealth(),
    alterations=PostgreSQLAlterations(),
    server=PostgreSQLServer(),
    session_user="session_user",
    effects=PostgreSQLEffects(),
    atomicity=PostgreSQLAtomicity(),
    tables_of_extensions=tables_of_extensions,
)
