"""Who may do what over the API: every operation, every role, every kind of record, against a table written by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from keepline_web.api.describing import description, operations
from keepline_web.customers.models import Account, Standing
from keepline_web.frame import clock
from keepline_web.people.models import Person, Token
from keepline_web.people.roles import RIGHTS, Role
from keepline_web.people.scopes import SCOPES
from keepline_web.people.tokens import make_token
from web.calling import Program, addresses, filled, key
from web.cast import Cast
from web.matrix_test import AGENT, CHIEFS, EVERYONE, LEAD, MANAGER, SEES, dropped, of_another, places
from web.visiting import browser

LEADERS = f"{LEAD} {CHIEFS}"
SELLERS = f"{MANAGER} {AGENT}"
# operation | roles that may | scopes, one of which is needed | record in the address | answer for one's own
TABLE = f"""
read_me | {EVERYONE} | {" ".join(SCOPES)} | - | 200
read_today | {SELLERS} | read | - | 200
log_contact | {SELLERS} | work | account | 201
list_contacts | {SELLERS} | read | - | 200
withdraw_contact | {SELLERS} | work | contact | 201
plan_step | {SELLERS} | work | account | 201
make_promise | {SELLERS} | work | account | 201
list_promises | {SELLERS} | read | - | 200
end_promise | {SELLERS} | work | promise | 201
give_entitlement | {SELLERS} | work | account | 201
list_accounts | {SELLERS} {LEADERS} analyst admin | read | - | 200
read_account | {SELLERS} {LEADERS} analyst admin | read | account | 200
search_accounts | {SELLERS} {LEADERS} analyst admin | read | - | 200
list_contact_persons | {SELLERS} {LEADERS} analyst admin | read | account | 200
add_contact_person | {SELLERS} | work | account | 201
correct_contact_person | {SELLERS} | work | contact_person | 201
end_contact_person | {SELLERS} | work | contact_person | 201
read_group | {SELLERS} {LEADERS} analyst admin | read | account | 200
attach_head | {SELLERS} | work | account | 201
list_claimable | {SELLERS} | read | - | 200
claim_account | {SELLERS} | work | unowned | 201
list_offers | {SELLERS} | read | account | 200
propose | {SELLERS} | work | account | 201
list_proposals | {SELLERS} | read | - | 200
withdraw_proposal | {SELLERS} | work | proposal | 201
use_proposal | {SELLERS} | work | proposal | 409
read_authority | {EVERYONE} | read | - | 200
list_inbox | {LEADERS} | read | - | 200
decide_proposal | {LEADERS} | decide | proposal | 201
read_team | {LEADERS} | read | - | 200
list_arrears | {SELLERS} {LEADERS} | read | - | 200
read_arrears_totals | {SELLERS} {LEADERS} | read | - | 200
read_fairness | {LEADERS} | read | - | 200
read_targets | {LEADERS} | read | - | 200
put_targets | {LEADERS} | arrange | - | 200
read_meeting | {LEADERS} | read | - | 200
read_bulletin | {LEADERS} | read | - | 200
read_month | {LEADERS} marketer campaign_approver analyst | read | - | 200
list_holders | {LEADERS} | read | - | 200
list_held | {LEADERS} | read | seller | 200
list_unowned | {LEADERS} | read | - | 200
hand_over | {LEADERS} | arrange | - | 201
give_out | {LEADERS} | arrange | - | 409
list_covers | {LEADERS} | read | - | 200
arrange_cover | {LEADERS} | arrange | - | 201
end_cover | {LEADERS} | arrange | cover | 201
list_exports | {MANAGER} {LEADERS} analyst | export | - | 200
list_waiting_exports | {MANAGER} {LEADERS} analyst | decide export | - | 200
ask_export | {MANAGER} {LEADERS} analyst | export | - | 201
read_export | {MANAGER} {LEADERS} analyst | export decide | export | 200
decide_export | {LEADERS} | decide | export | 409
withdraw_export | {MANAGER} {LEADERS} analyst | export | export | 409
fetch_export | {MANAGER} {LEADERS} analyst | export | file | 200
list_tasks | {EVERYONE} | read export data | - | 200
read_task | {EVERYONE} | read export data | task | 200
cancel_task | {EVERYONE} | export data | task | 201
read_data | importer | data | - | 200
bring_in | importer | data | - | 201
hand_back | importer | data | - | 201
list_uploads | importer | data | - | 200
upload_file | importer | data | - | 201
read_upload | importer | data | upload | 200
try_or_load | importer | data | upload | 201
read_set_aside | importer | data | aside | 200
list_loads | importer | data | - | 200
read_load | importer | data | load | 200
undo_load | importer | data | load | 201
list_units | admin | configure | - | 200
make_unit | admin | configure | - | 201
list_people | admin | configure | - | 200
search_people | admin | configure | - | 200
make_person | admin | configure | - | 201
read_person | admin | configure | person | 200
move_person | admin | configure | person | 201
disable_person | admin | configure | person | 201
enable_person | admin | configure | person | 201
reset_person | admin | configure | person | 201
list_entries | auditor | audit | - | 200
search_entries | auditor | audit | - | 200
verify_audit | auditor | audit | - | 200
"""
ROWS = {row.split("|")[0].strip(): [part.strip() for part in row.split("|")[1:]] for row in TABLE.strip().splitlines()}
ADDRESSES = addresses()


def body_of(name: str, cast: Cast) -> dict[str, Any] | None:
    """What is right to send."""
    day, owner, colleague = clock.today().isoformat(), cast.owner, cast.colleague
    own = [str(cast.own.pk)]
    return {
        "log_contact": {"key": key(), "outcome": "reached"},
        "search_accounts": {"q": "清河", "sort": "risk"},
        "search_people": {"q": "清河"},
        "search_entries": {"q": "signed", "stream": "people"},
        "add_contact_person": {"key": key(), "name": "司马试验", "role": "decides"},
        "correct_contact_person": {"key": key(), "role": "pays"},
        "attach_head": {"reason": "客户告知"},
        "undo_load": {"reason": "单位弄错", "accept": ["reopen"]},
        "plan_step": {"key": key(), "due_on": day},
        "make_promise": {"key": key(), "what": "回电", "due_on": day},
        "end_promise": {"kept": True},
        "give_entitlement": {"key": key(), "entitlement_id": "guaranteed-line"},
        "propose": {"key": key(), "offer_id": "manager-visit", "price_fen": 0, "reason": "客户要求"},
        "decide_proposal": {"what": "approved"},
        "put_targets": {"month": day[:7], "targets": [
            {"kind": "person", "id": owner.pk, "measure": "contacts", "amount": 40}]},
        "hand_over": {"leaving": owner.pk, "to": colleague.pk, "accounts": own, "reason": "调岗"},
        "give_out": {"to": owner.pk, "accounts": own, "reason": "调岗"},
        "arrange_cover": {"away": owner.pk, "covered_by": colleague.pk, "starts_on": day, "last_day": day,
                          "reason": "年休假"},
        "ask_export": {"key": key(), "reason": "本周拜访"},
        "decide_export": {"what": "approved"},
        "try_or_load": {"verb": "check", "mapping": ""},
        "make_unit": {"kind": "team", "name": "三班", "above": owner.unit_id},
        "make_person": {"username": "new-one", "name": "新人", "role": "marketer", "unit": owner.unit_id},
        "move_person": {"role": "agent", "unit": owner.unit_id},
    }.get(name)  # fmt: skip


def call(program: Program, name: str, args: list[object], cast: Cast) -> Any:
    method, path = ADDRESSES[name]
    if name == "give_entitlement":
        Standing.objects.filter(account=cast.own).update(class_code="important")  # which is owed something
    if name == "upload_file":
        file = SimpleUploadedFile("bills.csv", b"a,b\n1,2\n")
        return program.client.post(filled(path, args), {"file": file}, headers=program.headers)
    return program(method, filled(path, args), body_of(name, cast))


def addressed(kind: str, cast: Cast) -> Iterator[tuple[str, list[object]]]:
    if kind == "aside":
        yield "own", [dropped(cast.people["importer"]).pk, 1]
        yield "missing", [999_999_999_999, 1]
    else:
        yield from places(kind, cast)


def test_every_operation_stands_in_the_table_and_says_itself_what_it_needs() -> None:
    assert set(ADDRESSES) == set(ROWS)
    for _, operation in operations(description()):
        roles, scopes, _, status = ROWS[operation["operationId"]]
        assert operation["x-scopes"] == scopes.split()
        may = {role for role in Role.values if _acts(role, operation["x-act"])}
        assert may == set(roles.split()), operation["operationId"]
        good = {answer for answer in operation["responses"] if answer.startswith("2")}
        assert good == {status} or status == "409", operation["operationId"]


def _acts(role: str, act: str) -> bool:
    return act in RIGHTS[role].acts


@pytest.mark.parametrize("name", list(ROWS))
def test_a_role_is_answered_what_the_table_says_and_nothing_else(name: str, cast: Cast) -> None:
    roles, _, kind, status = ROWS[name]
    for role in Role.values:
        program = Program(cast.of_role(role))
        with transaction.atomic():
            for record, args in list(addressed(kind, cast)):
                answer = call(program, name, args, cast)
                said = (name, role, record, answer.status_code, getattr(answer, "content", b"")[:300].decode())
                found = role in roles.split() and record != "missing" and not hidden(name, kind, role, record)
                assert answer.status_code == (int(status) if found else 404), said
            transaction.set_rollback(True)


def hidden(name: str, kind: str, role: str, record: str) -> bool:
    """What lies outside the role's scope, and what its owner alone acts on."""
    if kind in ("-", "upload", "aside", "load", "person"):
        return False
    if kind == "unowned":
        return record != "own"
    return record not in SEES.get(role, set()) or of_another(name, kind, role, record)


