"""Keeps a program's logging as it is, whatever an env.py does to it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Kept:
    """What `fileConfig` changes of a logger."""

    logger: logging.Logger
    level: int
    disabled: bool
    propagate: bool
    handlers: tuple[logging.Handler, ...]
    filters: tuple[object, ...]

    @classmethod
    def of(cls, logger: logging.Logger) -> _Kept:
        """Reads it."""
        return cls(
            logger,
            logger.level,
            logger.disabled,
            logger.propagate,
            tuple(logger.handlers),
            tuple(logger.filters),
        )

    def restore(self) -> None:
        """Writes it back."""
        self.logger.setLevel(self.level)
        self.logger.disabled = self.disabled
        self.logger.propagate = self.propagate
        self.logger.handlers[:] = self.handlers
        self.logger.filters[:] = self.filters  # type: ignore[assignment]  # they came from there


@contextmanager
def kept_logging() -> Iterator[None]:
    """Restores all loggers and handlers at the end of the block.

    Alembic's templates call `fileConfig`, which disables every logger that is there already, takes
    the handlers of the root away and closes all handlers of the process (`logging.config`).
    """
    # Their private names: nothing else keeps `fileConfig` from closing the files of a program.
    listed, named = logging._handlerList, logging._handlers  # type: ignore[attr-defined]  # noqa: SLF001
    before, names = listed[:], dict(named)
    loggers = [_Kept.of(logger) for logger in _loggers()]
    disabled = logging.root.manager.disable
    listed.clear()
    try:
        yield
    finally:
        for logger in _loggers():
            logger.disabled = False  # of what env.py has imported
        for one in loggers:
            one.restore()
        logging.disable(disabled)
        listed[:0] = before
        for name, handler in names.items():
            named.setdefault(name, handler)


def _loggers() -> Iterator[logging.Logger]:
    yield logging.root
    for found in list(logging.root.manager.loggerDict.values()):
        if isinstance(found, logging.Logger):
            yield found
