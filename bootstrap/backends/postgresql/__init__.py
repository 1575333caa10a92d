"""PostgreSQL."""

from bootstrap.backends.base import Backend, Features
from bootstrap.backends.engine import PlainEngines
from bootstrap.backends.postgresql.admin import PostgreSQLAdmin
from bootstrap.backends.postgresql.drivers import DRIVERS, SYNC_DRIVERS
from bootstrap.backends.postgresql.errors import PostgreSQLErrors
from bootstrap.backends.postgresql.server import PostgreSQLServer
from bootstrap.backends.postgresql.types import PostgreSQLTypes

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
    types=PostgreSQLTypes(),
    server=PostgreSQLServer(),
)
