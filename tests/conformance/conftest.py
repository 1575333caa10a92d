"""What the conformance tests share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tls import TLS


@pytest.fixture(scope="session")
def tls() -> Iterator[TLS]:
    """Servers with TLS; not in pytest's folder, into which other accounts cannot look."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        servers = TLS(folder=folder)
        yield servers
        for server in servers.running.values():
            server.stop()
