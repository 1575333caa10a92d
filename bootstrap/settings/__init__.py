"""Every setting: option > environment > secret file > url_command > pyproject.toml > alembic.ini.

A new setting is one new field of `Settings`; its annotation says how it is read. Files are looked
for in the working directory only, as Alembic does: so a relative path in a URL, which is SQLite's,
leads both commands to the same file.

This package imports neither SQLAlchemy nor Alembic, and so `bootstrap --help` is fast.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, get_origin, get_type_hints

from bootstrap.errors import SettingsError
from bootstrap.settings.files import table_of
from bootstrap.settings.sources import (
    COMMAND,
    FILE,
    PROJECT_URL,
    SECRET_FILE,
    URL,
    Found,
    Given,
    Search,
    Source,
    Spec,
)
from bootstrap.settings.values import (
    COMMAND_LINE,
    CONFIGURATION,
    COUNT,
    DATABASES,
    FLAG,
    HANDED,
    LOGGED,
    NAMES,
    PATH,
    SECONDS,
    TEXT,
    Setting,
)

__all__ = [
    "Setting",
    "Settings",
    "listed_urls",
    "log_format",
    "project_at",
    "resolve",
    "rows",
    "variables",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force, each with where it came from.

    A field may use the ones above it while it is looked for.

    Attributes:
        config: The alembic.ini.
        pyproject: The pyproject.toml; None for the one beside the alembic.ini.
        section: Its section, Alembic's `-n`.
        url_command: A program that prints the database URL.
        url: The database; None when nothing says which.
        databases: Those of an env.py that works on several, by name: URLs, or `$VARIABLE`.
        env_var: An environment variable that has the URL while env.py runs.
        configure: A function, `module:function`, called with Alembic's Config and the URL before
            env.py runs.
        hand_over: What env.py gets as `config.attributes["connection"]`.
        first: A function, `module:function`, that makes the schema of an empty database.
        datasets: The folder or file of the data sets; None when there are none.
        environment: Whose rows are added to those that all environments have; None for no others.
        backends: The names of those on which a new revision is tried; None for the one of the URL.
        wait_timeout: Seconds that `bootstrap wait` waits.
        wait_lock: Seconds that a run waits for another one on the same database.
        lock_timeout: Seconds that a statement of a revision waits for a lock; 0 for no limit, None
            for what `migrate` says.
        lock_retries: How often what got no lock is tried again.
        statement_timeout: Seconds that a statement of a revision may run; None or 0 for no limit.
        retry_for: Seconds that a run is tried again for after what may pass by itself.
        allow_ahead: Whether a database may be at revisions of newer code.
        before_migrate: The command that runs before the first revision.
        after_migrate: The command that runs when all are applied.
        on_failure: The command that runs when a migration has failed.
        hook_timeout: Seconds that each of these commands may take.
        log_format: `text` or `json`: the form of what goes to standard error.
        log: Whether what is run is written down in the database.
        log_schema: The schema for that; None for the one of Alembic's version table.
        echo: Whether SQL statements are logged.
        pool_size: The connections that an application keeps in each process; 0 for no limit.
        pool_max_overflow: How many more it may open for a while.
        pool_timeout: Seconds that it waits for one of them to be free.
        pool_recycle: Seconds after which a connection is made anew; 0 for no limit.
        pool_pre_ping: Whether a connection is tried before it is used.
        project_url: What the project itself has configured, for the driver in it.
    """

    config: Annotated[
        Setting[Path],
        Spec(
            kind=CONFIGURATION,
            default=Path("alembic.ini"),
            environment=("BOOTSTRAP_CONFIG", "ALEMBIC_CONFIG"),
        ),
    ]
    pyproject: Annotated[
        Setting[Path | None],
        Spec(
            kind=PATH,
            default=None,
            environment=("BOOTSTRAP_PYPROJECT",),
            option="--config",
            sources=COMMAND,
        ),
    ]
    section: Annotated[
        Setting[str],
        Spec(kind=TEXT, default="alembic", environment=("BOOTSTRAP_SECTION",), option="--name"),
    ]
    url_command: Annotated[
        Setting[str | None],
        Spec(kind=TEXT, default=None, environment=("BOOTSTRAP_URL_COMMAND",)),
    ]
    url: Annotated[
        Setting[str | None],
        Spec(
            kind=TEXT,
            default=None,
            environment=("BOOTSTRAP_URL", "BOOTSTRAP_DATABASE_URL", "DATABASE_URL"),
            sources=URL,
            secret=True,
        ),
    ]
    databases: Annotated[
        Setting[Mapping[str, str] | None],
        Spec(kind=DATABASES, default=None, environment=(), sources=FILE, secret=True),
    ]
    env_var: Annotated[
        Setting[str | None],
        Spec(kind=TEXT, default=None, environment=("BOOTSTRAP_ENV_VAR",)),
    ]
    configure: Annotated[
        Setting[str | None],
        Spec(kind=TEXT, default=None, environment=("BOOTSTRAP_CONFIGURE",)),
    ]
    hand_over: Annotated[
        Setting[str],
        Spec(kind=HANDED, default="nothing", environment=("BOOTSTRAP_HAND_OVER",)),
    ]
    first: Annotated[
        Setting[str | None],
        Spec(kind=TEXT, default=None, environment=("BOOTSTRAP_FIRST",)),
    ]
    datasets: Annotated[
        Setting[Path | None],
        Spec(kind=PATH, default=None, environment=("BOOTSTRAP_DATASETS",)),
    ]
    environment: Annotated[
        Setting[str | None],
        Spec(kind=TEXT, default=None, environment=("BOOTSTRAP_ENV",), option="--env"),
    ]
    backends: Annotated[
        Setting[tuple[str, ...] | None],
        Spec(kind=NAMES, default=None, environment=("BOOTSTRAP_BACKENDS",), option="--backend"),
    ]
    wait_timeout: Annotated[
        Setting[float],
        Spec(kind=SECONDS, default=60.0, environment=("BOOTSTRAP_WAIT_TIMEOUT",)),
    ]
    wait_lock: Annotated[
        Setting[float],
        Spec(kind=SECONDS, default=300.0, environment=("BOOTSTRAP_WAIT_LOCK",)),
    ]
    lock_timeout: Annotated[
        Setting[float | None],
        Spec(kind=SECONDS, default=None, environment=("BOOTSTRAP_LOCK_TIMEOUT",)),
    ]
    lock_retries: Annotated[
        Setting[int],
        Spec(kind=COUNT, default=10, environment=("BOOTSTRAP_LOCK_RETRIES",)),
    ]
    statement_timeout: Annotated[
        Setting[float | None],
        Spec(kind=SECONDS, default=None, environment=("BOOTSTRAP_STATEMENT_TIMEOUT",)),
    ]
    retry_for: Annotated[
        Setting[float],
        Spec(kind=SECONDS, default=120.0, environment=("BOOTSTRAP_RETRY_FOR",)),
    ]
    allow_ahead: Annotated[
        Setting[bool],
        Spec(kind=FLAG, default=False, environment=("BOOTSTRAP_ALLOW_AHEAD",)),
    ]
    before_migrate: Annotated[
        Setting[str | None],
        Spec(kind=COMMAND_LINE, default=None, environment=("BOOTSTRAP_BEFORE_MIGRATE",)),
    ]
    after_migrate: Annotated[
        Setting[str | None],
        Spec(kind=COMMAND_LINE, default=None, environment=("BOOTSTRAP_AFTER_MIGRATE",)),
    ]
    on_failure: Annotated[
        Setting[str | None],
        Spec(kind=COMMAND_LINE, default=None, environment=("BOOTSTRAP_ON_FAILURE",)),
    ]
    hook_timeout: Annotated[
        Setting[float],
        Spec(kind=SECONDS, default=60.0, environment=("BOOTSTRAP_HOOK_TIMEOUT",)),
    ]
    log_format: Annotated[
        Setting[str],
        Spec(kind=LOGGED, default="text", environment=("BOOTSTRAP_LOG_FORMAT",)),
    ]
    log: Annotated[
        Setting[bool],
        Spec(kind=FLAG, default=True, environment=("BOOTSTRAP_LOG",)),
    ]
    log_schema: Annotated[
        Setting[str | None],
        Spec(kind=TEXT, default=None, environment=("BOOTSTRAP_LOG_SCHEMA",)),
    ]
    echo: Annotated[
        Setting[bool],
        Spec(kind=FLAG, default=False, environment=("BOOTSTRAP_ECHO",)),
    ]
    pool_size: Annotated[
        Setting[int],
        Spec(kind=COUNT, default=5, environment=("BOOTSTRAP_POOL_SIZE",)),
    ]
    pool_max_overflow: Annotated[
        Setting[int],
        Spec(kind=COUNT, default=10, environment=("BOOTSTRAP_POOL_MAX_OVERFLOW",)),
    ]
    pool_timeout: Annotated[
        Setting[float],
        Spec(kind=SECONDS, default=30.0, environment=("BOOTSTRAP_POOL_TIMEOUT",)),
    ]
    pool_recycle: Annotated[
        Setting[float],
        Spec(kind=SECONDS, default=1800.0, environment=("BOOTSTRAP_POOL_RECYCLE",)),
    ]
    pool_pre_ping: Annotated[
        Setting[bool],
        Spec(kind=FLAG, default=True, environment=("BOOTSTRAP_POOL_PRE_PING",)),
    ]
    project_url: str | None = field(repr=False)


