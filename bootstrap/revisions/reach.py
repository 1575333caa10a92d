"""How an env.py learns which database it was asked to use, beside the option `sqlalchemy.url`."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from alembic.config import Config

from bootstrap.errors import BootstrapError, SettingsError
from bootstrap.revisions import faults

_URL = "sqlalchemy.url"
_ATTRIBUTE = "bootstrap"


class HandOver(StrEnum):
    """What env.py finds as `config.attributes["connection"]`."""

    NOTHING = "nothing"
    CONNECTION = "connection"  # a SQLAlchemy Connection that is open, in no transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What an env.py needs that does not take the URL from `sqlalchemy.url`.

    Attributes:
        env_var: An environment variable that has the URL while env.py runs.
        configure: A function, `module:function`, that is called with Alembic's Config and the URL
            before env.py runs.
        hand_over: What env.py finds as `config.attributes["connection"]`.
    """

    env_var: str | None = None
    configure: str | None = None
    hand_over: HandOver = HandOver.NOTHING


def keep(config: Config, reach: Reach) -> None:
    """Keeps what a project says with Alembic's Config."""
    config.attributes[_ATTRIBUTE] = reach


def reach_of(config: Config) -> Reach:
    """What was kept with a Config."""
    kept = config.attributes.get(_ATTRIBUTE)
    return kept if isinstance(kept, Reach) else Reach()


@contextmanager
def told(config: Config, reach: Reach) -> Iterator[None]:
    """Tells env.py the URL that is in a Config in the other ways too, while the block runs.

    Args:
        config: With the URL as `sqlalchemy.url`.
        reach: The other ways.

    Raises:
        SettingsError: The hook cannot be called.
        RevisionError: The hook raised something.
    """
    url = config.get_main_option(_URL) or ""
    with ExitStack() as afterwards:
        if reach.env_var and url:
            afterwards.enter_context(_variable(reach.env_var, url))
        if reach.configure and url:
            call(reach.configure, config, url, setting="configure")
        yield


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


def call(named: str, *arguments: Any, setting: str) -> object:
    """Calls a function of the project that a setting names.

    Args:
        named: `module:function`.
        arguments: What it is called with.
        setting: The name of the setting.

    Raises:
        SettingsError: There is no such function.
        RevisionError: It raised something.
    """
    called = function(named, setting=setting)
    try:
        return called(*arguments)
    except BootstrapError:
        raise
    except Exception as error:
        raise faults.broken_file(error, tried=f"{setting} = {named!r} failed") from error


def function(named: str, *, setting: str) -> Callable[..., object]:
    """The function of the project that a setting names.

    Args:
        named: `module:function`.
        setting: The name of the setting.

    Raises:
        SettingsError: There is no such function.
        RevisionError: Its module raised something.
    """
    module, _, name = named.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, ValueError, AttributeError) as error:
        raise SettingsError(
            f"{setting} = {named!r} names no function: {error}",
            hint=f'{setting} = "module:function", where the module can be imported as in env.py',
        ) from error
    except Exception as error:
        raise faults.broken_file(error, tried=f"{setting} = {named!r} failed") from error
    if not callable(found):
        raise SettingsError(f"{setting} = {named!r} names no function, but {found!r}")
    return found  # type: ignore[no-any-return]  # it is called with what is documented
