"""URLs in the forms that hosting providers hand out, word for word but for host and password."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import text

import bootstrap
from tests.tls import TLS

_PASSWORD = "p@ss:w/rd?100% é"
_CLOUD_SQL = "project:region:name"
_IS_ENCRYPTED = {
    "postgresql": "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    "mysql": "SELECT variable_value <> '' FROM performance_schema.session_status"
    " WHERE variable_name = 'Ssl_cipher'",
    "mariadb": "SELECT variable_value <> '' FROM information_schema.session_status"
    " WHERE variable_name = 'Ssl_cipher'",
}
_WHO = {
    "postgresql": "SELECT current_user",
    "mysql": "SELECT substring_index(current_user(), '@', 1)",
    "mariadb": "SELECT substring_index(current_user(), '@', 1)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A form of URL.

    Attributes:
        name: Who hands it out.
        form: `{login}`, `{host}`, `{ca}` and `{socket}` stand for what differs from test to test.
        user: Its user.
        encrypted: Whether the connection must use TLS where the server offers it.
        scheme: What stands before `://` at the provider.
    """

    name: str
    form: str
    user: str = "u7f3k2"
    encrypted: bool = True
    scheme: str = ""


_POSTGRESQL = (
    Provider(name="Heroku", form="{login}@{host}/{database}", scheme="postgres"),
    Provider(
        name="Neon",
        form="{login}@{host}/{database}?sslmode=require&channel_binding=require",
        user="neondb_owner",
    ),
    Provider(name="Supabase, direct", form="{login}@{host}/{database}", user="postgres.direct"),
    Provider(
        name="Supabase, session pooler",
        form="{login}@{host}/{database}",
        user="postgres.abcdefghij",
        scheme="postgres",
    ),
    Provider(
        name="Supabase, transaction pooler",
        form="{login}@{host}/{database}?pgbouncer=true&connection_limit=1",
        user="postgres.abcdefghij",
        scheme="postgres",
    ),
    Provider(
        name="Supabase, on Vercel",
        form="{login}@{host}/{database}?sslmode=require&supa=base-pooler.x",
        user="postgres.abcdefghij",
        scheme="postgres",
    ),
    Provider(
        name="Amazon RDS", form="{login}@{host}/{database}?sslmode=verify-full&sslrootcert={ca}"
    ),
    Provider(name="Azure", form="{login}@{host}/{database}?sslmode=require", user="app@server"),
    Provider(
        name="Google Cloud SQL, socket",
        form="{login}@/{database}?host={socket}",
        encrypted=False,
    ),
    Provider(name="DigitalOcean", form="{login}@{host}/{database}?sslmode=require", user="doadmin"),
    Provider(
        name="Aiven",
        form="{login}@{host}/{database}?sslmode=require",
        user="avnadmin",
        scheme="postgres",
    ),
)
_MYSQL = (
    Provider(name="Heroku, JawsDB", form="{login}@{host}/{database}"),
    Provider(name="Heroku, ClearDB", form="{login}@{host}/{database}?reconnect=true"),
    Provider(
        name="Amazon RDS", form="{login}@{host}/{database}?ssl-mode=VERIFY_IDENTITY&ssl-ca={ca}"
    ),
    Provider(name="Amazon RDS, PyMySQL", form="{login}@{host}/{database}?ssl_ca={ca}"),
    Provider(
        name="Google Cloud SQL, socket",
        form="{login}@/{database}?unix_socket={socket}",
        encrypted=False,
    ),
    Provider(
        name="DigitalOcean",
        form="{login}@{host}/{database}?ssl-mode=REQUIRED",
        user="doadmin",
    ),
    Provider(name="Aiven", form="{login}@{host}/{database}?ssl-mode=REQUIRED", user="avnadmin"),
    Provider(name="PlanetScale", form="{login}@{host}/{database}?sslaccept=strict"),
    Provider(
        name="PlanetScale, for Node",
        form='{login}@{host}/{database}?ssl={{"rejectUnauthorized":true}}',
    ),
)
_DRIVERS = {
    "postgresql": ("asyncpg", "psycopg"),
    "mysql": ("aiomysql", "asyncmy"),
    "mariadb": ("aiomysql", "asyncmy"),
}


def _cases() -> list[object]:
    forms = {"postgresql": _POSTGRESQL, "mysql": _MYSQL, "mariadb": _MYSQL}
    return [
        pytest.param(backend, driver, provider, id=f"{backend}+{driver}-{provider.name}")
        for backend, providers in forms.items()
        for provider in providers
        for driver in _DRIVERS[backend]
    ]


@pytest.mark.parametrize(
    ("backend_name", "driver", "provider"), _cases(), indirect=["backend_name"]
)
async def test_the_url_of_a_provider_is_taken_as_it_is(
    backend_name: str,
    driver: str,
    provider: Provider,
    tls: TLS,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority))  # as if the machine trusted it
    await _make(tls, backend_name, provider.user)
    server = tls.server(backend_name)
    url = provider.form.format(
        login=f"{quote(provider.user, safe='')}:{quote(_PASSWORD, safe='')}",
        host=f"localhost:{server.port}",
        database="defaultdb",
        ca=tls.authority,
        socket=_socket(tls, backend_name),
    )

    # As it is, and again with a driver, which comes from the project's own URL.
    database = bootstrap.Database.of(
        f"{provider.scheme or backend_name}://{url}", like=f"{backend_name}+{driver}://h/d"
    )
    written_out = bootstrap.Database.of(f"{backend_name}+{driver}://{url}")

    assert database.url == written_out.url
    async with database.connect() as connection:
        seen = [await connection.scalar(text(sql[backend_name])) for sql in (_WHO, _IS_ENCRYPTED)]
    assert [provider.user, provider.encrypted] == [seen[0], bool(seen[1])]


def _socket(tls: TLS, backend_name: str) -> Path:
    socket = tls.socket(backend_name, f"{_CLOUD_SQL}-{backend_name}")
    return socket.parent if backend_name == "postgresql" else socket


async def _make(tls: TLS, backend_name: str, user: str) -> None:
    """Makes the user and the database, unless they are there."""
    admin = bootstrap.Database.of(tls.server(backend_name))
    await bootstrap.create(admin.url.set(database="defaultdb"))
    async with admin.connect() as connection:
        quoted = connection.dialect.identifier_preparer.quote_identifier(user)
        if backend_name == "postgresql":
            await connection.execute(text(f"DROP ROLE IF EXISTS {quoted}"))
            sql = f"CREATE ROLE {quoted} LOGIN PASSWORD '{_PASSWORD}'"
        else:
            await connection.execute(text(f"DROP USER IF EXISTS {quoted}"))
            sql = f"CREATE USER {quoted} IDENTIFIED BY '{_PASSWORD}'"
        await connection.execute(text(sql.replace(":", r"\:")))
        if backend_name != "postgresql":
            await connection.execute(text(f"GRANT ALL ON defaultdb.* TO {quoted}"))
        await connection.commit()
