"""The owner's end of a watchdog: starts it, hears what it says, lets it go."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

from bootstrap.testing import watchdog


class Watched:
    """A server that a watchdog runs for this process.

    Attributes:
        folder: Where the server keeps its files.
        pid: The process of the server; None until it was started.
        ended: Why there is no server any more; None while all is well.

    Args:
        order: What the watchdog is to run.
    """

    def __init__(self, order: watchdog.Order) -> None:
        self.folder = Path(order.folder)
        self.pid: int | None = None
        self.ended: str | None = None
        self._heard = b""
        self._watchdog = subprocess.Popen(  # noqa: S603 - our own program
            # Isolated: started as a file, its folder must not be looked into for modules.
            [sys.executable, "-I", watchdog.__file__, order.to_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for the owner, who then lets the watchdog go
        )

    def listen(self, seconds: float) -> None:
        """Takes in what the watchdog says, waiting for that at most so many seconds."""
        assert self._watchdog.stdout is not None  # noqa: S101 - it is a pipe, see above
        if not select.select((self._watchdog.stdout,), (), (), seconds)[0]:
            return
        heard = os.read(self._watchdog.stdout.fileno(), 4096)
        self._heard += heard
        for line in self._heard.decode(errors="replace").splitlines():
            self._understand(line)
        if not heard and self.ended is None:
            self.ended = f"its watchdog ended: {self._heard.decode(errors='replace').strip()}"

    def _understand(self, line: str) -> None:
        match line.split(" ", 1):
            case "running", pid:
                self.pid = int(pid)
            case "ended", why:
                self.ended = why

    def log(self, lines: int) -> str:
        """The last lines of what the server and its commands wrote."""
        try:
            text = (self.folder / watchdog.LOG).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def stop(self) -> None:
        """Lets the watchdog go, and waits until server and folder are gone."""
        self._watchdog.__exit__(None, None, None)
