"""An Alembic project on disk."""

from __future__ import annotations

import argparse
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from bootstrap.errors import RevisionError, SettingsError
from bootstrap.revisions import faults, soundness
from bootstrap.revisions.declarations import declared, version_folders
from bootstrap.revisions.reach import HandOver, Reach, keep
from bootstrap.settings import Settings
from bootstrap.settings.files import parser_of, tools_of

# Threads that import one package at once can meet half-made modules of it.
_READING = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Where the revisions of a project are.

    Attributes:
        config_file: The `alembic.ini`; a pyproject.toml beside it is read too, as Alembic does.
        section: The section of the ini file (Alembic's `-n`).
        toml_file: The pyproject.toml, where it is not the one beside the ini file.
        x: Arguments that env.py asks for with `context.get_x_argument()` (Alembic's `-x`).
        reach: How env.py learns of the database, beside the option `sqlalchemy.url`.
        first: A function, `module:function`, that makes the schema of an empty database, for a
            history that does not begin with one; it gets a sync Connection, and gives the revision
            to stamp: None for the head, "base" when all revisions are to be run after it.
        log: Whether what is run is written down in the database (`bootstrap log`).
        log_schema: The schema for that; None for the one of Alembic's version table.
        run_id: What the log calls the runs of this value, as a command calls all that it does; at
            most 32 characters. None gives each run an id of its own.
    """

    config_file: Path
    section: str = "alembic"
    toml_file: Path | None = None
    x: tuple[str, ...] = field(default=(), repr=False)  # may hold a secret
    reach: Reach = Reach()  # noqa: RUF009 - it is frozen
    first: str | None = None
    log: bool = True
    log_schema: str | None = None
    run_id: str | None = None

    @classmethod
    def at(
        cls,
        config_file: Path,
        *,
        section: str = "alembic",
        toml_file: Path | None = None,
        x: Sequence[str] = (),
        reach: Reach = Reach(),  # noqa: B008 - it is frozen
        first: str | None = None,
        log: bool = True,
        log_schema: str | None = None,
        run_id: str | None = None,
    ) -> Self:
        """Takes the project whose configuration is this file, after a look that it is there.

        Args:
            config_file: As the attribute, and so are the others.
            section: See there.
            toml_file: See there.
            x: See there; `("tenant=blue",)`.
            reach: See there; `Reach(env_var="APP_DATABASE")`.
            first: See there; `"app.models:create"`.
            log: See there.
            log_schema: See there; `"ops"`.
            run_id: See there.

        Raises:
            SettingsError: There is no Alembic configuration.
        """
        project = cls(
            config_file=config_file,
            section=section,
            toml_file=toml_file,
            x=tuple(x),
            reach=reach,
            first=first,
            log=log,
            log_schema=log_schema,
            run_id=run_id,
        )
        if not config_file.is_file() and "alembic" not in tools_of(project.pyproject):
            raise SettingsError(
                f"there is no Alembic project here: {config_file} does not exist",
                hint="bootstrap init starts one; --config names one that is somewhere else",
            )
        return project

    @classmethod
    def configured(
        cls, settings: Settings, *, x: Sequence[str] = (), run_id: str | None = None
    ) -> Self:
        """Takes the project that settings name.

        Args:
            settings: Those in force.
            x: Arguments for env.py.
            run_id: As the attribute.

        Raises:
            SettingsError: There is no Alembic configuration.
        """
        return cls.at(
            settings.config.value,
            section=settings.section.value,
            toml_file=settings.pyproject.value,
            x=x,
            reach=Reach(
                env_var=settings.env_var.value,
                configure=settings.configure.value,
                hand_over=HandOver(settings.hand_over.value),
            ),
            first=settings.first.value,
            log=settings.log.value,
            log_schema=settings.log_schema.value,
            run_id=run_id,
        )

    @property
    def pyproject(self) -> Path:
        """The pyproject.toml, which need not exist."""
        return self.toml_file or self.config_file.with_name("pyproject.toml")

    def configuration(self) -> Config:
        """Makes Alembic's Config, read from the files anew.

        Raises:
            SettingsError: The ini file cannot be read.
        """
        ini = str(self.config_file) if self.config_file.is_file() else None
        if ini:
            parser_of(self.config_file)  # whose error does not quote the file, as Alembic's does
        toml = str(self.pyproject) if self.pyproject.is_file() else None
        made = Config(ini, toml_file=toml, ini_section=self.section, cmd_opts=self._options())
        keep(made, self.reach)
        return made

    def _options(self) -> argparse.Namespace:
        """What env.py finds in `config.cmd_opts`, as if Alembic's own command had been called.

        Where `-x` was not given, it is None there.
        """
        return argparse.Namespace(x=list(self.x) or None, name=self.section)

    def scripts(self, config: Config) -> ScriptDirectory:
        """Reads the revisions.

        Raises:
            SettingsError: There is no folder of revisions.
            RevisionError: One of its files cannot be used, or they are no history together.
        """
        try:
            scripts = ScriptDirectory.from_config(config)
        except CommandError as error:
            raise SettingsError(
                f"{self.config_file} does not lead to a folder of revisions: {error}",
                hint="set script_location there to the folder that holds env.py",
            ) from error
        try:
            with warnings.catch_warnings():
                # "Revision x is present more than once": Alembic would go on with one of them.
                warnings.filterwarnings("error", "Revision .* (is|referenced)", UserWarning)
                scripts.get_heads()
        except Exception as error:
            raise _unreadable(error, scripts) from error
        return scripts


def _unreadable(error: Exception, scripts: ScriptDirectory) -> RevisionError:
    """The error for files that are no history; Alembic names no file when all can be run."""
    broken = faults.broken_file(error, tried="the revisions cannot be read")
    if broken.place:
        return broken
    return soundness.fault_in(declared(version_folders(scripts))) or broken


def loaded(project: Project) -> tuple[Config, ScriptDirectory]:
    """The configuration and the revisions of a project, read now.

    Raises:
        SettingsError, RevisionError: They cannot be read.
    """
    with _READING:
        config = project.configuration()
        return config, project.scripts(config)
