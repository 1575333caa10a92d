"""Settings: what wins, what is read how, and that nothing leaks on the way."""

import itertools
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import URL, make_url

from bootstrap import urls
from bootstrap.errors import SettingsError
from bootstrap.settings import _SPECS, Setting, Settings, listed_urls, resolve, rows

SECRET = "s3cr3t"


@dataclass
class World:
    """All that settings are looked up in."""

    cwd: Path
    options: dict[str, object] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str) -> Path:
        path = self.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def pyproject(self, *lines: str) -> Path:
        toml = self.cwd / "pyproject.toml"
        before = toml.read_text() if toml.exists() else "[tool.bootstrap]\n"
        return self.write("pyproject.toml", before + "\n".join(lines) + "\n")

    def ini(self, url: str) -> Path:
        return self.write("alembic.ini", f"[alembic]\nsqlalchemy.url = {url}\n")

    def printing(self, text: str) -> str:
        """A command that prints a text."""
        return f"{sys.executable} -c 'print(\"{text}\")'"

    def resolve(self) -> Settings:
        return resolve(options=self.options, environ=self.environ, cwd=self.cwd)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(cwd=tmp_path)


def _option(world: World) -> str:
    world.options["url"] = "sqlite:///option.db"
    return "sqlite:///option.db"


def _bootstrap_url(world: World) -> str:
    world.environ["BOOTSTRAP_URL"] = "sqlite:///first.db"
    return "sqlite:///first.db"


def _bootstrap_database_url(world: World) -> str:
    world.environ["BOOTSTRAP_DATABASE_URL"] = "sqlite:///second.db"
    return "sqlite:///second.db"


def _database_url(world: World) -> str:
    world.environ["DATABASE_URL"] = "sqlite:///third.db"
    return "sqlite:///third.db"


def _secret_file(world: World) -> str:
    path = world.write("run/secrets/db", "sqlite:///secret.db\n")
    world.environ["BOOTSTRAP_DATABASE_URL_FILE"] = str(path)
    return "sqlite:///secret.db"


def _command_of_environment(world: World) -> str:
    world.environ["BOOTSTRAP_URL_COMMAND"] = world.printing("sqlite:///vault.db")
    return "sqlite:///vault.db"


def _command_of_pyproject(world: World) -> str:
    command = world.printing("sqlite:///other-vault.db")
    world.pyproject(f"url_command = {json.dumps(command)}")
    return "sqlite:///other-vault.db"


def _pyproject(world: World) -> str:
    world.pyproject('url = "sqlite:///pyproject.db"')
    return "sqlite:///pyproject.db"


def _ini(world: World) -> str:
    world.ini("sqlite:///ini.db")
    return "sqlite:///ini.db"


# From the strongest to the weakest, each with how its source is called.
PRECEDENCE: tuple[tuple[Callable[[World], str], str], ...] = (
    (_option, "option --url"),
    (_bootstrap_url, "environment BOOTSTRAP_URL"),
    (_bootstrap_database_url, "environment BOOTSTRAP_DATABASE_URL"),
    (_database_url, "environment DATABASE_URL"),
    (_secret_file, "secret file {cwd}/run/secrets/db (BOOTSTRAP_DATABASE_URL_FILE)"),
    (_command_of_environment, "url_command (environment BOOTSTRAP_URL_COMMAND)"),
    (_command_of_pyproject, "url_command ({cwd}/pyproject.toml [tool.bootstrap] url_command)"),
    (_pyproject, "{cwd}/pyproject.toml [tool.bootstrap] url"),
    (_ini, "{cwd}/alembic.ini [alembic] sqlalchemy.url"),
)


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    list(itertools.combinations(PRECEDENCE, 2)),
    ids=lambda pair: pair[0].__name__.strip("_"),
)
def test_of_two_sources_the_stronger_one_wins(
    world: World,
    stronger: tuple[Callable[[World], str], str],
    weaker: tuple[Callable[[World], str], str],
) -> None:
    weaker[0](world)
    expected = stronger[0](world)

    url = world.resolve().url

    assert expected == url.value
    assert stronger[1].format(cwd=world.cwd) == url.source


