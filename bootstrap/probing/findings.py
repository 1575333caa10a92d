"""What differs in the answers, one finding for each object and cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bootstrap.probing.answers import Answer, NotAsked, Taken
from bootstrap.probing.asking import Answers
from bootstrap.probing.cases import Case
from bootstrap.probing.plan import NotProbed, Plan, Question, TablePlan
from bootstrap.schema.changes import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question with what each server said.

    Attributes:
        label: What was written, in words.
        answers: By the name of the server.
    """

    label: str
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Answers that differ for one cause.

    Attributes:
        kind: Of what: a table, a column, a key or a check.
        asked: The questions whose answers differ.
    """

    table: str
    kind: Kind
    name: str
    case: Case
    why: str
    asked: tuple[Asked, ...]


_Said: TypeAlias = Mapping[str, Answer]
_Each: TypeAlias = Answer | NotAsked


def findings(plan: Plan, answered: Mapping[str, Answers]) -> tuple[Finding, ...]:
    """Compares what the servers said.

    Args:
        plan: The questions.
        answered: The answers, by the name of the server.
    """
    return tuple(finding for one in plan.tables for finding in _of_table(one, _here(one, answered)))


def not_probed(plan: Plan, answered: Mapping[str, Answers]) -> tuple[NotProbed, ...]:
    """What could not be asked, because of the schema or because no server took the row."""
    refused = [
        NotProbed(table=one.table.path, name="", why=why)
        for one in plan.tables
        if (why := _refused_everywhere(_here(one, answered)))
    ]
    without = {one.table for one in refused}
    others = (
        found
        for one in plan.tables
        if one.table.path not in without
        for found in _not_asked(one, _here(one, answered))
    )
    return (*plan.not_probed, *refused, *dict.fromkeys(others))


def _not_asked(plan: TablePlan, here: Mapping[str, Sequence[_Each]]) -> Iterator[NotProbed]:
    """The questions that no server could be asked."""
    for number, question in enumerate(plan.questions):
        said = [answers[number] for answers in here.values()]
        reasons = [one.why for one in said if isinstance(one, NotAsked)]
        if reasons and len(reasons) == len(here):
            why = f"{question.label}: {reasons[0]}"
            yield NotProbed(table=plan.table.path, name=question.name, why=why)


def _here(plan: TablePlan, answered: Mapping[str, Answers]) -> Mapping[str, Sequence[_Each]]:
    path = plan.table.path
    return {server: one[path] for server, one in answered.items() if path in one}


def _refused_everywhere(here: Mapping[str, Sequence[_Each]]) -> str:
    """Why, where no server takes the ordinary row."""
    first = {server: answers[0] for server, answers in here.items()}
    if not first or any(isinstance(one, Taken) for one in first.values()):
        return ""
    said = (
        f"{server}: {one.why if isinstance(one, NotAsked) else one}"
        for server, one in first.items()
    )
    return f"an ordinary row is refused ({'; '.join(said)})"


def _of_table(plan: TablePlan, here: Mapping[str, Sequence[_Each]]) -> Iterator[Finding]:
    groups: dict[tuple[str, ...], list[tuple[Question, _Said]]] = {}
    for number, question in enumerate(plan.questions):
        said = {server: answers[number] for server, answers in here.items()}
        known = {name: one for name, one in said.items() if not isinstance(one, NotAsked)}
        if _differ(known.values()):
            key = (question.kind, question.name, question.case.attribute)
            groups.setdefault(key, []).append((question, known))
    for found in groups.values():
        yield _finding(plan.table.path, found)


def _finding(table: str, found: Sequence[tuple[Question, _Said]]) -> Finding:
    questions = [question for question, _ in found]
    return Finding(
        table=table,
        kind=questions[0].kind,
        name=questions[0].name,
        case=questions[0].case,
        why="; ".join(dict.fromkeys(one.case.why for one in questions)),
        asked=tuple(
            Asked(label=question.label, answers={name: str(one) for name, one in said.items()})
            for question, said in found
        ),
    )


def _differ(answers: Iterable[Answer]) -> bool:
    """Whether they mean different things; what was not read again is like any that was taken."""
    known = list(answers)
    if any(isinstance(one, Taken) and one.value is None for one in known):
        return len({isinstance(one, Taken) for one in known}) > 1
    return len({one.compared for one in known}) > 1
