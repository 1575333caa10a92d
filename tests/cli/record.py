"""Records what each command prints, as text and as JSON: `python -m tests.cli.record`.

A test compares the files with what the commands print now.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cli.conftest import Command
from tests.projects import three_tables

TRANSCRIPTS = Path(__file__).with_name("transcripts")
_SEEDS = "table: t_one\nkey: id\nrows:\n  - id: 1\n  - id: 2\n"

# What is recorded of each command: what has been run before, and the arguments.
EMPTY, CREATED, HALF, UP = (), ("create",), ("create", "migrate two"), ("up",)
RECORDED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "up": (EMPTY, "up"),
    "create": (EMPTY, "create"),
    "drop": (CREATED, "drop --yes"),
    "wait": (CREATED, "wait"),
    "migrate": (CREATED, "migrate two"),
    "downgrade": (UP, "downgrade -1"),
    "stamp": (CREATED, "stamp head"),
    "seed": (UP, "seed seeds"),
    "lock status": (CREATED, "lock status"),
    "lock break": (CREATED, "lock break --yes"),
    "status": (HALF, "status"),
    "plan": (HALF, "plan"),
    "log": (HALF, "log"),
    "repair": ((*HALF, "stamp one"), "repair"),
    "doctor": (HALF, "doctor"),
    "config": (EMPTY, "config --url postgresql://app:geheim@db/app"),
    "init": (EMPTY, "init shop --empty"),
    "heads": (EMPTY, "heads"),
    "branches": (EMPTY, "branches"),
    "history": (UP, "history --indicate-current"),
    "show": (EMPTY, "show west@head"),
    "current": (HALF, "current --check-heads"),
    "check": (UP, "check"),
    "revision": (EMPTY, "revision --rev-id four -m Four"),
    "snapshot": (HALF, "snapshot --output schema.json"),
    "verify": (EMPTY, "verify --backend sqlite --no-models"),
    "drift": (HALF, "drift"),
    "baseline": ((*HALF, "stamp base"), "baseline"),
    "diagram schema": (HALF, "diagram schema"),
    "diagram history": (EMPTY, "diagram history"),
    "merge": (EMPTY, "merge heads --rev-id joined -m Join"),
    "edit": (EMPTY, "edit two"),
    "ensure-version": (CREATED, "ensure-version"),
}
# What one transcript cannot hold, and why.
NOT_RECORDED = {
    "json-schema": "docs/json is what it prints",
    "completion": "the scripts are click's, and test_completion.py runs them",
}


def path_of(command: str) -> Path:
    """Where its transcript stands."""
    return TRANSCRIPTS / f"{command.replace(' ', '-')}.txt"


def transcript(command: str) -> str:
    """What a command prints as text, and then as JSON, each in a fresh project."""
    before, arguments = RECORDED[command]
    forms = (arguments, f"{arguments} --format json")
    return "\n".join(_ran(form, before=before) for form in forms)


def _ran(arguments: str, *, before: tuple[str, ...]) -> str:
    with TemporaryDirectory(prefix="bootstrap-") as root:
        folder = three_tables(Path(root) / "project")
        if "west" in arguments or "merge" in arguments or "branches" in arguments:
            folder.revision("four", down="two", extra="branch_labels = ('west',)")
        if arguments.startswith("check"):  # which lists tables in the order of a set
            for name in ("two", "three"):
                (folder.root / "migrations" / "versions" / f"{name}.py").unlink()
        (folder.root / "seeds").mkdir()
        (folder.root / "seeds" / "10_t_one.yaml").write_text(_SEEDS)
        # Alembic lists heads in the order of the hashes of their names.
        environ = {"DATABASE_URL": "sqlite:///app.db", "PYTHONHASHSEED": "0"}
        run = Command(folder=folder.root, environ=environ)
        for command in before:
            done = run(*command.split())
            assert 0 == done.code, done.err
        done = run(*arguments.split())
        said = calm(f"{done.err}{done.out}", folder.root)
        return f"$ bootstrap {arguments}\n{said}[exit code {done.code}]\n"


def calm(text: str, root: Path) -> str:
    """Without what differs from run to run and from machine to machine."""
    for found, shown in (
        (re.escape(str(root)), "/project"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+(\+00:00)?", "2026-01-05 09:12:00"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?=  )", "2026-01-05 09:12:00"),
        (r'"started": "[^"]+"', '"started": "2026-01-05T09:12:00+00:00"'),
        (r'"(run|os_user|host|tool)": "[^"]+"', r'"\1": "..."'),
        (r"(?m)[\w.-]+@[\w.-]+$", "me@here"),
        (r"\d{8}_\d{4}_", "20260105_0912_"),
        (r"\d+\.\d+ s\b", "0.00 s"),
        (r'"seconds": [\d.e-]+', '"seconds": 0.0'),
        (r"\(SQLite [\d.]+\)", "(SQLite 3)"),
        (r"(version +SQLite|\"SQLite|aiosqlite) \d[\d.]+", r"\1 3"),
        (r"is on \w+ of this machine", "is on ext4 of this machine"),
        (r"(?m)^Server +", "Server  "),
        (r"SQLite \d[\d.]+ +", "SQLite 3  "),
        (r'"name": "SQLite [\d.]+"', '"name": "SQLite 3"'),
        (r'"server_version": "[\d.]+"', '"server_version": "3"'),
    ):
        text = re.sub(found, shown, text)
    return text


def main() -> None:
    """Writes all transcripts anew."""
    TRANSCRIPTS.mkdir(exist_ok=True)
    for path in TRANSCRIPTS.glob("*.txt"):
        path.unlink()
    for command in RECORDED:
        path_of(command).write_text(transcript(command), encoding="utf-8")


if __name__ == "__main__":
    main()
