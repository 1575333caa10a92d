"""The service with hashes that take no time."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from examples.fastapi_users import passwords
from examples.fastapi_users.app import app

__all__ = ["app"]

passwords.HASHER = PasswordHasher.from_parameters(CHEAPEST)
