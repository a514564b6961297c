"""How the API speaks: one shape of error, both languages, keys that make a line once, and nothing taken back half."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from keepline_web.api import counting
from keepline_web.api.counting import A_MINUTE, sweep, told_at
from keepline_web.api.fields import In, Out
from keepline_web.api.models import Visits
from keepline_web.audit.models import Entry
from keepline_web.audit.queries import broken
from keepline_web.customers.models import Account
from keepline_web.frame import clock
from keepline_web.people.actions import disable
from keepline_web.people.models import Token
from keepline_web.work.models import Contact, Promise, Target
from web.calling import Program, everything, key, token_of
from web.cast import Cast
from web.visiting import browser

SHAPE = {"type", "title", "status", "detail", "code", "reference"}


def problem(answer: object, status: int, code: str) -> dict[str, object]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    said = answer.json()
    assert set(said) >= SHAPE
    assert (said["status"], said["code"], said["type"]) == (status, code, f"urn:keepline:problem:{code}")
    assert re.fullmatch(r"[0-9a-f]{8}", said["reference"])
    return said


# tokens at the door


def test_a_token_is_dead_the_moment_its_person_is_disabled(cast: Cast) -> None:
    program = Program(cast.owner)
    assert program.get("me").status_code == 200
    disable(person=cast.owner, by=cast.people["admin"])
    problem(program.get("me"), 401, "bad_token")


@pytest.mark.parametrize("values", [
    {"ended_at": clock.now()}, {"expires_at": clock.now() - dt.timedelta(seconds=1)}, {"proved": False},
])  # fmt: skip
def test_a_token_ended_expired_or_unproved_opens_nothing_and_stands_in_the_audit(
    values: dict[str, object], cast: Cast
) -> None:
    token, secret = token_of(cast.owner, **values)
    said = Program(None, secret=secret).get("me")
    problem(said, 401, "bad_token")
    assert said["WWW-Authenticate"] == 'Bearer realm="keepline", error="invalid_token"'
    entry = Entry.objects.get(act="token_refused")
    assert (entry.person_id, entry.detail["token"], entry.detail["times"]) == (cast.owner.pk, token.pk, 1)


def test_refused_tokens_cannot_flood_the_audit(cast: Cast) -> None:  # noqa: ARG001
    program = Program(None, secret="kpl_" + "x" * 43)
    for _ in range(120):
        assert program.get("me").status_code == 401
    assert [entry.detail["times"] for entry in Entry.objects.filter(act="token_refused").order_by("pk")] == [1, 10, 100]
    assert [number for number in range(1, 2001) if told_at(number)] == [1, 10, 100, 1000]


def test_when_and_from_where_a_token_was_used_is_kept(cast: Cast) -> None:
    program = Program(cast.owner)
    assert program.token.used_at is None
    program.get("me")
    token = Token.objects.get(pk=program.token.pk)
    assert token.used_at is not None
    assert token.used_from == "127.0.0.1"
    program.get("me")
    assert Token.objects.get(pk=token.pk).used_at == token.used_at  # to the minute


def test_a_token_that_calls_too_often_waits_and_others_do_not(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = clock.now().replace(second=20)
    monkeypatch.setattr(counting.clock, "now", lambda: moment)
    program = Program(cast.owner)
    assert program.get("me").status_code == 200
    Visits.objects.filter(subject=f"token:{program.token.pk}").update(number=A_MINUTE - 1)
    assert program.get("me").status_code == 200
    said = program.get("me")
    problem(said, 429, "rate_limit")
    assert said["Retry-After"] == "40"
    assert Program(cast.colleague).get("me").status_code == 200


def test_counts_that_are_over_are_forgotten(cast: Cast) -> None:  # noqa: ARG001
    counting.count("token:1", 60)
    Visits.objects.create(subject="token:2", since=clock.now() - dt.timedelta(hours=3), number=5)
    assert sweep() == 1
    assert Visits.objects.get().subject == "token:1"


# what is said of what goes wrong


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/api/v1/nowhere", 404), ("GET", "/api/", 404), ("GET", "/api/v1/", 404), ("GET", "/api/v2/me", 404),
    ("DELETE", "/api/v1/me", 405), ("POST", "/api/v1/today", 405), ("GET", "/api/v1/accounts/999999999999", 404),
    ("GET", "/api/v1/accounts/99999999999999999999", 422), ("GET", "/api/v1/accounts/9999999999999999999", 404),
    ("GET", "/api/v1/accounts?page=0", 422), ("GET", "/api/v1/people?page=%00", 400),
    ("GET", "/api/v1/people?q=anyone", 422), ("GET", "/api/v1/audit?q=anyone", 422),
    ("PATCH", "/api/v1/openapi.json", 405), ("GET", "/api/v1/tasks/-1", 422),
    ("HEAD", "/api/v1/me", 405), ("OPTIONS", "/api/v1/me", 405),
])  # fmt: skip
def test_below_the_api_no_answer_is_a_page(method: str, path: str, status: int, cast: Cast) -> None:
    said = Program(cast.owner)(method, path)
    assert said.status_code == status, said.content
    assert said["Content-Type"] == "application/problem+json"
    assert status != 405 or said["Allow"]


@pytest.mark.parametrize("body", [
    b"{", b"[1,2", b"\xff\xfe", b'{"key": "\\u0000"}', b'{"note": "\\ud800"}', b'{"price_fen": NaN}', b"1" * 5000,
    b"[" * 5000,
])  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused(body: bytes, cast: Cast) -> None:
    program = Program(cast.owner)
    path = f"/api/v1/accounts/{cast.own.pk}/contacts"
    said = program.client.post(path, body, content_type="application/json", headers=program.headers)
    assert said.status_code in (400, 422), said.content
    assert said["Content-Type"] == "application/problem+json"
    assert not Contact.objects.exists()


@pytest.mark.parametrize("change", [
    {"outcome": "bought"}, {"key": 7}, {"key": "x"}, {"more": 1}, {"plan_row": "1"}, {"plan_row": -1},
    {"note": "长" * 201}, {"happened_at": "2026-11-01T10:00:00"}, {"channel": None},
])  # fmt: skip
def test_what_does_not_fit_the_description_is_told_by_its_place(change: dict[str, object], cast: Cast) -> None:
    said = Program(cast.owner).post(f"accounts/{cast.own.pk}/contacts", {"key": key(), "outcome": "reached"} | change)
    told = problem(said, 422, "invalid")
    assert next(iter(change)) in told["errors"][0]["where"]
    assert not Contact.objects.exists()


def test_a_filter_that_is_misspelt_is_refused(cast: Cast) -> None:
    program = Program(cast.owner)
    for path in ("accounts?rsk=high", f"accounts/{cast.own.pk}?x=1", "me?x", "tasks?seite=2"):
        assert problem(program("GET", f"/api/v1/{path}"), 422, "invalid")["errors"][0]["where"].startswith("query.")


def test_shapes_of_the_description_have_names_of_their_own() -> None:
    shapes = [one for one in Out.__subclasses__() + In.__subclasses__() if "[" not in one.__name__]
    more = [one for parent in shapes for one in parent.__subclasses__()]
    names = [one.__name__ for one in {*shapes, *more}]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)


def test_a_day_is_a_day_and_no_number_or_moment(cast: Cast) -> None:
    for day in (0, "0", "2026-13-01", "2026-11-05T00:00:00", "05.11.2099", None):
        body = {"key": key(), "what": "回电", "due_on": day}
        problem(Program(cast.owner).post(f"accounts/{cast.own.pk}/promises", body), 422, "invalid")
    assert not Promise.objects.exists()


def test_a_refusal_is_said_in_the_language_asked_for_else_in_the_persons(cast: Cast) -> None:
    def detail(program: Program) -> tuple[str, str]:
        said = program.post(f"accounts/{cast.own.pk}/contacts", {"key": key(), "outcome": "agreed"})
        return problem(said, 422, "nothing_to_agree")["detail"], said["Content-Language"]

    assert "没有方案中的优惠" in detail(Program(cast.owner))[0]
    assert detail(Program(cast.owner, language="en-GB,en;q=0.8")) == (
        "There is no offer of the plan to take; choose 'reached', or ask for an offer first.", "en"
    )  # fmt: skip
    program = Program(cast.owner)
    del program.headers["Accept-Language"]
    assert detail(program)[1] == "zh-CN"
    cast.owner.language = "en"
    cast.owner.save()
    assert detail(program)[1] == "en"


def test_what_breaks_tells_nothing_of_the_inside(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr("keepline_web.api.day.day_of", breaks)  # a fault of our own, of a kind nobody foresaw
    said = Program(cast.owner).get("today")
    assert "inside" not in said.content.decode()
    problem(said, 500, "500")


# acts


def test_the_same_key_again_gives_what_is_there(cast: Cast) -> None:
    program, body = Program(cast.owner), {"key": key(), "outcome": "reached", "note": "谈了套餐"}
    first, second = (program.post(f"accounts/{cast.own.pk}/contacts", body) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert Contact.objects.count() == 1
    taken = Program(cast.colleague).post(f"accounts/{cast.team.pk}/contacts", body)
    problem(taken, 409, "key_taken")


def test_what_was_done_through_a_token_says_so_in_the_audit(cast: Cast) -> None:
    program = Program(cast.owner)
    program.post(f"accounts/{cast.own.pk}/contacts", {"key": key(), "outcome": "reached"})
    entry = Entry.objects.get(act="contact_logged")
    assert (entry.person_id, entry.detail["by_token"]) == (cast.owner.pk, program.token.pk)
    browser(cast.owner).post(f"/accounts/{cast.own.pk}/promise", {"key": key(), "what": "回电",
                                                                "due_on": clock.today().isoformat()})  # fmt: skip
    assert "by_token" not in Entry.objects.get(act="promised").detail
    assert broken() == []


def test_targets_are_set_all_or_none(cast: Cast) -> None:
    month = clock.today().isoformat()[:7]
    rows = [
        {"kind": "person", "id": one.pk, "measure": "contacts", "amount": 40} for one in (cast.owner, cast.stranger)
    ]
    program = Program(cast.people["team_lead"])
    problem(program("PUT", "targets", {"month": month, "targets": rows}), 403, "not_yours")
    assert not Target.objects.exists()
    assert program("PUT", "targets", {"month": month, "targets": rows[:1]}).json() == {"changed": 1}
    (row,) = program.get("targets").json()["targets"]
    assert (row["id"], row["measure"], row["amount"]) == (cast.owner.pk, "contacts", 40)


def test_accounts_are_handed_over_whole_and_by_their_texts(cast: Cast) -> None:
    program = Program(cast.people["team_lead"])
    own = [row["customer_id"] for row in everything(program, f"holders/{cast.owner.pk}/accounts")]
    body = {"leaving": cast.owner.pk, "to": cast.colleague.pk, "accounts": [*own, str(cast.other.pk)], "reason": "调岗"}
    problem(program.post("handovers", body), 409, "changed_meanwhile")
    assert program.post("handovers", body | {"accounts": own}).json() == {"accounts": len(own)}
    assert list(everything(program, f"holders/{cast.owner.pk}/accounts")) == []


def test_who_tries_to_consent_to_their_own_export_is_refused_and_that_stays(cast: Cast) -> None:
    program = Program(cast.people["team_lead"])
    made = program.post("exports", {"key": key(), "reason": "本周拜访"}).json()
    problem(program.post(f"exports/{made['id']}/decide", {"what": "approved"}), 403, "own_export")
    assert Entry.objects.filter(act="export_decision_refused").count() == 1


def test_a_persons_password_is_told_once_and_their_tokens_end(cast: Cast) -> None:
    owners, admin = Program(cast.owner), Program(cast.people["admin"])
    said = admin.post(f"people/{cast.owner.pk}/reset").json()
    assert len(said["password"]) >= 20
    assert "password" not in admin.get(f"people/{cast.owner.pk}").json()
    problem(owners.get("me"), 401, "bad_token")
    problem(admin.post(f"people/{cast.people['admin'].pk}/disable"), 409, "not_oneself")


# numbers


def test_a_customers_number_is_a_text_all_the_way(cast: Cast) -> None:
    account = Account.objects.order_by("-pk").first()
    program = Program(cast.people["analyst"])
    text = program.get(f"accounts/{account.pk}").content.decode()
    assert json.loads(text)["customer_id"] == str(account.pk)
    assert not re.search(rf"[:\[,] ?{account.pk}\b", text)


@pytest.mark.parametrize(("role", "path"), [
    ("province_chief", "accounts"), ("account_manager", "promises"), ("account_manager", "contacts"),
    ("province_chief", "inbox"), ("province_chief", "arrears"), ("analyst", "exports"), ("province_chief", "unowned"),
    ("admin", "people"), ("auditor", "audit"), ("importer", "uploads"), ("account_manager", "proposals"),
])  # fmt: skip
def test_a_list_of_many_asks_the_database_no_more_often_than_a_list_of_few(role: str, path: str, cast: Cast) -> None:
    for account in Account.objects.filter(assignments__person=cast.owner)[:12]:
        program = Program(cast.owner)
        day = clock.today().isoformat()
        program.post(f"accounts/{account.pk}/contacts", {"key": key(), "outcome": "reached"})
        program.post(f"accounts/{account.pk}/promises", {"key": key(), "what": "回电", "due_on": day})
        body = {"key": key(), "offer_id": "manager-visit", "price_fen": 0, "reason": "客户要求"}
        program.post(f"accounts/{account.pk}/proposals", body)
    program = Program(cast.of_role(role))
    program.get(path, each=1)
    asked = []
    for each in (2, 100):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert program.get(path, each=each).status_code == 200
        asked.append(len(queries))
    assert asked[1] <= asked[0], asked
