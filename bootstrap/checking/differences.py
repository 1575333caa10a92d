"""What differs between several schemas, each difference once, with the side of every one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from bootstrap.schema.changes import Action, Change, Kind, Weight, named
from bootstrap.schema.compare import compare
from bootstrap.schema.model import Schema

MODELS, HISTORY, LIVE = "models", "revisions", "database"


class Comparison(StrEnum):
    """What was compared.

    SERVERS: what the history made on each, with each other. MODELS: the history with the models, on
    each server. STAIRWAY: what a downgrade leaves with what was there before, and a second upgrade
    with the first. DRIFT: a live database with what its history makes. PROBE: what each server
    answers to the same rows.
    """

    SERVERS = "servers"
    MODELS = "models"
    STAIRWAY = "stairway"
    DRIFT = "drift"
    PROBE = "probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What a difference looks like on one side.

    Attributes:
        where: A server, or `models`, `revisions` and `database`.
        value: In words; None where there is nothing.
    """

    where: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference.

    Attributes:
        comparison: Of what.
        weight: How much it matters; the gravest, where it is between several servers.
        kind: What is different.
        table: Of which table or view; empty for what stands beside tables.
        name: The object; for a constraint without a name, its columns in brackets.
        attribute: What of it differs; empty when one side does not have it at all.
        sides: What each has.
        servers: Where it was found.
        why: Why it matters, in one sentence.
        revision: The one whose downgrade it is about, for the stairway only.
        accepted: The reason why it is as it should be; empty when nobody gave one.
    """

    comparison: Comparison
    weight: Weight
    kind: Kind
    table: str
    name: str
    attribute: str
    sides: tuple[Side, ...]
    servers: tuple[str, ...]
    why: str
    revision: str = ""
    accepted: str = ""

    @property
    def title(self) -> str:
        """What is different, in words: `column email of users: nullable`."""
        attribute = f": {self.attribute}" if self.attribute else ""
        if self.kind is Kind.OTHER and self.revision:
            return f"revision {self.revision}: {self.attribute} fails"
        return f"{named(self.kind, self.name, table=self.table)}{attribute}"


_Key = tuple[str, ...]


def between(schemas: Mapping[str, Schema]) -> tuple[Difference, ...]:
    """Compares each server's schema with each other's.

    Args:
        schemas: By the name of the server.
    """
    found: dict[_Key, list[tuple[Change, str, str]]] = {}
    for one, other in combinations(schemas, 2):
        for change in compare(schemas[one], schemas[other]):
            found.setdefault(_what(change), []).append((change, one, other))
    return _sorted(_joined(pairs, tuple(schemas)) for pairs in found.values())


def from_models(
    schemas: Mapping[str, Schema], models: Mapping[str, Schema]
) -> tuple[Difference, ...]:
    """Compares what the history made with what the models make, server by server.

    Args:
        schemas: What the history made, by the name of the server.
        models: What the models make there.
    """
    found: dict[_Key, list[tuple[Change, str]]] = {}
    for server, schema in models.items():
        for change in compare(schema, schemas[server]):
            # Servers describe a whole object in words of their own.
            values = (str(change.before), str(change.after)) if change.attribute else ()
            key = (*_what(change), change.action, *values)
            found.setdefault(key, []).append((change, server))
    return _sorted(_once(several) for several in found.values())


def from_history(history: Schema, live: Schema) -> tuple[Difference, ...]:
    """Compares a live database with what its history makes on the same backend.

    Defaults of the database itself are left out: no history makes them.

    Args:
        history: What the revisions make.
        live: What is there.
    """
    return _sorted(
        _two_sided(change, comparison=Comparison.DRIFT, names=(HISTORY, LIVE))
        for change in compare(history, live)
        if change.kind is not Kind.DATABASE
    )


def _what(change: Change) -> _Key:
    return (change.kind, change.table, change.name, change.attribute)


def _joined(found: Iterable[tuple[Change, str, str]], servers: tuple[str, ...]) -> Difference:
    """One difference of what pairs of servers differ in."""
    pairs = list(found)
    sides: dict[str, str | None] = {}
    for change, one, other in pairs:
        sides.setdefault(one, _value(change, change.before, lacks=Action.ADDED))
        sides.setdefault(other, _value(change, change.after, lacks=Action.REMOVED))
    there = tuple(name for name in servers if name in sides)
    gravest = max((change for change, _, _ in pairs), key=lambda one: _GRAVITY[one.weight])
    return _difference(
        gravest,
        comparison=Comparison.SERVERS,
        sides=tuple(Side(where=name, value=sides[name]) for name in there),
        servers=there,
    )


def _once(found: Iterable[tuple[Change, str]]) -> Difference:
    """One difference of what is the same on several servers."""
    several = list(found)
    return _two_sided(
        several[0][0],
        comparison=Comparison.MODELS,
        names=(MODELS, HISTORY),
        servers=tuple(server for _, server in several),
    )


def _two_sided(
    change: Change,
    *,
    comparison: Comparison,
    names: tuple[str, str],
    servers: tuple[str, ...] = (),
) -> Difference:
    before, after = names
    return _difference(
        change,
        comparison=comparison,
        sides=(
            Side(where=before, value=_value(change, change.before, lacks=Action.ADDED)),
            Side(where=after, value=_value(change, change.after, lacks=Action.REMOVED)),
        ),
        servers=servers,
    )


def _difference(
    change: Change,
    *,
    comparison: Comparison,
    sides: tuple[Side, ...],
    servers: tuple[str, ...],
) -> Difference:
    return Difference(
        comparison=comparison,
        weight=change.weight,
        kind=change.kind,
        table=change.table,
        name=change.name,
        attribute=change.attribute,
        sides=sides,
        servers=servers,
        why=change.why,
    )


def _value(change: Change, value: str | None, *, lacks: Action) -> str | None:
    """None on the side that lacks a whole object; a text also for one with nothing to say."""
    return None if change.action is lacks else value or ("there" if not change.attribute else None)


def _sorted(found: Iterable[Difference]) -> tuple[Difference, ...]:
    return tuple(sorted(found, key=_order))


def _order(one: Difference) -> tuple[str, ...]:
    """By table, then by what is different."""
    values: Iterator[str] = (side.value or "" for side in one.sides)
    return (one.table, one.kind, one.name, one.attribute, *values)


_GRAVITY = {Weight.REPRESENTATION: 0, Weight.POLICY: 1, Weight.DEFINITION: 2}
