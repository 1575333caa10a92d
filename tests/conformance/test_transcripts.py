"""What plan, migrate, doctor and log print on each backend stands in docs/transcripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import transcripts
from tests.available import BACKENDS, Servers

_DOCS = transcripts.TRANSCRIPTS.parent


@pytest.mark.parametrize("backend_name", BACKENDS, indirect=True)
async def test_the_commands_print_what_the_transcript_has(
    empty_url: str, backend_name: str, servers: Servers, tmp_path: Path
) -> None:
    """Where they are meant to print something else: python -m tests.transcripts."""
    expected = transcripts.path_of(backend_name).read_text(encoding="utf-8")

    assert expected == await transcripts.transcript(empty_url, servers, tmp_path / "project")


def recorded() -> set[str]:
    return {
        line for path in transcripts.TRANSCRIPTS.iterdir() for line in path.read_text().splitlines()
    }


def shown(page: str) -> list[str]:
    """The lines of the blocks on a page; errors that only rights cause have tests of their own."""
    text = (_DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    return [
        line
        for block in blocks
        if not re.search("cannot keep|must not", block)
        for line in block.splitlines()
    ]


def test_what_the_page_shows_of_a_plan_stands_in_a_transcript() -> None:
    lines = [
        line.partition("        (MariaDB")[0]
        for line in shown("plan.md")
        if line.startswith("  ") and ".py" not in line
    ]

    assert len(lines) > 20
    assert set() == set(lines) - recorded()


@pytest.mark.parametrize(("page", "at_least"), [("log.md", 10), ("doctor.md", 35)])
def test_what_the_pages_show_of_the_log_and_of_doctor_stands_in_a_transcript(
    page: str, at_least: int
) -> None:
    lines = shown(page)

    assert len(lines) > at_least
    assert set() == set(lines) - recorded()
