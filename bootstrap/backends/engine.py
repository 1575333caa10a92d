"""How an async engine is made, the same on every backend."""

from __future__ import annotations

from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bootstrap.backends.base import Connecting


class PlainEngines:
    """Engines that open a connection when one is needed, and close it after use."""

    def create(self, connecting: Connecting) -> AsyncEngine:
        """Makes an engine; parameters stay out of logs and exceptions, they may be secrets."""
        return create_async_engine(
            connecting.url,
            connect_args=dict(connecting.arguments),
            poolclass=NullPool,
            hide_parameters=True,
        )
