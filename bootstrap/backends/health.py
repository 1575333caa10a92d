"""What `bootstrap doctor` asks a database, and whether one takes any writes at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from ipaddress import ip_address
from typing import Protocol, TypeAlias

from sqlalchemy import URL, Connection

_NAMED = 3  # sessions that are listed one by one
WHERE_TO_WRITE = "name the primary server, or a file that may be written"


class Verdict(StrEnum):
    """What a finding means for the work with a database."""

    FINE = "fine"
    WARNING = "warning"  # works, but not as it should, or not for long
    PROBLEM = "problem"  # a command will fail
    UNKNOWN = "unknown"  # nobody could look


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check has found.

    Attributes:
        check: What was looked at; the same word in every run.
        verdict: What it means.
        text: One sentence.
        hint: How to mend it: a command, or SQL, where there is one; else empty.
    """

    check: str
    verdict: Verdict
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a check knows beside the connection.

    Attributes:
        url: The database.
        today: The date, in UTC.
        patience: Seconds that a transaction of others may have been open without being in the way.
    """

    url: URL
    today: date
    patience: float = 3.0  # as long as a statement waits for a lock

    @property
    def is_remote(self) -> bool:
        """Whether the way to the server leaves this machine."""
        hosts = [self.url.host or "", *self.url.normalized_query.get("host", ())]
        return any(_is_remote(host) for host in hosts)


Said: TypeAlias = tuple[Verdict, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing to look at, on a connection that nothing else is done with.

    Attributes:
        name: The check of its findings.
        look: Yields verdict, text and hint of each; may raise the driver's own exception.
    """

    name: str
    look: Callable[[Connection, Circumstances], Iterator[Said]]

    def findings(self, connection: Connection, known: Circumstances) -> tuple[Finding, ...]:
        """Looks now."""
        return tuple(
            Finding(check=self.name, verdict=verdict, text=text, hint=hint)
            for verdict, text, hint in self.look(connection, known)
        )


class Health(Protocol):
    """What can be wrong with a database."""

    @property
    def checks(self) -> Sequence[Check]:
        """What to look at, in this order."""

    def read_only(self, connection: Connection) -> str:
        """Why nothing can be written there, as a sentence; empty where something can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines of versions of a product, each with the day on which its fixes end.

    Attributes:
        title: The product.
        ends: By the numbers that the versions of a line have in common.
        source: Where the days are published.
    """

    title: str
    ends: Mapping[tuple[int, ...], date]
    source: str

    def said(self, version: Sequence[int], today: date) -> Said:
        """What is to be said of a version."""
        shown = ".".join(str(number) for number in version[:3])
        numbers = tuple(version)
        line = next((one for one in self.ends if numbers[: len(one)] == one), None)
        if line is None and numbers > max(self.ends):
            return fine(f"{self.title} {shown}")
        if line is not None and today <= self.ends[line]:
            return fine(f"{self.title} {shown} gets fixes until {self.ends[line]}")
        since = "any more" if line is None else f"since {self.ends[line]}"
        said = f"{self.title} {shown} gets no fixes {since}"
        return warning(said, hint=f"move to a version that does: {self.source}")


def version_of(connection: Connection) -> tuple[int, ...]:
    """The version of the server, as numbers."""
    numbers = getattr(connection.dialect, "server_version_info", None) or ()
    return tuple(number for number in numbers if isinstance(number, int))


def fine(text: str, *, hint: str = "") -> Said:
    """All is as it should be."""
    return Verdict.FINE, text, hint


def warning(text: str, *, hint: str = "") -> Said:
    """It works, but."""
    return Verdict.WARNING, text, hint


def problem(text: str, *, hint: str = "") -> Said:
    """A command will fail."""
    return Verdict.PROBLEM, text, hint


def unknown(text: str, *, hint: str = "") -> Said:
    """Nobody could look."""
    return Verdict.UNKNOWN, text, hint


def encryption(cipher: str, known: Circumstances, *, mode: str) -> Said:
    """What is to be said of a connection.

    Args:
        cipher: What it is encrypted with; empty where it is not.
        known: Where it leads.
        mode: The option of the URL that asks for encryption.
    """
    if cipher:
        return fine(f"the connection is encrypted ({cipher})")
    if not known.is_remote:
        return fine("the connection is not encrypted, and does not leave this machine")
    return warning(
        "the connection goes over the network unencrypted", hint=f"add {mode} to the URL"
    )


def writable(reason: str) -> Said:
    """What is to be said of a reason not to write; empty where there is none."""
    if reason:
        return problem(f"nothing can be written: {reason}", hint=WHERE_TO_WRITE)
    return fine("it can be written")


def straight() -> Said:
    """No pooler and no proxy is in between."""
    return fine("the connection leads straight to the server")


def throwaways(*, may_create: bool) -> Said:
    """Where a history is replayed."""
    if may_create:
        return fine("the account may create databases, for what drift and baseline replay")
    return fine(
        "the account may not create databases: drift and baseline replay on a throwaway server on"
        " this machine"
    )


def time_zone(zone: str, *, is_utc: bool, local: str, hint: str) -> Said:
    """What is to be said of a time zone.

    Args:
        zone: That of the session.
        is_utc: Whether it is UTC under one of its names.
        local: Which values are in local time otherwise.
        hint: How to change that.
    """
    if is_utc:
        return fine(f"the time zone is {zone}")
    return warning(f"the time zone is {zone}: {local} is local time", hint=hint)


def in_the_way(sessions: Sequence[Said]) -> Iterator[Said]:
    """The first sessions whose transactions are open, and how many more there are."""
    yield from sessions[:_NAMED]
    if len(sessions) > _NAMED:
        yield warning(f"{len(sessions) - _NAMED} more sessions have such transactions open")


def nobody_in_the_way() -> Said:
    """No ALTER TABLE would have to wait."""
    return fine("nobody has a transaction open that would be in the way")


def _is_remote(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host == "localhost":  # a socket has a path
        return False
    host = host.strip("[]") if host.startswith("[") else host
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        name, colon, port = host.rpartition(":")
        return _is_remote(name) if colon and port.isdigit() else True
