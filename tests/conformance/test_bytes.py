"""Bytes are bound as they are, with each driver."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, insert, select

import bootstrap

_METADATA = MetaData()
_BLOBS = Table(
    "blobs", _METADATA, Column("id", Integer, primary_key=True), Column("content", LargeBinary)
)
_BYTES = [bytes(range(256)), b"", b"'", "\N{SNOWMAN}".encode(), None]


async def test_bytes_come_back_as_they_were(empty_url: str) -> None:
    rows = [{"id": number, "content": one} for number, one in enumerate(_BYTES, start=1)]
    async with bootstrap.Database.of(empty_url).connect() as connection:
        await connection.run_sync(_METADATA.create_all)
        await connection.execute(insert(_BLOBS), rows[0])
        await connection.execute(insert(_BLOBS), rows[1:])
        found = (await connection.scalars(select(_BLOBS.c.content).order_by(_BLOBS.c.id))).all()
        await connection.rollback()

    assert _BYTES == found
