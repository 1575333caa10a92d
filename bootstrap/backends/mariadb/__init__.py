"""MariaDB: as MySQL, but for its server and its collations."""

from dataclasses import replace

from bootstrap.backends import mysql
from bootstrap.backends.mariadb.catalog import MariaDBCatalog
from bootstrap.backends.mariadb.drivers import DRIVERS, SYNC_DRIVERS
from bootstrap.backends.mariadb.effects import MariaDBEffects
from bootstrap.backends.mariadb.evidence import MariaDBEvidence
from bootstrap.backends.mariadb.health import mariadb_health
from bootstrap.backends.mariadb.server import MariaDBServer
from bootstrap.backends.mariadb.types import MariaDBTypes
from bootstrap.backends.mysql.journal.atomicity import MySQLAtomicity

BACKEND = replace(
    mysql.BACKEND,
    name="mariadb",
    title="MariaDB",
    schemes=("mariadb",),
    drivers=DRIVERS,
    sync_drivers=SYNC_DRIVERS,
    types=MariaDBTypes(),
    catalog=MariaDBCatalog(),
    health=mariadb_health(),
    server=MariaDBServer(),
    effects=MariaDBEffects(),
    atomicity=MySQLAtomicity(MariaDBEvidence),
    refine=None,
)