def test_without_a_source_the_defaults_hold(world: World) -> None:
    settings = world.resolve()

    assert {
        "config": world.cwd / "alembic.ini",
        "pyproject": None,
        "section": "alembic",
        "url_command": None,
        "url": None,
        "databases": None,
        "env_var": None,
        "configure": None,
        "hand_over": "nothing",
        "first": None,
        "datasets": None,
        "environment": None,
        "backends": None,
        "wait_timeout": 60.0,
        "wait_lock": 300.0,
        "lock_timeout": None,
        "lock_retries": 10,
        "retry_for": 120.0,
        "statement_timeout": None,
        "before_migrate": None,
        "after_migrate": None,
        "on_failure": None,
        "hook_timeout": 60.0,
        "log_format": "text",
        "allow_ahead": False,
        "log": True,
        "log_schema": None,
        "echo": False,
        "pool_size": 5,
        "pool_max_overflow": 10,
        "pool_timeout": 30.0,
        "pool_recycle": 1800.0,
        "pool_pre_ping": True,
    } == {row.name: row.value for row in rows(settings)}
    assert {"default"} == {row.source for row in rows(settings)}
    assert settings.project_url is None


def test_empty_variables_count_as_not_set(world: World) -> None:
    world.environ |= {"BOOTSTRAP_URL": "", "DATABASE_URL": " ", "BOOTSTRAP_DATABASE_URL_FILE": ""}
    expected = _ini(world)

    assert expected == world.resolve().url.value


def test_an_option_that_is_none_counts_as_not_given(world: World) -> None:
    world.options |= {"url": None, "echo": None}

    assert world.resolve().url.value is None


def test_an_empty_option_is_an_error_and_not_another_database(world: World) -> None:
    _database_url(world)
    world.options["url"] = ""

    with pytest.raises(SettingsError, match="option --url"):
        world.resolve()


def test_each_plain_setting_comes_from_option_environment_and_pyproject(world: World) -> None:
    world.pyproject("wait_timeout = 3", "echo = true", 'section = "toml"', 'datasets = "rows"')
    from_toml = world.resolve()
    world.environ |= {"BOOTSTRAP_WAIT_TIMEOUT": "2.5", "BOOTSTRAP_ECHO": "off"}
    from_environment = world.resolve()
    world.options |= {"wait_timeout": 1, "echo": True, "section": "given", "datasets": Path("/d")}
    from_options = world.resolve()

    assert (3.0, True, "toml", world.cwd / "rows") == _plain(from_toml)
    assert (2.5, False, "toml", world.cwd / "rows") == _plain(from_environment)
    assert (1.0, True, "given", Path("/d")) == _plain(from_options)
    assert "option --name" == from_options.section.source
    assert "option --wait-timeout" == from_options.wait_timeout.source


def test_backends_are_a_list_or_have_commas_between_them(world: World) -> None:
    world.pyproject('backends = ["sqlite", "mysql"]')
    from_toml = world.resolve().backends
    world.environ["BOOTSTRAP_BACKENDS"] = "mysql, postgresql,mysql"
    from_environment = world.resolve().backends
    world.options["backends"] = ("mariadb",)
    from_options = world.resolve().backends

    assert ("sqlite", "mysql") == from_toml.value
    assert ("mysql", "postgresql") == from_environment.value
    assert (("mariadb",), "option --backend") == (from_options.value, from_options.source)


def test_databases_are_urls_or_variables_that_are_looked_up_when_they_are_needed(
    world: World,
) -> None:
    world.pyproject(f'databases = {{one = "{SECRET}", two = "$TWO_URL"}}')
    settings = world.resolve()

    with pytest.raises(SettingsError, match="two has its URL in the variable TWO_URL"):
        listed_urls(settings, {"TWO_URL": " "})
    found = listed_urls(settings, {"TWO_URL": "sqlite:///two.db"})

    assert {"one": SECRET, "two": "sqlite:///two.db"} == found
    assert SECRET not in repr(settings)


def _plain(settings: Settings) -> tuple[float, bool, str, Path | None]:
    return (
        settings.wait_timeout.value,
        settings.echo.value,
        settings.section.value,
        settings.datasets.value,
    )


