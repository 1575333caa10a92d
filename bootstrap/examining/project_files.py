"""What is to be said of the files of a project; nothing of it is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alembic.script import ScriptDirectory

from bootstrap.backends.health import Finding, Verdict
from bootstrap.errors import BootstrapError
from bootstrap.project import Project, loaded
from bootstrap.revisions.environment import in_thread
from bootstrap.settings import Settings


async def of_project(
    settings: Settings, x: Sequence[str]
) -> tuple[Project | None, tuple[Finding, ...]]:
    """Looks at the project that the settings name.

    Args:
        settings: Those in force.
        x: Arguments for env.py.

    Returns:
        The project, where it can be used, and what was found.
    """
    return await in_thread(lambda: _looked(settings, x))


def _looked(settings: Settings, x: Sequence[str]) -> tuple[Project | None, tuple[Finding, ...]]:
    try:
        project = Project.configured(settings, x=x)
        _, scripts = loaded(project)
    except BootstrapError as error:
        found = Finding(
            check="project", verdict=Verdict.PROBLEM, text=error.message, hint=error.hint
        )
        return None, (found,)
    env_py = Path(scripts.env_py_location)
    if not env_py.is_file():
        missing = Finding(
            check="project",
            verdict=Verdict.PROBLEM,
            text=f"{env_py} does not exist",
            hint="set script_location to the folder that holds env.py",
        )
        return None, (missing,)
    text = f"{project.config_file} leads to {Path(scripts.dir)}"
    fine = Finding(check="project", verdict=Verdict.FINE, text=text)
    return project, (fine, _revisions(scripts))


def _revisions(scripts: ScriptDirectory) -> Finding:
    heads = sorted(scripts.get_heads())
    count = sum(1 for _ in scripts.walk_revisions())
    shown = "1 revision" if count == 1 else f"{count} revisions"
    verdict, text, hint = Verdict.FINE, f"{shown}, with the head {', '.join(heads)}", ""
    if not heads:
        text, hint = "there are no revisions yet", 'bootstrap revision -m "First"'
    elif len(heads) > 1:
        verdict = Verdict.WARNING
        text = f"the history has {len(heads)} heads: {', '.join(heads)}"
        hint = 'bootstrap merge heads -m "Merge", or migrate to them with bootstrap migrate --heads'
    return Finding(check="revisions", verdict=verdict, text=text, hint=hint)
