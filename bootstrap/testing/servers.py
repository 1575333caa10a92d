"""Throwaway servers: a real server for the time of a test, on a port and in a folder of its own.

The server listens on the loopback only and lets everybody on this machine in as its superuser,
without a password. It ends with the process that started it, even when that is killed.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import secrets
import socket
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from sqlalchemy import URL, text

from bootstrap import backends
from bootstrap.backends.base import Backend, Server, ServerCommands
from bootstrap.database import Database
from bootstrap.errors import DatabaseError, SettingsError
from bootstrap.testing.watchdog import Order
from bootstrap.testing.watched import Watched

_PORTS_TRIED = 3
_PAUSE = 0.02  # seconds between two logins
_LOGIN = 20.0  # seconds that a login may take
_LOG_LINES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningServer:
    """A throwaway server that accepts connections.

    Attributes:
        backend: What it is.
        version: What its programs say of themselves, such as `15.18`.
        url: Where it answers: its superuser, and the database that every such server has.
        pid: The process of the server itself.
        folder: Its data and its log; removed when it stops.
    """

    backend: Backend
    version: str
    url: URL
    pid: int
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingServer:
    """A backend whose server cannot be started, why, and how to get it."""

    backend: str
    why: str
    hint: str


class ThrowawayServer:
    """A throwaway server, to be started and stopped, or used in a `with` statement.

    Args:
        backend: PostgreSQL, MySQL or MariaDB, by name or as it is.
        programs: The folder of the server's programs; None to look for them.
        durable: Whether a commit must outlive a crash of the machine, which costs time.
        options: Added to the command line of the server.
        timeout: Seconds until it must accept a connection.

    Raises:
        SettingsError: There is no such backend, it has no server, or its programs are not found.
    """

    def __init__(
        self,
        backend: str | Backend,
        *,
        programs: Path | None = None,
        durable: bool = False,
        options: tuple[str, ...] = (),
        timeout: float = 60.0,
    ) -> None:
        self._backend = known(backend)
        self._server = _server(self._backend)
        self._programs = programs or _programs(self._backend, self._server)
        self._durable = durable
        self._options = options
        self._timeout = timeout
        self._lock = threading.Lock()
        self._watched: Watched | None = None

    def start(self) -> RunningServer:
        """Starts the server and waits until it accepts a connection.

        Raises:
            DatabaseError: It did not start; the message ends with the last lines of its log.
            SettingsError: It runs already, or there is no account that it could run as.
        """
        with self._lock:
            if self._watched is not None:
                raise SettingsError(f"this {self._label} runs already", hint="stop it first")
            for _ in range(_PORTS_TRIED):
                with suppress(_PortTakenError):
                    return self._start_on(_free_port())
            raise DatabaseError(f"the {self._label} did not start: its port was always taken")

    def stop(self) -> None:
        """Stops the server and removes its folder; does nothing when it does not run."""
        with self._lock:
            self._stop()

    def __enter__(self) -> RunningServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def _label(self) -> str:
        return f"throwaway {self._backend.title} server of {self._programs}"

    def _start_on(self, port: int) -> RunningServer:
        folder = Path(tempfile.gettempdir()) / f"bootstrap-{secrets.token_hex(8)}"
        commands = self._server.commands(self._programs, folder, port, durable=self._durable)
        watched = self._watched = Watched(self._order(folder, commands))
        try:
            pid = self._wait(watched, commands)
        except BaseException:
            self._stop()
            raise
        return RunningServer(
            backend=self._backend,
            version=self._server.version(self._programs),
            url=commands.url,
            pid=pid,
            folder=folder,
        )

    def _order(self, folder: Path, commands: ServerCommands) -> Order:
        *first, last = commands.init
        extra = self._options if commands.init_takes_options else ()
        return Order(
            folder=str(folder),
            init=(*first, (*last, *extra)),
            run=(*commands.run, *self._options),
            account=_account(commands),
        )

    def _wait(self, watched: Watched, commands: ServerCommands) -> int:
        deadline = time.monotonic() + self._timeout
        while time.monotonic() < deadline:
            watched.listen(_PAUSE)
            if watched.ended is not None:
                raise self._ended(watched, watched.ended, commands)
            if watched.pid is not None and _answers(commands, watched.folder):
                return watched.pid
        raise self._error(watched, f"no connection was accepted for {self._timeout:g} seconds")

    def _ended(self, watched: Watched, why: str, commands: ServerCommands) -> Exception:
        return self._error(watched, why) if _is_free(commands.url) else _PortTakenError()

    def _error(self, watched: Watched, why: str) -> DatabaseError:
        return DatabaseError(f"the {self._label} did not start: {why}\n{watched.log(_LOG_LINES)}")

    def _stop(self) -> None:
        if self._watched is not None:
            self._watched.stop()
        self._watched = None


@asynccontextmanager
async def throwaway_server(
    backend: str | Backend,
    *,
    programs: Path | None = None,
    durable: bool = False,
    options: tuple[str, ...] = (),
    timeout: float = 60.0,
) -> AsyncIterator[RunningServer]:
    """Runs a server for the time of the block; the arguments are those of ThrowawayServer.

    Raises:
        SettingsError: There is no such backend, it has no server, or its programs are not found.
        DatabaseError: The server did not start.
    """
    server = ThrowawayServer(
        backend, programs=programs, durable=durable, options=options, timeout=timeout
    )
    try:
        yield await asyncio.to_thread(server.start)
    finally:
        # After a cancelled start, too: stop() waits until the thread has done with start().
        await asyncio.to_thread(server.stop)


class _PortTakenError(Exception):
    """Somebody else has listened on the port since it was found free."""


def known(backend: str | Backend) -> Backend:
    """Finds a backend by its name.

    Raises:
        SettingsError: There is none.
    """
    if isinstance(backend, Backend):
        return backend
    try:
        return backends.named(backend)
    except KeyError:
        known = ", ".join(one.name for one in backends.all_backends())
        raise SettingsError(
            f"there is no backend {backend!r}", hint=f"use one of: {known}"
        ) from None


def missing_server(backend: Backend) -> MissingServer | None:
    """Looks for the programs of a server; None where they are there, or none are needed."""
    server = backend.server
    if server is None or server.programs() is not None:
        return None
    return _missing(backend, server)


def _missing(backend: Backend, server: Server) -> MissingServer:
    return MissingServer(
        backend=backend.name,
        why=f"the programs of a {backend.title} server were not found",
        hint=server.install_hint(),
    )


def _server(backend: Backend) -> Server:
    if backend.server is None:
        raise SettingsError(
            f"{backend.title} has no server to be started", hint="use a file in a temporary folder"
        )
    return backend.server


def _programs(backend: Backend, server: Server) -> Path:
    if found := server.programs():
        return found
    missing = _missing(backend, server)
    raise SettingsError(missing.why, hint=missing.hint)


def _account(commands: ServerCommands) -> str | None:
    """The account to run as; None when the server takes the one of this process."""
    if os.geteuid() != 0 or not commands.run_as:
        return None
    there = {entry.pw_name for entry in pwd.getpwall()}
    for name in commands.run_as:
        if name in there:
            return name
    raise SettingsError(
        f"a server that refuses root finds none of the accounts {', '.join(commands.run_as)}",
        hint="run this as another user than root",
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _is_free(url: URL) -> bool:
    try:
        socket.create_server((str(url.host), url.port or 0)).close()
    except OSError:
        return False
    return True


def _answers(commands: ServerCommands, folder: Path) -> bool:
    """Tells whether the server lets us in; raises _PortTakenError when it is another one."""
    try:
        with ThreadPoolExecutor(1) as pool:  # the caller's thread may have a loop already
            data = pool.submit(asyncio.run, _data_folder(commands)).result()
    except (DatabaseError, TimeoutError):
        return False
    if not data.resolve().is_relative_to(folder.resolve()):
        raise _PortTakenError
    return True


async def _data_folder(commands: ServerCommands) -> Path:
    async with asyncio.timeout(_LOGIN), Database.of(commands.url).connect() as connection:
        return Path(await connection.scalar(text(commands.data_folder)))