def test_a_secret_file_loses_its_newline_only(world: World) -> None:
    path = world.write("db", "postgresql://u:p%20@h/app\r\n")
    world.environ["BOOTSTRAP_DATABASE_URL_FILE"] = str(path)

    assert "postgresql://u:p%20@h/app" == world.resolve().url.value


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "No such file"),
        (b"", "empty"),
        (b"\n", "empty"),
        (b"\xff" + SECRET.encode(), "UTF-8"),
    ],
)
def test_a_secret_file_that_gives_no_url_is_an_error(
    world: World, content: bytes | None, expected: str
) -> None:
    path = world.cwd / "db"
    if content is not None:
        path.write_bytes(content)
    world.environ["BOOTSTRAP_DATABASE_URL_FILE"] = str(path)
    _ini(world)

    with pytest.raises(
        SettingsError, match=f"{re.escape(str(path))}.*{expected}|{expected}"
    ) as caught:
        world.resolve()
    assert_no_secret(caught.value)


def test_a_url_command_runs_only_when_nothing_stronger_has_a_url(world: World) -> None:
    trace = world.cwd / "ran"
    world.environ["BOOTSTRAP_URL_COMMAND"] = f"touch {trace}"
    _option(world)

    world.resolve()

    assert not trace.exists()


def test_a_url_command_is_run_without_a_shell(world: World) -> None:
    world.environ["BOOTSTRAP_URL_COMMAND"] = "echo sqlite:///$HOME;x"

    assert "sqlite:///$HOME;x" == world.resolve().url.value


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (f"{sys.executable} -c 'print(\"{SECRET}\"); raise SystemExit(3)'", "exit code 3"),
        (f"{sys.executable} -c 'import sys; sys.exit(\"{SECRET}\")'", "exit code 1"),
        (f"printf '{SECRET}\\n{SECRET}\\n'", "2 lines"),
        ("true", "0 lines"),
        ("no-such-program-anywhere", "No such file"),
        ("echo 'unbalanced", "split into arguments"),
    ],
)
def test_a_url_command_that_gives_no_url_is_an_error(
    world: World, command: str, expected: str
) -> None:
    world.environ["BOOTSTRAP_URL_COMMAND"] = command
    _ini(world)

    with pytest.raises(SettingsError, match=expected) as caught:
        world.resolve()
    assert_no_secret(caught.value)


def test_a_url_command_that_hangs_is_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bootstrap.settings.command._TIMEOUT", 0.3)
    world.environ["BOOTSTRAP_URL_COMMAND"] = (
        f"{sys.executable} -c 'import time; print(\"{SECRET}\", flush=True); time.sleep(60)'"
    )

    with pytest.raises(SettingsError, match="did not end") as caught:
        world.resolve()
    assert_no_secret(caught.value)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('ulr = "x"', "did you mean url?"),
        ('wait-timeout = "x"', "did you mean wait_timeout?"),
        ("nonsense = 1", "known are after_migrate, allow_ahead, backends, before_migrate"),
    ],
)
def test_an_unknown_key_in_pyproject_is_named_with_the_nearest(
    world: World, line: str, expected: str
) -> None:
    world.pyproject(line)

    with pytest.raises(SettingsError, match=line.partition(" ")[0]) as caught:
        world.resolve()
    assert expected in caught.value.hint


def test_a_broken_pyproject_is_named_with_the_line(world: World) -> None:
    path = world.pyproject(f"url = '{SECRET}' x")

    with pytest.raises(SettingsError, match=f"{re.escape(str(path))}.*line 2") as caught:
        world.resolve()
    assert_no_secret(caught.value)


def test_a_tool_bootstrap_that_is_no_table_is_an_error(world: World) -> None:
    world.write("pyproject.toml", "tool.bootstrap = 1\n")

    with pytest.raises(SettingsError, match="not a table"):
        world.resolve()


