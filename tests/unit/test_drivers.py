"""What the options in URLs become for each driver, without a server."""

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest

from bootstrap import urls
from bootstrap.backends.base import Connecting
from bootstrap.errors import SettingsError

REQUIRED = {"sslmode": "require"}
USER_TIMEOUT = {"tcp_user_timeout": "9"}


def connecting(text: str) -> Connecting:
    url, backend = urls.resolve(text)
    return backend.driver(url.get_driver_name()).connecting(url)


def dsn(connecting: Connecting) -> dict[str, str]:
    """The options that asyncpg reads in its DSN."""
    query = urlsplit(connecting.arguments.get("dsn", "")).query
    return {name: values[-1] for name, values in parse_qs(query).items()}


@pytest.fixture
def no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without ~/.postgresql."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ("", {}),
        ("statement_cache_size=100", {"statement_cache_size": 100}),
        ("prepared_statement_cache_size=100", {"prepared_statement_cache_size": 100}),
        ("pgbouncer=true&statement_cache_size=100", {}),
        ("pgbouncer=false", {}),
        ("connect_timeout=5", {"timeout": 5.0}),
        ("connect_timeout=0", {"timeout": None}),
        ("connect_timeout=-1", {"timeout": None}),
        ("timeout=2.5&command_timeout=3", {"timeout": 2.5, "command_timeout": 3.0}),
        ("statement_cache_size=0", {"statement_cache_size": 0}),
        ("keepalives=1&keepalives_idle=30&tcp_user_timeout=9&gssencmode=disable", {}),
        ("client_encoding=utf8&supa=base-pooler.x&connection_limit=1", {}),
        ("channel_binding=prefer", {}),
    ],
)
def test_asyncpg_is_given_what_it_takes(query: str, arguments: dict[str, Any]) -> None:
    result = connecting(f"postgres://u@h/app?{query}")

    usual = {
        "timeout": 60.0,
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "server_settings": {"application_name": "bootstrap"},
    }
    given = dict(result.arguments)
    name = given.pop("prepared_statement_name_func")
    assert name() != name()
    assert usual | arguments == given
    assert {} == dict(result.url.query)


@pytest.mark.parametrize(
    ("query", "settings"),
    [
        ("application_name=mine", {"application_name": "mine"}),
        ("fallback_application_name=mine", {"application_name": "mine"}),
        ("application_name=a&fallback_application_name=b", {"application_name": "a"}),
        ("options=endpoint%3Dep-1", {"application_name": "bootstrap", "options": "endpoint=ep-1"}),
    ],
)
def test_asyncpg_tells_the_server(query: str, settings: dict[str, str]) -> None:
    assert settings == connecting(f"postgres://h/app?{query}").arguments["server_settings"]


@pytest.mark.parametrize(
    ("query", "mode"),
    [
        ("sslmode=disable", "disable"),
        ("sslmode=Require", "require"),
        ("ssl=require", "require"),
        ("ssl=true", "require"),
        ("ssl=false", "disable"),
        ("sslmode=disable&sslmode=require", "require"),
    ],
)
def test_sslmode_reaches_asyncpg(query: str, mode: str) -> None:
    assert {"sslmode": mode} == dsn(connecting(f"postgres://h/app?{query}"))


def test_files_reach_asyncpg(tmp_path: Path) -> None:
    file = tmp_path / "a file&.pem"
    file.touch()
    query = "&".join(f"{name}={quote_plus(str(file))}" for name in ("sslrootcert", "sslcert"))

    result = connecting(f"postgres://h/app?sslmode=verify-full&sslpassword=p%26q&{query}")

    expected = {"sslmode": "verify-full", "sslrootcert": str(file), "sslcert": str(file)}
    assert expected | {"sslpassword": "p&q"} == dsn(result)


def test_direct_tls_reaches_asyncpg() -> None:
    result = connecting("postgres://h/app?sslmode=require&sslnegotiation=direct")

    assert result.arguments["direct_tls"] is True


