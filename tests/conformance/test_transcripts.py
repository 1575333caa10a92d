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


def test_what_the_page_shows_of_a_plan_stands_in_a_transcript() -> None:
    recorded = {
        line for path in transcripts.TRANSCRIPTS.iterdir() for line in path.read_text().splitlines()
    }
    page = (_DOCS / "plan.md").read_text(encoding="utf-8")
    shown = [
        line.partition("        (MariaDB")[0]
        for block in re.findall(r"```text\n(.*?)```", page, re.DOTALL)
        for line in block.splitlines()
        if line.startswith("  ") and ".py" not in line
    ]

    assert len(shown) > 20
    assert set() == set(shown) - recorded
