"""What a command shows, as JSON lines on standard error: `--log-format json`."""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO, cast

from bootstrap import events
from bootstrap.cli.screen import Screen, masked

_WARNINGS = (
    events.ConnectionTried,
    events.HeadsAwaited,
    events.LockAwaited,
    events.LockRetried,
    events.RunInterrupted,
    events.StatementBlocked,
)


class LogLines(Screen):
    """A screen whose standard error is for programs: one JSON object on each line.

    Args:
        out: For what was asked for.
        command: Whose lines they are.
        run_id: That of the command, as `bootstrap log` has it too.
        traceback: Whether logged exceptions are shown with where they came from.
        quiet: Whether warnings and errors are all that is logged.
    """

    can_ask = False  # a question is no line

    def __init__(
        self,
        out: TextIO,
        *,
        command: str,
        run_id: str,
        traceback: bool = False,
        quiet: bool = False,
    ) -> None:
        super().__init__(out, traceback=traceback, quiet=quiet)
        self._about: dict[str, Any] = {"run_id": run_id, "command": command, "database": None}
        self._log = _Records(self, traceback=traceback)

    @property
    def watched(self) -> TextIO:
        """Takes what env.py and others print, line by line."""
        return cast("TextIO", _Printed(self))

    def name_database(self, database: str) -> None:
        """Says from now on which database it is about."""
        self._about["database"] = database

    def line(self, event: str, *, level: str = "info", **said: object) -> None:
        """Writes one line."""
        if self._quiet and level in {"debug", "info"}:
            return
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        content = {"time": time, "level": level, "event": event, **self._about, **said}
        # Before it is escaped, for a secret may have a quotation mark in it.
        plain = _masked(content, self._secrets)
        self._bare_err.write(f"{json.dumps(plain, ensure_ascii=False)}\n")
        self._bare_err.flush()

    def relay(self, line: str) -> None:
        """Logs what a hook has written."""
        self.line("hook_output", message=line)

    def echo(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        """Logs a statement before it is sent; no parameters."""
        self.line("statement", level="debug", sql=statement)

    def say(self, text: str) -> None:
        """Logs a note."""
        self.line("note", message=text)

    def error(self, message: str, *, hint: str) -> None:
        """Logs what went wrong, and what to do."""
        self.line("error", level="error", message=message, hint=hint)

    def ended(self, code: int) -> None:
        """Logs the end of the command."""
        self.line("ended", level="error" if code else "info", exit_code=code)

    def progress(self, event: events.Event) -> None:
        """Logs an event with all that it has."""
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()
        level = "warning" if isinstance(event, _WARNINGS) else "info"
        self.line(name, level=level, **dataclasses.asdict(event))


class _Printed:
    """A stream whose lines become log lines."""

    def __init__(self, log: LogLines) -> None:
        self._log = log
        self._begun = ""

    def write(self, text: str) -> int:
        """Logs each line that is complete."""
        *lines, self._begun = f"{self._begun}{text}".split("\n")
        for line in lines:
            self._log.line("output", message=line)
        return len(text)

    def flush(self) -> None:
        """Logs what was begun and has no end."""
        if self._begun:
            self.write("\n")

    def isatty(self) -> bool:
        """No terminal reads it."""
        return False


class _Records(logging.Handler):
    """Turns the records of loggers into lines."""

    def __init__(self, log: LogLines, *, traceback: bool) -> None:
        super().__init__()
        self._lines = log
        self._traceback = traceback

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a record as a line."""
        said = {"logger": record.name, "message": record.getMessage()}
        if record.exc_info and self._traceback:
            said["traceback"] = logging.Formatter().formatException(record.exc_info)
        self._lines.line("log", level=record.levelname.lower(), **said)


def _masked(value: object, secrets: set[str]) -> Any:
    if isinstance(value, str):
        return masked(value, secrets)
    if isinstance(value, Mapping):
        return {str(key): _masked(one, secrets) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(one, secrets) for one in value]
    if isinstance(value, float):
        return round(value, 6)
    return value if isinstance(value, int) or value is None else masked(str(value), secrets)
