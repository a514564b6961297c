"""A site with one published month, its own PostgreSQL, and a small cast of people, for every test of the workbench.

What the session made is there for every test; what a test does is rolled back after it.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from keepline.newsite import make_site
from keepline.site import write_key

FOLDER = Path(tempfile.mkdtemp(prefix="keepline-web-"))
FOLDER.chmod(0o755)  # PostgreSQL of a root runs as somebody else
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
ROOT = FOLDER / "site"
make_site(ROOT, name="清河通信")
write_key(ROOT, b"k" * 32)  # what is published was made with one
os.environ["KEEPLINE_SITE"] = str(ROOT)
os.environ["DJANGO_SETTINGS_MODULE"] = "keepline_web.settings"
(FOLDER / "run").mkdir(mode=0o700)
os.environ.setdefault("XDG_RUNTIME_DIR", str(FOLDER / "run"))

import django  # noqa: E402

django.setup()
del os.environ["DJANGO_SETTINGS_MODULE"]  # a test process that this one starts makes a site of its own

from django.db import connections  # noqa: E402
from django.test import Client  # noqa: E402

from keepline_web import database  # noqa: E402
from keepline_web.address import settings_of  # noqa: E402
from web.cast import Cast, enter, make_cast, publish_month  # noqa: E402
from web.published import Published  # noqa: E402


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """A server of this test process's own; what it loses in a crash nobody misses."""
    password = FOLDER / "database.password"
    server = database.start(FOLDER / "database", password)
    said = settings_of(database.url(server, password))
    connections.databases["default"].update(said)


@pytest.fixture(scope="session")
def django_db_setup(django_db_modify_db_settings: None, django_db_blocker: Any) -> Iterator[None]:  # noqa: ARG001
    """The tables, one published month and the cast, made once."""
    from django.test.utils import setup_databases, teardown_databases

    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
        publish_month(ROOT)
        make_cast()
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


PERSONAL = re.compile(
    r"154 ?0000 ?\d{4}|欧阳试\d|清河第\d+单位|N000000\d\d|four-green-kettles|nine-quiet-rivers|kpl_\w{20}"
)


class Heard(logging.Handler):
    """Everything the tests' processes log, and what of it names a customer, a password or a token."""

    def __init__(self) -> None:
        super().__init__()
        self.lines, self.personal = 0, list[str]()

    def emit(self, record: logging.LogRecord) -> None:
        text = logging.Formatter().format(record)
        self.lines += 1
        if PERSONAL.search(text):
            self.personal.append(f"{record.name}: {text[:300]}")


@pytest.fixture(scope="session", autouse=True)
def nothing_personal_in_the_log() -> Iterator[Heard]:
    """After all tests: no line of any log held a name, a telephone, a number, a password or a token of the cast."""
    heard = Heard()
    logging.getLogger().addHandler(heard)
    yield heard
    logging.getLogger().removeHandler(heard)
    assert heard.personal == []


@pytest.fixture
def cast(db: None) -> Cast:  # noqa: ARG001
    """The owner, a colleague of the team, a stranger, their chiefs, and one person of every other role."""
    return Cast.found()


@pytest.fixture
def entered(cast: Cast) -> Callable[[str], Client]:
    """A browser signed in, and proved, as the cast's ``role``."""
    return lambda role: enter(Client(), cast.of_role(role))


@pytest.fixture
def published(tmp_path: Path, cast: Cast) -> Published:  # noqa: ARG001
    """The cast's month on a site of its own."""
    return Published(ROOT, tmp_path / "site")


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:  # noqa: ARG001
    """A copy of the database where commits are real, for tests of several connections at once; its address.

    Rows that triggers keep cannot be cleaned up after a test, so the whole copy is thrown away.
    """
    said = connections.databases["default"]
    before, copy = said["NAME"], f"copy_{secrets.token_hex(4)}"
    with django_db_blocker.unblock():
        connections.close_all()  # a database that somebody is connected to cannot be copied
        with _elsewhere(said) as server:
            server.execute(f'CREATE DATABASE {copy} TEMPLATE "{before}"')
        said["NAME"] = copy
        yield f"postgresql://{said['USER']}:{said['PASSWORD']}@/{copy}?host={quote(str(said['HOST']), safe='/')}"
        connections.close_all()
        said["NAME"] = before
        with _elsewhere(said) as server:
            try:
                server.execute(f"DROP DATABASE {copy} WITH (FORCE)")
            except psycopg.errors.InsufficientPrivilege:  # autovacuum is at it, which only a plain drop may stop
                server.execute(f"DROP DATABASE {copy}")


def _elsewhere(said: dict[str, Any]) -> psycopg.Connection[Any]:
    return psycopg.connect(
        dbname="postgres", user=said["USER"], password=said["PASSWORD"], host=said["HOST"], autocommit=True
    )
