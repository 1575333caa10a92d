"""Passwords that a data set has in clear, and the argon2 hashes that the database gets."""

from __future__ import annotations

from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

MARKER = "argon2"  # the value `{argon2: "…"}` in a data set

_HASHER = PasswordHasher()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearPassword:
    """A password in clear; its text is in no `repr`."""

    text: str = field(repr=False)

    def hash(self) -> str:
        """A new hash; it takes tenths of a second of CPU, by design of argon2."""
        return _HASHER.hash(self.text)

    def is_kept_in(self, stored: str) -> bool:
        """Tells whether a stored hash is of this password, with today's parameters."""
        try:
            _HASHER.verify(stored, self.text)
            return not _HASHER.check_needs_rehash(stored)
        except (VerificationError, ValueError):  # ValueError: what is stored is no hash
            return False
