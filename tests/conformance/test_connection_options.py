"""Options in URLs do to a real connection what they say."""

import asyncio
import gc
import os
import pwd
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

import bootstrap
from bootstrap.testing import ThrowawayServer
from tests import available

on_servers = pytest.mark.parametrize(
    "backend_name", ["postgresql", "mysql", "mariadb"], indirect=True
)
on_postgresql = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
on_mysql = pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
on_files = pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)

_IS_ENCRYPTED = {
    "postgresql": "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    "mysql": "SELECT variable_value <> '' FROM performance_schema.session_status"
    " WHERE variable_name = 'Ssl_cipher'",
    "mariadb": "SELECT variable_value <> '' FROM information_schema.session_status"
    " WHERE variable_name = 'Ssl_cipher'",
}
_APPLICATION = {
    "postgresql": "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()",
    "mysql": "SELECT attr_value FROM performance_schema.session_connect_attrs"
    " WHERE processlist_id = connection_id() AND attr_name = 'program_name'",
}
_APPLICATION["mariadb"] = _APPLICATION["mysql"]


def _certificate(folder: Path, name: str) -> Path:
    """Writes a key, and a certificate for `localhost` that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = path.with_suffix(".key")
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def _options(backend_name: str, certificate: Path | None) -> tuple[str, ...]:
    """What starts a server with TLS, or certainly without."""
    key = certificate.with_suffix(".key") if certificate else None
    match backend_name:
        case "postgresql" if certificate:
            files = (f"-cssl_{name}_file={certificate}" for name in ("ca", "cert"))
            return ("-cssl=on", *files, f"-cssl_key_file={key}")
        case "postgresql":
            return ("-cssl=off",)
        case "mariadb" if not certificate:
            return ("--skip-ssl",)
        case "mysql" if not certificate:
            return ("--tls-version=",)
    performance = ("--performance-schema=ON",)  # MariaDB's is off, and has what a client says
    files = (f"--ssl-{name}={certificate}" for name in ("ca", "cert"))
    return (*performance, *files, f"--ssl-key={key}")


@dataclass
class TLS:
    """Servers with and without TLS, each started when it is first asked for."""

    folder: Path
    running: dict[tuple[str, bool], ThrowawayServer] = field(default_factory=dict)
    ports: dict[tuple[str, bool], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.authority = _certificate(self.folder, "authority")
        self.stranger = _certificate(self.folder, "stranger")

    def url(self, backend_name: str, query: str, *, tls: bool = True, host: str = "") -> str:
        """The URL of the superuser on a server of this backend."""
        user = "postgres" if backend_name == "postgresql" else "root"
        database = {"postgresql": "postgres"}.get(backend_name, "mysql")
        port = self._port(backend_name, tls=tls)
        place = f"{host or 'localhost'}:{port}"
        return f"{backend_name}://{user}@{place}/{database}?{query}"

    def _port(self, backend_name: str, *, tls: bool) -> int:
        server = (backend_name, tls)
        if server not in self.ports:
            self.ports[server] = self._started(backend_name, tls=tls)
        return self.ports[server]

    def _started(self, backend_name: str, *, tls: bool) -> int:
        found = available.look_for(backend_name)
        if not isinstance(found, available.Found) or found.programs is None:
            pytest.skip("a server that runs already cannot be started with other options")
        if tls:
            self._give_key_to(backend_name)
        options = _options(backend_name, self.authority if tls else None)
        server = ThrowawayServer(backend_name, programs=found.programs, options=options)
        self.running[backend_name, tls] = server
        return server.start().url.port or 0

    def _give_key_to(self, backend_name: str) -> None:
        """Each server reads the key once, when it starts."""
        key = self.authority.with_suffix(".key")
        if backend_name != "postgresql":
            key.chmod(0o644)  # MySQL 9.7 run by root cannot read what only root can
            return
        key.chmod(0o600)  # PostgreSQL takes no key that others can read, nor one of another
        if os.geteuid() == 0:
            there = {entry.pw_name for entry in pwd.getpwall()}
            shutil.chown(key, "postgres" if "postgres" in there else "nobody")


@pytest.fixture(scope="module")
def tls() -> Iterator[TLS]:
    """Servers with TLS; not in pytest's folder, into which other accounts cannot look."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        servers = TLS(folder=folder)
        yield servers
        for server in servers.running.values():
            server.stop()


