"""The role that serves adds and reads, and can neither change what is only added nor switch off what keeps it so."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from django.db import connections

from keepline.front import SiteError, open_site
from keepline_web import database
from keepline_web.address import settings_of
from keepline_web.audit.models import Entry
from keepline_web.retention.removing import remove_due
from keepline_web.serving_role import ONLY_ADDED, grant
from keepline_web.work.models import Contact
from web.cast import Cast
from web.conftest import FOLDER
from web.visiting import browser


@pytest.fixture
def serving(committed: str) -> Iterator[str]:
    """The address of the role that serves, with the workbench's own connections going there."""
    server = database.start(FOLDER / "database", FOLDER / "database.password")
    password = FOLDER / "serving.password"
    database.serving_role(server, FOLDER / "database", password)
    name = settings_of(committed)["NAME"]
    address = database.url(server, password, name=str(name), role=database.SERVING)
    grant(address)
    said, before = connections.databases["default"], dict(connections.databases["default"])
    connections.close_all()
    said.update({key: settings_of(address)[key] for key in ("USER", "PASSWORD")})
    yield address
    connections.close_all()
    said.update({key: before[key] for key in ("USER", "PASSWORD")})


def test_the_role_that_serves_cannot_touch_what_is_only_added(serving: str) -> None:
    with psycopg.connect(serving, autocommit=True) as connection:
        kept = [row[0] for row in connection.execute(ONLY_ADDED).fetchall()]
        assert {"audit_entry", "work_contact", "exports_export"} <= set(kept)
        for table in kept:
            for words in (
                f"ALTER TABLE {table} DISABLE TRIGGER ALL", f"DROP TRIGGER {table}_only_added ON {table}",
                f"DELETE FROM {table}", f"TRUNCATE {table}", f"DROP TABLE {table}",
                f"ALTER TABLE {table} OWNER TO {database.SERVING}",
            ):  # fmt: skip
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(words)
        for words in (
            "UPDATE audit_entry SET act = 'x'", "SET session_replication_role = replica",
            f"SET ROLE {database.ROLE}", "CREATE TABLE public.mine (x int)",
            "CREATE OR REPLACE FUNCTION keepline_only_added() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
            "DELETE FROM django_migrations", "COPY people_person TO PROGRAM 'cat'",
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(words)


def test_to_hold_a_row_is_allowed_and_to_change_its_key_is_not(serving: str) -> None:
    with psycopg.connect(serving, autocommit=True) as connection:
        assert connection.execute("SELECT id FROM audit_entry ORDER BY id LIMIT 1 FOR UPDATE").fetchone()
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute("UPDATE audit_entry SET id = id + 1000000")


def test_the_day_goes_on_under_the_role_that_serves(serving: str) -> None:  # noqa: ARG001
    cast = Cast.found()
    client = browser(cast.owner)
    entries = Entry.objects.count()
    sent = {"key": str(uuid.uuid4()), "outcome": "reached", "channel": "manager_call", "note": "说好下周再联系"}
    assert client.post(f"/accounts/{cast.own.pk}/log", sent).status_code == 302
    assert client.post(f"/accounts/{cast.own.pk}/unmask", {"reason": "客户要求回电"}).status_code == 200
    assert {client.get(path).status_code for path in ("/today", "/log", "/accounts", "/me", "/tasks")} == {200}
    assert Entry.objects.count() == entries + 2


def test_an_owner_is_not_taken_for_a_role_that_serves(committed: str) -> None:
    with pytest.raises(SiteError, match="owns the tables"):
        grant(committed)


def test_what_is_due_is_removed_under_the_role_that_serves_and_nothing_else(serving: str) -> None:
    cast, old = Cast.found(), dt.datetime.now(dt.UTC) - dt.timedelta(days=4 * 366)
    for at in (old, dt.datetime.now(dt.UTC)):
        Contact.objects.create(account=cast.own, person=cast.owner, at=at, on_day=at.date(), channel="visit",
                               outcome="reached", purpose="care")  # fmt: skip
    before = Contact.objects.count()
    assert remove_due(open_site(settings.SITE.root))["contacts"] == 1
    assert Contact.objects.count() == before - 1
    with psycopg.connect(serving, autocommit=True) as connection:
        connection.execute("SET keepline.removing = 'on'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM work_contact")
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute("SELECT keepline_remove_due('work_contact', ARRAY[1, 2], 1)")
