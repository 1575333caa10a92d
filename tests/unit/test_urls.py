"""URLs are completed, shown without their secrets, and survive alembic.ini."""

from dataclasses import replace
from pathlib import Path

import pytest
from alembic.config import Config
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import URL, make_url

from bootstrap import backends, urls
from bootstrap.errors import SettingsError

SECRET = "s3cr3t"
# Surrogates cannot be encoded, and no server takes NUL in a name or password.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@pytest.mark.parametrize(
    ("written", "completed"),
    [
        ("postgres://u@h/app", "postgresql+asyncpg://u@h/app"),
        ("postgresql://u@h/app", "postgresql+asyncpg://u@h/app"),
        ("mysql://u@h/app", "mysql+aiomysql://u@h/app"),
        ("mariadb://u@h/app", "mariadb+aiomysql://u@h/app"),
        ("sqlite:///app.db", "sqlite+aiosqlite:///app.db"),
        ("sqlite:////var/app.db", "sqlite+aiosqlite:////var/app.db"),
        ("sqlite://", "sqlite+aiosqlite://"),
        ("sqlite:///:memory:", "sqlite+aiosqlite:///:memory:"),
        ("postgres+asyncpg://u@h/app", "postgresql+asyncpg://u@h/app"),
        ("POSTGRES://u@h/app", "postgresql+asyncpg://u@h/app"),
        (" postgresql://u@h/app\n", "postgresql+asyncpg://u@h/app"),
        ("postgresql:///app?host=/run/postgresql", None),
        ("postgresql:///app?host=a:5432&host=b:5432", None),
    ],
)
def test_a_bare_scheme_takes_the_default_driver(written: str, completed: str | None) -> None:
    url, backend = urls.resolve(written)

    expected = completed or written.replace("://", "+asyncpg://")
    assert make_url(expected) == url
    assert url.get_backend_name() == backend.name


@pytest.mark.parametrize(
    ("written", "like", "driver"),
    [
        ("postgres://h/app", "postgresql+asyncpg://u:p@elsewhere/other", "asyncpg"),
        ("mariadb://h/app", "mysql+aiomysql://elsewhere/other", "aiomysql"),
        ("mysql://h/app", "mariadb+aiomysql://elsewhere/other", "aiomysql"),
        ("postgres://h/app", "postgresql+psycopg://elsewhere/other", "psycopg"),
        ("mysql://h/app", "mariadb+asyncmy://elsewhere/other", "asyncmy"),
        ("postgres://h/app", "postgresql+psycopg2://elsewhere/other", "asyncpg"),
        ("postgres://h/app", "sqlite+aiosqlite:///other.db", "asyncpg"),
        ("postgres://h/app", "postgresql://elsewhere/other", "asyncpg"),
        ("postgres://h/app", "not a URL", "asyncpg"),
        ("postgres://h/app", None, "asyncpg"),
    ],
)
def test_a_bare_scheme_takes_the_async_driver_of_the_project(
    written: str, like: str | None, driver: str
) -> None:
    url, _ = urls.resolve(written, like=like)

    assert driver == url.get_driver_name()