async def asked(url: str, sql: str) -> object:
    """The one value that a query gives."""
    async with bootstrap.Database.of(url).connect() as connection:
        return await connection.scalar(text(sql))


@on_servers
@pytest.mark.parametrize(
    ("query", "encrypted"),
    [("", True), ("sslmode=prefer", True), ("sslmode=require", True), ("sslmode=disable", False)],
)
async def test_sslmode_decides_about_tls(
    backend_name: str, tls: TLS, query: str, encrypted: bool
) -> None:
    url = tls.url(backend_name, query)

    assert encrypted == bool(await asked(url, _IS_ENCRYPTED[backend_name]))


@on_servers
@pytest.mark.parametrize("query", ["", "sslmode=prefer", "sslmode=disable"])
async def test_a_server_without_tls_is_used_unless_tls_is_required(
    backend_name: str, tls: TLS, query: str
) -> None:
    url = tls.url(backend_name, query, tls=False)

    assert not await asked(url, _IS_ENCRYPTED[backend_name])


@on_servers
@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_a_server_without_tls_is_refused_where_tls_is_required(
    backend_name: str, tls: TLS, mode: str
) -> None:
    url = tls.url(backend_name, f"sslmode={mode}&sslrootcert={tls.authority}", tls=False)

    with pytest.raises(bootstrap.DatabaseRefused, match="no secure connection was possible"):
        await asked(url, "SELECT 1")


@on_servers
@pytest.mark.parametrize(
    ("mode", "host"),
    [("verify-full", "localhost"), ("verify-ca", "localhost"), ("verify-ca", "127.0.0.1")],
)
async def test_a_certificate_of_the_authority_is_trusted(
    backend_name: str, tls: TLS, mode: str, host: str
) -> None:
    url = tls.url(backend_name, f"sslmode={mode}&sslrootcert={tls.authority}", host=host)

    assert await asked(url, _IS_ENCRYPTED[backend_name])


@on_servers
async def test_a_certificate_for_another_host_is_refused(backend_name: str, tls: TLS) -> None:
    query = f"sslmode=verify-full&sslrootcert={tls.authority}"

    with pytest.raises(bootstrap.DatabaseRefused, match="IP address mismatch"):
        await asked(tls.url(backend_name, query, host="127.0.0.1"), "SELECT 1")


@on_servers
@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
async def test_a_certificate_of_a_stranger_is_refused(
    backend_name: str, tls: TLS, mode: str
) -> None:
    query = f"sslmode={mode}&sslrootcert={tls.stranger}"

    with pytest.raises(bootstrap.DatabaseRefused, match="certificate verify failed"):
        await asked(tls.url(backend_name, query), "SELECT 1")


@on_mysql
async def test_an_authority_alone_asks_for_every_check(backend_name: str, tls: TLS) -> None:
    query = f"ssl-ca={tls.authority}"

    assert await asked(tls.url(backend_name, query), _IS_ENCRYPTED[backend_name])
    with pytest.raises(bootstrap.DatabaseRefused, match="IP address mismatch"):
        await asked(tls.url(backend_name, query, host="127.0.0.1"), "SELECT 1")


@on_postgresql
@pytest.mark.parametrize("roots", ["{authority}", "system"])
async def test_the_certificate_of_the_client_is_shown_to_postgresql(
    backend_name: str, tls: TLS, roots: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority))
    own = f"sslcert={tls.authority}&sslkey={tls.authority.with_suffix('.key')}"
    query = f"sslmode=verify-full&sslrootcert={roots.format(authority=tls.authority)}&{own}"

    dn = "SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    assert "/CN=authority" == await asked(tls.url(backend_name, query), dn)


