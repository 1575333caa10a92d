"""Tells which settings are in force, and where each comes from."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap import settings, urls


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSetting:
    """A setting as it may be shown: secrets hidden; None when it is not set."""

    name: str
    value: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigReport:
    """The settings in force."""

    settings: tuple[ShownSetting, ...]


async def config(
    *,
    options: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> ConfigReport:
    """Finds out which settings are in force.

    Args:
        options: Values given on the command line, by the name of the setting.
        environ: The environment; None for that of the process.
        cwd: Where to look for files; None for the working directory.

    Raises:
        SettingsError: A setting cannot be read.
    """
    resolved = await asyncio.to_thread(
        settings.resolve, options=options or {}, environ=environ, cwd=cwd
    )
    return ConfigReport(settings=tuple(_shown(one) for one in settings.rows(resolved)))


def _shown(setting: settings.Setting[object]) -> ShownSetting:
    value = setting.value
    text: str | None
    if isinstance(value, Mapping):
        text = ", ".join(f"{name} = {_shown_url(url)}" for name, url in value.items())
    elif value is not None and setting.secret:
        text = urls.shown(str(value))
    elif isinstance(value, tuple):
        text = ", ".join(value)
    else:
        text = None if value is None else str(value)
    return ShownSetting(name=setting.name, value=text, source=setting.source)


def _shown_url(url: str) -> str:
    """A URL without secrets, or the name of the variable that has it."""
    return url if url.startswith("$") else urls.shown(url)
