"""Programs look after what lies around a customer: contact persons, groups, searches, offers taken up, loads undone."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from keepline_web.customers import persons, sealed
from keepline_web.customers.models import Account, Affiliation, ContactPerson
from keepline_web.customers.queries import SEARCHES_A_MINUTE
from keepline_web.exchange.models import Undoing
from keepline_web.frame import clock
from keepline_web.people.roles import Role
from keepline_web.work.models import Contact, Ruling
from keepline_web.work.proposals import propose, rule
from web.calling import Program, everything, key
from web.cast import Cast
from web.matrix_test import loaded

NAME, PHONE, NOTE = "司马试验", "13912345678", "每周三在"


def added(cast: Cast) -> dict[str, object]:
    body = {"key": key(), "name": NAME, "phone": PHONE, "role": "decides", "birthday": "1980-11-05", "note": NOTE}
    said = Program(cast.owner).post(f"accounts/{cast.own.pk}/contact-persons", body)
    assert said.status_code == 201, said.content
    again = Program(cast.owner).post(f"accounts/{cast.own.pk}/contact-persons", body)
    assert again.json() == said.json()
    told: dict[str, object] = said.json()
    return told


def test_a_contact_person_is_told_masked_and_is_in_full_where_the_pages_look(cast: Cast) -> None:
    said = added(cast)
    assert (said["name"], said["phone"]) == (sealed.mask_name(NAME), sealed.mask_phone(PHONE))
    assert (said["birthday"], said["customer_id"]) == ("11-05", str(cast.own.pk))
    assert persons.opened(ContactPerson.objects.get()).phone == PHONE
    for role in (Role.TEAM_LEAD, Role.ANALYST):
        listed = Program(cast.people[role]).get(f"accounts/{cast.own.pk}/contact-persons")
        assert not {NAME, PHONE} & set(listed.content.decode().split('"'))
        (one,) = listed.json()
        assert bool(one["name"] or one["phone"] or one["note"]) == (role == Role.TEAM_LEAD)


def test_a_contact_person_corrected_keeps_what_is_not_sent_and_of_two_at_once_the_second_is_told(cast: Cast) -> None:
    program, place = Program(cast.owner), f"contact-persons/{added(cast)['id']}"
    made = program.post(place, {"key": key(), "role": "pays", "note": NOTE}).json()
    row = ContactPerson.objects.get(pk=made["id"])
    assert (persons.opened(row).name, persons.opened(row).phone, row.role) == (NAME, PHONE, "pays")
    late = program.post(place, {"key": key(), "role": "uses"})
    assert (late.status_code, late.json()["code"]) == (409, "changed_meanwhile")
    ended = program.post(f"contact-persons/{made['id']}/end").json()
    assert ended == {"id": made["id"], "customer_id": str(cast.own.pk), "ended_on": clock.today().isoformat()}
    assert program.get(f"accounts/{cast.own.pk}/contact-persons").json() == []


def test_of_a_group_a_program_is_told_those_of_its_scope_and_no_count(cast: Cast) -> None:
    mine = list(Account.objects.filter(assignments__person=cast.owner).order_by("pk")[:2])
    Account.objects.filter(pk__in=[one.pk for one in mine]).update(kind="organisation")
    head, branch = mine
    Account.objects.filter(pk__in=[cast.team.pk, cast.other.pk]).update(head_id=head.pk)
    number = sealed.unseal(head.phone_sealed, customer_id=head.pk)
    body = {"head": number, "reason": "客户告知"}
    said = Program(cast.owner).post(f"accounts/{branch.pk}/head", body)
    assert (said.status_code, said.json()["head"]["customer_id"]) == (201, str(head.pk))
    assert Affiliation.objects.get().made_by == cast.owner
    sees = {cast.owner: {head, branch}, cast.people[Role.TEAM_LEAD]: {head, branch, cast.team},
            cast.people[Role.PROVINCE_CHIEF]: {head, branch, cast.team, cast.other}}  # fmt: skip
    for person, accounts in sees.items():
        program, ids = Program(person), {str(one.pk) for one in accounts}
        told = program.get(f"accounts/{branch.pk}/group").json()
        assert set(told) == {"head", "members"}
        assert {row["customer_id"] for row in told["members"]} == ids
        assert {row["customer_id"] for row in everything(program, "accounts", group=str(branch.pk))} == ids
    Account.objects.filter(pk=head.pk).update(head_id=None)
    alone = Program(cast.stranger).get(f"accounts/{cast.other.pk}/group").json()
    assert alone == {"head": None, "members": []}


def test_a_name_or_number_is_searched_for_in_the_body_and_refused_in_an_address(cast: Cast) -> None:
    program = Program(cast.owner)
    phone = sealed.unseal(cast.own.phone_sealed, customer_id=cast.own.pk)
    found = program.post("accounts/search", {"q": phone}).json()
    assert [row["customer_id"] for row in found["items"]] == [str(cast.own.pk)]
    assert Program(cast.stranger).post("accounts/search", {"q": phone}).json()["total"] == 0
    for name in ("q", "sought-q"):
        said = program.get("accounts", **{name: phone})
        assert (said.status_code, phone in said.content.decode()) == (422, False)
    plain = program.post("accounts/search", {"sort": "risk", "each": 100}).json()["items"]
    assert plain == program.get("accounts", sort="risk", each=100).json()["items"]


def test_so_many_searches_a_minute_are_answered_and_no_more(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = time.time()  # that goes on would count them in two windows where a minute ends
    monkeypatch.setattr("keepline_web.audit.limits.time.time", lambda: moment)
    program = Program(cast.owner)
    answers = [program.post("accounts/search", {"q": "N99999999"}).status_code for _ in range(SEARCHES_A_MINUTE + 1)]
    assert set(answers[:-1]) == {200}
    assert answers[-1] == 429
    assert program.post("accounts/search", {"risk": "high"}).status_code == 200


def approved(cast: Cast) -> int:
    made = propose(by=cast.owner, customer_id=cast.own.pk, key=key(), offer_id="manager-visit", price_fen=0,
                   reason="客户要求")  # fmt: skip
    lead, last = cast.people[Role.TEAM_LEAD], clock.today() + dt.timedelta(days=3)
    if made.rulings.order_by("-number")[0].what != "approved":
        rule(made, "approved", lead, last_on=last)
    return int(made.pk)


def test_an_approved_offer_is_taken_up_once(cast: Cast) -> None:
    program, made = Program(cast.owner), approved(cast)
    said = program.post(f"proposals/{made}/use").json()
    assert (said["state"], said["rulings"][-1]["what"]) == ("used", "used")
    assert said["rulings"][-1]["last_on"] is not None
    again = program.post(f"proposals/{made}/use")
    assert (again.status_code, again.json()["code"]) == (409, "used_already")


def test_a_contact_in_which_the_customer_agreed_takes_the_offer_up_that_it_names(cast: Cast) -> None:
    program, made = Program(cast.owner), approved(cast)
    body = {"key": key(), "outcome": "agreed", "proposal": made}
    said = program.post(f"accounts/{cast.own.pk}/contacts", body).json()
    assert said["proposal"] == made
    assert Ruling.objects.filter(proposal=made, what="used").count() == 1
    assert program.post(f"accounts/{cast.own.pk}/contacts", body).json() == said
    other = Program(cast.colleague).post(f"accounts/{cast.team.pk}/contacts", body | {"key": key()})
    assert (other.status_code, Contact.objects.count()) == (404, 1)


def test_what_one_approves_is_used_of_ones_authority(cast: Cast) -> None:
    program = Program(cast.people[Role.TEAM_LEAD])
    before = program.get("authority").json()
    made = propose(by=cast.owner, customer_id=cast.own.pk, key=key(), offer_id="manager-visit", price_fen=0,
                   reason="客户要求")  # fmt: skip
    said = program.post(f"inbox/{made.pk}", {"what": "approved"}).json()
    after = program.get("authority").json()
    assert after["used_fen"] == before["used_fen"] + said["cost_fen"]
    none = Program(cast.people[Role.AUDITOR]).get("authority").json()
    assert none == {"each_fen": 0, "month_fen": 0, "used_fen": 0, "left_fen": 0}


def test_a_proposal_passed_up_waits_for_the_level_above(cast: Cast) -> None:
    made = propose(by=cast.owner, customer_id=cast.own.pk, key=key(), offer_id="manager-visit", price_fen=0,
                   reason="客户要求")  # fmt: skip
    lead, chief = Program(cast.people[Role.TEAM_LEAD]), Program(cast.people[Role.DISTRICT_CHIEF])
    assert lead.post(f"inbox/{made.pk}", {"what": "raised"}).json()["state"] == "raised"
    assert made.pk not in [row["id"] for row in everything(lead, "inbox")]
    assert made.pk in [row["id"] for row in everything(chief, "inbox")]


def test_the_inbox_tells_what_was_decided_of_accounts_one_sees_and_whether_ones_authority_is_enough(cast: Cast) -> None:
    values = {"offer_id": "manager-visit", "price_fen": 0, "reason": "客户要求"}
    for person, account in ((cast.colleague, cast.team), (cast.stranger, cast.other)):
        made = propose(by=person, customer_id=account.pk, key=key(), **values)  # type: ignore[arg-type]
        rule(made, "refused", cast.people[Role.PROVINCE_CHIEF], reason="另有安排")
    asked = propose(by=cast.owner, customer_id=cast.own.pk, key=key(), **values)  # type: ignore[arg-type]
    lead, chief = Program(cast.people[Role.TEAM_LEAD]), Program(cast.people[Role.PROVINCE_CHIEF])
    (told,) = (row for row in everything(lead, "inbox") if row["id"] == asked.pk)
    (near,) = told["before"]["likest"]
    assert (near["customer_id"], near["what"], near["because"]) == (str(cast.team.pk), "refused", "另有安排")
    assert (told["before"]["declined"], told["before"]["median_fen"], told["within_authority"]) == (1, None, True)
    (wide,) = (row for row in everything(chief, "inbox") if row["id"] == asked.pk)
    assert {row["customer_id"] for row in wide["before"]["likest"]} == {str(cast.team.pk), str(cast.other.pk)}


def test_a_load_tells_what_undoing_takes_out_and_is_asked_for_once(cast: Cast) -> None:
    program, number = Program(cast.people["importer"]), loaded()
    assert number in [row["number"] for row in everything(program, "loads")]
    said = program.get(f"loads/{number}")
    told = said.json()
    assert told["brought"] == [{"table": "network_faults", "month": "2026-10", "rows": 1}]
    assert (told["foreseen"]["places"][0]["rows_after"], told["cannot"]) == (0, None)
    assert "/faults.csv" not in said.content.decode()
    if told["foreseen"]["published"]:
        unknown = program.post(f"loads/{number}/undo", {"reason": "单位弄错"})
        assert (unknown.status_code, unknown.json()["code"]) == (422, "published")
    body = {"reason": "单位弄错", "accept": ["reopen"]}
    task = program.post(f"loads/{number}/undo", body).json()
    assert program.get(f"tasks/{task['id']}").json()["kind"] == "undo"
    again = program.post(f"loads/{number}/undo", body)
    assert (again.status_code, again.json()["code"]) == (409, "undo_runs")
    assert Undoing.objects.get().reason == "单位弄错"
    assert program.get(f"loads/{number}").json()["undoing"]["task"]["id"] == task["id"]


@pytest.mark.parametrize("reason", ["", " ", "x"])
def test_without_a_reason_no_load_is_undone(reason: str, cast: Cast) -> None:
    said = Program(cast.people["importer"]).post(f"loads/{loaded()}/undo", {"reason": reason, "accept": ["reopen"]})
    assert said.status_code == 422
    assert not Undoing.objects.exists()
