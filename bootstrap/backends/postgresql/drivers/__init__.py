"""The async drivers of PostgreSQL."""

from bootstrap.backends.postgresql.drivers.asyncpg import ASYNCPG
from bootstrap.backends.postgresql.drivers.psycopg import PSYCOPG

DRIVERS = (ASYNCPG, PSYCOPG)
# aiopg is async, but SQLAlchemy has had no dialect for it.
SYNC_DRIVERS = {
    "psycopg2": "psycopg2",
    "psycopg2cffi": "psycopg2cffi",
    "pg8000": "pg8000",
    "pygresql": "pgdb",
    "pypostgresql": "postgresql",
    "aiopg": "aiopg",
}
