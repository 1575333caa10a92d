"""Normal forms: one text for what means the same, never one for what does not."""

from __future__ import annotations

import pytest

from bootstrap.schema.expressions import Grammar, normal, verbatim

PG = Grammar(
    dialect="postgres",
    case_matters=True,
    string_types=frozenset({"character varying(50)", "text"}),
)
MY = Grammar(dialect="mysql")
LITE = Grammar(dialect="sqlite")
COLUMNS = {"status": "character varying(50)", "d": "date", "a": "integer", "email": "text"}


@pytest.mark.parametrize(
    ("expected", "writings"),
    [
        (
            "status IN ('a', 'b')",
            [
                (
                    PG,
                    "((status)::text = ANY ((ARRAY['a'::character varying, "
                    "'b'::character varying])::text[]))",
                ),
                (MY, "(`status` in (_utf8mb4'a',_utf8mb4'b'))"),
                (LITE, "status IN ('a', 'b')"),
            ],
        ),
        (
            "NOT (a IN (1, 2))",
            [
                (PG, "(a <> ALL (ARRAY[1, 2]))"),
                (MY, "(`a` not in (1,2))"),
                (LITE, "a NOT IN (1,2)"),
            ],
        ),
        (
            "CURRENT_TIMESTAMP()",
            [
                (PG, "now()"),
                (MY, "current_timestamp()"),
                (MY, "now()"),
                (LITE, "CURRENT_TIMESTAMP"),
            ],
        ),
        (
            "(price >= 0) AND (price <= 9.99)",
            [
                (PG, "((price >= (0)::numeric) AND (price <= 9.99))"),
                (MY, "((`price` >= 0) and (`price` <= 9.99))"),
                (LITE, "price BETWEEN 0 AND 9.99"),
            ],
        ),
        ("(a < 1) OR (a > 2)", [(PG, "((a < 1) OR (a > 2))"), (LITE, "a NOT BETWEEN 1 AND 2")]),
        ("d > '2020-01-01'", [(PG, "(d > '2020-01-01'::date)"), (MY, "(`d` > '2020-01-01')")]),
        (
            "NOT (a IS NULL)",
            [(PG, "(a IS NOT NULL)"), (MY, "(`a` is not null)"), (LITE, "a is  NOT null")],
        ),
        (
            "LOWER(email) = email",
            [(PG, "(lower(email) = email)"), (MY, "(lower(`email`) = `email`)")],
        ),
        ("email LIKE 'x%'", [(PG, "(email ~~ 'x%'::text)"), (LITE, "email like 'x%'")]),
        (
            "(a AND b AND c) OR d",
            [(LITE, "a AND (b AND c) OR d"), (LITE, "((a AND b) AND c) OR d")],
        ),
        ("a > -10", [(PG, "(a > '-10'::integer)"), (MY, "(`a` > -(10))"), (LITE, "a > -10")]),
        (
            "(a <> 1) OR (a >= 2)",
            [
                (PG, "((NOT (a = 1)) OR (NOT (a < 2)))"),
                (MY, "((`a` <> 1) or (`a` >= 2))"),
                (LITE, "NOT a = 1 OR NOT a < 2"),
            ],
        ),
        ("TRIM(email)", [(PG, "TRIM(BOTH FROM email)"), (MY, "trim(`email`)")]),
        ("'x'", [(PG, "'x'::character varying"), (MY, "'x'"), (LITE, "('x')")]),
        ("LENGTH(email)", [(PG, "length((email)::text)"), (MY, "char_length(`email`)")]),
    ],
)
def test_what_means_the_same_is_written_the_same(
    expected: str, writings: list[tuple[Grammar, str]]
) -> None:
    assert [expected] * len(writings) == [
        normal(text, grammar, columns=COLUMNS).text for grammar, text in writings
    ]


@pytest.mark.parametrize(
    ("grammar", "one", "other"),
    [
        (MY, "length(`a`)", "char_length(`a`)"),
        (MY, "utc_timestamp(6)", "utc_timestamp(3)"),
        (MY, "utc_timestamp(6)", "utc_timestamp()"),
        (PG, "CURRENT_TIMESTAMP(3)", "CURRENT_TIMESTAMP"),
        (PG, "B'101'", "B'0101'"),
        (LITE, "x'00'", "x'0000'"),
        (PG, "length((a)::text)", "length((email)::text)"),
        (PG, '"Name" = 1', "name = 1"),
        (PG, "(a / (2)::numeric) > 1", "(a / 2) > 1"),
        (LITE, "a = 'b  c'", "a = 'b c'"),
        (LITE, "a = 'B'", "a = 'b'"),
        (LITE, "(a OR b) AND c", "a OR (b AND c)"),
        (LITE, "a - (b - c)", "a - b - c"),
        (LITE, "a = 1 + 2 * 3", "a = (1 + 2) * 3"),
        (LITE, "NOT (a AND b)", "NOT a AND b"),
        (PG, "(email)::character varying(3) = 'x'", "email = 'x'"),
        (PG, "('x'::bpchar)", "'x'::text"),
        (PG, "'2020-01-01'::date + 1 > d", "'2020-01-01'::text + 1 > d"),
        (PG, "TRIM(LEADING FROM email)", "TRIM(BOTH FROM email)"),
        (PG, "TRIM(BOTH 'x' FROM email)", "TRIM(BOTH FROM email)"),
        (PG, "NOT (a = ALL (b))", "a <> ALL (b)"),
        (PG, "a > '10'::text", "a > '10'::integer"),
        (MY, "(a xor b)", "(a or b)"),
        (MY, "`a` <=> `b`", "`a` = `b`"),
        (LITE, "a IS b", "a = b"),
        (LITE, "a GLOB 'x*'", "a LIKE 'x*'"),
        (PG, "email ~ 'x'", "email ~* 'x'"),
        (PG, "a COLLATE \"C\" < 'x'", "a < 'x'"),
        (LITE, "strftime('%Y', 'now')", "strftime('%m', 'now')"),
        (MY, "`a` -> '$.b'", "`a` ->> '$.b'"),
        (PG, "j -> 'b'::text", "j ->> 'b'::text"),
    ],
)
def test_what_means_something_else_is_never_written_the_same(
    grammar: Grammar, one: str, other: str
) -> None:
    forms = [normal(text, grammar, columns=COLUMNS) for text in (one, other)]

    assert forms[0] != forms[1]


def test_what_is_not_understood_stays_as_it_is_but_for_white_space() -> None:
    found = normal("frobnicate(a)\n  =>> 'two  blanks'", PG)

    assert ("frobnicate(a) =>> 'two  blanks'", False) == (found.text, found.parsed)


def test_a_normal_form_is_its_own_normal_form() -> None:
    once = normal("price BETWEEN 0 AND 9 AND NOT (a OR b)", LITE)

    assert once == normal(once.text, LITE)


def test_white_space_in_quotes_is_kept() -> None:
    assert "a = 'x  y' AND \"b  c\"" == verbatim("a  =\n'x  y'   AND \"b  c\" ").text
