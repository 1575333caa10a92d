"""Reads from this machine's own apt where Debian's packages come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path

from tests.engines.commands import EngineError

ETC_APT = Path("/etc/apt")
_ONE_LINE = re.compile(r"deb\s+(?:\[(?P<options>.*?)\]\s+)?(?P<rest>.+)")
_NOT_WHOLE = ("-security", "-updates", "-backports")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One entry of apt's sources."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str  # empty: by any of the keys that apt trusts

    @property
    def is_debian(self) -> bool:
        """Whether it has all packages of a suite of Debian, not those of somebody else."""
        return (
            "main" in self.components
            and not self.suite.endswith(_NOT_WHOLE)
            and (not self.signed_by or "debian-archive" in self.signed_by)
        )


def mirror(etc_apt: Path = ETC_APT) -> str:
    """The mirror of Debian that this machine uses."""
    for source in (*_one_line(etc_apt), *_deb822(etc_apt)):
        if source.is_debian:
            return source.uri
    raise EngineError(f"the sources of apt in {etc_apt} name no mirror of Debian")


def _one_line(etc_apt: Path) -> Iterator[Source]:
    files = (etc_apt / "sources.list", *sorted(etc_apt.glob("sources.list.d/*.list")))
    for file in filter(Path.is_file, files):
        for entry in filter(None, map(_ONE_LINE.match, file.read_text().splitlines())):
            uri, suite, *components = entry["rest"].split()
            signed_by = re.search(r"signed-by=(\S+)", entry["options"] or "")
            yield Source(
                uri=uri,
                suite=suite,
                components=tuple(components),
                signed_by=signed_by[1] if signed_by else "",
            )


def _deb822(etc_apt: Path) -> Iterator[Source]:
    for file in sorted(etc_apt.glob("sources.list.d/*.sources")):
        text = re.sub(r"^#.*\n", "", file.read_text(), flags=re.MULTILINE)
        for paragraph in filter(str.strip, re.split(r"\n\s*\n", text)):
            fields = message_from_string(paragraph.strip())
            if "deb" in fields.get("Types", "").split() and fields.get("Enabled") != "no":
                yield Source(
                    uri=fields.get("URIs", "").split()[0],
                    suite=fields.get("Suites", "").split()[0],
                    components=tuple(fields.get("Components", "").split()),
                    signed_by=fields.get("Signed-By", ""),
                )
