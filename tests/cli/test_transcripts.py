"""What every command prints stands in a file, and a change of it is seen in a review."""

import pytest

from bootstrap.cli import cli
from bootstrap.cli.group import leaves
from tests.cli import record


def test_every_command_has_a_transcript() -> None:
    assert {name for name, _ in leaves(cli)} == {*record.RECORDED, *record.NOT_RECORDED}
    assert {record.path_of(name) for name in record.RECORDED} == {*record.TRANSCRIPTS.iterdir()}


@pytest.mark.parametrize("command", record.RECORDED)
def test_a_command_prints_what_its_transcript_has(command: str) -> None:
    """Where it is meant to print something else: make generated."""
    expected = record.path_of(command).read_text(encoding="utf-8")

    assert expected == record.transcript(command)
