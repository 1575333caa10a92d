"""Real servers for tests, started when they are needed and gone afterwards."""

from bootstrap.testing.servers import RunningServer, ThrowawayServer, throwaway_server

__all__ = ["RunningServer", "ThrowawayServer", "throwaway_server"]
