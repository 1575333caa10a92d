"""The rules of the normal form, each a small function on a parsed expression.

Imported when the first expression is parsed, because the parser takes its time to load.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import reduce

from sqlglot import exp
from sqlglot.errors import SqlglotError

from bootstrap.schema.expressions import Grammar

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between)
_OPPOSITES: Mapping[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.LT: exp.GTE,
    exp.GTE: exp.LT,
    exp.GT: exp.LTE,
    exp.LTE: exp.GT,
}
_INTEGER = re.compile(r"(-?)(\d+)")
_TEXTS = (exp.DType.TEXT, exp.DType.VARCHAR)
_INTRODUCERS = {"_utf8mb4", "_utf8mb3", "_utf8"}
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_$")


def rewritten(parsed: exp.Expr, grammar: Grammar, columns: Mapping[str, str]) -> exp.Expr:
    """Applies all rules; the tree that is given may be changed."""
    types = {_folded(name, grammar): raw for name, raw in columns.items()}
    rules: tuple[Callable[[exp.Expr], exp.Expr], ...] = (
        _without_brackets,
        lambda node: _named(node, grammar),
        _without_introducer,
        lambda node: _without_cast(node, grammar, types),
        _as_present_time,
        _as_negation,
        _as_list,
        _as_opposite,
        _as_bounds,
        _without_both,
        _as_chain,
        _with_brackets,
    )
    for rule in rules:
        parsed = _applied(rule, parsed)
    return parsed


def _applied(rule: Callable[[exp.Expr], exp.Expr], tree: exp.Expr) -> exp.Expr:
    """Applies a rule to each node, the inner ones first."""
    for node in reversed(list(tree.bfs())):
        new = rule(node)
        if new is node:
            continue
        if node is tree:
            tree = new
            tree.pop()
        else:
            node.replace(new)
    return tree


def _without_brackets(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _as_chain(node: exp.Expr) -> exp.Expr:
    """`a AND (b AND c)` is `(a AND b) AND c`."""
    if not isinstance(node, (exp.And, exp.Or)) or not isinstance(node.expression, type(node)):
        return node
    operands = [one.copy() for one in node.flatten(unnest=False)]
    return reduce(lambda left, right: type(node)(this=left, expression=right), operands)


def _with_brackets(node: exp.Expr) -> exp.Expr:
    """Puts brackets around each operator inside of another, but for AND in AND, OR in OR."""
    parent = node.parent
    inside = isinstance(parent, (exp.Binary, exp.Unary, exp.Between, exp.In, exp.Cast))
    if not inside or not _is_operator(node) or isinstance(parent, (exp.Dot, exp.Paren)):
        return node
    chained = type(node) is type(parent) and isinstance(node, exp.Connector)
    is_list = isinstance(parent, exp.In) and node is not parent.this
    return node if chained or is_list else exp.Paren(this=node.copy())


def _is_operator(node: exp.Expr) -> bool:
    if isinstance(node, exp.Connector):
        return True
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        return False
    return isinstance(node, (exp.Binary, exp.Not, exp.Neg, exp.Between, exp.In)) and not isinstance(
        node, (exp.Dot, exp.Func)
    )


def _named(node: exp.Expr, grammar: Grammar) -> exp.Expr:
    """Writes names as the server compares them, with quotes only where they are needed."""
    if not isinstance(node, exp.Identifier):
        return node
    name = node.name if node.quoted and grammar.case_matters else node.name.lower()
    plain = bool(name) and set(name) <= _PLAIN and not name[0].isdigit()
    return exp.Identifier(this=name, quoted=not plain)


def _folded(name: str, grammar: Grammar) -> str:
    return name if grammar.case_matters else name.lower()


def _without_introducer(node: exp.Expr) -> exp.Expr:
    """`_utf8mb4'a'` is `'a'`: all text is Unicode."""
    if isinstance(node, exp.Introducer) and node.name.lower() in _INTRODUCERS:
        return node.args["expression"]  # type: ignore[no-any-return]  # sqlglot's arguments are Any
    return node


def _without_cast(node: exp.Expr, grammar: Grammar, types: Mapping[str, str]) -> exp.Expr:
    """Removes casts that the server wrote and that change nothing."""
    if type(node) is not exp.Cast:
        return node
    inner, to = _without_brackets(node.this), node.to
    if isinstance(inner, exp.Literal):
        if number := _integer(inner, to):
            return number
        return inner if _literal_stays(inner, to, node, types, grammar) else node
    if isinstance(inner, exp.Column) and to.this in _TEXTS and not to.expressions:
        return inner if types.get(inner.name) in grammar.string_types else node
    return node


def _integer(literal: exp.Literal, to: exp.DataType) -> exp.Expr | None:
    """The number -10 of `'-10'::integer`, which is how PostgreSQL writes one with a sign."""
    found = _INTEGER.fullmatch(literal.name) if literal.is_string else None
    if found is None or to.this is not exp.DType.INT:
        return None
    number = exp.Literal.number(found[2])
    return exp.Neg(this=number) if found[1] else number


def _literal_stays(
    literal: exp.Literal,
    to: exp.DataType,
    cast: exp.Cast,
    types: Mapping[str, str],
    grammar: Grammar,
) -> bool:
    if literal.is_string and to.this in _TEXTS and not to.expressions:
        return True
    partner = _partner(cast)
    if not literal.is_string:  # a number is converted for the comparison anyway
        return partner is not None and to.this in exp.DataType.NUMERIC_TYPES and not to.expressions
    raw = types.get(partner.name) if isinstance(partner, exp.Column) else None
    return raw is not None and _same_type(raw, to, grammar)


def _partner(node: exp.Expr) -> exp.Expr | None:
    """What a value is compared with; None where it is not compared."""
    parent = node.parent
    if not isinstance(parent, _COMPARISONS):
        return None
    other = parent.this if parent.this is not node else parent.args.get("expression")
    return _without_brackets(other) if isinstance(other, exp.Expr) else None


def _same_type(raw: str, to: exp.DataType, grammar: Grammar) -> bool:
    try:
        return exp.DataType.build(raw, dialect=grammar.dialect) == to
    except (SqlglotError, ValueError):
        return False


def _as_present_time(node: exp.Expr) -> exp.Expr:
    """`NOW(6)` of MySQL is `CURRENT_TIMESTAMP(6)`."""
    if not isinstance(node, exp.Anonymous) or node.name.upper() != "NOW":
        return node
    digits = node.expressions[0] if node.expressions else None
    return exp.CurrentTimestamp(this=digits)


def _as_negation(node: exp.Expr) -> exp.Expr:
    """`a IS NOT NULL` is `NOT a IS NULL`."""
    if not isinstance(node, (exp.Is, exp.Like, exp.ILike)) or not node.args.get("negate"):
        return node
    plain = node.copy()
    plain.set("negate", None)
    return exp.Not(this=plain)


def _as_list(node: exp.Expr) -> exp.Expr:
    """`a = ANY (ARRAY[1, 2])` is `a IN (1, 2)`, `a <> ALL (…)` is `NOT a IN (…)`."""
    if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any):
        elements = _elements(node.expression.this)
        return exp.In(this=node.this, expressions=elements) if elements else node
    if isinstance(node, exp.NEQ) and _is_all(node.expression):
        elements = _elements(_all_of(node.expression))
        return exp.Not(this=exp.In(this=node.this, expressions=elements)) if elements else node
    return node


def _as_opposite(node: exp.Expr) -> exp.Expr:
    """`NOT (a = 1)` is `a <> 1`, as MySQL writes it; both are NULL where `a` is."""
    inner = _without_brackets(node.this) if isinstance(node, exp.Not) else None
    opposite = _OPPOSITES.get(type(inner))  # type: ignore[arg-type]  # None is no key
    if inner is None or opposite is None or _is_quantified(inner.expression):
        return node
    return opposite(this=inner.this, expression=inner.expression)


def _is_quantified(node: exp.Expr) -> bool:
    return isinstance(node, exp.Any) or _is_all(node)


def _without_both(node: exp.Expr) -> exp.Expr:
    """`TRIM(BOTH FROM a)` is `TRIM(a)`."""
    if isinstance(node, exp.Trim) and node.text("position").upper() == "BOTH":
        return exp.Trim(this=node.this, expression=node.expression)
    return node


def _is_all(node: exp.Expr) -> bool:
    if isinstance(node, exp.All):
        return True
    named = isinstance(node, exp.Anonymous) and node.name.upper() == "ALL"
    return named and len(node.expressions) == 1


def _all_of(node: exp.Expr) -> exp.Expr:
    found: exp.Expr = node.expressions[0] if node.expressions else node.this
    return found


def _elements(node: exp.Expr) -> list[exp.Expr]:
    """The elements of an array that is written out, without its cast to an array of text."""
    node = _without_brackets(node)
    if isinstance(node, exp.Cast) and _is_array_of_text(node.to):
        node = _without_brackets(node.this)
    return list(node.expressions) if isinstance(node, exp.Array) else []


def _is_array_of_text(to: exp.DataType) -> bool:
    inner = to.expressions[0] if to.this is exp.DType.ARRAY and to.expressions else None
    return isinstance(inner, exp.DataType) and inner.this in _TEXTS


def _as_bounds(node: exp.Expr) -> exp.Expr:
    """`a BETWEEN 1 AND 2` is `a >= 1 AND a <= 2`, as PostgreSQL writes it."""
    if isinstance(node, exp.Not) and _is_range(node.this):
        between = node.this
        below = exp.LT(this=between.this.copy(), expression=between.args["low"])
        return exp.Or(
            this=below, expression=exp.GT(this=between.this, expression=between.args["high"])
        )
    if _is_range(node) and not isinstance(node.parent, exp.Not):
        above = exp.GTE(this=node.this.copy(), expression=node.args["low"])
        return exp.And(this=above, expression=exp.LTE(this=node.this, expression=node.args["high"]))
    return node


def _is_range(node: object) -> bool:
    """Only of a column: an expression would be computed twice, with two results perhaps."""
    if not isinstance(node, exp.Between) or node.args.get("symmetric"):
        return False
    return isinstance(node.this, exp.Column)
