"""Which database a URL means, whatever way it is written."""

from __future__ import annotations

from sqlalchemy import URL

_THIS_MACHINE = {"", "127.0.0.1", "::1"}


def server_identity(url: URL, *, port: int) -> tuple[str, ...]:
    """Host, port and name; `port` is the one that a URL without a port means."""
    host = (url.host or "").lower()
    several = url.normalized_query.get("host", ())
    place = "localhost" if host in _THIS_MACHINE and not several else host
    return (place, str(url.port or port), url.database or "", *several)
