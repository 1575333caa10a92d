"""Servers with TLS, and certainly without, and the certificates that they show."""

from __future__ import annotations

import os
import pwd
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import URL

from bootstrap.testing import ThrowawayServer
from tests import available
from tests.prepared import throwaway


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
    urls: dict[tuple[str, bool], URL] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.authority = _certificate(self.folder, "authority")
        self.stranger = _certificate(self.folder, "stranger")
        # libpq takes no key that others can read, and MySQL's server needs one that they can.
        self.client_key = self.folder / "client.key"
        shutil.copy(self.authority.with_suffix(".key"), self.client_key)
        self.client_key.chmod(0o600)
        self._sockets = self.folder / "sockets"
        self._sockets.mkdir()
        self._sockets.chmod(0o777)  # each server runs as an account of its own

    def url(self, scheme: str, query: str, *, tls: bool = True, host: str = "") -> str:
        """The URL of the superuser on a server of the scheme's backend."""
        backend_name = scheme.partition("+")[0]
        server = self.server(backend_name, tls=tls)
        place = f"{host or 'localhost'}:{server.port}"
        return f"{scheme}://{server.username}@{place}/{server.database}?{query}"

    def server(self, backend_name: str, *, tls: bool = True) -> URL:
        """Where a server answers, as its superuser without a password."""
        if (backend_name, tls) not in self.urls:
            self.urls[backend_name, tls] = self._started(backend_name, tls=tls)
        return self.urls[backend_name, tls]

    def socket(self, backend_name: str, name: str) -> Path:
        """A socket of the server with TLS, below a name of the caller's choice."""
        made = self._sockets / f"{backend_name}.sock"
        port = self.server(backend_name).port
        link = self._sockets / name
        if backend_name == "postgresql":
            made = self._sockets / f".s.PGSQL.{port}"
            link.mkdir(exist_ok=True)
            link /= ".s.PGSQL.5432"  # a URL names the folder, and means the usual port
        if not link.is_symlink():
            link.symlink_to(made)
        return link

    def _started(self, backend_name: str, *, tls: bool) -> URL:
        found = available.look_for(backend_name)
        if not isinstance(found, available.Found) or found.programs is None:
            pytest.skip("a server that runs already cannot be started with other options")
        if tls:
            self._give_key_to(backend_name)
        options = _options(backend_name, self.authority if tls else None)
        if tls:
            options += self._logins(backend_name)
        server = throwaway(backend_name, programs=found.programs, options=options)
        self.running[backend_name, tls] = server
        return server.start().url

    def _logins(self, backend_name: str) -> tuple[str, ...]:
        """A socket, and passwords for all but the superuser."""
        if backend_name != "postgresql":
            return (f"--socket={self._sockets / f'{backend_name}.sock'}",)
        rules = self.folder / "pg_hba.conf"
        rules.write_text(
            "local all postgres trust\nhost all postgres all trust\n"
            "local all all scram-sha-256\nhost all all all scram-sha-256\n"
        )
        return (f"-chba_file={rules}", f"-cunix_socket_directories={self._sockets}")

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