def _specs() -> dict[str, Spec[Any]]:
    hints = get_type_hints(Settings, include_extras=True)
    return {
        name: hint.__metadata__[0] for name, hint in hints.items() if get_origin(hint) is Annotated
    }


_SPECS = _specs()


def resolve(
    *,
    options: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Settings:
    """Looks every setting up.

    Args:
        options: Values given on the command line by the name of the setting; None in it counts
            as not given.
        environ: The environment; None for that of the process.
        cwd: Where to look for files; None for the working directory.

    Raises:
        SettingsError: A setting cannot be read.
    """
    given = _given(options or {}, os.environ if environ is None else environ, cwd or Path())
    found: dict[str, Setting[Any]] = {}
    for name in _SPECS:
        found[name] = _looked_up(name, given, earlier=found)
    return Settings(**found, project_url=_project_url(given, earlier=found))


def project_at(*, options: Mapping[str, object]) -> tuple[Setting[Path], Setting[str]]:
    """Looks `config` and `section` up, and nothing else: `url_command` does not run.

    Args:
        options: As for `resolve`.

    Raises:
        SettingsError: One of them cannot be read.
    """
    given = _given(options, os.environ, Path())
    config = _looked_up("config", given, earlier={})
    return config, _looked_up("section", given, earlier={"config": config})


def log_format(options: Mapping[str, object]) -> str:
    """Looks `log_format` up, and nothing else; what cannot be read is told by `resolve` later.

    Args:
        options: As for `resolve`.
    """
    with suppress(SettingsError):
        given = _given(options, os.environ, Path())
        return str(_looked_up("log_format", given, earlier={}).value)
    return "text"


def listed_urls(settings: Settings, environ: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """The URLs of the setting `databases`, by name; variables are looked up now, not before.

    Args:
        settings: Those in force.
        environ: The environment; None for that of the process.

    Raises:
        SettingsError: A variable has nothing.
    """
    found = {}
    for name, url in (settings.databases.value or {}).items():
        found[name] = _variable(name, url, os.environ if environ is None else environ)
    return found


def _variable(name: str, url: str, environ: Mapping[str, str]) -> str:
    if not url.startswith("$"):
        return url
    if not (value := environ.get(url[1:], "").strip()):
        raise SettingsError(
            f"the database {name} has its URL in the variable {url[1:]}, which is not set",
            hint=f"set {url[1:]}, or write the URL into databases in [tool.bootstrap]",
        )
    return value


def variables(name: str | None = None) -> tuple[str, ...]:
    """The variables of the environment that are read, of one setting or of all.

    Args:
        name: Which setting; None for all, with those that say where servers and secrets are.
    """
    if name is not None:
        return _SPECS[name].environment
    programs = tuple(f"BOOTSTRAP_{one}_PROGRAMS" for one in ("POSTGRESQL", "MYSQL", "MARIADB"))
    settings = tuple(variable for spec in _SPECS.values() for variable in spec.environment)
    return (*settings, SECRET_FILE, *programs)


def rows(settings: Settings) -> tuple[Setting[Any], ...]:
    """Every setting, in order; whoever shows the secret ones hides their passwords."""
    return tuple(getattr(settings, name) for name in _SPECS)


def _given(options: Mapping[str, object], environ: Mapping[str, str], folder: Path) -> Given:
    """The pyproject.toml is named, or beside the alembic.ini that option or environment name."""
    without = Given(options=options, environ=environ, folder=folder, toml=folder, table={})
    ini: Path = _looked_up("config", without, earlier={}).value
    named: Path | None = _looked_up("pyproject", without, earlier={}).value
    toml = named or ini.with_name("pyproject.toml")
    known = [name for name, spec in _SPECS.items() if spec.sources is not COMMAND]
    known += ["verify", "drift"]  # tables of their own, which those commands read
    return replace(without, toml=toml, table=table_of(toml, known=known))


def _looked_up(name: str, given: Given, *, earlier: Mapping[str, Setting[Any]]) -> Setting[Any]:
    spec = _SPECS[name]
    found = _first(spec.sources, _search(name, given, earlier=earlier))
    value = _default(spec, given) if found is None else _read(name, found)
    source = "default" if found is None else found.source
    return Setting(name=name, value=value, source=source, secret=spec.secret)


def _search(name: str, given: Given, *, earlier: Mapping[str, Setting[Any]]) -> Search:
    spec = _SPECS[name]
    return Search(
        name=name,
        option=spec.option or f"--{name.replace('_', '-')}",
        environment=spec.environment,
        given=given,
        earlier=earlier,
    )


def _first(sources: tuple[Source, ...], search: Search) -> Found | None:
    return next((found for source in sources if (found := source(search))), None)


def _default(spec: Spec[Any], given: Given) -> Any:
    return given.folder / spec.default if isinstance(spec.default, Path) else spec.default


def _read(name: str, found: Found) -> Any:
    spec = _SPECS[name]
    try:
        return spec.kind.parse(found.raw, found.base)
    except ValueError:
        shown = "empty or no text" if spec.secret else repr(found.raw)
        raise SettingsError(
            f"{name} cannot be {shown} ({found.source})", hint=f"expected: {spec.kind.expected}"
        ) from None


def _project_url(given: Given, *, earlier: Mapping[str, Setting[Any]]) -> str | None:
    """What alembic.ini or pyproject.toml say, whatever is in force; a broken one says nothing."""
    with suppress(SettingsError):
        found = _first(PROJECT_URL, _search("url", given, earlier=earlier))
        return None if found is None else str(_read("url", found))
    return None
