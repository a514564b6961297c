"""Signing in: by password, locked against guessing, ended by time, by post and by the person."""

from __future__ import annotations

import datetime as dt
import re
import statistics
import time
from collections.abc import Callable

import pytest
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.test import Client

from keepline_web.audit.models import Entry
from keepline_web.frame import clock
from keepline_web.people.actions import (
    PASSWORD_SIGNS,
    change_password,
    disable,
    enable,
    make_person,
    move_person,
    reset,
)
from keepline_web.people.models import Person, Session
from keepline_web.people.roles import Role
from web.cast import Cast, enter
from web.signing import NEW, SECRET, acts, code_of, inside, let_on, sign_in, with_password
from web.visiting import browser, steady


@pytest.fixture
def marketer(cast: Cast) -> Person:
    """One who sees no person, only figures."""
    return with_password(cast.people["marketer"])


@pytest.fixture
def manager(cast: Cast) -> Person:
    """One who sees persons."""
    return with_password(cast.owner)


# guessing


def test_the_fifth_wrong_password_closes_the_name_from_that_address_alone(marketer: Person) -> None:
    for _ in range(4):
        assert sign_in(marketer, "wrong-wrong-wrong").last.status_code == 422
    assert sign_in(marketer, "wrong-wrong-wrong").last["X-Refused"] == "locked_out"
    assert sign_in(marketer).last.status_code == 429  # the right one comes too late
    assert let_on(sign_in(marketer, address="10.0.0.2"))  # nobody is locked out by somebody else's guesses


def test_another_name_is_open_at_the_address_where_one_is_closed(marketer: Person, cast: Cast) -> None:
    for _ in range(5):
        sign_in(marketer, "wrong-wrong-wrong")
    assert let_on(sign_in(with_password(cast.people["importer"])))


def test_a_right_password_forgets_the_wrong_ones_before_it(marketer: Person) -> None:
    for _ in range(3):
        for _ in range(4):
            sign_in(marketer, "wrong-wrong-wrong")
        assert let_on(sign_in(marketer))


def test_the_name_is_open_again_after_a_quarter_of_an_hour(marketer: Person, settings: object) -> None:
    for _ in range(5):
        sign_in(marketer, "wrong-wrong-wrong")
    assert settings.AXES_COOLOFF_TIME == 0.25
    settings.AXES_COOLOFF_TIME = 0.00001  # hours; nobody waits in a test
    time.sleep(0.1)
    assert let_on(sign_in(marketer))


def test_a_name_that_nobody_has_reads_and_takes_as_one_that_somebody_has(marketer: Person) -> None:
    def taken(name: str) -> tuple[str, float]:
        began = time.process_time()
        said = sign_in(name, "wrong-wrong-wrong", address=f"10.0.1.{len(times)}").last
        assert said.status_code == 422
        return steady(said.content.decode()).replace(name, "…"), time.process_time() - began

    times: list[tuple[str, float]] = []
    for _ in range(4):
        times += [taken(marketer.username), taken("nobody-at-all")]
    assert len({text for text, _ in times}) == 1
    known, unknown = (statistics.median(t for _, t in times[start::2]) for start in (0, 1))
    assert 1 / 3 < known / unknown < 3


def test_a_disabled_person_is_told_what_a_stranger_is_told(marketer: Person, cast: Cast) -> None:
    disable(person=marketer, by=cast.people["admin"])
    words = {steady(sign_in(name, address="10.0.2.1").last.content.decode()).replace(str(name), "…")
             for name in (marketer.username, "nobody-at-all")}  # fmt: skip
    assert len(words) == 1


# the session


def test_signing_in_makes_a_new_session_and_the_old_key_opens_nothing(manager: Person) -> None:
    client = Client()
    session = client.session
    session["left"] = "by somebody who knows this key"
    session.save()
    client.cookies["session"] = planted = session.session_key
    sign_in(manager, client=client)
    after_password = client.session.session_key
    client.post("/second-factor", {"code": code_of(manager)})
    assert inside(client)
    keys = {planted, after_password, client.session.session_key}
    assert len(keys) == 3
    for key in (planted, after_password):
        other = Client()
        other.cookies["session"] = key
        assert not inside(other)


def test_a_session_key_cannot_be_guessed(manager: Person) -> None:
    assert len(VALID_KEY_CHARS) ** len(enter(Client(), manager).session.session_key) > 2**128


def test_half_an_hour_of_silence_ends_a_session(cast: Cast) -> None:
    for silent, still in ((29 * 60, True), (31 * 60, False)):
        client = browser(cast.people["marketer"])
        assert inside(client)
        session = client.session
        session["_seen"] = time.time() - silent
        session.save()
        assert inside(client) is still
        assert Session.objects.filter(session_key=session.session_key).exists() is still


