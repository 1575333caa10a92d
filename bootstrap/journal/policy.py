"""What a backend has to know for its journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from bootstrap.journal.statements import Decision, Said


class Policy(Protocol):
    """What a backend knows of its statements."""

    def read(self, sql: str) -> Said:
        """Reads a statement; raises our own error for one that must not be sent."""

    def sent(self, said: Said) -> None:
        """Called after each statement that the server took."""

    def evidence(self, said: Said) -> str:
        """What tells later whether a statement that commits by itself was carried out."""

    def decide(self, evidence: str) -> Decision:
        """Tells it."""

    def is_changed(self, evidence: str) -> bool:
        """Whether a statement that the server has just refused has done something all the same."""

    def in_autocommit(self) -> bool:
        """Whether each statement is a transaction at this moment."""

    def is_rolled_back(self, error: BaseException) -> bool:
        """Whether this refusal has rolled the whole transaction back."""

    def variables(self, names: Sequence[str]) -> dict[str, Any]:
        """The values of variables of the migrating session."""

    def restore(self, variables: dict[str, Any]) -> None:
        """Gives them these values."""

    def restore_lastrowid(self, value: int) -> None:
        """Lets the migrating session believe that it has just made this key."""

    def may_come_through(self, error: BaseException) -> bool:
        """Whether a statement only got no lock, and nothing but itself was undone."""

    def is_lost(self, error: BaseException) -> bool:
        """Whether the connection broke, so that nothing can be asked on it."""
