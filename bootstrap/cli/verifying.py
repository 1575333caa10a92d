"""The commands that compare what a history makes: on all backends, and with a live database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

import bootstrap
from bootstrap.cli.group import cli, example, perform
from bootstrap.cli.options import Common, common, common_but_url

if TYPE_CHECKING:
    from bootstrap.cli.invocation import Invocation
    from bootstrap.reports.verified import Compared

_FILE = click.Path(dir_okay=False, path_type=Path)
_Command = TypeVar("_Command", bound=Callable[..., object])
_leave_out = click.option(
    "--leave-out",
    multiple=True,
    metavar="TABLE",
    help="A table that is no part of the schema, beside the version table; may be repeated.",
)
_REPORTED = (
    click.option("--junit", type=_FILE, metavar="FILE", help="Write the report as JUnit XML."),
    click.option("--markdown", type=_FILE, metavar="FILE", help="Write it for a pull request."),
    click.option("--html", type=_FILE, metavar="FILE", help="Write it as a page for browsers."),
    click.option(
        "--accept",
        is_flag=True,
        help="Write the differences into pyproject.toml as accepted, each with a reason to be "
        "edited.",
    ),
)


def _reported(command: _Command) -> _Command:
    """Adds the options for what becomes of differences."""
    for option in reversed(_REPORTED):
        command = option(command)
    return command


@cli.command(
    epilog=example(
        "bootstrap verify",
        "bootstrap verify --probe --markdown verify.md",
        "bootstrap verify --backend sqlite --server postgresql=17:/usr/lib/postgresql/17/bin",
    )
)
@click.option(
    "--backend",
    "backends",
    metavar="NAME",
    multiple=True,
    help="Start a server of it; repeatable.  [default: backends of the settings, else all that "
    "can be started]",
)
@click.option(
    "--url",
    "urls",
    metavar="URL",
    multiple=True,
    help="A server that runs already, on which databases may be created; repeatable.",
)
@click.option(
    "--server",
    "servers",
    metavar="NAME=[VERSION:]FOLDER",
    multiple=True,
    help="Start the server whose programs are in FOLDER; repeatable, also for one NAME.",
)
@click.option(
    "--no-models", "models", flag_value=False, default=True, help="Do not compare with the models."
)
@_leave_out
@click.option(
    "--stairway",
    is_flag=True,
    help="Undo each revision and apply it again, and compare at every step.",
)
@click.option(
    "--data",
    is_flag=True,
    help="Write rows, those of the data sets if there are any, and tell which downgrades lose "
    "some.",
)
@click.option(
    "--probe",
    is_flag=True,
    help="Write the same rows on each server, undo them, and compare what it says to them.",
)
@_reported
@common_but_url
def verify(
    common: Common,
    *,
    backends: tuple[str, ...],
    urls: tuple[str, ...],
    servers: tuple[str, ...],
    data: bool,
    junit: Path | None,
    markdown: Path | None,
    html: Path | None,
    **options: Any,
) -> None:
    """Compares what the history makes on all backends, and what the models say.

    Each server is a throwaway one, or gets a throwaway database; yours are not touched. Exits
    with 1 when there are differences that nobody has accepted.
    """
    if backends:
        common.settings["backends"] = backends

    async def work(now: Invocation) -> object:
        now.hide(*urls)
        report = await bootstrap.verify(
            project=now.project,
            backends=now.settings.backends.value or (),
            urls=urls,
            servers=[bootstrap.ServerPrograms.of(text) for text in servers],
            data=data,
            datasets=now.datasets if data else (),
            emit=now.emit,
            **options,
        )
        if not report.is_clean:
            now.no = _no(report)
        _write("verify", report, now, junit=junit, markdown=markdown, html=html)
        return report

    perform("verify", common, work)


@cli.command(
    epilog=example(
        "bootstrap drift --url postgresql://localhost/app", "bootstrap drift --markdown drift.md"
    )
)
@_leave_out
@click.option(
    "--baseline",
    type=_FILE,
    metavar="FILE",
    help="The differences in FILE were there before: only others count.",
)
@click.option(
    "--update-baseline", is_flag=True, help="Write what differs now into the file of --baseline."
)
@click.option(
    "--adopt",
    is_flag=True,
    help="Write the revision that makes what differs part of the history, and try it.",
)
@click.option("-m", "--message", metavar="TEXT", help="What that revision is for.")
@click.option("--rev-id", metavar="ID", help="Its id.  [default: a new one]")
@_reported
@common
def drift(
    common: Common,
    *,
    leave_out: tuple[str, ...],
    baseline: Path | None,
    update_baseline: bool,
    adopt: bool,
    message: str | None,
    rev_id: str | None,
    junit: Path | None,
    markdown: Path | None,
    html: Path | None,
    accept: bool,
) -> None:
    """Compares the database with what its history makes.

    The revisions that it has are replayed on a shadow database beside it, which is dropped; the
    database itself is only read. Exits with 1 when something was added, removed or changed that
    no revision did and nobody has accepted, and shows the SQL that would bring it back.

    With --adopt, the revision is written that makes the history follow the database instead.
    """
    if update_baseline and (baseline is None or accept):
        raise click.UsageError("--update-baseline needs --baseline FILE, and no --accept.")
    if adopt and (accept or baseline or junit or markdown or html):
        raise click.UsageError("--adopt takes neither --accept nor --baseline nor reports.")
    if not adopt and (message or rev_id):
        raise click.UsageError("--message and --rev-id are for the revision of --adopt.")
    if adopt:
        _adopt(common, leave_out=leave_out, message=message, rev_id=rev_id)
        return

    async def work(now: Invocation) -> object:
        report = await bootstrap.drift(
            now.database,
            project=now.project,
            leave_out=leave_out,
            accept=accept,
            baseline=baseline,
            update_baseline=update_baseline,
        )
        if not report.is_clean:
            now.no = "The database does not have the schema that its history makes."
        _write("drift", report, now, junit=junit, markdown=markdown, html=html)
        return report

    perform("drift", common, work)


def _adopt(common: Common, **options: Any) -> None:
    """Writes the revision that makes the history follow the database."""

    async def work(now: Invocation) -> object:
        report = await bootstrap.adopt(now.database, project=now.project, **options)
        if not report.is_complete:
            now.no = "The revision does not make all of it."
        return report

    perform("drift", common, work)


@cli.command(epilog=example("bootstrap baseline --url postgresql://localhost/app"))
@click.option(
    "--leave-out",
    multiple=True,
    metavar="TABLE",
    help="A table that is no part of the schema; may be repeated.",
)
@click.option(
    "--no-stamp", "stamping", flag_value=False, default=True, help="Write nothing, only look."
)
@common
def baseline(common: Common, *, leave_out: tuple[str, ...], stamping: bool) -> None:
    """Finds the revision whose schema an existing database has, and stamps it.

    The history is replayed step by step on a shadow database, which is dropped. Exits with 1 when
    no revision has this schema, and shows what differs from the nearest one; or when several have.
    """

    async def work(now: Invocation) -> object:
        report = await bootstrap.baseline(
            now.database, project=now.project, leave_out=leave_out, stamping=stamping
        )
        if not report.matches:
            now.no = "No revision makes the schema of the database."
        elif not report.is_found:
            now.no = "Several revisions make the schema of the database: stamp one of them."
        return report

    perform("baseline", common, work)


def _no(report: bootstrap.VerifyReport) -> str:
    if all(one.comparison == "probe" for one in report.open):
        return "The servers do not answer the same to the same rows."
    return "The history does not make the same schema everywhere."


def _write(
    command: str,
    report: Compared,
    now: Invocation,
    *,
    junit: Path | None,
    markdown: Path | None,
    html: Path | None,
) -> None:
    """Writes the reports that were asked for into their files."""
    # Imported here because `--help` must not wait for SQLAlchemy and Alembic.
    from bootstrap.checking.files import write_text  # noqa: PLC0415
    from bootstrap.reports import junit as reports  # noqa: PLC0415
    from bootstrap.reports.html.page import page  # noqa: PLC0415

    masked = now.screen.masked
    if junit is not None:
        write_text(reports.junit(report, masked=masked), junit, what="JUnit report")
    if markdown is not None:
        now.write_markdown(report, markdown)
    if html is not None:
        text = page(command, report, no=now.no, masked=masked)
        write_text(text, html, what="HTML report")
