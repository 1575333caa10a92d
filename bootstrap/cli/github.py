"""Tells GitHub Actions how a command ended: annotations, and the summary of the job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bootstrap.cli.screen import Screen
from bootstrap.errors import BootstrapError
from bootstrap.reports import github


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """The runner that the command runs in; elsewhere it is told nothing.

    Attributes:
        command: Which command.
        screen: Where annotations are written: to standard error, which the runner reads too.
        workspace: The root of the checkout.
        summary: The file that the summary of the job is appended to.
    """

    command: str
    screen: Screen
    workspace: Path | None = None
    summary: Path | None = None

    @classmethod
    def of(cls, command: str, *, screen: Screen, environ: Mapping[str, str]) -> Self:
        """Finds out from the environment which runner there is, if any."""
        if environ.get("GITHUB_ACTIONS") != "true":
            return cls(command=command, screen=screen)
        summary = environ.get("GITHUB_STEP_SUMMARY")
        return cls(
            command=command,
            screen=screen,
            workspace=Path(environ.get("GITHUB_WORKSPACE") or Path.cwd()),
            summary=Path(summary) if summary else None,
        )

    def tell(self, report: object, *, no: str) -> None:
        """Tells what the command did, and why its answer is no, if it is."""
        if no and self.workspace:
            from bootstrap.reports.findings import findings  # noqa: PLC0415 - as below

            for message in findings(report, no=no):
                said = github.annotation(self.command, message, masked=self.screen.masked)
                self.screen.write_watched(said)
        if self.summary:
            from bootstrap.reports import markdown  # noqa: PLC0415 - elsewhere nobody needs it

            self._append(markdown.summary(self.command, report, no=no))

    def tell_failed(self, error: BootstrapError) -> None:
        """Tells why the command failed."""
        if self.workspace:
            said = github.error_annotation(
                self.command, error, workspace=self.workspace, masked=self.screen.masked
            )
            self.screen.write_watched(said)
        if self.summary:
            from bootstrap.reports import markdown  # noqa: PLC0415 - as above

            self._append(markdown.error_summary(self.command, error))

    def _append(self, text: str) -> None:
        """Appends to the summary; that it cannot be written does not make the command fail."""
        assert self.summary is not None  # noqa: S101 - the callers ask
        try:
            with self.summary.open("a", encoding="utf-8") as file:
                file.write(f"{self.screen.masked_markdown(text)}\n")
        except OSError as error:
            self.screen.note(f"GITHUB_STEP_SUMMARY cannot be written: {error.strerror}")