def test_twelve_hours_end_a_session_however_busy_it_is(cast: Cast) -> None:
    for age, still in ((12 * 3600 - 60, True), (12 * 3600 + 60, False)):
        client = browser(cast.people["marketer"])
        assert inside(client)
        session = client.session
        session["_begun"] = time.time() - age
        session["_seen"] = time.time()
        session.save()
        assert inside(client) is still


def test_signing_out_ends_the_session_on_the_server(cast: Cast) -> None:
    client = browser(cast.people["marketer"])
    key = client.session.session_key
    client.post("/sign-out")
    client.cookies["session"] = key
    assert not inside(client)


@pytest.mark.parametrize("act", [
    lambda person, cast: disable(person=person, by=cast.people["admin"]),
    lambda person, cast: reset(person=person, by=cast.people["admin"]),
    lambda person, cast: move_person(person=person, role=Role.ANALYST, unit=person.unit, by=cast.people["admin"]),
], ids=["disabled", "reset", "moved"])  # fmt: skip
def test_who_is_disabled_reset_or_moved_is_out_at_once_everywhere(
    act: Callable[[Person, Cast], object], cast: Cast
) -> None:
    person = cast.people["marketer"]
    clients = [browser(person), browser(person)]
    assert all(map(inside, clients))
    act(person, cast)
    assert not any(map(inside, clients))
    assert not Session.objects.filter(person=person).exists()


def test_an_administrator_ends_sessions_from_the_page_of_the_person(cast: Cast) -> None:
    client, admin = browser(cast.people["marketer"]), browser(cast.people["admin"])
    admin.post(f"/people/{cast.people['marketer'].pk}", {"act": "disable"})
    assert not inside(client)
    assert sign_in(with_password(cast.people["marketer"])).last.status_code == 302
    Person.objects.filter(pk=cast.people["marketer"].pk).update(is_active=False)
    assert sign_in(cast.people["marketer"], address="10.0.3.1").last.status_code == 422
    enable(person=cast.people["marketer"], by=cast.people["admin"])
    assert sign_in(cast.people["marketer"], address="10.0.3.1").last.status_code == 302


def test_an_administrator_ends_the_sessions_of_one_or_of_everyone_and_nothing_else(cast: Cast) -> None:
    marketer, owner = with_password(cast.people["marketer"]), cast.owner
    one, another, admin = browser(marketer), browser(owner), browser(cast.people["admin"])
    assert admin.post(f"/people/{marketer.pk}", {"act": "end_sessions"}).status_code == 302
    assert (inside(one), inside(another)) == (False, True)
    assert let_on(sign_in(marketer))  # the password is as it was
    assert admin.post("/people/end-sessions").status_code == 302
    assert (inside(another), inside(admin)) == (False, True)
    assert acts("people")[-2:] == ["sessions_ended", "all_sessions_ended"]


def test_one_sees_where_one_is_signed_in_and_ends_one_of_them(cast: Cast) -> None:
    here, there = browser(cast.people["marketer"]), browser(cast.people["marketer"])
    assert inside(here)
    assert inside(there)
    key_end = there.session.session_key[-12:]
    text = here.get("/me").content.decode()
    assert f"/me/sessions/{key_end}" in text
    assert there.session.session_key not in text
    here.post(f"/me/sessions/{key_end}")
    assert inside(here)
    assert not inside(there)


def test_nobody_ends_a_session_of_somebody_else(cast: Cast) -> None:
    mine, other = browser(cast.people["marketer"]), browser(cast.people["auditor"])
    mine.post(f"/me/sessions/{other.session.session_key[-12:]}")
    assert inside(other)


def test_every_page_has_the_way_to_sign_out(cast: Cast) -> None:
    client = browser(cast.owner)
    assert all('href="/me"' in client.get(path).content.decode() for path in ("/today", "/accounts", "/log"))
    assert 'action="/sign-out"' in client.get("/me").content.decode()


# the password


@pytest.mark.parametrize(("password", "taken"), [
    ("short-eleve", False), ("kettles-sing", True), ("correcthorsebatterystaple", True), ("qwertyuiop12", False),
    ("password1234", False), ("1q2w3e4r5t6y", False), ("ct12345678901234", True), ("marketer-marketer", False),
    ("四只绿色的水壶在唱着一首歌", True), ("  spaces at both ends  ", True), ("x" * 14 + "long " * 20, True),
    (SECRET, False), ("my-KEEPLINE-word", False), ("清河通信的新的密码一二三", False), ("zebra测marketer!", False),
])  # fmt: skip
def test_a_password_is_long_and_rare_and_no_word_of_the_house(password: str, taken: bool, marketer: Person) -> None:
    client = browser(marketer)
    said = client.post("/me", {"present": SECRET, "password": password})
    assert said.status_code == (302 if taken else 422), password
    marketer.refresh_from_db()
    assert marketer.check_password(password if taken else SECRET)


