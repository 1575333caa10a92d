"""Chooses the files of a run: those of an environment over those that all have."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from bootstrap.datasets.reading.files import SUFFIXES, files_in
from bootstrap.datasets.reading.form import SeedFile, nearest
from bootstrap.datasets.reading.manifest import Check, Manifest, manifest_of
from bootstrap.errors import SeedError, SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a run applies.

    Attributes:
        files: In the order in which they are applied where nothing else decides.
        checks: What must be so in the end.
        pruned: The tables whose further rows may be deleted.
    """

    files: tuple[SeedFile, ...]
    checks: tuple[Check, ...]
    pruned: frozenset[str]


def choose(paths: Iterable[Path], *, environment: str | None) -> Chosen:
    """Finds the files of some files and folders.

    Args:
        paths: A file has no environments, and of its manifest only tables and keys hold.
        environment: Whose rows are added; None for those alone that all have.

    Raises:
        SettingsError: No folder knows the environment.
        SeedError: A path has no data set, or a manifest cannot be read.
    """
    files: list[SeedFile] = []
    folders: list[_Folder] = []
    for path in paths:
        if path.is_dir():
            folders.append(_Folder(path))
            files += folders[-1].files(environment, chain=len(folders))
        else:
            files.append(_told(path, path.name, manifest_of(path.parent)))
    if environment is not None:
        _refuse_unknown(environment, folders)
    manifests = [folder.manifest for folder in folders]
    return Chosen(
        files=tuple(files),
        checks=tuple(
            check
            for manifest in manifests
            for check in manifest.checks
            if not check.environments or environment in check.environments
        ),
        pruned=frozenset(name for manifest in manifests for name in manifest.pruned),
    )


def _refuse_unknown(environment: str, folders: list[_Folder]) -> None:
    known = sorted({name for folder in folders for name in folder.environments})
    if folders and environment not in known:
        raise SettingsError(
            f"no data sets are for the environment {environment!r}",
            hint=nearest(environment, known)
            if known
            else "an environment is a folder with data sets in the folder of the others",
        )


class _Folder:
    """A folder of data sets, with its manifest and its environments."""

    def __init__(self, path: Path) -> None:
        self.manifest = manifest_of(path)
        self._path = path

    @property
    def environments(self) -> Mapping[str, tuple[str, ...]]:
        """What each environment adds, by the manifest or by the folders that are there."""
        if self.manifest.environments is not None:
            return self.manifest.environments
        folders = (one for one in self._path.iterdir() if one.is_dir() and one.name[0] != ".")
        return {one.name: (one.name,) for one in folders if files_in(one)}

    def files(self, environment: str | None, *, chain: int) -> list[SeedFile]:
        """Those of the folder, and of the environment if there is one."""
        found = [self._file(path, layer=0, chain=chain) for path in files_in(self._path)]
        if environment is not None:
            for layer, name in enumerate(self.environments.get(environment, ()), start=1):
                added = self._added(self._path / name)
                found += [self._file(path, layer=layer, chain=chain) for path in added]
        if not found:
            raise SeedError(f"the folder {self._path} has no data sets", hint=SUFFIXES)
        self._refuse_unknown_names()
        return sorted(found, key=lambda file: (file.place, file.layer))

    def _added(self, path: Path) -> list[Path]:
        if path.is_dir():
            return files_in(path)
        if not path.is_file():
            raise self.manifest.file.fault(
                None, f"there is no file or folder {path} of an environment", hint="correct it"
            )
        return [path]

    def _names(self, path: Path) -> tuple[str, ...]:
        """How the manifest can name a file: from its own folder on, or by its last part."""
        return PurePath(os.path.relpath(path, self._path)).as_posix(), path.name

    def _file(self, path: Path, *, layer: int, chain: int) -> SeedFile:
        order = self.manifest.order
        place = next((order.index(one) for one in self._names(path) if one in order), None)
        told = _told(path, self._names(path)[0], self.manifest)
        return SeedFile(
            path=path,
            within=self._names(path)[0],
            table=told.table,
            keys=told.keys,
            layer=layer,
            place=(chain, len(order) if place is None else place),
            ordered=place is not None,
        )

    def _refuse_unknown_names(self) -> None:
        manifest = self.manifest
        entries = {name for names in self.environments.values() for name in names}
        files = [
            *files_in(self._path),
            *(f for name in entries for f in self._added(self._path / name)),
        ]
        known = {name for path in files for name in self._names(path)}
        for member, names in (("order", manifest.order), ("files", manifest.tables_of_files)):
            for name in names:
                if name not in known:
                    hint = nearest(name, known) or "remove it"
                    raise manifest.file.fault(
                        None, f"{member} names {name!r}, which is no data set here", hint=hint
                    )


def _told(path: Path, name: str, manifest: Manifest) -> SeedFile:
    tables = manifest.tables_of_files
    table = tables.get(name) or tables.get(path.name) or ""
    return SeedFile(path=path, table=table, keys=manifest.keys)
