"""Probing as a part of `verify`: the servers wait for each other's schema, then all are asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bootstrap.checking.differences import Comparison, Difference, Side
from bootstrap.probing.asking import Answers
from bootstrap.probing.findings import Asked, Finding, findings, not_probed
from bootstrap.probing.plan import NotProbed, Plan, planned
from bootstrap.schema.model import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What was asked of the servers; what they answered differently stands in the differences.

    Attributes:
        tables: Those that were asked about.
        questions: How many there were for each server.
        not_probed: Tables, columns and checks that could not be asked about.
    """

    tables: tuple[str, ...]
    questions: int
    not_probed: tuple[NotProbed, ...]


@dataclass(slots=True, kw_only=True)
class Meeting:
    """Where the courses of several servers wait until each has its schema, or has failed.

    Attributes:
        expected: How many come.
        plan: What all of them are asked; None before all have come.
    """

    expected: int
    plan: Plan | None = None
    _schemas: dict[str, Schema] = field(default_factory=dict)
    _left: int = 0
    _complete: asyncio.Event = field(default_factory=asyncio.Event)

    async def bring(self, schema: Schema) -> Plan:
        """Hands over a schema, waits for those of the others, and gives what is to be asked."""
        self._schemas[str(len(self._schemas))] = schema
        self._look()
        await self._complete.wait()
        if self.plan is None:
            self.plan = planned(self._schemas)
        return self.plan

    def leave(self) -> None:
        """Says that one will not come."""
        self._left += 1
        self._look()

    def _look(self) -> None:
        if len(self._schemas) + self._left == self.expected:
            self._complete.set()


def probed(plan: Plan, answered: Mapping[str, Answers]) -> Probed:
    """What was asked, for the report."""
    without = not_probed(plan, answered)
    tables = {one.table for one in without if not one.name}
    return Probed(
        tables=tuple(one.table.path for one in plan.tables if one.table.path not in tables),
        questions=sum(len(one.questions) for one in plan.tables),
        not_probed=without,
    )


def from_answers(plan: Plan, answered: Mapping[str, Answers]) -> tuple[Difference, ...]:
    """The differences in behaviour, each object and cause once.

    Args:
        plan: What was asked.
        answered: By the name of the server.
    """
    return tuple(map(_difference, findings(plan, answered)))


def _difference(one: Finding) -> Difference:
    servers = tuple(dict.fromkeys(name for asked in one.asked for name in asked.answers))
    return Difference(
        comparison=Comparison.PROBE,
        weight=one.case.weight,
        kind=one.kind,
        table=one.table,
        name=one.name,
        attribute=one.case.attribute,
        sides=tuple(Side(where=name, value=_said(one.asked, name)) for name in servers),
        servers=servers,
        why=one.why,
    )


def _said(asked: tuple[Asked, ...], server: str) -> str:
    """What a server answers; questions with the same answer together."""
    labels: dict[str, list[str]] = {}
    for one in asked:
        if server in one.answers:
            labels.setdefault(one.answers[server], []).append(one.label)
    return "; ".join(_joined(labels))


def _joined(labels: Mapping[str, list[str]]) -> Iterator[str]:
    for answer, several in labels.items():
        yield f"{', '.join(filter(None, several))}: {answer}"
