"""Looks at each of several databases that one env.py works on; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass

from bootstrap.inspecting.inspection import (
    CurrentReport,
    Inspect,
    StatusReport,
    current_of,
    status_of,
)
from bootstrap.inspecting.logged import LogReport, ReadLog, log_of, refuse_no_number
from bootstrap.inspecting.planning import Foresee, PlanReport, plan_of
from bootstrap.positions.moves import Direction, Move, check_target
from bootstrap.project import Project, loaded
from bootstrap.revisions.environment import in_thread
from bootstrap.running.looking import Look
from bootstrap.running.several import Databases, looked, of_names


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusEachReport:
    """Where each of several databases is."""

    databases: tuple[StatusReport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentEachReport:
    """The newest applied revisions of each of several databases."""

    databases: tuple[CurrentReport, ...]

    @property
    def at_heads(self) -> bool:
        """Whether all heads are applied to all of them."""
        return all(one.at_heads for one in self.databases)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEachReport:
    """What a run would do to each of several databases."""

    databases: tuple[PlanReport, ...]

    @property
    def is_pending(self) -> bool:
        """Whether there is anything to do in one of them."""
        return any(one.is_pending for one in self.databases)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEachReport:
    """What was run on each of several databases, the latest first."""

    databases: tuple[LogReport, ...]


async def status_each(
    databases: Databases, *, project: Project, allow_ahead: bool = False
) -> StatusEachReport:
    """Looks where each of several databases is, that one env.py works on.

    Args:
        databases: As for `migrate_each`; nothing in them is changed.
        project: Whose revisions.
        allow_ahead: As for `status`.

    Raises:
        SettingsError, DatabaseError, RevisionError: As for `migrate_each`.
    """
    listed = of_names(databases)
    config, scripts = await in_thread(lambda: loaded(project))
    looks = [
        Inspect(
            scripts=scripts,
            database=one,
            first=project.first,
            log=project.log,
            log_schema=project.log_schema,
        )
        for one in listed.values()
    ]
    await looked(listed, looks, config, allow_ahead=allow_ahead)
    return StatusEachReport(databases=tuple(status_of(one) for one in looks))


async def current_each(
    databases: Databases, *, project: Project, allow_ahead: bool = False
) -> CurrentEachReport:
    """Looks which revisions each of several databases is at.

    Args:
        databases: As for `status_each`.
        project: Whose revisions.
        allow_ahead: As for `status`.

    Raises:
        SettingsError, DatabaseError, RevisionError: As for `migrate_each`.
    """
    listed = of_names(databases)
    config, scripts = await in_thread(lambda: loaded(project))
    looks = [Look(scripts=scripts, database=one) for one in listed.values()]
    await looked(listed, looks, config, allow_ahead=allow_ahead)
    return CurrentEachReport(databases=tuple(current_of(one) for one in looks))


async def plan_each(
    databases: Databases,
    revision: str = "head",
    *,
    project: Project,
    direction: Direction | str = Direction.UPGRADE,
    allow_ahead: bool = False,
    tag: str | None = None,
) -> PlanEachReport:
    """Tells what `migrate_each` or `downgrade_each` would do; changes nothing.

    Args:
        databases: As for `migrate_each`.
        revision: As for `plan`, and so are the others.
        project: Whose revisions.
        direction: See there.
        allow_ahead: See there.
        tag: See there.

    Raises:
        SettingsError, DatabaseError, RevisionError: As for `migrate_each`.
    """
    listed = of_names(databases)
    move = Move(direction=Direction(direction), targets=(revision,))
    config, scripts = await in_thread(lambda: loaded(project))
    check_target(move, scripts)
    looks = [
        Foresee(scripts=scripts, database=one, first=project.first, move=move)
        for one in listed.values()
    ]
    await looked(
        listed,
        looks,
        config,
        allow_ahead=allow_ahead,
        destination_rev=move.destination,
        tag=tag,
    )
    return PlanEachReport(databases=tuple(plan_of(one) for one in looks))


async def log_each(
    databases: Databases,
    *,
    project: Project,
    revision: str | None = None,
    limit: int | None = None,
) -> LogEachReport:
    """Reads what was run on each of several databases.

    Args:
        databases: As for `migrate_each`; nothing in them is changed.
        project: Whose env.py connects.
        revision: As for `log`.
        limit: How many steps of each database at most.

    Raises:
        SettingsError, DatabaseError, RevisionError: As for `migrate_each` and `log`.
    """
    refuse_no_number(limit)
    listed = of_names(databases)
    config, scripts = await in_thread(lambda: loaded(project))
    looks = [
        ReadLog(
            scripts=scripts,
            database=one,
            log_schema=project.log_schema,
            revision=revision,
            limit=limit,
        )
        for one in listed.values()
    ]
    await looked(listed, looks, config, allow_ahead=True)
    return LogEachReport(databases=tuple(log_of(one) for one in looks))