def test_other_options_are_kept_beside_the_authorities_of_the_machine() -> None:
    query = "sslrootcert=system&target_session_attrs=primary&ssl_min_protocol_version=TLSv1.3"

    result = connecting(f"postgres://h/app?{query}&ssl_max_protocol_version=TLSv1.3")

    assert "primary" == dsn(result)["target_session_attrs"]
    context = result.arguments["ssl"]
    assert (ssl.TLSVersion.TLSv1_3,) * 2 == (context.minimum_version, context.maximum_version)


def test_hosts_in_the_query_stay_for_sqlalchemy() -> None:
    result = connecting("postgresql:///app?host=a:5432&host=b:5433&sslmode=require")

    assert {"host": ("a:5432", "b:5433")} == dict(result.url.query)


@pytest.mark.parametrize("mode", ["", "sslmode=prefer&", "sslmode=require&"])
@pytest.mark.usefixtures("no_home")
def test_channel_binding_becomes_a_check_of_the_certificate(mode: str) -> None:
    context = connecting(f"postgres://h/app?{mode}channel_binding=require").arguments["ssl"]

    assert context.check_hostname


def test_channel_binding_takes_the_authority_that_is_named(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.touch()

    result = connecting(f"postgres://h/app?channel_binding=require&sslrootcert={ca}")

    assert {"sslmode": "verify-full", "sslrootcert": str(ca)} == dsn(result)


def test_channel_binding_takes_the_authority_in_the_home_folder(no_home: Path) -> None:
    root = no_home / ".postgresql" / "root.crt"
    root.parent.mkdir()
    root.touch()

    result = connecting("postgres://h/app?channel_binding=require")

    assert {"sslmode": "verify-full"} == dsn(result)


def psycopg(query: str) -> dict[str, Any]:
    """What psycopg is given beside what it is always given."""
    arguments = dict(connecting(f"postgresql+psycopg://u@h/app?{query}").arguments)
    assert "utf8" == arguments.pop("client_encoding")
    return arguments


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ("", {}),
        ("application_name=mine", {"application_name": "mine"}),
        ("sslmode=Require", {"sslmode": "require"}),
        ("ssl=true", {"sslmode": "require"}),
        ("channel_binding=require", {"channel_binding": "require"}),
        ("channel_binding=require&sslmode=require", {"channel_binding": "require"} | REQUIRED),
        ("gssencmode=require", {"gssencmode": "require"}),
        ("options=-csearch_path%3Done", {"options": "-csearch_path=one"}),
        ("keepalives_idle=30&tcp_user_timeout=9", {"keepalives_idle": "30"} | USER_TIMEOUT),
        ("target_session_attrs=primary", {"target_session_attrs": "primary"}),
        ("require_auth=scram-sha-256", {"require_auth": "scram-sha-256"}),
        ("prepare_threshold=5", {"prepare_threshold": 5}),
        ("prepare_threshold=5&pgbouncer=true", {}),
        ("pgbouncer=true", {}),
        ("statement_cache_size=0&client_encoding=latin1&supa=base-pooler.x", {}),
    ],
)
def test_psycopg_is_given_what_it_takes(query: str, arguments: dict[str, Any]) -> None:
    given = psycopg(query)
    del given["async_creator_fn"]

    assert {"application_name": "bootstrap", "prepare_threshold": None} | arguments == given


@pytest.mark.parametrize(
    ("query", "seconds"), [("", 60.0), ("connect_timeout=2.5", 2.5), ("timeout=0", None)]
)
def test_psycopg_is_given_up_after_the_same_time(query: str, seconds: float | None) -> None:
    assert seconds == psycopg(query)["async_creator_fn"].keywords["seconds"]


@pytest.mark.parametrize("query", ["require_auth=scram-sha-256", "gssencmode=require"])
def test_asyncpg_tries_no_login_that_promises_less(query: str) -> None:
    assert psycopg(query)["async_creator_fn"].keywords["asked"] is None


@pytest.mark.parametrize("variable", ["PGREQUIREAUTH", "PGCHANNELBINDING"])
def test_asyncpg_tries_no_login_that_the_environment_forbids(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "require")

    assert psycopg("")["async_creator_fn"].keywords["asked"] is None


