"""The examples for CI and deploys: their commands are run, with our servers for containers."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import make_url

from tests import available
from tests.cli.conftest import Command
from tests.cli.test_readme import reference_project
from tests.projects import ProjectFolder

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PROGRAMS = Path(sys.executable).parent
SECRETS = "/run/secrets"

# Steps of the workflow that need more than a server, with the reason.
NOT_RUN = {"python -m pip install .": "installs from a package index"}


def environ(**more: str) -> dict[str, str]:
    path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "NO_COLOR": "1", **more}


def shell(script: str, *, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """A step, as GitHub's runner runs it."""
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        env=environ(**more),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a container or a runner has: the reference project, and no URL."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    reference_project(folder)
    lines = (folder / "pyproject.toml").read_text().splitlines(keepends=True)
    (folder / "pyproject.toml").write_text("".join(x for x in lines if not x.startswith("url")))
    return folder


def workflow() -> Any:
    text = (EXAMPLES / "ci" / "github-actions.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["jobs"]["migrations"]


def test_the_workflow_runs_on_every_backend(
    checkout: Path, fresh_url: str, backend_name: str
) -> None:
    job = workflow()
    (leg,) = [one for one in job["strategy"]["matrix"]["include"] if backend_name == one["backend"]]
    assert {"DATABASE_URL": "${{ matrix.url }}"} == job["env"]
    assert backend_name == leg["url"].partition(":")[0]
    ran = []

    for step in job["steps"]:
        script = step.get("run")
        if script is None or script in NOT_RUN:
            continue
        done = shell(script, folder=checkout, DATABASE_URL=fresh_url)
        assert 0 == done.returncode, f"{script}: {done.stdout}{done.stderr}"
        ran.append(script)

    assert 5 == len(ran)


def test_the_services_of_the_workflow_are_what_its_urls_say() -> None:
    job = workflow()
    for leg in job["strategy"]["matrix"]["include"]:
        url = make_url(leg["url"])
        if url.host is None:
            continue
        service = job["services"][leg["backend"]]
        (password,) = service["env"].values()
        assert (url.password, "127.0.0.1") == (password, url.host)
        (ports,) = service["ports"]
        assert str(url.port) == ports.partition(":")[0]


def test_a_failing_step_is_seen_by_the_runner(checkout: Path) -> None:
    """The control: the steps can fail."""
    done = shell(
        workflow()["steps"][-1]["run"], folder=checkout, DATABASE_URL="sqlite:///missing.db"
    )

    assert 4 == done.returncode


class Git:
    """A repository for pre-commit, whose caches are in a folder of the test."""

    def __init__(self, folder: Path, *, home: Path) -> None:
        self.folder = folder
        self._home = home
        self("init", "--quiet", "--initial-branch=main")

    def __call__(self, *arguments: str) -> str:
        return self.run("git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments)

    def run(self, *command: str, code: int = 0) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environ(
                HOME=str(self._home),
                PRE_COMMIT_HOME=str(self._home / "cache"),
                GIT_CONFIG_NOSYSTEM="1",
                DATABASE_URL="sqlite:///app.db",
            ),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert code == done.returncode, done.stdout + done.stderr
        return done.stdout

    def commit(self) -> str:
        self("add", "--all")
        self("commit", "--quiet", "--message=all")
        return self("rev-parse", "HEAD").strip()


@pytest.fixture
def repository(project: ProjectFolder, tmp_path: Path) -> Git:
    home = tmp_path / "home"
    home.mkdir()
    return Git(project.root, home=home)


def hooks_of_ours(tmp_path: Path) -> str:
    """A configuration that takes the hooks from a repository with our definition."""
    source = tmp_path / "bootstrap"
    source.mkdir()
    (source / ".pre-commit-hooks.yaml").write_bytes((ROOT / ".pre-commit-hooks.yaml").read_bytes())
    revision = Git(source, home=tmp_path).commit()
    hooks = [{"id": "bootstrap-heads"}, {"id": "bootstrap-check"}]
    return yaml.safe_dump({"repos": [{"repo": str(source), "rev": revision, "hooks": hooks}]})


@pytest.mark.parametrize("which", ["the example", "our definition"])
def test_the_hooks_run_in_pre_commit(
    repository: Git, project: ProjectFolder, tmp_path: Path, which: str
) -> None:
    example = (EXAMPLES / "ci" / "pre-commit-config.yaml").read_text(encoding="utf-8")
    text = example if which == "the example" else hooks_of_ours(tmp_path)
    (project.root / ".pre-commit-config.yaml").write_text(text)
    repository.commit()
    pre_commit = (sys.executable, "-m", "pre_commit", "run", "--all-files")

    good = repository.run(*pre_commit)
    project.revision("four", down="two")
    repository("add", "--all")
    bad = repository.run(*pre_commit, code=1)
    behind = repository.run(*pre_commit, "--hook-stage=manual", "bootstrap-check", code=1)

    assert re.search(r"the revisions have one head\.+Passed", good)
    assert "The history has several heads; bootstrap merge heads joins them." in bad
    assert "exit code: 4" in behind


def test_the_example_has_the_hooks_that_we_define() -> None:
    ours = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    example = yaml.safe_load((EXAMPLES / "ci" / "pre-commit-config.yaml").read_text("utf-8"))

    for hook in ours:
        del hook["description"]
    assert ours == example["repos"][0]["hooks"]


def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the last stage."""
    text = (EXAMPLES / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    joined = re.sub(r"\\\n\s*", "", text)
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    found = [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]
    last = max(index for index, (word, _) in enumerate(found) if word == "FROM")
    return found[last:]


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
def test_the_image_migrates(tmp_path: Path, empty_url: str) -> None:
    """With what its COPY lines bring, and nothing else."""
    instructions = dockerfile()
    for word, rest in instructions:
        if word == "COPY":
            source, target = rest.split()
            shell(f"cp -r {ROOT / source} {tmp_path / target}", folder=tmp_path)
    said = {
        word: yaml.safe_load(rest) for word, rest in instructions if word in {"ENTRYPOINT", "CMD"}
    }

    done = shell(
        shlex.join([*said["ENTRYPOINT"], *said["CMD"]]), folder=tmp_path, DATABASE_URL=empty_url
    )

    assert 0 == done.returncode, done.stderr
    assert "none → widen_usernames (5 steps)" in done.stdout


def test_the_image_does_not_run_as_root_and_has_no_secret() -> None:
    instructions = dockerfile()

    assert ["10001"] == [rest for word, rest in instructions if word == "USER"]
    assert [] == [rest for word, rest in instructions if word in {"ENV", "ARG"}]


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
def test_the_services_of_compose_do_their_work_in_order(
    checkout: Path, fresh_url: str, secrets: Path
) -> None:
    compose = yaml.safe_load((EXAMPLES / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    (secrets / "database_url").write_text(f"{fresh_url}\n")

    def start(name: str) -> subprocess.CompletedProcess[str]:
        service = services[name]
        assert ["database_url"] == service["secrets"]
        variables = {
            key: value.replace(SECRETS, str(secrets))
            for key, value in service["environment"].items()
        }
        command = shlex.join([*service["entrypoint"], *service["command"]])
        return shell(command, folder=checkout, **variables)

    early = start("app")
    migrate = start("migrate")
    app = start("app")

    assert 4 == early.returncode  # the control: without the migration it does not start
    assert [0, 0] == [migrate.returncode, app.returncode], migrate.stderr + app.stderr
    assert "widen_usernames (head)\n" in app.stdout
    assert {"database": {"condition": "service_healthy"}} == services["migrate"]["depends_on"]
    assert {"migrate": {"condition": "service_completed_successfully"}} == (
        services["app"]["depends_on"]
    )
    assert {"database_password", "database_url"} == set(compose["secrets"])
    dockerfile = (EXAMPLES / "deploy" / services["app"]["build"]["context"]).resolve() / (
        services["app"]["build"]["dockerfile"]
    )
    assert dockerfile.is_file()


@pytest.mark.parametrize("backend_name", ["postgresql", "mysql"], indirect=True)
def test_the_init_container_waits_for_the_job(
    checkout: Path, fresh_url: str, secrets: Path
) -> None:
    text = (EXAMPLES / "deploy" / "kubernetes.yaml").read_text(encoding="utf-8")
    job, deployment = yaml.safe_load_all(text)
    pod = deployment["spec"]["template"]["spec"]
    (init,), (app,) = pod["initContainers"], pod["containers"]
    (migrate,) = job["spec"]["template"]["spec"]["containers"]
    (secrets / "database").mkdir()
    (secrets / "database" / "url").write_text(fresh_url)

    def started(container: Any) -> "subprocess.Popen[str]":
        mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
        assert [f"{SECRETS}/database"] == mounts
        variables = {
            one["name"]: one["value"].replace(SECRETS, str(secrets)) for one in container["env"]
        }
        return subprocess.Popen(
            container["command"],
            cwd=checkout,
            env=environ(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    waiting = started(init)
    assert waiting.stderr is not None
    missing = waiting.stderr.readline()  # blocks until it has looked for the first time
    available.create(make_url(fresh_url))
    created = waiting.stderr.readline()
    assert waiting.poll() is None
    migration = started(migrate)
    reported, progress = migration.communicate(timeout=60)
    waited, _ = waiting.communicate(timeout=60)
    shown, _ = started(app).communicate(timeout=60)

    assert ["waiting", "waiting"] == [line.split()[0] for line in (missing, created)]
    assert 0 == migration.returncode, progress
    assert '"after": [\n      "widen_usernames"' in reported
    assert 0 == waiting.returncode
    assert " is at widen_usernames after " in waited
    assert "Pending   none" in shown


def test_the_init_container_ends_where_waiting_does_not_help(tmp_path: Path) -> None:
    text = (EXAMPLES / "deploy" / "kubernetes.yaml").read_text(encoding="utf-8")
    _, deployment = yaml.safe_load_all(text)
    (init,) = deployment["spec"]["template"]["spec"]["initContainers"]

    done = subprocess.run(
        init["command"],
        cwd=tmp_path,  # no project is here
        env=environ(DATABASE_URL=f"sqlite:///{tmp_path}/x.db"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert 3 == done.returncode, done.stderr
    assert "there is no Alembic project here" in done.stderr


def test_containers_are_restricted_and_have_no_secret_in_the_open() -> None:
    text = (EXAMPLES / "deploy" / "kubernetes.yaml").read_text(encoding="utf-8")
    job, deployment = yaml.safe_load_all(text)
    pods = [job["spec"]["template"]["spec"], deployment["spec"]["template"]["spec"]]

    for pod in pods:
        (volume,) = pod["volumes"]
        assert "secret" in volume
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            assert {"BOOTSTRAP_DATABASE_URL_FILE"} == {one["name"] for one in container["env"]}
            assert container["securityContext"]["runAsNonRoot"] is True


def test_heads_single_is_a_yes_for_one_head(run: Command, project: ProjectFolder) -> None:
    one = run("heads", "--single")
    project.revision("four", down="two")
    several = run("heads", "--single", "--format", "json")

    assert (0, "three (head)\n", "") == (one.code, one.out, one.err)
    assert (1, 2) == (several.code, len(several.document["report"]["revisions"]))
