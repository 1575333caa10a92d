"""The changes: the models before and after, in the words of SQLAlchemy."""

from __future__ import annotations

from dataclasses import dataclass

_PARENT = "sa.Table('owners', metadata, sa.Column('id', sa.Integer, primary_key=True))\n"


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a developer changes; `before` and `after` fill a MetaData named `metadata`."""

    name: str
    before: str
    after: str
    by_chance: bool = False  # what Alembic writes differs from run to run


def table(*columns: str, name: str = "items", more: str = "") -> str:
    """A table with an id and these columns and constraints."""
    listed = ", ".join(("sa.Column('id', sa.Integer, primary_key=True)", *columns))
    return f"sa.Table({name!r}, metadata, {listed}{more})\n"


def column(type_: str, *more: str, name: str = "x") -> str:
    """A column."""
    return f"sa.Column({', '.join((repr(name), type_, *more))})"


def added(name: str, *columns: str) -> Change:
    return Change(name=name, before=table(), after=table(*columns))


def dropped(name: str, *columns: str) -> Change:
    return Change(name=name, before=table(*columns), after=table())


def retyped(name: str, before: str, after: str) -> Change:
    return Change(name=name, before=table(column(before)), after=table(column(after)))


def altered(name: str, before: tuple[str, ...], after: tuple[str, ...]) -> Change:
    x = column("sa.String(20)")
    return Change(name=name, before=table(x, *before), after=table(x, *after))


def linked(name: str, before: tuple[str, ...], after: tuple[str, ...]) -> Change:
    """Of a table that may refer to another."""
    owner = column("sa.Integer", name="owner_id")
    return Change(
        name=name,
        before=_PARENT + table(owner, *before),
        after=_PARENT + table(owner, *after),
    )


def _key(**options: str) -> str:
    said = "".join(f", {option}={value!r}" for option, value in options.items())
    return f"sa.ForeignKeyConstraint(['owner_id'], ['owners.id']{said})"


_ENUM = "sa.Enum('new', 'old', name='state')"
_WIDER = "sa.Enum('new', 'old', 'gone', name='state')"
_CHECKED = "sa.Enum('new', 'old', name='state', native_enum=False, create_constraint=True)"

CHANGES = (
    # tables
    Change(name="add a table", before="", after=table(column("sa.String(20)"))),
    Change(name="drop a table", before=table(column("sa.String(20)")), after=""),
    Change(
        name="rename a table (drop and add)",
        before=table(column("sa.String(20)")),
        after=table(column("sa.String(20)"), name="things"),
    ),
    Change(
        name="add two tables, one refers to the other",
        before="",
        after=_PARENT + table(column("sa.Integer", "sa.ForeignKey('owners.id')", name="owner_id")),
    ),
    Change(
        name="drop two tables, one refers to the other",
        before=_PARENT + table(column("sa.Integer", "sa.ForeignKey('owners.id')", name="owner_id")),
        after="",
        by_chance=True,
    ),
    Change(
        name="add two tables that refer to each other",
        before="",
        after=(
            "sa.Table('a', metadata, sa.Column('id', sa.Integer, primary_key=True), "
            "sa.Column('b_id', sa.Integer, sa.ForeignKey('b.id', name='fk_a_b', use_alter=True)))\n"
            "sa.Table('b', metadata, sa.Column('id', sa.Integer, primary_key=True), "
            "sa.Column('a_id', sa.Integer, sa.ForeignKey('a.id', name='fk_b_a')))\n"
        ),
    ),
    Change(
        name="add a table with an index and a unique constraint",
        before="",
        after=table(
            column("sa.String(20)", "index=True"), "sa.UniqueConstraint('x', name='uq_items_x')"
        ),
    ),
    Change(
        name="add a table with a primary key of two columns",
        before="",
        after="sa.Table('pairs', metadata, sa.Column('a', sa.Integer, primary_key=True), "
        "sa.Column('b', sa.Integer, primary_key=True))\n",
    ),
    Change(name="add a table with an enum", before="", after=table(column(_ENUM))),
    Change(name="drop a table with an enum", before=table(column(_ENUM)), after=""),
    Change(name="add a comment to a table", before=table(), after=table(more=", comment='Sold'")),
    Change(
        name="change the comment of a table",
        before=table(more=", comment='Sold'"),
        after=table(more=", comment='Bought'"),
    ),
    # columns, of each kind
    added("add a column that may be null", column("sa.String(20)")),
    added(
        "add a column not null with a default",
        column("sa.Integer", "nullable=False", "server_default='0'"),
    ),
    added("add a column with an index", column("sa.String(20)", "index=True")),
    added(
        "add a unique column",
        column("sa.String(20)"),
        "sa.UniqueConstraint('x', name='uq_items_x')",
    ),
    added("add a boolean", column("sa.Boolean", "nullable=False", "server_default=sa.false()")),
    added("add a text", column("sa.Text")),
    added("add a decimal", column("sa.Numeric(12, 2)")),
    added("add a double", column("sa.Double")),
    added("add a big integer", column("sa.BigInteger")),
    added("add a date", column("sa.Date")),
    added("add a point in time with zone", column("sa.DateTime(timezone=True)")),
    added(
        "add a time that the server fills", column("sa.DateTime", "server_default=sa.func.now()")
    ),
    added("add a UUID", column("sa.Uuid")),
    added("add a JSON", column("sa.JSON")),
    added("add a binary", column("sa.LargeBinary")),
    added("add an enum", column(_ENUM)),
    added("add an enum kept as a string with a check", column(_CHECKED)),
    added("add a column with a comment", column("sa.String(20)", "comment='As printed'")),
    added("add a column with a name that is a keyword", column("sa.String(20)", name="order")),
    Change(
        name="add a computed column",
        before=table(column("sa.Integer")),
        after=table(column("sa.Integer"), column("sa.Integer", "sa.Computed('x * 2')", name="y")),
    ),
    Change(
        name="add a table with an identity",
        before="",
        after="sa.Table('items', metadata, "
        "sa.Column('id', sa.Integer, sa.Identity(start=100), primary_key=True))\n",
    ),
    Change(
        name="add a foreign key with its column",
        before=_PARENT + table(),
        after=_PARENT + table(column("sa.Integer", name="owner_id"), _key(name="fk_items_owner")),
    ),
    dropped("drop a column", column("sa.String(20)")),
    dropped("drop a column not null", column("sa.Integer", "nullable=False", "server_default='0'")),
    dropped("drop a column with an index", column("sa.String(20)", "index=True")),
    dropped("drop an enum", column(_ENUM)),
    Change(
        name="rename a column (drop and add)",
        before=table(column("sa.String(20)")),
        after=table(column("sa.String(20)", name="y")),
    ),
    Change(
        name="drop a foreign key with its column",
        before=_PARENT + table(column("sa.Integer", name="owner_id"), _key(name="fk_items_owner")),
        after=_PARENT + table(),
    ),
    # types
    retyped("widen a string", "sa.String(20)", "sa.String(50)"),
    retyped("narrow a string", "sa.String(50)", "sa.String(20)"),
    retyped("make a string a text", "sa.String(20)", "sa.Text"),
    retyped("make an integer big", "sa.Integer", "sa.BigInteger"),
    retyped("make an integer a string", "sa.Integer", "sa.String(20)"),
    retyped("make a string an integer", "sa.String(20)", "sa.Integer"),
    retyped("change the scale of a decimal", "sa.Numeric(12, 2)", "sa.Numeric(14, 4)"),
    retyped("make a date a time", "sa.Date", "sa.DateTime"),
    retyped("add a value to an enum", _ENUM, _WIDER),
    # nullability, defaults, comments
    altered(
        "forbid null",
        (column("sa.Integer", name="y"),),
        (column("sa.Integer", "nullable=False", name="y"),),
    ),
    altered(
        "allow null",
        (column("sa.Integer", "nullable=False", name="y"),),
        (column("sa.Integer", name="y"),),
    ),
    altered(
        "add a default",
        (column("sa.Integer", name="y"),),
        (column("sa.Integer", "server_default='1'", name="y"),),
    ),
    altered(
        "change a default",
        (column("sa.Integer", "server_default='1'", name="y"),),
        (column("sa.Integer", "server_default='2'", name="y"),),
    ),
    altered(
        "drop a default",
        (column("sa.Integer", "server_default='1'", name="y"),),
        (column("sa.Integer", name="y"),),
    ),
    altered(
        "change the comment of a column",
        (column("sa.Integer", "comment='a'", name="y"),),
        (column("sa.Integer", "comment='b'", name="y"),),
    ),
    # constraints and indexes
    altered("add a unique constraint", (), ("sa.UniqueConstraint('x', name='uq_items_x')",)),
    altered("drop a unique constraint", ("sa.UniqueConstraint('x', name='uq_items_x')",), ()),
    altered("add a unique constraint without a name", (), ("sa.UniqueConstraint('x')",)),
    altered("add a check constraint", (), ("sa.CheckConstraint('id > 0', name='ck_items_id')",)),
    altered("add an index", (), ("sa.Index('ix_items_x', 'x')",)),
    altered("drop an index", ("sa.Index('ix_items_x', 'x')",), ()),
    altered(
        "make an index unique",
        ("sa.Index('ix_items_x', 'x')",),
        ("sa.Index('ix_items_x', 'x', unique=True)",),
    ),
    altered(
        "change the columns of an index",
        ("sa.Index('ix_items_x', 'x')",),
        ("sa.Index('ix_items_x', 'x', 'id')",),
    ),
    altered("add an index on an expression", (), ("sa.Index('ix_items_x', sa.text('lower(x)'))",)),
    linked("add a foreign key", (), (_key(name="fk_items_owner"),)),
    linked("drop a foreign key", (_key(name="fk_items_owner"),), ()),
    linked("add a foreign key without a name", (), (_key(),)),
    linked("drop a foreign key without a name", (_key(),), ()),
    linked(
        "change what a foreign key does",
        (_key(name="fk_items_owner"),),
        (_key(name="fk_items_owner", ondelete="CASCADE"),),
    ),
    linked(
        "add a foreign key and an index on its column",
        (),
        (_key(name="fk_items_owner"), "sa.Index('ix_items_owner_id', 'owner_id')"),
    ),
    linked(
        "drop a foreign key and the index on its column",
        (_key(name="fk_items_owner"), "sa.Index('ix_items_owner_id', 'owner_id')"),
        (),
    ),
)