def test_asyncpg_may_try_the_login_that_psycopg_was_asked_for() -> None:
    asked = psycopg("sslmode=require&prepare_threshold=5")["async_creator_fn"].keywords["asked"]

    assert "asyncpg" == asked.url.get_driver_name()
    assert {"sslmode": "require"} == dsn(asked)


def test_the_authorities_of_the_machine_are_a_file_for_psycopg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = tmp_path / "ca.pem"
    ca.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(ca))  # OpenSSL's variable

    given = psycopg("sslrootcert=system")

    assert ("verify-full", str(ca)) == (given["sslmode"], given["sslrootcert"])


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("postgres://h/app?sslmod=require", "did you mean sslmode?"),
        ("postgres://h/app?nonsense=1", "remove nonsense"),
        ("postgres://h/app?sslmode=always", "verify-full"),
        ("postgres://h/app?sslmode=verify-full", "sslrootcert=system"),
        ("postgres://h/app?sslmode=verify-ca&sslrootcert=/no/such.pem", "can be read"),
        ("postgres://h/app?sslrootcert=system&sslmode=require", "verify-full"),
        ("postgres://h/app?channel_binding=require&sslmode=disable", "remove one of the two"),
        ("postgres://h/app?channel_binding=yes", "require"),
        ("postgres://h/app?sslnegotiation=drect", "direct"),
        ("postgres://h/app?sslnegotiation=direct", "sslmode=require"),
        ("postgres://h/app?connect_timeout=soon", "seconds"),
        ("postgres://h/app?statement_cache_size=many", "a whole number"),
        ("postgres://h/app?target_session_attrs=writer", "read-write"),
        ("postgres://h/app?ssl_min_protocol_version=3", "TLSv1.3"),
        ("postgres://h/app?gssencmode=require", "prefer"),
        ("postgres://h/app?pgbouncer=perhaps", "true"),
        ("postgresql+psycopg://h/app?sslmod=require", "did you mean sslmode?"),
        ("postgresql+psycopg://h/app?sslmode=verify-full", "sslrootcert=system"),
        ("postgresql+psycopg://h/app?channel_binding=require&sslmode=disable", "remove one"),
        ("postgresql+psycopg://h/app?command_timeout=5", "statement_timeout"),
        ("postgresql+psycopg://h/app?prepare_threshold=often", "a whole number"),
        ("postgresql+psycopg://h/app?connect_timeout=soon", "seconds"),
        ("mysql+asyncmy://h/app?auth_plugin=x", "remove auth_plugin"),
        ("mysql+asyncmy://h/app?ssl-mode=always", "VERIFY_IDENTITY"),
        ("mysql://h/app?ssl-moed=REQUIRED", "did you mean ssl_mode?"),
        ("mysql://h/app?ssl-mode=always", "VERIFY_IDENTITY"),
        ("mysql://h/app?ssl-ca=/no/such.pem", "can be read"),
        ("mysql://h/app?connect_timeout=soon", "seconds"),
        ("mysql://h/app?client_flag=many", "a whole number"),
        ("mariadb://h/app?read_timeout=5", "connect_timeout"),
        ("sqlite:///app.db?timeot=5", "did you mean timeout?"),
        ("sqlite:///app.db?timeout=soon", "seconds"),
        ("sqlite:///app.db?uri=perhaps", "true"),
        ("sqlite:///app.db?cached_statements=many", "a whole number"),
    ],
)
@pytest.mark.usefixtures("no_home")
def test_an_option_that_cannot_be_honoured_is_told(url: str, named: str) -> None:
    with pytest.raises(SettingsError) as refused:
        connecting(url)

    assert named in refused.value.hint