def test_a_pyproject_of_others_says_nothing(world: World) -> None:
    world.write("pyproject.toml", "tool = 1\n")

    assert world.resolve().url.value is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('wait_timeout = "soon"', "seconds"),
        ("wait_timeout = -1", "seconds"),
        ("wait_timeout = nan", "seconds"),
        ("wait_timeout = true", "seconds"),
        ('echo = "maybe"', "true or false"),
        ("echo = 2", "true or false"),
        ("backends = 1", "names, as a list"),
        ("backends = [1]", "names, as a list"),
        ("backends = []", "names, as a list"),
        ("datasets = 1", "the path of a file or folder"),
        ('config = ""', "the path of an alembic.ini"),
        (f'url = ["{SECRET}"]', "a text that is not empty"),
        (f'databases = ["{SECRET}"]', "a table of names"),
        ("databases = {}", "a table of names"),
    ],
)
def test_a_bad_value_is_told_with_its_source_and_what_is_expected(
    world: World, line: str, expected: str
) -> None:
    path = world.pyproject(line)

    with pytest.raises(SettingsError, match=re.escape(f"{path} [tool.bootstrap]")) as caught:
        world.resolve()
    assert f"expected: {expected}" in caught.value.hint
    assert_no_secret(caught.value)


def test_a_bad_value_in_the_environment_names_the_variable(world: World) -> None:
    world.environ["BOOTSTRAP_WAIT_TIMEOUT"] = "soon"

    with pytest.raises(SettingsError, match=r"'soon' \(environment BOOTSTRAP_WAIT_TIMEOUT\)"):
        world.resolve()


@pytest.mark.parametrize("number", [1, 2])
def test_the_placeholder_of_alembics_templates_counts_as_not_set(world: World, number: int) -> None:
    world.ini("driver://user:pass@localhost/dbname" + ("" if number == 1 else "2"))

    settings = world.resolve()

    assert (None, None) == (settings.url.value, settings.project_url)


def test_alembic_ini_is_interpolated_as_alembic_does_it(world: World) -> None:
    world.write(
        "alembic.ini",
        "[DEFAULT]\nname = app\n[alembic]\nsqlalchemy.url = sqlite:///%(here)s/%(name)s-100%%.db\n",
    )

    assert f"sqlite:///{world.cwd.as_posix()}/app-100%.db" == world.resolve().url.value


def test_another_section_of_alembic_ini_is_read_when_asked_for(world: World) -> None:
    world.write(
        "alembic.ini",
        "[alembic]\nsqlalchemy.url = sqlite:///a.db\n[other]\nsqlalchemy.url = sqlite:///b.db\n",
    )
    world.options["section"] = "other"
    other = world.resolve()
    world.options["section"] = "third"
    third = world.resolve()

    assert ("sqlite:///b.db", None) == (other.url.value, third.url.value)


@pytest.mark.parametrize("url", [f"mysql://u:{SECRET}%40@h/a", f"mysql://u:{SECRET}%(x)s@h/a"])
def test_a_percent_sign_that_is_not_doubled_is_told_without_the_url(world: World, url: str) -> None:
    path = world.ini(url)

    with pytest.raises(SettingsError, match=re.escape(f"{path}: sqlalchemy.url")) as caught:
        world.resolve()
    assert "%%" in caught.value.hint
    assert_no_secret(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"[alembic]\nfirst = 1\n{SECRET}\n", 3),
        (f"{SECRET} = 1\n", 1),
        (f"[alembic]\n{SECRET} = 1\n{SECRET} = 2\n", 3),
        (f"[{SECRET}]\n[{SECRET}]\n", 2),
    ],
)
def test_a_broken_alembic_ini_is_told_with_the_line_and_without_its_text(
    world: World, text: str, line: int
) -> None:
    path = world.write("alembic.ini", text)

    with pytest.raises(SettingsError, match=re.escape(f"{path}:{line}:")) as caught:
        world.resolve()
    assert_no_secret(caught.value)


def test_a_broken_alembic_ini_does_not_matter_when_a_stronger_source_has_the_url(
    world: World,
) -> None:
    world.ini(f"mysql://u:{SECRET}%40@h/a")
    expected = _option(world)

    settings = world.resolve()

    assert (expected, None) == (settings.url.value, settings.project_url)


def test_the_projects_own_url_is_known_beside_the_one_in_force(world: World) -> None:
    expected = _ini(world)
    _pyproject(world)
    _option(world)

    assert expected == world.resolve().project_url


def test_the_projects_own_url_may_stand_in_pyproject(world: World) -> None:
    expected = _pyproject(world)
    _option(world)

    assert expected == world.resolve().project_url