@pytest.mark.parametrize("name", list(ROWS))
def test_a_token_without_the_scope_is_told_which_one_it_needs(name: str, cast: Cast) -> None:
    roles, scopes, kind, status = ROWS[name]
    person = cast.of_role(roles.split()[0])
    _, args = next(addressed(kind, cast))
    others = [scope for scope in SCOPES if scope not in scopes.split()]
    if others:
        said = call(Program(person, *others), name, args, cast)
        assert (said.status_code, said.json()["code"]) == (403, "insufficient_scope"), name
        assert f'error="insufficient_scope", scope="{scopes}"' in said["WWW-Authenticate"]
    for scope in scopes.split():
        with transaction.atomic():
            assert call(Program(person, scope), name, args, cast).status_code == int(status), (name, scope)
            transaction.set_rollback(True)


@pytest.mark.parametrize("name", ["make_person", "move_person", "disable_person", "enable_person", "reset_person"])
def test_what_asks_for_the_second_factor_again_on_its_page_takes_a_token_made_for_one_day_alone(
    name: str, cast: Cast
) -> None:
    program, before = Program(cast.people["admin"]), Person.objects.order_by("pk").values_list("role", "is_active")
    _, args = next(addressed(ROWS[name][2], cast))
    was = list(before.all())
    for days in (2, 90):
        Token.objects.filter(pk=program.token.pk).update(expires_at=program.token.made_at + dt.timedelta(days=days))
        said = call(program, name, args, cast)
        assert (said.status_code, said.json()["code"]) == (403, "short_token_needed"), (name, days)
    assert list(before.all()) == was
    token, secret = make_token(by=cast.people["admin"], name="入职", scopes=["configure"], days=1, proved=True)
    assert call(Program(None, secret=secret), name, args, cast).status_code == int(ROWS[name][3]), token


