"""Algorithms and locks of InnoDB on MariaDB 10.6 to 11.8.

From its documentation, "InnoDB Online DDL Operations with the INSTANT, NOCOPY and INPLACE Alter
Algorithm"; a test has real servers confirm each.
"""

from __future__ import annotations

from dataclasses import replace

from bootstrap.backends.effects import Blocks, Effect, Rule, rules
from bootstrap.backends.mysql import effects
from bootstrap.backends.mysql.effects import CONSTRAINT, INSTANT, MySQLEffects

_NOCOPY = replace(effects.BUILDS, lock="NOCOPY")
_COPIES_ONLINE = (11, 2, 1)  # MDEV-16329: from here on others may write while a table is copied


class MariaDBEffects(MySQLEffects):
    """As on MySQL, but for what it does without a copy."""

    actions: tuple[Rule, ...] = (
        *rules(
            (rf"ADD {CONSTRAINT}UNIQUE", _NOCOPY),
            ("ADD (INDEX|KEY)", _NOCOPY),
            ("DROP (INDEX|KEY)", replace(effects.DROPS_INDEX, lock="NOCOPY")),
            ("RENAME (INDEX|KEY)", INSTANT),
            ("DROP FOREIGN KEY", INSTANT),
        ),
        *effects.ACTIONS,
    )
    statements: tuple[Rule, ...] = (
        *rules(
            ("CREATE (UNIQUE )?INDEX", _NOCOPY),
            ("DROP INDEX", replace(effects.DROPS_INDEX, lock="NOCOPY")),
        ),
        *effects.STATEMENTS,
    )

    def _action(self, action: str, version: tuple[int, ...]) -> Effect:
        effect = super()._action(action, version)
        if effect.lock == "COPY" and version >= _COPIES_ONLINE:
            return replace(effect, blocks=Blocks.NOBODY)
        return effect

    def added(self, action: str, version: tuple[int, ...]) -> Effect:
        """A new column, anywhere since 10.4."""
        return INSTANT

    def dropped(self, version: tuple[int, ...]) -> Effect:
        """A dropped column, since 10.4."""
        return INSTANT

    def renamed(self, version: tuple[int, ...]) -> Effect:
        """Another name for a column."""
        return INSTANT
