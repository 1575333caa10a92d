"""The documentation names every command and option, and its console blocks do what they show."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bootstrap.cli import cli
from bootstrap.cli.group import leaves
from bootstrap.reference import datasets_folder
from tests import available
from tests.cli.test_readme import calm, reference_project
from tests.projects import new_project

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
WRITTEN = [page for page in PAGES if page.name not in {"commands.md", "alembic.md"}]

# Lines of console blocks that are not run, and why.
NOT_RUN = {
    "make up": "makes a virtual environment, which needs a package index",
    "make test": "is what runs this test",
    "pip install .": "needs a package index; the package is installed here",
}
SERVERS = re.compile(r"(?:postgresql://postgres|mysql://root|mariadb://root)@localhost/app")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A console block: with `$` before what is typed, or without any output."""

    page: str
    text: str

    @property
    def shows_output(self) -> bool:
        return self.text.startswith("$ ")

    @property
    def typed(self) -> list[str]:
        lines = self.text.splitlines()
        if self.shows_output:
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        lines = [re.sub(r"\s{2,}# .*", "", line) for line in lines]
        return [line for line in lines if line not in NOT_RUN]

    @property
    def transcript(self) -> list[tuple[str, str]]:
        """What is typed, with what is shown after it."""
        parts = re.split(r"^\$ (.*)\n", self.text, flags=re.MULTILINE)
        return list(zip(parts[1::2], parts[2::2], strict=True))


def blocks() -> list[Block]:
    return [
        Block(page=page.name, text=text)
        for page in PAGES
        for text in re.findall(r"```console\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]


RUN = [block for block in blocks() if block.typed]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The reference project, and the data sets that docs/seeds.md speaks of."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    reference_project(folder)
    seeds = folder / "seeds"
    seeds.mkdir()
    users = (datasets_folder() / "10_users.yaml").read_text(encoding="utf-8")
    entries = users.split("\n  - ")
    (seeds / "10_users.yaml").write_text("\n  - ".join(entries[:3]).rstrip() + "\n")
    items = re.findall(r"```csv\n(.*?)```", (ROOT / "docs" / "seeds.md").read_text(), re.DOTALL)
    (seeds / "20_items.csv").write_text(items[0])
    (seeds / "dev").mkdir()
    (seeds / "dev" / "10_users.yaml").write_text(_of_seeds("yaml", "# seeds/dev/10_users.yaml"))
    return folder


def _of_seeds(language: str, beginning: str) -> str:
    """A file that docs/seeds.md shows."""
    page = (ROOT / "docs" / "seeds.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"```{language}\n({re.escape(beginning)}.*?)```", page, re.DOTALL)
    return str(found)


def shell(script: str, *, folder: Path, home: Path) -> "subprocess.CompletedProcess[str]":
    programs = Path(sys.executable).parent
    (home / ".config" / "fish" / "completions").mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "NO_COLOR": "1",
            "COLUMNS": "120",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=180,
    )


@pytest.mark.parametrize(
    "block",
    [one for one in RUN if not SERVERS.search(one.text)],
    ids=lambda one: f"{one.page}: {one.typed[0]}",
)
def test_a_console_block_does_what_it_shows(block: Block, checkout: Path, tmp_path: Path) -> None:
    if not block.shows_output:
        done = shell("\n".join(block.typed), folder=checkout, home=tmp_path)
        assert 0 == done.returncode, done.stdout
        return
    shell("bootstrap create && bootstrap migrate", folder=checkout, home=tmp_path)

    for typed, shown in block.transcript:
        done = shell(typed, folder=checkout, home=tmp_path)

        assert calm(shown) == calm(done.stdout)


# How the files of docs/seeds.md are spoilt to get the errors that it shows, in their order.
SPOILT = [
    ("10_users.yaml", "email: grace", "emial: grace"),
    ("20_items.csv", "0.01", "cheap"),
    ("20_items.csv", "grace@example.com", "nobody@example.com"),
    ("30_items.json", "", '{"table": "items"\n "key": "name"}\n'),
    ("20_items.csv", "0.01", "-1.00"),
]


@pytest.mark.parametrize("number", range(len(SPOILT)))
def test_an_error_of_a_data_set_looks_as_the_page_shows(
    number: int, checkout: Path, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "seeds.md").read_text(encoding="utf-8")
    shown = re.findall(r"```\n(error: .*?)```", page, re.DOTALL)
    name, before, after = SPOILT[number]
    path = checkout / "seeds" / name
    path.write_text(path.read_text().replace(before, after, 1) if path.exists() else after)
    shell("bootstrap create && bootstrap migrate", folder=checkout, home=tmp_path)

    done = shell("bootstrap seed seeds >/dev/null", folder=checkout, home=tmp_path)

    errors = done.stdout[done.stdout.index("error: ") :]
    assert len(SPOILT) == len(shown)
    assert (8, shown[number]) == (done.returncode, errors)


def test_the_manifest_of_the_page_is_one(checkout: Path, tmp_path: Path) -> None:
    (checkout / "seeds" / "manifest.toml").write_text(_of_seeds("toml", "# seeds/manifest.toml"))
    more = "bootstrap seed seeds --env dev --prune --yes"

    done = shell(f"bootstrap create && bootstrap migrate && {more}", folder=checkout, home=tmp_path)

    assert 0 == done.returncode, done.stdout
    assert "dev/10_users.yaml" in done.stdout


@pytest.mark.parametrize("backend_name", ["postgresql", "mysql", "mariadb"], indirect=True)
def test_a_line_for_a_server_does_its_work(
    backend_name: str, fresh_url: str, checkout: Path, tmp_path: Path
) -> None:
    """In the order of the block, on a throwaway server in the place of `localhost`."""
    (block,) = [one for one in RUN if SERVERS.search(one.text)]
    lines = [line for line in block.typed if f"{backend_name}://" in line]
    assert lines

    for line in lines:
        script = SERVERS.sub(fresh_url, line)
        done = shell(script, folder=checkout, home=tmp_path)
        assert 0 == done.returncode, done.stdout


def test_what_is_not_run_stands_in_the_documentation() -> None:
    lines = {
        re.sub(r"\s{2,}# .*", "", line) for block in blocks() for line in block.text.splitlines()
    }

    assert set(NOT_RUN) <= lines
    assert len(RUN) >= 6


@pytest.mark.parametrize("name", [name for name, _ in leaves(cli)])
def test_every_command_is_in_pages_that_people_wrote(name: str) -> None:
    assert any(f"bootstrap {name}" in page.read_text(encoding="utf-8") for page in WRITTEN)


def test_every_option_is_in_the_documentation() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"--[\w-]+", text))
    options = {
        option
        for _, command in leaves(cli)
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--")
    }

    assert set() == options - named
    assert len(options) > 20


def test_every_link_to_a_file_leads_somewhere() -> None:
    dead = [
        f"{page.name}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert [] == dead


def test_servers_are_found_by_their_urls() -> None:
    """The control: what is put in the place of a URL is one."""
    found = SERVERS.findall((ROOT / "README.md").read_text(encoding="utf-8"))

    names = {make_url(url).get_backend_name() for url in found}
    assert names == set(available.BACKENDS) - {"sqlite"}


def test_a_project_without_revisions_is_no_reference_project(tmp_path: Path) -> None:
    """The control: a block that shows output fails where there is nothing to show."""
    folder = new_project(tmp_path / "empty")

    done = shell("bootstrap seed seeds", folder=folder.root, home=tmp_path)

    assert 3 == done.returncode
