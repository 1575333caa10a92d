"""A TCP proxy before a server, which cuts all connections at a message of one of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import URL

MINE = "SELECT 'the migrating connection'"  # whoever sends this is counted
_CHUNK = 65_536
_GOODBYES = (b"X\x00\x00\x00\x04", b"\x01\x00\x00\x00\x01")  # nothing is left to cut then


class Cut(StrEnum):
    """When the connections end, seen from a message of the client."""

    BEFORE = "before the server gets it"
    AT_ONCE = "as soon as the server gets it"
    UNANSWERED = "when the server has answered, before the client hears of it"
    MIDDLE = "in the middle of the answer"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What the client sends in one piece, after it has said that it is the one."""

    number: int
    content: bytes


@dataclass
class Proxy:
    """Passes everything on, until it cuts.

    Attributes:
        server: Where to.
        port: Its own.
        cut: How; None to pass everything on.
        at: The number of the message, counted from 1.
        only: What a message must have in it to be counted.
        refused: How many connections are refused after that.
        sent: The messages that were counted.
        has_cut: Whether it has come to that; it does so once.
    """

    server: URL
    port: int = 0
    cut: Cut | None = None
    at: int = 0
    only: bytes = b""
    refused: int = 0
    sent: list[Sent] = field(default_factory=list)
    has_cut: bool = False
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def url(self, url: URL) -> URL:
        """The same database, through this proxy."""
        return url.set(host="127.0.0.1", port=self.port)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        if self.has_cut and self.refused:
            self.refused -= 1
            writer.transport.abort()
            return
        up_reader, up_writer = await asyncio.open_connection(self.server.host, self.server.port)
        link = _Link(proxy=self, client=writer, server=up_writer)
        self._writers |= {writer, up_writer}
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(link.down(up_reader))
                both.create_task(link.up(reader))
        finally:
            for one in (writer, up_writer):
                self._writers.discard(one)
                one.transport.abort()

    def cut_all(self) -> None:
        """Ends all connections, without a word."""
        self.has_cut = True
        for writer in tuple(self._writers):
            writer.transport.abort()


@dataclass
class _Link:
    """One connection through the proxy."""

    proxy: Proxy
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    counted: bool = False
    reached: bool = False

    async def up(self, reader: asyncio.StreamReader) -> None:
        """From the client to the server."""
        with suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                if self._is_the_one(data) and self.proxy.cut is Cut.BEFORE:
                    self.proxy.cut_all()
                    return
                self.server.write(data)
                await self.server.drain()
                if self.reached and self.proxy.cut is Cut.AT_ONCE:
                    self.proxy.cut_all()
                    return
        self.server.close()

    async def down(self, reader: asyncio.StreamReader) -> None:
        """From the server to the client."""
        with suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                if self.reached and self.proxy.cut is not None:
                    if self.proxy.cut is Cut.MIDDLE:
                        self.client.write(data[: len(data) // 2])
                        await self.client.drain()
                    self.proxy.cut_all()
                    return
                self.client.write(data)
                await self.client.drain()
        self.client.close()

    def _is_the_one(self, data: bytes) -> bool:
        """Counts; whether it is the message to cut at."""
        if not self.counted:
            self.counted = MINE.encode() in data
            return False
        if data in _GOODBYES or self.proxy.only not in data:
            return False
        self.proxy.sent.append(Sent(number=len(self.proxy.sent) + 1, content=data))
        if self.proxy.cut is None or self.proxy.has_cut:
            return False
        is_it = len(self.proxy.sent) == self.proxy.at
        self.reached |= is_it  # a driver may send more before it is answered
        return is_it


@asynccontextmanager
async def proxied(
    server: URL, *, cut: Cut | None = None, at: int = 0, only: bytes = b"", refused: int = 0
) -> AsyncIterator[Proxy]:
    """A proxy for the time of the block."""
    proxy = Proxy(server=server, cut=cut, at=at, only=only, refused=refused)
    listening = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield proxy
        proxy.cut_all()
