"""An Alembic project on disk."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from bootstrap.errors import RevisionError, SettingsError
from bootstrap.revisions import faults
from bootstrap.settings.files import parser_of, tools_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Where the revisions of a project are.

    Attributes:
        config_file: The `alembic.ini`; a pyproject.toml beside it is read too, as Alembic does.
        section: The section of the ini file (Alembic's `-n`).
    """

    config_file: Path
    section: str = "alembic"

    @classmethod
    def at(cls, config_file: Path, *, section: str = "alembic") -> Self:
        """Takes the project whose configuration is this file, after a look that it is there.

        Raises:
            SettingsError: There is no Alembic configuration.
        """
        project = cls(config_file=config_file, section=section)
        if not config_file.is_file() and "alembic" not in tools_of(project._toml):
            raise SettingsError(
                f"there is no Alembic project here: {config_file} does not exist",
                hint="bootstrap init starts one; --config names one that is somewhere else",
            )
        return project

    @property
    def _toml(self) -> Path:
        return self.config_file.with_name("pyproject.toml")

    def configuration(self) -> Config:
        """Makes Alembic's Config, read from the files anew.

        Raises:
            SettingsError: The ini file cannot be read.
        """
        ini = str(self.config_file) if self.config_file.is_file() else None
        if ini:
            parser_of(self.config_file)  # whose error does not quote the file, as Alembic's does
        toml = str(self._toml) if self._toml.is_file() else None
        return Config(ini, toml_file=toml, ini_section=self.section)

    def scripts(self, config: Config) -> ScriptDirectory:
        """Reads the revisions.

        Raises:
            RevisionError: There is no folder of revisions, or one of its files cannot be used.
        """
        try:
            with warnings.catch_warnings():
                # "Revision x is present more than once": Alembic would go on with one of them.
                warnings.filterwarnings("error", "Revision .* (is|referenced)", UserWarning)
                scripts = ScriptDirectory.from_config(config)
                scripts.get_heads()
        except UserWarning as error:
            raise RevisionError(
                f"the revisions cannot be read: {str(error).strip()}",
                hint="give each file a revision of its own, and correct down_revision",
            ) from error
        except CommandError as error:
            raise SettingsError(
                f"{self.config_file} does not lead to a folder of revisions: {error}",
                hint="set script_location there to the folder that holds env.py",
            ) from error
        except Exception as error:
            raise faults.broken_file(error, tried="the revisions cannot be read") from error
        return scripts


def loaded(project: Project) -> tuple[Config, ScriptDirectory]:
    """The configuration and the revisions of a project, read now.

    Raises:
        SettingsError, RevisionError: They cannot be read.
    """
    config = project.configuration()
    return config, project.scripts(config)
