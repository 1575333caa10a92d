"""The canonical schema as values: what a catalogue says, in the same words on every backend.

Collections are in order when a value is made, so two equal schemas are equal values with equal
hashes: columns in the order of the table, all else by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bootstrap.schema.expressions import Expression
from bootstrap.schema.types import Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A fact that one backend alone has, such as a storage parameter."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Collation:
    """How strings are compared and sorted; None is not known.

    Attributes:
        name: What the server calls it.
        case_sensitive: Whether `a` and `A` differ.
        accent_sensitive: Whether `a` and `á` differ.
        pads: Whether spaces at the end are ignored.
    """

    name: str
    case_sensitive: bool | None = None
    accent_sensitive: bool | None = None
    pads: bool | None = None

    @property
    def rules(self) -> str:
        """What it does, in words that are the same for all collations that do so."""
        if None in (self.case_sensitive, self.accent_sensitive):
            return "not known"
        ignored = (
            ("case", not self.case_sensitive),
            ("accents", not self.accent_sensitive),
            ("spaces at the end", self.pads),
        )
        names = [name for name, is_so in ignored if is_so]
        return f"ignores {', '.join(names)}" if names else "exact"


class Numbering(StrEnum):
    """Who gives a column its numbers."""

    ALWAYS = "identity always"
    BY_DEFAULT = "identity by default"
    SERIAL = "serial"
    AUTO_INCREMENT = "auto increment"
    AUTOINCREMENT = "autoincrement"
    ROWID = "rowid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Numbers that the database gives; the fields but the first are those of a sequence."""

    numbering: Numbering
    start: int | None = None
    increment: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    cache: int | None = None
    cycle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """A column that is computed from others."""

    expression: Expression
    stored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column; `on_update` is what MySQL writes into it with every UPDATE."""

    name: str
    type: Type
    nullable: bool = True
    default: Expression | None = None
    identity: Identity | None = None
    computed: Computed | None = None
    on_update: Expression | None = None
    collation: Collation | None = None
    charset: str = ""
    invisible: bool = False
    comment: str = ""
    options: tuple[Option, ...] = ()

    def __post_init__(self) -> None:
        _keep_in_order(self, "options")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryKey:
    """The primary key; `by_server` says that nobody chose its name."""

    columns: tuple[str, ...]
    name: str = ""
    by_server: bool = False
    prefixes: tuple[int, ...] = ()
    include: tuple[str, ...] = ()
    deferrable: bool = False
    initially_deferred: bool = False
    comment: str = ""
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """A unique constraint over whole columns."""

    columns: tuple[str, ...]
    name: str = ""
    by_server: bool = False
    include: tuple[str, ...] = ()
    nulls_distinct: bool = True
    deferrable: bool = False
    initially_deferred: bool = False
    comment: str = ""
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A condition that every row keeps."""

    expression: Expression
    name: str = ""
    by_server: bool = False
    validated: bool = True
    enforced: bool = True
    inherited: bool = True
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """A reference to the rows of a table; actions as in SQL, `NO ACTION` by default."""

    columns: tuple[str, ...]
    table: str
    references: tuple[str, ...]
    schema: str = ""
    name: str = ""
    by_server: bool = False
    on_update: str = "NO ACTION"
    on_delete: str = "NO ACTION"
    match: str = "SIMPLE"
    deferrable: bool = False
    initially_deferred: bool = False
    validated: bool = True
    enforced: bool = True
    comment: str = ""
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """An exclusion constraint, in the server's words."""

    name: str
    definition: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One part of an index: a column or an expression.

    Attributes:
        column: The column, or empty.
        expression: The expression, where it is not a column.
        descending: Its order.
        nulls_first: As the index has it; by default with descending order.
        prefix: How many characters of the value are looked at; None is all of them.
        collation: When it is not the column's.
        operators: The operator class, when it is not the type's own.
    """

    column: str = ""
    expression: Expression | None = None
    descending: bool = False
    nulls_first: bool = False
    prefix: int | None = None
    collation: str = ""
    operators: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index that belongs to no constraint; `implied` is made by the server for a foreign key."""

    name: str
    keys: tuple[Key, ...]
    unique: bool = False
    where: Expression | None = None
    method: str = "btree"
    include: tuple[str, ...] = ()
    nulls_distinct: bool = True
    valid: bool = True
    visible: bool = True
    implied: bool = False
    comment: str = ""
    options: tuple[Option, ...] = ()

    def __post_init__(self) -> None:
        _keep_in_order(self, "options")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, or none when one of its keys is more or less than a column."""
        plain = all(key.column and key.prefix is None for key in self.keys)
        return tuple(key.column for key in self.keys) if plain else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A trigger, in the server's words without its table's name being looked into."""

    name: str
    definition: str
    enabled: str = "origin"
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A row-level security policy."""

    name: str
    command: str
    permissive: bool
    roles: tuple[str, ...]
    using: Expression | None = None
    check: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; `schema` is empty for the one that names without a schema mean.

    Attributes:
        partitioning: How rows are divided, in the server's words.
        partition_of: The parent and the bounds, where this is itself a partition.
        row_security: Whether the policies are in force.
    """

    name: str
    schema: str = ""
    columns: tuple[Column, ...] = ()
    primary_key: PrimaryKey | None = None
    uniques: tuple[Unique, ...] = ()
    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    indexes: tuple[Index, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    policies: tuple[Policy, ...] = ()
    engine: str = ""
    charset: str = ""
    collation: Collation | None = None
    unlogged: bool = False
    partitioning: str = ""
    partition_of: str = ""
    row_security: bool = False
    row_security_forced: bool = False
    comment: str = ""
    options: tuple[Option, ...] = ()

    def __post_init__(self) -> None:
        _keep_in_order(self, "uniques", "checks", "foreign_keys", "exclusions", "indexes")
        _keep_in_order(self, "triggers", "policies", "options")

    @property
    def path(self) -> str:
        """The name with its schema, where it needs one."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumType:
    """A named enum, its values in order."""

    name: str
    values: tuple[str, ...]
    schema: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A sequence that stands for itself; those of identity columns belong to their column.

    Attributes:
        owned_by: `table.column` with which it is dropped.
    """

    name: str
    schema: str = ""
    type: str = ""
    start: int = 1
    increment: int = 1
    minimum: int | None = None
    maximum: int | None = None
    cache: int = 1
    cycle: bool = False
    unlogged: bool = False
    owned_by: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A view: its query in normal form."""

    name: str
    query: Expression
    schema: str = ""
    materialized: bool = False
    columns: tuple[str, ...] = ()
    indexes: tuple[Index, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    comment: str = ""
    options: tuple[Option, ...] = ()

    def __post_init__(self) -> None:
        _keep_in_order(self, "indexes", "triggers", "options")


class ObjectKind(StrEnum):
    """What else a schema may hold."""

    SCHEMA = "schema"
    DOMAIN = "domain"
    COMPOSITE = "composite type"
    ROUTINE = "routine"
    EXTENSION = "extension"
    EVENT = "event"
    VIRTUAL_TABLE = "virtual table"
    RULE = "rule"
    STATISTICS = "statistics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Something that is compared by its text alone."""

    kind: ObjectKind
    name: str
    definition: str
    schema: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """All that a database consists of.

    Attributes:
        backend: The name of the backend that it was read from.
        charset: The default character set of new tables, where the database has one.
        collation: Its default collation.
        folds_names: Whether names of tables are the same in capitals and small letters.
    """

    backend: str
    charset: str = ""
    collation: str = ""
    tables: tuple[Table, ...] = ()
    enums: tuple[EnumType, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    views: tuple[View, ...] = ()
    others: tuple[Other, ...] = field(default=())
    folds_names: bool = False

    def __post_init__(self) -> None:
        _keep_in_order(self, "tables", "enums", "sequences", "views", "others")

    def without(self, names: Iterable[str]) -> Schema:
        """The schema without the tables of these names, and without their sequences."""
        left_out = frozenset(map(self._folded, names))
        tables = tuple(one for one in self.tables if self._folded(one.name) not in left_out)
        owners = {one.path for one in self.tables if self._folded(one.name) in left_out}
        sequences = tuple(
            one for one in self.sequences if one.owned_by.rpartition(".")[0] not in owners
        )
        return replace(self, tables=tables, sequences=sequences)

    def folded(self) -> Schema:
        """The schema with the names of tables and views in small letters."""
        return replace(
            self,
            tables=tuple(_folded(table) for table in self.tables),
            views=tuple(replace(view, name=view.name.lower()) for view in self.views),
            sequences=tuple(
                replace(one, name=one.name.lower(), owned_by=_folded_owner(one.owned_by))
                for one in self.sequences
            ),
        )

    def _folded(self, name: str) -> str:
        return name.lower() if self.folds_names else name


def _folded(table: Table) -> Table:
    keys = tuple(replace(key, table=key.table.lower()) for key in table.foreign_keys)
    return replace(table, name=table.name.lower(), foreign_keys=keys)


def _folded_owner(path: str) -> str:
    table, point, column = path.rpartition(".")
    return f"{table.lower()}{point}{column}"


def _keep_in_order(value: object, *names: str) -> None:
    """Sorts collections whose order means nothing; frozen values are set like this only."""
    for name in names:
        found = getattr(value, name)
        if len(found) > 1:
            object.__setattr__(value, name, tuple(sorted(found, key=_order)))


def _order(part: object) -> tuple[str, ...]:
    said = (getattr(part, "kind", ""), getattr(part, "schema", ""), getattr(part, "name", ""))
    return (*said, repr(part))
