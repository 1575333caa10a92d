"""One revision with declarations of every kind: read back the same, and alike on all backends."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.types import TypeEngine

import bootstrap
from bootstrap.checking.differences import Comparison
from bootstrap.schema.changes import Kind
from bootstrap.schema.compare import all_changes
from bootstrap.schema.document import dumps, loads
from tests import available
from tests.available import BACKENDS, Missing, Servers
from tests.conformance.declarations import DIFFERENCES, HEAD, declared, lines, project, verified
from tests.conformance.declarations.types import TYPES

# What is no type of a column, or not to be had on a server as it comes.
_LEFT_OUT = {
    "TypeEngine": "the base of all types",
    "NullType": "says that the type is not known",
    "TupleType": "is no type of a column",
    "MatchType": "is the type of an expression",
    "UserDefinedType": "the base of types of other people",
    "_Binary": "the base of LargeBinary and BINARY",
    "Variant": "the old way to write with_variant",
    "NamedType": "the base of ENUM and DOMAIN",
    "DOMAIN": "has no form for other backends in SQLAlchemy",
    "CITEXT": "needs an extension",
    "HSTORE": "needs an extension",
}


def _known() -> set[type[TypeEngine[object]]]:
    """The classes of types that SQLAlchemy has for these backends."""
    homes = (sa.types, postgresql, mysql, sqlite)
    found = [one for home in homes for one in vars(home).values() if isinstance(one, type)]
    types = {one for one in found if issubclass(one, TypeEngine)}
    return {one for one in types if one.__name__ not in _LEFT_OUT}


def _used() -> set[str]:
    """The names of the types of the declarations, and of what they become on a backend."""
    dialects = [each.dialect() for each in (postgresql, mysql, sqlite)]
    own = [one for each in TYPES.values() for one in (each, *each._variant_mapping.values())]
    all_of_them = (*own, *(one.dialect_impl(each) for one in TYPES.values() for each in dialects))
    return {cls.__name__ for one in all_of_them for cls in type(one).__mro__}


def test_there_is_a_declaration_of_every_type_that_sqlalchemy_knows() -> None:
    assert set() == {one.__name__ for one in _known()} - _used()
    assert len(declared().tables) >= 150


async def test_what_the_revision_makes_is_read_the_same_again_and_from_its_file(
    empty_url: str, tmp_path: Path
) -> None:
    await bootstrap.migrate(empty_url, project=project(tmp_path).project)
    first = (await bootstrap.snapshot(empty_url)).schema
    again = (await bootstrap.snapshot(empty_url)).schema

    assert len(declared().tables) == len(first.tables)
    assert first == again == loads(dumps(first))
    assert () == all_changes(first, again)


@pytest.fixture
def every_server(servers: Servers) -> Servers:
    """A server of each backend."""
    for name in BACKENDS:
        if isinstance(available.look_for(name), Missing):
            pytest.skip(f"{name} is missing")
    return servers


async def test_between_backends_only_what_is_written_down_differs(
    every_server: Servers, tmp_path: Path
) -> None:
    report = await verified(tmp_path, every_server)

    # On no server does the history differ from the models, which are made beside it.
    assert {Comparison.SERVERS} == {one.comparison for one in report.differences}
    assert Kind.TABLE not in {one.kind for one in report.differences}
    head, *expected = DIFFERENCES.read_text(encoding="utf-8").splitlines()
    if head != HEAD:
        pytest.skip(f"the list is another one: {head[2:]}")
    assert expected == lines(report)
