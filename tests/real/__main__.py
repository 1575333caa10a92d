"""Writes what `verify` finds in each project; a group that was there keeps its reason."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from tests.real import PROJECTS, Group, Real, differences


async def _written(real: Real, folder: Path) -> None:
    made = real.folder(folder / real.name)
    sys.path.insert(0, str(made.root))
    found = await differences(real, made)
    kept = _reasons(real)
    content = [{**one, "reason": kept.get(_key(one), "")} for one in found]
    real.page.write_text(f"{json.dumps(content, indent=1)}\n", encoding="utf-8")


def _reasons(real: Real) -> dict[str, str]:
    if not real.page.exists():
        return {}
    return {_key(one): one["reason"] for one in json.loads(real.page.read_text(encoding="utf-8"))}


def _key(group: Group) -> str:
    """What a reason is about: not which tables it holds for."""
    return str(
        [group[name] for name in ("comparison", "class", "kind", "attribute", "servers", "sides")]
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        for one in PROJECTS:
            asyncio.run(_written(one, Path(name)))