def test_a_second_driver_of_a_backend_is_taken_where_the_project_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = backends.named("postgresql")
    second = replace(real.drivers[0], name="other", module="asyncpg")
    both = replace(real, drivers=(*real.drivers, second))
    monkeypatch.setattr(backends, "of_scheme", lambda _scheme: both)

    bare, _ = urls.resolve("postgres://h/app", like="postgresql+other://h/app")
    explicit, _ = urls.resolve("postgres+asyncpg://h/app", like="postgresql+other://h/app")

    assert ("other", "asyncpg") == (bare.get_driver_name(), explicit.get_driver_name())


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("postgresql+psycopg2://u@h/app", "postgresql+asyncpg://"),
        ("postgresql+pg8000://u@h/app", "postgresql+asyncpg://"),
        ("postgresql+aiopg://u@h/app", "postgresql+asyncpg://"),
        ("postgresql+asyncpgg://u@h/app", "postgresql+asyncpg://"),
        ("mysql+pymysql://u@h/app", "mysql+aiomysql://"),
        ("mysql+mysqldb://u@h/app", "mysql+aiomysql://"),
        ("mariadb+mariadbconnector://u@h/app", "mariadb+aiomysql://"),
        ("sqlite+pysqlite:///app.db", "sqlite+aiosqlite://"),
        ("postgre://u@h/app", "postgres://"),
        ("mysq://u@h/app", "mysql://"),
        ("oracle://u@h/app", "postgresql"),
        ("sqlite://app.db", "sqlite:///file.db"),
        ("sqlite://user@/app.db", "sqlite:///file.db"),
        ("postgresql://u:s3cr3t@h:5432", "postgresql://u:***@h:5432/NAME"),
        ("mysql://u:s3cr3t@h/", "mysql://u:***@h/NAME"),
        ("postgresql://u:s3cr3t@h:port/app", "scheme://user:password@host:port/database"),
        ("postgresql://u:s3cr3t@h:99999/app", "scheme://user:password@host:port/database"),
        ("postgresql://u:ab@s3cr3t@h/app", "%40"),
        ("postgresql://u:s3cr3t@a:1,b:2/app", "?host=first:5432&host=second:5432"),
        ("s3cr3t", "scheme://user:password@host:port/database"),
        ("", "scheme://user:password@host:port/database"),
    ],
)
def test_what_cannot_be_used_is_told_with_what_to_write_instead(written: str, named: str) -> None:
    with pytest.raises(SettingsError) as refused:
        urls.resolve(written)

    assert named in refused.value.hint
    assert SECRET not in refused.value.message + refused.value.hint
    assert refused.value.__context__ is None or SECRET not in repr(refused.value.__context__)


def test_a_driver_that_is_not_installed_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bootstrap.urls.find_spec", lambda _name: None)

    with pytest.raises(SettingsError) as refused:
        urls.resolve("mysql://h/app")

    assert "pip install 'aiomysql[rsa]'" == refused.value.hint


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("postgresql+asyncpg://u:p@h:5432/app", "postgresql://u:***@h:5432/app"),
        ("postgresql://u:@h/app", "postgresql://u:***@h/app"),
        ("postgresql://u@[::1]:1/app", "postgresql://u@[::1]:1/app"),
        (
            "postgresql://%C3%BC:p@h/gr%C3%B6%C3%9Fe%3F",
            "postgresql://ü:***@h/größe%3F"
            if urls.NAMES_ARE_ENCODED
            else "postgresql://ü:***@h/gr%C3%B6%C3%9Fe%3F",
        ),
        ("mysql://h/a?ssl_ca=/c.pem&password=x", "mysql://h/a?ssl_ca=/c.pem&password=***"),
        ("postgresql://h/a?sslpassword=x&passfile=y", None),
        ("postgresql://h/a?host=b:1&host=c:2", "postgresql://h/a?host=b:1&host=c:2"),
        ("sqlite+aiosqlite:////var/a b.db", "sqlite:////var/a b.db"),
        ("sqlite://", "sqlite://"),
        ("postgresql://u:p@h:port/app", "postgresql://***"),
        ("nonsense", "***"),
    ],
)
def test_a_url_is_shown_without_driver_and_secrets(url: str, text: str | None) -> None:
    assert (text or "postgresql://h/a?sslpassword=***&passfile=***") == urls.shown(url)


# With SQLAlchemy 2.0 only names that need no encoding come through ConfigParser.
NAMES = TEXTS if urls.NAMES_ARE_ENCODED else st.text("abcdé_-", min_size=1)
ODD, MULTILINE = ("é% ", "a\nb\r\nc") if urls.NAMES_ARE_ENCODED else ("é", "a b")


@given(password=TEXTS, database=NAMES)
@example(password="p%40ss%(here)s%%", database=ODD)
@example(password="#;:/?@[]=&+ '\"\\", database=MULTILINE)
def test_every_password_survives_set_main_option(password: str, database: str) -> None:
    url = URL.create("postgresql", "user", password, "host", 5432, database, {"sslmode": "require"})
    config = Config()

    config.set_main_option("sqlalchemy.url", urls.alembic_option(url))

    assert url == make_url(config.get_main_option("sqlalchemy.url", ""))


