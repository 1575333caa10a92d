"""JSON Schemas are derived from the classes of reports, and from nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest
from jsonschema import Draft202012Validator, ValidationError

from bootstrap.errors import Place, RowsWouldBeLost
from bootstrap.reports.json import document, error_document
from bootstrap.reports.schemas import schema


class Colour(StrEnum):
    """What it looks like."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part."""

    name: str
    when: datetime | None = None
    parts: "tuple[Part, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """All of it; a second
    line.

    Attributes:
        path: Where it is, and
            what that means.
        counts: How many.
    """

    path: Path
    counts: Mapping[str, int]
    colour: Colour
    kind: Literal["a", "b"]
    parts: tuple[Part, ...]
    weight: float

    @property
    def is_heavy(self) -> bool:
        """Whether it weighs much."""
        return self.weight > 1

    @property
    def _private(self) -> int:
        return 1


WHOLE = Whole(
    path=Path("a/b"),
    counts={"x": 1},
    colour=Colour.RED,
    kind="a",
    parts=(Part(name="p", parts=(Part(name="q", when=datetime(2026, 1, 5)),)),),
    weight=1.5,
)


def valid(text: str, *, report: object = Whole) -> Any:
    import json

    form = schema("weigh", report)
    Draft202012Validator.check_schema(form)
    content = json.loads(text)
    Draft202012Validator(form).validate(content)
    return content


def test_a_report_fits_its_schema() -> None:
    content = valid(document("weigh", WHOLE))

    assert content["report"]["is_heavy"] is True
    assert "_private" not in content["report"]
    assert "q" == content["report"]["parts"][0]["parts"][0]["name"]


def test_texts_are_masked_and_the_words_of_the_form_are_not() -> None:
    secrets = {"a/b": "1", "p": "2", "red": "3", "name": "4", "x": "5", "weigh": "6"}

    content = valid(document("weigh", WHOLE, masked=lambda said: secrets.get(said, said)))

    report = content["report"]
    assert ("weigh", "red", "1") == (content["command"], report["colour"], report["path"])
    assert ({"5": 1}, "2") == (report["counts"], report["parts"][0]["name"])


def test_an_error_fits_the_same_schema() -> None:
    error = RowsWouldBeLost(
        "rows", tables={"t": 3}, hint="h", place=Place(path=Path("a.py"), line=3)
    )

    content = valid(error_document("weigh", error, exit_code=7))

    assert {"path": "a.py", "line": 3} == content["error"]["place"]
    assert {"t": 3} == content["error"]["tables"]


def test_a_defect_fits_it_too_and_says_nothing_of_its_text() -> None:
    content = valid(error_document("weigh", ValueError("geheim"), exit_code=70))

    assert ("ValueError", "") == (content["error"]["kind"], content["error"]["message"])


def test_docstrings_become_descriptions() -> None:
    whole = schema("weigh", Whole)["$defs"]["Whole"]

    said = {name: one.get("description") for name, one in whole["properties"].items()}
    assert "All of it; a second line." == whole["description"]
    assert "Where it is, and what that means." == said["path"]
    assert "Whether it weighs much." == said["is_heavy"]
    assert "What it looks like." == said["colour"]


@pytest.mark.parametrize(
    "change",
    [
        lambda report: report.update(more=1),
        lambda report: report.pop("weight"),
        lambda report: report.update(colour="green"),
        lambda report: report.update(kind="c"),
        lambda report: report.update(counts={"x": "one"}),
        lambda report: report["parts"][0].update(when=3),
    ],
)
def test_what_does_not_fit_is_refused(change: Any) -> None:
    content = valid(document("weigh", WHOLE))
    change(content["report"])

    with pytest.raises(ValidationError):
        Draft202012Validator(schema("weigh", Whole)).validate(content)


def test_a_report_may_be_one_of_several() -> None:
    valid(document("weigh", Part(name="p")), report=Whole | Part)


def test_a_type_without_a_form_is_refused() -> None:
    with pytest.raises(TypeError, match="has no form in JSON"):
        schema("weigh", set[str])
