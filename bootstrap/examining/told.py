"""What is to be said of the settings: where the database comes from, and what is in vain."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping

from bootstrap import urls
from bootstrap.backends.health import Finding, Verdict
from bootstrap.settings import Settings, variables

_CHECK = "settings"
_PREFIX = "BOOTSTRAP_"
_LIKELY = 0.85  # a service in Kubernetes named `bootstrap` sets variables that are not meant for us


def of_settings(settings: Settings, environ: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """Looks at settings that could be read.

    Args:
        settings: Those in force.
        environ: The environment; None for that of the process.
    """
    environ = os.environ if environ is None else environ
    yield _database(settings)
    yield from _hidden(settings, environ)
    yield from _mistyped(environ)
    yield from _in_the_open(settings)


def _database(settings: Settings) -> Finding:
    url = settings.url
    if url.value is not None:
        return _said(Verdict.FINE, f"the database is {urls.shown(url.value)} ({url.source})")
    if settings.databases.value:
        names = ", ".join(settings.databases.value)
        return _said(
            Verdict.PROBLEM,
            f"several databases are listed ({names}), and one at a time is looked at",
            "bootstrap doctor --url URL",
        )
    return _said(
        Verdict.PROBLEM,
        "no database is configured",
        "give --url, set DATABASE_URL, or write url into [tool.bootstrap] of pyproject.toml",
    )


def _hidden(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Another database in a variable is a trap; that an option goes before all is meant."""
    kind, _, used = settings.url.source.partition(" ")
    if kind != "environment":
        return
    for name in variables("url"):
        other = environ.get(name, "").strip()
        if name != used and other and other != settings.url.value:
            yield _said(
                Verdict.WARNING,
                f"{name} names another database than {used}, which goes first",
                f"unset {name}, or {used}",
            )


def _mistyped(environ: Mapping[str, str]) -> Iterator[Finding]:
    known = variables()
    for name in sorted(environ):
        if not name.startswith(_PREFIX) or name in known:
            continue
        for nearest in difflib.get_close_matches(name, known, n=1, cutoff=_LIKELY):
            text = f"the variable {name} is no setting, and does nothing"
            yield _said(Verdict.WARNING, text, f"did you mean {nearest}?")


def _in_the_open(settings: Settings) -> Iterator[Finding]:
    """A password in a file of the project gets into its repository."""
    url = settings.url
    in_file = url.source.endswith(("sqlalchemy.url", "[tool.bootstrap] url"))
    if url.value is not None and in_file and urls.secrets_of(url.value):
        yield _said(
            Verdict.WARNING,
            f"the password of the database stands in a file of the project ({url.source})",
            "set DATABASE_URL, or BOOTSTRAP_DATABASE_URL_FILE, instead (docs/settings.md)",
        )


def _said(verdict: Verdict, text: str, hint: str = "") -> Finding:
    return Finding(check=_CHECK, verdict=verdict, text=text, hint=hint)
