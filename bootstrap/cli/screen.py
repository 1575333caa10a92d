"""What a command shows: progress and logs on standard error, the result on standard output."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import singledispatchmethod
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO, cast

from rich.console import Console
from rich.control import strip_control_codes
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
        """Writes the text without its secrets."""
        return self._stream.write(masked(text, self._secrets))

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text without these secrets, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", _MASK, text)
    return text


class _Lines(logging.Formatter):
    """Log records as lines; where an exception came from is for `--traceback` only."""

    def __init__(self, *, traceback: bool) -> None:
        super().__init__("%(levelname)s [%(name)s] %(message)s")
        self._traceback = traceback

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return super().formatException(ei) if self._traceback else ""


@contextmanager
def standard_output(*, alone: bool) -> Iterator[TextIO]:
    """Gives standard output, which nobody else writes to in the block when `alone`.

    What env.py, hooks and the programs that they start print goes to standard error then.
    """
    if not alone or sys.stdout is None or sys.stderr is None:
        yield _opened(sys.stdout)
        return
    shared = sys.stdout.fileno()
    kept = os.dup(shared)
    os.dup2(sys.stderr.fileno(), shared)
    try:
        with os.fdopen(os.dup(kept), "w", encoding="utf-8") as ours:
            yield ours
    finally:
        sys.stdout.flush()
        os.dup2(kept, shared)
        os.close(kept)


def _opened(stream: TextIO | None) -> TextIO:
    """A stream that takes any text: closed ones swallow it, narrow ones get escapes."""
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream


class Screen:
    """Two streams, one for people who watch and one for what was asked for.

    Args:
        out: For what was asked for.
        traceback: Whether logged exceptions are shown with where they came from.
        quiet: Whether errors and what was asked for are all that is shown.
    """

    can_ask = True

    def __init__(self, out: TextIO, *, traceback: bool = False, quiet: bool = False) -> None:
        self._quiet = quiet
        self._secrets: set[str] = set()
        self._bare = out
        self._out = cast("TextIO", Masking(out, self._secrets))
        self._bare_err = _opened(sys.stderr)
        self._err = cast("TextIO", Masking(self._bare_err, self._secrets))
        self._result = _console(self._out)
        self._watched = _console(self._err)
        self._is_watched = self._watched.is_terminal
        self._spinner: Status | None = None
        self._log: logging.Handler = logging.StreamHandler(self._err)
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

    @property
    def watched(self) -> TextIO:
        """Standard error, with the secrets masked."""
        return self._err

    def hide(self, secrets: Iterable[str]) -> None:
        """Masks these texts in everything that is shown from now on."""
        self._secrets.update(secret for secret in secrets if secret)

    def masked(self, text: str) -> str:
        """The text without the secrets that are hidden on the screen."""
        return masked(text, self._secrets)

    def masked_markdown(self, text: str) -> str:
        """The same for Markdown, which has a backslash before some characters of a secret."""
        from bootstrap.reports.markdown import escaped  # noqa: PLC0415 - few commands write any

        return masked(text, {*self._secrets, *filter(None, map(escaped, self._secrets))})

    def write_watched(self, line: str) -> None:
        """Writes a line to standard error as it is."""
        self._stop()
        self._err.write(f"{line}\n")

    def print_report(self, report: object, *, verbose: bool = False) -> None:
        """Shows the result of a command to a person."""
        from bootstrap.reports import text  # noqa: PLC0415 - JSON needs none of it

        self._stop()
        with self._result.capture() as shown:
            rendered = text.render_all(report) if verbose else text.render(report)
            # A document is not for the width of a terminal.
            is_whole = bool(getattr(rendered, "no_wrap", False))
            self._result.print(rendered, soft_wrap=is_whole, crop=False)
        for line in shown.get().splitlines():  # rich fills the last column with blanks
            self._out.write(f"{line.rstrip()}\n")

    def print_plain(self, text: str) -> None:
        """Writes a document as it is: masking could maul it.

        The texts in it are masked already, and into a script gets no setting.
        """
        self._stop()
        self._bare.write(text)

    def ask(self, question: str) -> bool:
        """Asks on standard error; everything but yes, the end of the input included, is no."""
        self._err.write(f"{question} [y/N]: ")
        self._err.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def echo(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        """Shows a statement before it is sent, whatever env.py does to loggers; no parameters."""
        self.say(statement)

    def name_database(self, database: str) -> None:
        """Is told which database it is about; a person knows."""

    def ended(self, code: int) -> None:
        """Is told the exit code; a person sees it."""

    def relay(self, line: str) -> None:
        """Shows what a program of the project's own has written."""
        self.write_watched(line)

    def note(self, text: str) -> None:
        """Says something beside the result, unless it should be quiet."""
        if not self._quiet:
            self.say(text)

    def say(self, text: str) -> None:
        """Says something on standard error."""
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
    def _(self, event: events.ConnectionTried) -> None:
        self._done("waiting", f"{event.reason}; next try in {event.pause:.1f} s", style="yellow")

    @progress.register
    def _(self, event: events.HeadsAwaited) -> None:
        where = ", ".join(event.current) or "no revision"
        self._done("waiting", f"at {where}; next look in {event.pause:.1f} s", style="yellow")

    @progress.register
    def _(self, event: events.LockAwaited) -> None:
        self._done(
            "waiting",
            f"another run works here ({event.holder}); {event.left:.0f} s left",
            style="yellow",
        )

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
    def _(self, event: events.StatementBlocked) -> None:
        self._done("blocked", f"{event.revision} by {'; '.join(event.blockers)}", style="yellow")

    @progress.register
    def _(self, event: events.LockRetried) -> None:
        tries = "the last try" if event.left == 0 else f"{event.left} more after that"
        self._done(
            "waiting",
            f"{event.revision} got no lock; next try in {event.pause:.1f} s, {tries}",
            style="yellow",
        )

    @progress.register
    def _(self, event: events.RunRetried) -> None:
        where = f"{event.revision}: " if event.revision else ""
        self._done(
            "again",
            f"{where}{event.fault}; next try in {event.pause:.1f} s, for {event.left:.0f} s more",
            style="yellow",
        )

    @progress.register
    def _(self, event: events.TryStarted) -> None:
        self._busy(f"try  {event.backend}")

    @progress.register
    def _(self, event: events.TryFinished) -> None:
        said, style = ("works", "green") if event.works else ("does not work", "red")
        self._done("tried", f"{event.backend}: {said}", seconds=event.seconds, style=style)

    @progress.register
    def _(self, event: events.VerifyStarted) -> None:
        self._busy("verify")

    @progress.register
    def _(self, event: events.VerifyFinished) -> None:
        name = f"{event.backend} {event.server_version}".strip()
        said, style = (name, "green") if event.works else (f"{name}: failed", "red")
        self._done("verified", said, seconds=event.seconds, style=style)
        self._busy("verify")

    @progress.register
    def _(self, event: events.DataSetStarted) -> None:
        rows = "" if event.rows is None else f" ({event.rows} rows)"
        self._busy(f"seed  {event.data_set}{rows}")

    @progress.register
    def _(self, event: events.DataSetFinished) -> None:
        counts = f"{event.inserted} inserted, {event.updated} updated, {event.unchanged} unchanged"
        self._done("seed", f"{event.data_set}: {counts}", seconds=event.seconds)

    def _busy(self, text: str) -> None:
        """A spinner, where it can turn; nothing where lines are kept."""
        self._stop()
        if self._is_watched and not self._quiet:
            self._spinner = self._watched.status(Text(text))
            self._spinner.start()

    def _done(
        self, word: str, text: str, *, seconds: float | None = None, style: str = "green"
    ) -> None:
        self._stop()
        if self._quiet:
            return
        took = "" if seconds is None else f"  {seconds:.2f} s"
        if self._is_watched:
            self._watched.print(Text.assemble((f"{word:<10}", style), text, (took, "dim")))
        else:  # rich would write the same, in a millisecond that a thousand revisions wait for
            self._err.write(strip_control_codes(f"{word:<10}{text}{took}\n"))

    def _stop(self) -> None:
        if self._spinner:
            self._spinner.stop()
            self._spinner = None


def _console(stream: TextIO) -> Console:
    """Lines are not broken where a program reads them, and names are no markup."""
    width = None if stream.isatty() else _WIDE
    return Console(
        file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True, width=width
    )
