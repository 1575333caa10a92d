"""Real servers and databases for tests, made when they are needed and gone afterwards."""

from bootstrap.testing.databases import (
    ThrowawayDatabases,
    throwaway_database,
    throwaway_databases,
)
from bootstrap.testing.servers import RunningServer, ThrowawayServer, throwaway_server

__all__ = [
    "RunningServer",
    "ThrowawayDatabases",
    "ThrowawayServer",
    "throwaway_database",
    "throwaway_databases",
    "throwaway_server",
]
