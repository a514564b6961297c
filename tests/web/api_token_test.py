"""Tokens: shown once, kept as a keyed hash, narrower than the person, and dead the moment the person's rights end."""

from __future__ import annotations

import datetime as dt
import hashlib
import html
import re

import pytest
from django.db import connection
from django.test import Client

from keepline_web.audit.models import Entry
from keepline_web.audit.queries import broken
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.actions import disable, move_person, reset
from keepline_web.people.models import Person, Token
from keepline_web.people.tokens import AT_MOST, DAYS_AT_MOST, PREFIX, alive, digest_of, known, make_token, why_dead
from web.cast import Cast
from web.visiting import browser

RIGHT = {"name": "呼叫中心对接", "scope": ["read", "work"], "days": "30"}
SECRET = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


def make(person: Person, *scopes: str, days: int = 30) -> tuple[Token, str]:
    return make_token(by=person, name="对接", scopes=scopes or ("read",), days=days, proved=True)


def test_a_token_is_shown_once_and_kept_nowhere(cast: Cast) -> None:
    client = browser(cast.owner)
    secret = SECRET.search(client.post("/me/tokens", RIGHT).content.decode())
    assert secret is not None
    assert secret.group() not in client.get("/me/tokens").content.decode()
    token = Token.objects.get()
    assert (token.person_id, token.scopes, token.proved) == (cast.owner.pk, ["read", "work"], True)
    assert known(secret.group()) == token
    with connection.cursor() as cursor:
        for table in ("people_token", "audit_entry"):
            cursor.execute(f"SELECT string_agg(t::text, '') FROM {table} t")
            (text,) = cursor.fetchone()
            assert secret.group() not in text, table
            assert secret.group()[len(PREFIX) + 4 :] not in text, table


def test_what_is_kept_is_no_hash_that_can_be_made_without_the_key(cast: Cast) -> None:
    token, secret = make(cast.owner)
    for name in ("md5", "sha1", "sha256", "sha512"):
        assert token.digest != hashlib.new(name, secret.encode()).hexdigest()
    assert token.digest == digest_of(secret)
    assert token.start == secret[:8]


@pytest.mark.parametrize("role", ["account_manager", "admin", "auditor"])
def test_no_page_shows_what_is_kept_of_a_token(role: str, cast: Cast) -> None:
    token, secret = make(cast.owner)
    client = browser(cast.of_role(role))
    for path in ("/me", "/me/tokens", f"/people/{cast.owner.pk}", "/audit?q=token_made"):
        text = html.unescape(client.get(path).content.decode())
        assert token.digest not in text
        assert secret not in text


@pytest.mark.parametrize(("sent", "code"), [
    ({"name": " "}, "token_name"), ({"scope": []}, "token_scopes"), ({"scope": ["audit"]}, "token_scopes"),
    ({"scope": ["read", "everything"]}, "token_scopes"), ({"days": "0"}, "token_days"), ({"days": "x"}, "token_days"),
    ({"days": str(DAYS_AT_MOST + 1)}, "token_days"),
])  # fmt: skip
def test_a_token_without_a_name_beyond_the_post_or_for_too_long_is_not_made(
    sent: dict[str, object], code: str, cast: Cast
) -> None:
    said = browser(cast.owner).post("/me/tokens", RIGHT | sent)
    assert (said.status_code, said["X-Refused"]) == (422, code)
    assert not Token.objects.exists()


def test_a_person_has_so_many_tokens_alive_and_no_more(cast: Cast) -> None:
    made = [make(cast.owner)[0] for _ in range(AT_MOST)]
    with pytest.raises(Refused) as refused:
        make(cast.owner)
    assert refused.value.code == "token_limit"
    browser(cast.owner).post(f"/me/tokens/{made[0].pk}/end")
    make(cast.owner)
    assert make(cast.colleague)[0].person_id == cast.colleague.pk


def test_a_token_that_is_over_is_told_why(cast: Cast) -> None:
    token, _ = make(cast.owner, days=1)
    assert why_dead(token) == ""
    token.expires_at = clock.now() - dt.timedelta(seconds=1)
    assert why_dead(token) == "expired"
    ended, _ = make(cast.owner)
    browser(cast.owner).post(f"/me/tokens/{ended.pk}/end")
    ended.refresh_from_db()
    assert why_dead(ended) == "ended"


@pytest.mark.parametrize("act", ["disable", "move", "reset"])
def test_every_token_dies_with_the_persons_rights(act: str, cast: Cast) -> None:
    (token, _), (others, _) = make(cast.owner), make(cast.colleague)
    admin = cast.people["admin"]
    if act == "disable":
        disable(person=cast.owner, by=admin)
    elif act == "move":
        move_person(person=cast.owner, role="marketer", unit=cast.owner.unit, by=admin)
    else:
        reset(person=cast.owner, by=admin)
    for one in (token, others):
        one.refresh_from_db()
    assert why_dead(token) == "ended"
    assert why_dead(others) == ""
    assert Entry.objects.filter(act="tokens_ended", object=f"person:{cast.owner.pk}").count() == 1


def test_a_token_made_before_a_role_needed_a_second_factor_is_not_enough(cast: Cast) -> None:
    token, _ = make_token(by=cast.owner, name="旧", scopes=["read"], days=1, proved=False)
    assert why_dead(token) == "second_factor"


def test_an_administrator_ends_somebodys_token_and_the_owner_alone_ends_it_else(cast: Cast) -> None:
    token, _ = make(cast.owner)
    path = f"/people/{cast.owner.pk}/tokens/{token.pk}/end"
    assert browser(cast.people["team_lead"]).post(path).status_code == 404
    assert browser(cast.colleague).post(f"/me/tokens/{token.pk}/end").status_code == 404
    assert browser(cast.people["admin"]).post(f"/people/{cast.colleague.pk}/tokens/{token.pk}/end").status_code == 404
    assert alive(cast.owner).exists()
    assert browser(cast.people["admin"]).post(path).status_code == 302
    assert not alive(cast.owner).exists()
    entry = Entry.objects.get(act="token_ended")
    assert (entry.person_id, entry.object) == (cast.people["admin"].pk, f"person:{cast.owner.pk}")


def test_making_and_ending_a_token_stand_in_the_audit(cast: Cast) -> None:
    client = browser(cast.owner)
    client.post("/me/tokens", RIGHT)
    client.post(f"/me/tokens/{Token.objects.get().pk}/end")
    acts = Entry.objects.filter(act__startswith="token_").order_by("pk")
    assert [entry.act for entry in acts] == ["token_made", "token_ended"]
    assert acts[0].detail == {"token": Token.objects.get().pk, "name": RIGHT["name"], "scopes": ["read", "work"],
                              "days": 30}  # fmt: skip
    assert broken() == []


def test_a_token_is_made_by_whoever_is_signed_in_alone(cast: Cast) -> None:  # noqa: ARG001
    assert Client().get("/me/tokens").status_code == 302
    assert Client().post("/me/tokens", RIGHT).status_code == 403
    assert not Token.objects.exists()