def test_files_that_are_no_certificates_are_told(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("nothing")

    with pytest.raises(SettingsError, match="certificates"):
        connecting(f"mysql://h/app?ssl_ca={ca}")


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ("", {}),
        ("charset=latin1", {"charset": "latin1"}),
        ("application_name=mine", {"program_name": "mine"}),
        ("program-name=mine", {"program_name": "mine"}),
        ("unix_socket=/run/s", {"unix_socket": "/run/s"}),
        ("socket=/run/s", {"unix_socket": "/run/s"}),
        ("local_infile=true", {"local_infile": True}),
        ("reconnect=true&connection_limit=1&pool_timeout=5", {}),
    ],
)
@pytest.mark.parametrize("driver", ["aiomysql", "asyncmy"])
def test_the_drivers_of_mysql_are_given_what_they_take(
    driver: str, query: str, arguments: dict[str, Any]
) -> None:
    result = connecting(f"mysql+{driver}://u@h/app?{query}")

    others = {"ssl", "async_creator_fn", "connect_timeout"}
    given = {k: v for k, v in result.arguments.items() if k not in others}
    assert {"charset": "utf8mb4", "program_name": "bootstrap"} | arguments == given
    assert {} == dict(result.url.query)


@pytest.mark.parametrize(
    ("query", "seconds"), [("", None), ("connect_timeout=5", 5.0), ("connect_timeout=0", None)]
)
def test_the_drivers_of_mysql_are_given_up_after_the_same_time(
    query: str, seconds: float | None
) -> None:
    aiomysql = connecting(f"mysql://u@h/app?{query}").arguments["connect_timeout"]
    asyncmy = connecting(f"mysql+asyncmy://u@h/app?{query}").arguments["async_creator_fn"]

    assert (seconds, seconds) == (aiomysql, asyncmy.keywords["seconds"])


def test_client_flags_stay_for_sqlalchemy_which_adds_its_own() -> None:
    result = connecting("mysql://h/app?client_flag=2")

    assert {"client_flag": "2"} == dict(result.url.query)


@pytest.mark.parametrize(
    ("query", "encrypted", "verified", "by_name"),
    [
        ("", True, False, False),
        ("sslmode=disable", False, False, False),
        ("ssl=false", False, False, False),
        ("ssl-mode=preferred", True, False, False),
        ("ssl=true", True, False, False),
        ("ssl_mode=REQUIRED", True, False, False),
        ("sslmode=verify-ca", True, True, False),
        ("ssl-mode=VERIFY_CA", True, True, False),
        ("sslmode=verify-full", True, True, True),
        ("sslaccept=strict", True, True, True),
        ("sslaccept=accept_invalid_certs", True, False, False),
        ("ssl=%7B%22rejectUnauthorized%22:true%7D", True, True, True),
        ("ssl-mode=verify_identity", True, True, True),
        ("ssl_verify_cert=true", True, True, True),
        ("ssl_verify_cert=true&ssl_verify_identity=false", True, True, False),
        ("ssl_capath=/tmp&ssl_check_hostname=false", True, True, False),
        ("unix_socket=/run/s", False, False, False),
        ("unix_socket=/run/s&ssl-mode=REQUIRED", True, False, False),
    ],
)
@pytest.mark.parametrize("driver", ["aiomysql", "asyncmy"])
def test_ssl_mode_becomes_a_context(
    driver: str, query: str, encrypted: bool, verified: bool, by_name: bool
) -> None:
    context = connecting(f"mariadb+{driver}://h/app?{query}").arguments.get("ssl")

    assert encrypted == (context is not None)
    assert verified == bool(context and context.verify_mode)
    assert by_name == bool(context and context.check_hostname)


@pytest.mark.parametrize(
    ("url", "database", "query"),
    [
        ("sqlite:///app.db", "app.db", {}),
        ("sqlite:///app.db?timeout=5", "app.db", {"timeout": "5"}),
        ("sqlite:///a b.db?mode=ro", "file:a%20b.db", {"mode": "ro", "uri": "true"}),
        ("sqlite:///file:a.db?mode=ro&uri=true", "file:a.db", {"mode": "ro", "uri": "true"}),
    ],
)
def test_a_sqlite_file_with_parameters_of_its_own_becomes_a_uri(
    url: str, database: str, query: dict[str, str]
) -> None:
    result = connecting(url)

    assert (database, query) == (result.url.database, dict(result.url.query))
