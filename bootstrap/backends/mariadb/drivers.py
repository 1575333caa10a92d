"""The drivers of MariaDB: those of MySQL."""

from bootstrap.backends.mysql.drivers import DRIVERS, SYNC_DRIVERS

__all__ = ["DRIVERS", "SYNC_DRIVERS"]