@on_mysql
async def test_the_certificate_of_the_client_is_shown_to_mysql(backend_name: str, tls: TLS) -> None:
    root = bootstrap.Database.of(tls.url(backend_name, ""))
    async with root.connect() as connection:
        await connection.exec_driver_sql("CREATE USER certified REQUIRE X509")
    own = f"ssl-cert={tls.authority}&ssl-key={tls.authority.with_suffix('.key')}"
    url = f"{backend_name}://certified@localhost:{root.url.port}/information_schema?sslmode=require"

    assert 1 == await asked(f"{url}&{own}", "SELECT 1")
    with pytest.raises(bootstrap.DatabaseRefused, match="the login was refused"):
        await asked(url, "SELECT 1")


@on_servers
def test_a_secure_connection_is_closed_before_its_loop_ends(backend_name: str, tls: TLS) -> None:
    url = tls.url(backend_name, "sslmode=require")

    for _ in range(10):
        assert 1 == asyncio.run(asked(url, "SELECT 1"))
        gc.collect()  # a connection left open warns now, and warnings are errors


@on_postgresql
async def test_channel_binding_is_replaced_by_a_check_of_the_certificate(
    backend_name: str, tls: TLS, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    url = tls.url(backend_name, "sslmode=require&channel_binding=require")
    with pytest.raises(bootstrap.DatabaseRefused, match="certificate verify failed"):
        await asked(url, "SELECT 1")

    monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority))  # OpenSSL's, for the machine's own

    assert await asked(url, _IS_ENCRYPTED[backend_name])


@on_servers
@pytest.mark.parametrize(
    ("query", "name"), [("", "bootstrap"), ("application_name=deploy%20job", "deploy job")]
)
async def test_the_application_is_known_to_the_server(
    backend_name: str, tls: TLS, query: str, name: str
) -> None:
    assert name == await asked(tls.url(backend_name, query), _APPLICATION[backend_name])


@on_postgresql
async def test_options_set_parameters_of_the_session(backend_name: str, tls: TLS) -> None:
    query = "options=" + quote("-c statement_timeout=7s -c search_path=one,two")
    url = tls.url(backend_name, query)

    assert ("7s", "one,two") == (
        await asked(url, "SHOW statement_timeout"),
        await asked(url, "SHOW search_path"),
    )


@on_postgresql
async def test_a_connection_for_a_pooler_works(backend_name: str, tls: TLS) -> None:
    assert 1 == await asked(tls.url(backend_name, "pgbouncer=true"), "SELECT 1")


@on_postgresql
async def test_a_standby_is_not_taken_for_a_primary(backend_name: str, tls: TLS) -> None:
    assert 1 == await asked(tls.url(backend_name, "target_session_attrs=primary"), "SELECT 1")
    with pytest.raises(bootstrap.DatabaseError):
        await asked(tls.url(backend_name, "target_session_attrs=standby"), "SELECT 1")


@on_mysql
@pytest.mark.parametrize("mode", ["disable", "require"])
async def test_any_password_is_sent_as_utf8(backend_name: str, tls: TLS, mode: str) -> None:
    password = "пароль 100%@:/?#'\"é"
    root = bootstrap.Database.of(tls.url(backend_name, ""))
    async with root.connect() as connection:
        await connection.exec_driver_sql("DROP USER IF EXISTS 'größe'@'%%'")
        create = "CREATE USER 'größe'@'%%' IDENTIFIED BY %s"
        await connection.exec_driver_sql(create, (password,))
    login = f"größe:{quote(password, safe='')}"
    place = f"{login}@localhost:{root.url.port}/information_schema"

    assert 1 == await asked(f"{backend_name}://{place}?sslmode={mode}", "SELECT 1")


@on_servers
async def test_a_server_that_says_nothing_is_given_up(backend_name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"{backend_name}://u@127.0.0.1:{port}/app?connect_timeout=0.2"

        async with asyncio.timeout(10):
            with pytest.raises(bootstrap.DatabaseUnreachable, match="did not answer in time"):
                await asked(url, "SELECT 1")


@on_files
async def test_a_file_opened_for_reading_cannot_be_written(empty_url: str) -> None:
    database = bootstrap.Database.of(f"{empty_url}?mode=ro")

    async with database.connect() as connection:
        with pytest.raises(OperationalError, match="readonly database"):
            await connection.execute(text("CREATE TABLE t (id INTEGER)"))
