"""What a command shows: progress and logs on standard error, the result on standard output."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterable
from functools import singledispatchmethod
from types import TracebackType
from typing import Any, Self, TextIO, cast

from rich.console import Console
from rich.status import Status
from rich.text import Text

from bootstrap import events

_MASK = "***"
_WIDE = 200  # columns


class Masking:
    """A text stream that replaces known secrets: the last defence, whatever wrote them.

    Inside of a longer word a secret stays: the password `postgres` must not maul `postgresql`.
    """

    def __init__(self, stream: TextIO, secrets: set[str]) -> None:
        self._stream = stream
        self._secrets = secrets

    def write(self, text: str) -> int:
        """Writes the text without its secrets, the longest first."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", _MASK, text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


class _Lines(logging.Formatter):
    """Log records as lines; where an exception came from is for `--traceback` only."""

    def __init__(self, *, traceback: bool) -> None:
        super().__init__("%(levelname)s [%(name)s] %(message)s")
        self._traceback = traceback

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return super().formatException(ei) if self._traceback else ""


class Screen:
    """Two streams, one for people who watch and one for what was asked for.

    Args:
        traceback: Whether logged exceptions are shown with where they came from.
    """

    def __init__(self, *, traceback: bool = False) -> None:
        self._secrets: set[str] = set()
        self._out = cast("TextIO", Masking(sys.stdout, self._secrets))
        self._err = cast("TextIO", Masking(sys.stderr, self._secrets))
        self._result = _console(self._out)
        self._watched = _console(self._err)
        self._spinner: Status | None = None
        self._log = logging.StreamHandler(self._err)
        self._log.setFormatter(_Lines(traceback=traceback))

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self._log)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        logging.getLogger().removeHandler(self._log)

    def hide(self, secrets: Iterable[str]) -> None:
        """Masks these texts in everything that is shown from now on."""
        self._secrets.update(secret for secret in secrets if secret)

    def print_report(self, report: object) -> None:
        """Shows the result of a command to a person."""
        from bootstrap.reports.text import render  # noqa: PLC0415 - JSON needs none of it

        self._stop()
        with self._result.capture() as shown:
            self._result.print(render(report))
        for line in shown.get().splitlines():  # rich fills the last column with blanks
            self._out.write(f"{line.rstrip()}\n")

    def print_plain(self, text: str) -> None:
        """Writes text to standard output as it is."""
        self._stop()
        self._out.write(f"{text}\n")

    def note(self, text: str) -> None:
        """Says something beside the result."""
        self._stop()
        self._watched.print(Text(text))

    def error(self, message: str, *, hint: str) -> None:
        """Says what went wrong, and what to do."""
        self._stop()
        self._watched.print(Text.assemble(("error: ", "bold red"), message))
        if hint:
            self._watched.print(Text.assemble(("hint: ", "bold cyan"), hint))

    @singledispatchmethod
    def progress(self, event: events.Event) -> None:
        """Shows an event; those without a line of their own are passed over."""

    @progress.register
    def _(self, event: events.DatabaseCreated) -> None:
        self._done("created", event.database)

    @progress.register
    def _(self, event: events.DatabaseDropped) -> None:
        self._done("dropped", event.database)

    @progress.register
    def _(self, event: events.ConnectionTried) -> None:
        self._done("waiting", f"{event.reason}; next try in {event.pause:.1f} s", style="yellow")

    @progress.register
    def _(self, event: events.StepStarted) -> None:
        self._busy(
            f"{event.direction} {event.number}/{event.total}  {event.revision}  {event.title}"
        )

    @progress.register
    def _(self, event: events.StepFinished) -> None:
        count = f"{event.number}/{event.total}"
        self._done(
            event.direction, f"{count}  {event.revision}  {event.title}", seconds=event.seconds
        )

    @progress.register
    def _(self, event: events.DataSetStarted) -> None:
        self._busy(f"seed  {event.data_set} ({event.rows} rows)")

    @progress.register
    def _(self, event: events.DataSetFinished) -> None:
        counts = f"{event.inserted} inserted, {event.updated} updated, {event.unchanged} unchanged"
        self._done("seed", f"{event.data_set}: {counts}", seconds=event.seconds)

    def _busy(self, text: str) -> None:
        """A spinner, where it can turn; nothing where lines are kept."""
        self._stop()
        if self._watched.is_terminal:
            self._spinner = self._watched.status(Text(text))
            self._spinner.start()

    def _done(
        self, word: str, text: str, *, seconds: float | None = None, style: str = "green"
    ) -> None:
        self._stop()
        took = "" if seconds is None else f"  {seconds:.2f} s"
        self._watched.print(Text.assemble((f"{word:<10}", style), text, (took, "dim")))

    def _stop(self) -> None:
        if self._spinner:
            self._spinner.stop()
            self._spinner = None


def _console(stream: TextIO) -> Console:
    """Lines are not broken where a program reads them."""
    width = None if stream.isatty() or "COLUMNS" in os.environ else _WIDE
    return Console(file=stream, highlight=False, soft_wrap=True, width=width)
