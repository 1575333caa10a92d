"""Runs a throwaway server for another process, and ends it when that process ends.

A program of its own that imports nothing of `bootstrap`, started with an Order as its argument.
Its standard input is a pipe whose other end its owner holds open: when the owner ends, be it by
SIGKILL, the kernel closes that end, and the read here returns. It tells on standard output what
happens: `running <pid>`, or `ended <why>` when a command ended that should not have. The folder
stays until the owner lets go of the pipe, so that the log in it can be read.
"""

from __future__ import annotations

import json
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

LOG = "server.log"
_GRACE = 10.0  # seconds between asking a process to end and killing it
_KEPT = ("PATH", "LD_LIBRARY_PATH", "TZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to run.

    Attributes:
        folder: Made here, given to the account, and removed at the end with all that is in it.
        init: Commands to run one after the other.
        run: The command that stays.
        account: The user to run the commands as; None for the user of this process.
    """

    folder: str
    init: tuple[tuple[str, ...], ...]
    run: tuple[str, ...]
    account: str | None

    def to_json(self) -> str:
        """The order as the argument of this program."""
        return json.dumps(asdict(self))

    def identity(self) -> Mapping[str, Any]:
        """The account in the words of `subprocess.Popen`."""
        if self.account is None:
            return {}
        group = pwd.getpwnam(self.account).pw_gid
        return {"user": self.account, "group": group, "extra_groups": ()}


class OwnerGoneError(Exception):
    """The owner has ended, or has closed the pipe."""


class CommandEndedError(Exception):
    """A command ended that should not have, or could not be started."""


class Watch:
    """Waits for a child and for the end of the owner at once.

    Args:
        owner: The read end of the pipe that the owner holds.
    """

    def __init__(self, owner: int) -> None:
        self._owner = owner
        self._bell, rung = os.pipe()
        os.set_blocking(rung, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only a signal with a handler rings
        signal.set_wakeup_fd(rung)

    def until_ended(self, child: subprocess.Popen[bytes]) -> int:
        """Waits until the child has ended and gives its exit code."""
        while (code := child.poll()) is None:
            ready, _, _ = select.select((self._owner, self._bell), (), ())
            if self._owner in ready:
                raise OwnerGoneError
            os.read(self._bell, 64)
        return code

    def until_gone(self) -> None:
        """Waits until the owner has ended."""
        select.select((self._owner,), (), ())


def main(argument: str) -> None:
    """Does what the order says until the owner ends."""
    order = Order(**json.loads(argument))
    watch = Watch(sys.stdin.fileno())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _leave)
    with _folder(order), suppress(OwnerGoneError):
        try:
            _serve(order, watch)
        except CommandEndedError as reason:
            _tell(f"ended {reason}")
        watch.until_gone()


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _tell(line: str) -> None:
    with suppress(BrokenPipeError):  # the owner has gone: what follows will notice that
        print(line, flush=True)  # noqa: T201 - standard output is how this program answers


@contextmanager
def _folder(order: Order) -> Iterator[None]:
    folder = Path(order.folder)
    folder.mkdir(mode=0o700)
    try:
        if order.account is not None:
            shutil.chown(folder, order.account)
        yield
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    # A process on its way out may still write a file while the folder is removed.
    for _ in range(50):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


def _serve(order: Order, watch: Watch) -> None:
    for command in order.init:
        with _started(order, command) as child:
            if code := watch.until_ended(child):
                raise CommandEndedError(_exit(command, code))
    with _started(order, order.run) as child:
        _tell(f"running {child.pid}")
        raise CommandEndedError(_exit(order.run, watch.until_ended(child)))


def _exit(command: tuple[str, ...], code: int) -> str:
    return f"{Path(command[0]).name} ended with exit code {code}"


@contextmanager
def _started(order: Order, command: tuple[str, ...]) -> Iterator[subprocess.Popen[bytes]]:
    with (Path(order.folder) / LOG).open("ab") as log:
        try:
            child = subprocess.Popen(  # noqa: S603 - the owner's own command
                command,
                cwd=order.folder,
                env=_environment(order),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **order.identity(),
            )
        except OSError as error:
            raise CommandEndedError(
                f"{command[0]} could not be started: {error.strerror}"
            ) from error
    try:
        yield child
    finally:
        _end(child)


def _environment(order: Order) -> dict[str, str]:
    # A server reads variables too (PGDATESTYLE, MYSQL_TCP_PORT), and needs none of the secrets.
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"HOME": order.folder, "LC_ALL": "C"}


def _end(child: subprocess.Popen[bytes]) -> None:
    # SIGQUIT is the quick end for all: PostgreSQL drops its sessions without a checkpoint (which
    # SIGTERM would wait for) and gives its shared memory back, MySQL and MariaDB shut down.
    for number in (signal.SIGQUIT, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):  # all of the group have ended
            os.killpg(child.pid, number)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE)


if __name__ == "__main__":
    main(sys.argv[1])
