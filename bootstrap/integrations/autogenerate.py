"""Keeps autogenerate, also that of plain `alembic`, off tables that are not the project's own.

Alembic loads this module by itself: the entry point `alembic.plugins` names it, and the name that
it has there is one that the default of `autogenerate_plugins` takes. A project that wants to see
those tables adds "~alembic.autogenerate.bootstrap" to that option of its `context.configure()`.

Every `alembic` command imports it, so it imports next to nothing before it is needed.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from bootstrap.records.names import TOOL_TABLES

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.runtime.plugins import Plugin
    from alembic.util import PriorityDispatchResult
    from sqlalchemy import MetaData

Name: TypeAlias = tuple[str | None, str]  # schema, None for the default one; table


def setup(plugin: Plugin) -> None:
    """Registers with Alembic, which calls this once in each process."""
    from alembic.util import DispatchPriority  # noqa: PLC0415 - see the docstring of the module

    plugin.add_autogenerate_comparator(hide, "autogenerate", priority=DispatchPriority.FIRST)


def hide(context: AutogenContext, *_operations: object) -> PriorityDispatchResult:
    """Adds a filter to those of the project, before anything is compared."""
    from alembic.util import PriorityDispatchResult  # noqa: PLC0415 - as above

    hidden = _hidden(context)

    def include(name: str | None, kind: str, parents: Mapping[str, Any]) -> bool:
        return kind != "table" or (parents.get("schema_name"), name) not in hidden

    context._name_filters.append(include)  # noqa: SLF001 - the way in that Alembic's filters have
    return PriorityDispatchResult.CONTINUE


def _hidden(context: AutogenContext) -> frozenset[Name]:
    """The tables of the tool and of extensions, but for those that the project has models for."""
    default = context.dialect.default_schema_name
    schemas = {None, context.migration_context.version_table_schema}
    ours: set[Name] = {(schema, name) for schema in schemas for name in TOOL_TABLES}
    theirs = _of_extensions(context)
    return _without(default, ours.union(theirs)) - _without(default, _declared(context.metadata))


def _of_extensions(context: AutogenContext) -> Collection[Name]:
    from bootstrap import backends  # noqa: PLC0415 - as above

    try:
        backend = backends.of_dialect(context.dialect)
    except KeyError:  # a database that Alembic knows and bootstrap does not
        return frozenset()
    if context.connection is None:
        return frozenset()
    return backend.tables_of_extensions(context.connection)


def _declared(metadata: MetaData | Any) -> Iterator[Name]:
    for one in metadata if isinstance(metadata, (list, tuple)) else (metadata,):
        for table in one.tables.values():
            yield table.schema, table.name


def _without(default: str | None, names: Collection[Name] | Iterator[Name]) -> frozenset[Name]:
    """The names as Alembic compares them: the default schema is none."""
    return frozenset((None if schema == default else schema, name) for schema, name in names)


class _Module(ModuleType):
    """Alembic 1.18 takes the modules in what an entry point names, later ones the module itself."""

    def __iter__(self) -> Iterator[ModuleType]:
        yield self


sys.modules[__name__].__class__ = _Module