def test_pyproject_is_the_one_beside_the_configuration_that_was_asked_for(world: World) -> None:
    _pyproject(world)
    world.write(
        "sub/pyproject.toml", '[tool.bootstrap]\nurl = "sqlite:///sub.db"\ndatasets = "d"\n'
    )

    for config in ("sub/alembic.ini", "sub/pyproject.toml"):
        world.environ["ALEMBIC_CONFIG"] = config
        settings = world.resolve()

        assert "sqlite:///sub.db" == settings.url.value
        assert world.cwd / "sub" / "alembic.ini" == settings.config.value
        assert world.cwd / "sub" / "d" == settings.datasets.value


def test_our_variable_for_the_configuration_is_stronger_than_alembics(world: World) -> None:
    world.environ |= {"BOOTSTRAP_CONFIG": "ours.ini", "ALEMBIC_CONFIG": "theirs.ini"}

    assert world.cwd / "ours.ini" == world.resolve().config.value


def test_a_relative_configuration_in_pyproject_is_relative_to_it(world: World) -> None:
    world.pyproject('config = "db/alembic.ini"')
    world.write("db/alembic.ini", "[alembic]\nsqlalchemy.url = sqlite:///db.db\n")

    settings = world.resolve()

    assert world.cwd / "db" / "alembic.ini" == settings.config.value
    assert "sqlite:///db.db" == settings.url.value


def test_without_arguments_the_process_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOOTSTRAP_URL", "sqlite:///here.db")

    settings = resolve()

    assert "sqlite:///here.db" == settings.url.value
    assert Path("alembic.ini") == settings.config.value


# No source keeps blanks at the ends, and a line ends at a newline.
@given(password=st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1))
@example(password="%(here)s")
@example(password="100%")
def test_every_password_comes_through_every_source(
    tmp_path_factory: pytest.TempPathFactory, password: str
) -> None:
    world = World(cwd=tmp_path_factory.mktemp("world"))
    url = URL.create("postgresql", "user", password, "host", 5432, "app")
    text = url.render_as_string(hide_password=False)
    values = []
    world.ini(urls.alembic_option(url))
    values.append(world.resolve().url.value)
    world.pyproject(f"url = '{text}'")
    values.append(world.resolve().url.value)
    world.environ["BOOTSTRAP_DATABASE_URL_FILE"] = str(world.write("db", text))
    values.append(world.resolve().url.value)
    world.environ["DATABASE_URL"] = text
    values.append(world.resolve().url.value)

    assert [url] * 4 == [make_url(value or "") for value in values]


def test_no_secret_is_in_a_repr(world: World) -> None:
    world.options["url"] = f"postgresql://u:{SECRET}@h/app"
    world.ini(f"postgresql://u:{SECRET}@h/app")

    settings = world.resolve()

    assert SECRET in (settings.url.value or "")
    assert SECRET in (settings.project_url or "")
    assert SECRET not in f"{settings!r} {settings} {rows(settings)!r}"


def test_a_setting_without_secret_is_shown_in_its_repr() -> None:
    setting = Setting(name="echo", value=True, source="default", secret=False)

    assert "Setting(name='echo', value=True, source='default')" == repr(setting)


def test_settings_load_neither_sqlalchemy_nor_alembic() -> None:
    program = (
        "import sys, bootstrap.settings;"
        "print([name for name in ('sqlalchemy', 'alembic') if name in sys.modules])"
    )

    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert "[]" == answer.stdout.strip()


def test_the_documentation_has_every_setting_with_its_variables_and_default() -> None:
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    table = page.partition("## All settings")[2].partition("\n\n* ")[0]
    documented = dict(re.findall(r"^\| `(\w+)` \|(.*)\|$", table, flags=re.MULTILINE))

    assert list(_SPECS) == list(documented)
    for name, spec in _SPECS.items():
        default = "none" if spec.default is None else f"`{str(spec.default).lower()}`"
        _option, variables, shown_default = documented[name].split("|")
        assert list(spec.environment) == re.findall(r"[A-Z]+_[A-Z_]+", variables)
        assert default == shown_default.strip()


def assert_no_secret(error: BaseException | None) -> None:
    """Looks at an error, its hint and all that led to it, with everything that those hold."""
    while error is not None:
        assert SECRET not in f"{error} {error!r} {vars(error)}"
        error = error.__cause__ or error.__context__
