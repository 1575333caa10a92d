"""Understands CHECK conditions in normal form, to find rows that keep or break them.

What is not understood is said so (`NotUnderstoodError`); nothing is guessed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from bootstrap.backends.values import Value
from bootstrap.schema.model import Check

if TYPE_CHECKING:
    from sqlglot import exp

Row = Mapping[str, Value]
_MOST = 4000  # combinations of values that are tried


class NotUnderstoodError(Exception):
    """The condition holds something that is not known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A CHECK that can be evaluated.

    Attributes:
        check: Where it comes from.
        columns: Those that it is about.
        literals: The values that stand in it.
    """

    check: Check
    columns: tuple[str, ...]
    literals: tuple[Value, ...]

    def holds(self, row: Row) -> bool:
        """Whether a row keeps it; as in SQL, an unknown answer is no violation.

        Raises:
            NotUnderstoodError: It cannot be told.
        """
        return _evaluated(_tree(self.check.expression.text), row) is not False


def understood(checks: Sequence[Check], row: Row) -> tuple[Condition, ...]:
    """The checks that can be evaluated for rows such as this one."""
    return tuple(one for check in checks if (one := _condition(check, row)) is not None)


def keeping(conditions: Sequence[Condition], row: Row, free: Mapping[str, Value]) -> Row | None:
    """A row like this one that keeps all conditions; None where none is found.

    Args:
        conditions: What it must keep.
        row: To begin with.
        free: The columns whose values may be changed, with a second value for each.
    """
    failing = [one for one in conditions if not _safely(one, row)]
    if not failing:
        return row
    names = list(dict.fromkeys(name for one in failing for name in one.columns if name in free))
    for values in _combinations(names, row, failing, free):
        changed = {**row, **dict(zip(names, values, strict=True))}
        if all(_safely(one, changed) for one in conditions):
            return changed
    return None


def breaking(
    condition: Condition, others: Sequence[Condition], row: Row, free: Mapping[str, Value]
) -> Row | None:
    """A row like this one that breaks one condition and keeps the others; None if none is found."""
    names = [name for name in condition.columns if name in free]
    for values in _combinations(names, row, [condition], free):
        changed = {**row, **dict(zip(names, values, strict=True))}
        if not _safely(condition, changed) and all(_safely(one, changed) for one in others):
            return changed
    return None


def _safely(condition: Condition, row: Row) -> bool:
    """A row for which it cannot be told is left for the servers to judge."""
    try:
        return condition.holds(row)
    except NotUnderstoodError:
        return True


def _combinations(
    names: Sequence[str], row: Row, conditions: Sequence[Condition], free: Mapping[str, Value]
) -> Iterator[tuple[Value, ...]]:
    literals = [value for one in conditions for value in one.literals]
    pools = [list(dict.fromkeys(_near(row[name], free[name], literals))) for name in names]
    # Not every column may be NULL: it comes last.
    yield from islice(product(*pools), _MOST)
    yield from islice(product(*([*pool, None] for pool in pools)), _MOST)


def _near(value: Value, second: Value, literals: Sequence[Value]) -> Iterator[Value]:
    """Values of the same kind that a condition with these literals tells apart."""
    yield value
    yield second
    for one in literals:
        if isinstance(value, str) and isinstance(one, int | Decimal):
            yield from ("x" * length for length in _around(one) if 0 <= length <= 500)
        elif isinstance(value, str) and isinstance(one, str):
            yield one
        elif isinstance(value, int | Decimal | float) and isinstance(one, int | Decimal):
            yield from _around(one)
    if isinstance(value, str):
        yield from (value.upper(), "", "zz-none", "http://a.b/c", "a@b.c")
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int | Decimal | float):
        yield from (0, -1, 1)


def _around(number: int | Decimal) -> tuple[int, ...]:
    whole = int(number)
    return (whole, whole + 1, whole - 1)


def _condition(check: Check, row: Row) -> Condition | None:
    from sqlglot import exp  # noqa: PLC0415 - most commands read no schema
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    try:
        tree = _tree(check.expression.text)
        columns = tuple(dict.fromkeys(one.name for one in tree.find_all(exp.Column)))
        if not columns or not set(columns) <= row.keys():
            return None
        found = Condition(
            check=check,
            columns=columns,
            literals=tuple(_literal(one) for one in tree.find_all(exp.Literal)),
        )
        found.holds(row)
    except (NotUnderstoodError, SqlglotError):
        return None
    return found


@lru_cache(maxsize=1024)
def _tree(text: str) -> exp.Expr:
    from sqlglot import parse_one  # noqa: PLC0415 - most commands read no schema

    return parse_one(text)


def _literal(node: exp.Expr) -> Value:
    text = str(node.this)
    if node.is_string:
        return text
    try:
        return int(text) if text.lstrip("-").isdigit() else Decimal(text)
    except InvalidOperation as error:
        raise NotUnderstoodError(text) from error


def _evaluated(node: exp.Expr, row: Row) -> Any:
    """The value of an expression; None is SQL's NULL."""
    name = type(node).__name__
    if name in _LOGIC:
        return _LOGIC[name](node, row)
    if name not in _FUNCTIONS:
        raise NotUnderstoodError(name)
    values = [_evaluated(one, row) for one in _operands(node)]
    if None in values:
        return None
    try:
        return _FUNCTIONS[name](*values)
    except (TypeError, InvalidOperation, ZeroDivisionError) as error:
        raise NotUnderstoodError(name) from error