def test_the_present_password_is_asked_before_it_is_changed(marketer: Person) -> None:
    client = browser(marketer)
    assert client.post("/me", {"present": "not this one", "password": NEW}).status_code == 422
    assert client.post("/me", {"present": "", "password": NEW}).status_code == 422


def test_a_changed_password_ends_every_other_session(marketer: Person) -> None:
    here, there = browser(marketer), browser(marketer)
    assert inside(here)
    assert inside(there)
    before = here.session.session_key
    here.post("/me", {"present": SECRET, "password": NEW})
    assert inside(here)
    assert not inside(there)
    assert here.session.session_key != before
    assert Session.objects.filter(person=marketer).count() == 1


def test_a_first_password_is_random_and_of_no_use_but_to_be_changed(cast: Cast) -> None:
    unit = cast.owner.unit
    person, first = make_person(username="new-one", name="新人", role=Role.MARKETER, unit=unit, by=None)
    assert len(PASSWORD_SIGNS) ** len(first) > 2**128
    client = sign_in(person, first)
    assert client.get("/month")["Location"] == "/second-factor"
    assert client.post("/second-factor", {"code": code_of(person)}).status_code == 302
    assert client.get("/month")["Location"] == "/me"
    assert client.post(f"/accounts/{cast.own.pk}/claim").status_code == 403
    assert "初始密码" in client.get("/me").content.decode()
    assert client.post("/me", {"present": first, "password": first}).status_code == 422
    assert client.post("/me", {"present": first, "password": NEW}).status_code == 302
    assert client.get("/month").status_code == 200


def test_a_first_password_expires_after_a_week_and_one_of_ones_own_never(cast: Cast) -> None:
    person, first = make_person(username="new-one", name="新人", role=Role.MARKETER, unit=cast.owner.unit, by=None)
    left = person.first_password_until - clock.now()
    assert dt.timedelta(days=6, hours=23) < left <= dt.timedelta(days=7)
    assert let_on(sign_in(person, first))
    Person.objects.filter(pk=person.pk).update(first_password_until=clock.now() - dt.timedelta(seconds=1))
    said = sign_in(person, first).last
    assert said.status_code == 422
    assert "已过期" in said.content.decode()
    again = reset(person=person, by=cast.people["admin"])
    assert let_on(sign_in(person, again))
    person.refresh_from_db()
    change_password(person=person, password=NEW, here=None)
    assert person.first_password_until is None


def test_passwords_are_kept_as_argon2_and_typed_unseen(marketer: Person) -> None:
    assert marketer.password.startswith("argon2$argon2id$")
    pages = (Client().get("/sign-in"), browser(marketer).get("/me"))
    for said in pages:
        fields = re.findall(r"<input[^>]*password[^>]*>", said.content.decode())
        assert fields
        assert all('type="password"' in field and "onpaste" not in field for field in fields)
        assert all('autocomplete="off"' not in field for field in fields)


def test_no_account_is_there_before_somebody_made_it(cast: Cast) -> None:  # noqa: ARG001
    assert not Person.objects.filter(username__in=("root", "sa", "administrator", "guest", "test")).exists()
    assert not Entry.objects.filter(act="person_made", person_id__isnull=False).exists()


# what is kept of it


def test_each_attempt_is_in_the_audit_with_who_and_how_and_no_password(manager: Person) -> None:
    sign_in(manager, "wrong-wrong-wrong")
    client = sign_in(manager)
    client.post("/second-factor", {"code": "000000"})
    client.post("/sign-out")
    assert acts() == ["sign_in_refused", "signed_in", "second_factor_refused", "signed_out"]
    entry = Entry.objects.get(act="sign_in_refused")
    assert entry.detail["username"] == manager.username
    assert entry.at.utcoffset().total_seconds() == 0
    text = str(list(Entry.objects.values_list("detail", "object", "person_name")))
    assert SECRET not in text
    assert "wrong-wrong-wrong" not in text


def test_a_demo_door_is_shut_on_a_site_that_is_no_demo(cast: Cast) -> None:
    assert Client().post("/demo-enter", {"username": cast.owner.username}).status_code == 404
    assert "demo-enter" not in Client().get("/sign-in").content.decode()