@pytest.mark.parametrize("name", list(ROWS))
def test_without_a_token_nothing_is_answered_and_nothing_changes(name: str, cast: Cast) -> None:
    _, args = next(addressed(ROWS[name][2], cast))
    before = Account.objects.filter(assignments__person=cast.owner).count()
    for program in (Program(None), Program(None, secret="kpl_" + "x" * 43), Program(None, secret="nonsense")):
        said = call(program, name, args, cast)
        assert (said.status_code, said["Content-Type"]) == (401, "application/problem+json"), name
        assert said["WWW-Authenticate"].startswith('Bearer realm="keepline"')
    assert Account.objects.filter(assignments__person=cast.owner).count() == before


def test_a_browser_that_is_signed_in_opens_nothing_here(cast: Cast) -> None:
    client = browser(cast.owner)
    for method in ("get", "post"):
        assert getattr(client, method)("/api/v1/me").status_code == 401
    assert client.get("/api/v1/openapi.json").status_code == 200  # the description alone


@pytest.mark.parametrize("role", Role.values)
def test_a_program_of_any_role_finds_out_whom_it_acts_for(role: str, cast: Cast) -> None:
    person = cast.of_role(role)
    said = Program(person).get("me").json()
    assert (said["id"], said["role"], said["acts"]) == (person.pk, role, sorted(person.rights.acts))