def _operands(node: exp.Expr) -> Iterator[exp.Expr]:
    """What a function is of; options that change its meaning are not known."""
    from sqlglot import exp  # noqa: PLC0415 - most commands read no schema

    for value in node.args.values():
        several = value if isinstance(value, list) else [value]
        for one in several:
            if isinstance(one, exp.Expr):
                yield one
            elif one not in (None, False):
                raise NotUnderstoodError(type(node).__name__)


def _column(node: exp.Expr, row: Row) -> Value:
    if node.name not in row:
        raise NotUnderstoodError(node.name)
    return row[node.name]


def _and(node: exp.Expr, row: Row) -> bool | None:
    sides = [_evaluated(one, row) for one in (node.this, node.expression)]
    if False in sides:
        return False
    return None if None in sides else True


def _or(node: exp.Expr, row: Row) -> bool | None:
    sides = [_evaluated(one, row) for one in (node.this, node.expression)]
    if True in sides:
        return True
    return None if None in sides else False


def _not(node: exp.Expr, row: Row) -> bool | None:
    value = _evaluated(node.this, row)
    return None if value is None else not value


def _in(node: exp.Expr, row: Row) -> bool | None:
    if not node.expressions or node.args.get("query"):
        raise NotUnderstoodError("IN")
    value = _evaluated(node.this, row)
    listed = [_evaluated(one, row) for one in node.expressions]
    if value is None:
        return None
    if value in listed:
        return True
    return None if None in listed else False


def _is(node: exp.Expr, row: Row) -> bool:
    left, right = (_evaluated(one, row) for one in (node.this, node.expression))
    return left is right if isinstance(right, bool) or right is None else bool(left == right)


def _inner(node: exp.Expr, row: Row) -> Any:
    return _evaluated(node.this, row)


def _compared(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(left: Any, right: Any) -> bool:
        if isinstance(left, str) != isinstance(right, str):
            raise TypeError
        return test(left, right)

    return compared


_LOGIC: Mapping[str, Callable[[Any, Row], Any]] = {
    "Column": _column,
    "Literal": lambda node, _row: _literal(node),
    "Boolean": lambda node, _row: bool(node.this),
    "Null": lambda _node, _row: None,
    "Paren": _inner,
    "And": _and,
    "Or": _or,
    "Not": _not,
    "In": _in,
    "Is": _is,
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "EQ": _compared(operator.eq),
    "NEQ": _compared(operator.ne),
    "LT": _compared(operator.lt),
    "LTE": _compared(operator.le),
    "GT": _compared(operator.gt),
    "GTE": _compared(operator.ge),
    "Neg": operator.neg,
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Length": len,
    "Lower": str.lower,
    "Upper": str.upper,
    "Trim": str.strip,
    "Abs": abs,
    "Replace": str.replace,
}
