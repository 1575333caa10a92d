"""Measures what `alembic check` finds, and writes docs/detected.md."""

import asyncio
import tempfile
from pathlib import Path

from sqlalchemy import URL

from bootstrap import backends
from tests import available
from tests.available import Servers
from tests.conformance.corpus import CASES, Case, table
from tests.conformance.corpus.alembic_check import finds


def main() -> None:
    """Makes each change in a database of its own."""
    servers = Servers()
    try:
        found = {(case.backend, case.name): _found(case, servers) for case in table.changes(CASES)}
    finally:
        servers.stop()
    table.PAGE.write_text(table.page(found), encoding="utf-8")


def _found(case: Case, servers: Servers) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        url = _url(case.backend, servers, Path(folder))
        available.create(url)
        try:
            return asyncio.run(finds(case, url.render_as_string(hide_password=False)))
        finally:
            available.drop(url)


def _url(name: str, servers: Servers, folder: Path) -> URL:
    backend = backends.named(name)
    if backend.features.is_file:
        return URL.create(backend.schemes[0], database=str(folder / "change.db"))
    return servers.url(name).set(drivername=backend.schemes[0], database="a_change")


main()