@given(password=TEXTS, database=NAMES)
@example(password=" %s ", database=ODD)
def test_every_password_survives_a_file(
    tmp_path_factory: pytest.TempPathFactory, password: str, database: str
) -> None:
    url = URL.create("mysql+aiomysql", "user", password, "host", None, database)
    ini = tmp_path_factory.mktemp("project") / "alembic.ini"
    ini.write_text(f"[alembic]\nsqlalchemy.url = {urls.alembic_option(url)}\n", encoding="utf-8")

    read = Config(str(ini)).get_main_option("sqlalchemy.url", "")

    assert url == make_url(read)


@given(password=TEXTS)
@example(password="100%")
@example(password="a b+c")
def test_every_form_of_a_password_is_known_as_a_secret(password: str) -> None:
    url = URL.create("postgresql", "user", password, "host", 5432, "app")
    written = url.render_as_string(hide_password=False)

    for secrets in (urls.secrets_of(url), urls.secrets_of(written)):
        assert password in secrets
        assert written.removeprefix("postgresql://user:").removesuffix("@host:5432/app") in secrets


@given(password=st.text("abcdef@:/?#%& ", min_size=1))
def test_the_password_of_a_url_that_was_not_encoded_is_known_too(password: str) -> None:
    assert password in urls.secrets_of(f"postgresql://user:{password}@host/app")


def test_the_secrets_in_options_are_known() -> None:
    secrets = urls.secrets_of("postgresql://h/app?sslpassword=a%20b&sslmode=require")

    assert {"a%20b", "a b"} <= secrets
    assert "require" not in secrets


def test_a_url_without_secrets_has_none() -> None:
    assert frozenset() == urls.secrets_of("sqlite:///app.db")


@given(password=st.text("S#%@:/&é", min_size=4))
def test_no_password_is_ever_shown(password: str) -> None:
    url = URL.create("postgresql", "user", password, "host", 5432, "app")

    assert "postgresql://user:***@host:5432/app" == urls.shown(url)


def test_a_relative_path_stays_relative() -> None:
    url, _ = urls.resolve("sqlite:///data/app.db")

    assert Path("data/app.db") == Path(url.database or "")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hun@ter/sekrit@localhost/db",
        "postgresql://u:hun@sekrit?x@localhost/db",
        "mysql://u:p@ss@h/db",
    ],
)
def test_a_password_with_a_raw_at_is_refused_and_shown_nowhere(url: str) -> None:
    with pytest.raises(SettingsError, match="cannot be read") as refused:
        urls.resolve(url)

    shown = f"{urls.shown(url)} {refused.value.message}"
    assert not [part for part in ("hun", "ter", "sekrit", "ss@") if part in shown]


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("postgresql+psycopg2://u@h/own", "postgresql+psycopg2"),
        ("postgresql+psycopg://u@h/own", "postgresql+psycopg"),
        ("postgresql://u@h/own", "postgresql"),
        ("mysql+aiomysql://u@h/own", "postgresql+asyncpg"),
        ("driver://user:pass@localhost/dbname", "postgresql+asyncpg"),
        ("not a url", "postgresql+asyncpg"),
    ],
)
def test_env_py_gets_the_driver_that_it_is_written_for(own: str, expected: str) -> None:
    asked, _ = urls.resolve("postgresql://u:p@h/asked")

    given = urls.driven_like(asked, own)

    assert (expected, "asked") == (given.drivername, given.database)


@pytest.mark.parametrize(
    ("own", "asked", "expected"),
    [
        ("postgresql+psycopg2://u@h/own", "mysql://u:p@h/asked", "mysql+pymysql"),
        ("mysql://u@h/own", "sqlite:///asked", "sqlite+pysqlite"),
        ("postgresql+asyncpg://u@h/own", "sqlite:///asked", "sqlite+aiosqlite"),
    ],
)
def test_a_sync_env_py_gets_a_sync_driver_for_another_backend_too(
    own: str, asked: str, expected: str
) -> None:
    url, _ = urls.resolve(asked)

    assert expected == urls.driven_like(url, own).drivername


def test_a_sync_env_py_gets_psycopg_where_no_driver_is_sync_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, _ = urls.resolve("postgresql://u:p@h/asked")
    monkeypatch.setattr(urls, "find_spec", lambda name: name if name == "psycopg" else None)

    assert "postgresql+psycopg" == urls.driven_like(url, "mysql+pymysql://u@h/own").drivername
