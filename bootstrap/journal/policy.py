"""What a backend has to know for its journal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from bootstrap.journal.statements import Decision, Said


class Policy(ABC):
    """What a backend knows of its statements.

    Attributes:
        most_waiting: Entries that are kept in memory before they are written.
    """

    most_waiting = 500

    @abstractmethod
    def read(self, sql: str) -> Said:
        """Reads a statement; raises our own error for one that must not be sent."""

    @abstractmethod
    def elsewhere(self, sql: str) -> Said:
        """Reads one of another session, which may be of another server; never raises."""

    @abstractmethod
    def sent(self, said: Said) -> None:
        """Called after each statement that the server took."""

    @abstractmethod
    def evidence(self, said: Said) -> str:
        """What tells later whether a statement that commits by itself was carried out."""

    @abstractmethod
    def decide(self, evidence: str) -> Decision:
        """Tells it."""

    @abstractmethod
    def is_changed(self, evidence: str) -> bool:
        """Whether a statement that the server has just refused has done something all the same."""

    @abstractmethod
    def in_autocommit(self) -> bool:
        """Whether each statement is a transaction at this moment."""

    @abstractmethod
    def is_rolled_back(self, error: BaseException) -> bool:
        """Whether this refusal has rolled the whole transaction back."""

    @abstractmethod
    def variables(self, names: Sequence[str]) -> dict[str, Any]:
        """The values of variables of the migrating session."""

    @abstractmethod
    def restore(self, variables: dict[str, Any]) -> None:
        """Gives them these values."""

    @abstractmethod
    def restore_lastrowid(self, value: int) -> None:
        """Lets the migrating session believe that it has just made this key."""

    @abstractmethod
    def may_come_through(self, error: BaseException) -> bool:
        """Whether a statement only got no lock, and nothing but itself was undone."""

    @abstractmethod
    def is_lost(self, error: BaseException) -> bool:
        """Whether the connection broke, so that nothing can be asked on it."""

    @abstractmethod
    def begin(self) -> None:
        """Begins a transaction where each statement would be one."""

    def sends(self, sql: str, cursor: Any) -> bool:
        """Sends a statement without parameters where there is a shorter way than SQLAlchemy's.

        Raises what its dialect would raise.

        Args:
            sql: The statement.
            cursor: Knows afterwards how many rows were written.

        Returns:
            Whether it was sent.
        """
        return False

    def needs_no_transaction(self, error: BaseException) -> bool:
        """Whether the server refused a statement only because it was sent in a transaction."""
        return False

    def keeps_unseen(self) -> bool:
        """Whether what goes past SQLAlchemy now may become durable by itself."""
        return True

    def writes_aside(self) -> bool:
        """Whether an entry has to be written, and can be, whatever becomes of the transaction."""
        return False

    def leaves_behind(self, evidence: str) -> bool:
        """Whether a refused statement has left what is undone before it is sent again."""
        return False

    def undo(self, evidence: str) -> None:
        """Undoes what a statement has left behind that was not carried out."""
        return
