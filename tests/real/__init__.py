"""The migrations of well-known projects, as pip installs them: `tests/real.sh`.

`python -m tests.real`, run in that environment, writes what `verify --probe` finds into
`differences`. Each group there has a reason, which somebody has written after a look at it.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import bootstrap
from bootstrap.checking.differences import Difference
from bootstrap.project import Project
from tests import available
from tests.projects import ProjectFolder

HERE = Path(__file__).parent
_INSTALLED = Path(sysconfig.get_path("purelib"))
# What mlflow does with an empty database, before it runs all of its revisions.
_FIRST = """
import sqlalchemy as sa
from mlflow.store.tracking.dbmodels.initial_models import Base


def create(connection):
    Base.metadata.create_all(connection)
    return "base"


if __name__ == "__main__":
    import sys

    with sa.create_engine(sys.argv[1]).begin() as connection:
        create(connection)
"""


@dataclass(frozen=True, kw_only=True)
class Real:
    """A project that others have written.

    Attributes:
        name: What pip calls it.
        ini: Its alembic.ini.
        scripts: Its folder of revisions.
        backends: Those that its revisions run on.
        models: Whether its models can be created by themselves.
        first: Whether its own program makes tables before the first revision.
    """

    name: str
    ini: Path
    scripts: Path
    backends: tuple[str, ...]
    models: bool = True
    first: bool = False

    def folder(self, root: Path) -> ProjectFolder:
        """A folder with a configuration that leads to the revisions where pip has put them."""
        root.mkdir()
        lines = self.ini.read_text().splitlines()
        (root / "alembic.ini").write_text(
            "".join(
                f"script_location = {self.scripts}\n"
                if line.startswith("script_location")
                else f"{line}\n"
                for line in lines
                if not line.startswith("sqlalchemy.url")
            )
        )
        (root / "first_time.py").write_text(_FIRST)
        return ProjectFolder(root=root)

    def project(self, folder: ProjectFolder) -> Project:
        """It, as bootstrap is told of it; the folder must be one that Python imports from."""
        named = "first_time:create" if self.first else None
        return Project.at(folder.root / "alembic.ini", first=named)

    @property
    def page(self) -> Path:
        """The file of its differences."""
        return HERE / "differences" / f"{self.name}.json"


OPTUNA = Real(
    name="optuna",
    ini=_INSTALLED / "optuna/storages/_rdb/alembic.ini",
    scripts=_INSTALLED / "optuna/storages/_rdb/alembic",
    backends=("sqlite", "postgresql", "mysql"),
)
MLFLOW = Real(
    name="mlflow",
    ini=_INSTALLED / "mlflow/store/db_migrations/alembic.ini",
    scripts=_INSTALLED / "mlflow/store/db_migrations",
    backends=("sqlite", "postgresql", "mysql", "mariadb"),
    models=False,  # two of its tables have a CHECK of the same name
    first=True,
)
PROJECTS = (OPTUNA, MLFLOW)

Group = dict[str, object]


def programs_of(names: Iterable[str]) -> list[bootstrap.ServerPrograms]:
    """The servers that the tests use."""
    found = {name: available.look_for(name) for name in names}
    return [
        bootstrap.ServerPrograms(backend=name, programs=one.programs)
        for name, one in found.items()
        if isinstance(one, available.Found) and one.programs is not None
    ]


async def differences(real: Real, folder: ProjectFolder) -> list[Group]:
    """What `verify` finds, in groups: what differs in the same way, with all that it differs of."""
    programs = programs_of(real.backends)
    named = {one.backend for one in programs}
    report = await bootstrap.verify(
        project=real.project(folder),
        backends=[name for name in real.backends if name not in named],
        servers=programs,
        models=real.models,
        probe=True,
    )
    return groups(report.differences)


def groups(found: Iterable[Difference]) -> list[Group]:
    """Differences that are alike, together; versions of servers are left out."""
    alike: dict[str, Group] = {}
    for one in found:
        sides = {side.where.partition(" ")[0]: side.value for side in one.sides}
        servers = [server.partition(" ")[0] for server in one.servers]
        about = {
            "comparison": str(one.comparison),
            "class": str(one.weight),
            "kind": str(one.kind),
            "attribute": one.attribute,
            "servers": sorted(servers),
            "sides": dict(sorted(sides.items())),
        }
        group = alike.setdefault(str(about), {**about, "of": []})
        names = group["of"]
        assert isinstance(names, list)
        names.append(".".join(filter(None, (one.table, one.name))))
    return sorted(
        ({**group, "of": sorted(group["of"])} for group in alike.values()),  # type: ignore[call-overload]  # a list of names
        key=lambda group: (str(group["class"]), str(group["kind"]), str(group["of"]), str(group)),
    )
