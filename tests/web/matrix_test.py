"""Who may go where: every address, every role, every kind of record, every method, against a table written by hand."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections.abc import Callable, Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from django.urls import get_resolver, reverse

from keepline.front import load_file, open_site
from keepline_web.customers.listing import Listing
from keepline_web.customers.looks import save_view
from keepline_web.customers.models import Account, Assignment, Cover
from keepline_web.customers.persons import Said
from keepline_web.customers.persons import add as add_person
from keepline_web.exchange.models import Trial, Upload
from keepline_web.exchange.uploads import path_of, receive
from keepline_web.exports.actions import ask as ask_export
from keepline_web.exports.making import make
from keepline_web.frame import clock
from keepline_web.jobs.actions import ask as ask_task
from keepline_web.jobs.claiming import claim
from keepline_web.jobs.models import Task
from keepline_web.jobs.progress import Progress
from keepline_web.people.models import Person
from keepline_web.people.roles import Role
from keepline_web.people.tokens import make_token
from keepline_web.work.actions import log_contact, promise
from keepline_web.work.models import Promise, Proposal
from keepline_web.work.proposals import propose
from web.cast import Cast
from web.conftest import ROOT

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MANAGER, AGENT, LEAD = "account_manager", "agent", "team_lead"
CHIEFS = "district_chief city_chief province_chief"
EVERYONE = " ".join(Role.values)
# address | methods | roles that may | record in the address
TABLE = f"""
healthz | GET | open | -
openapi | GET | open | -
api | GET POST PUT | open | rest
sign_in | GET POST | open | -
second_factor | GET POST | open | -
demo_enter | POST | open | -
preferences | POST | open | -
sign_out | POST | {EVERYONE} | -
me | GET POST | {EVERYONE} | -
components | GET | {EVERYONE} | -
end_session | POST | {EVERYONE} | key
api_guide | GET | {EVERYONE} | -
my_tokens | GET POST | {EVERYONE} | -
end_token | POST | {EVERYONE} | token
home | GET | {EVERYONE} | -
today | GET | {MANAGER} {AGENT} | -
log | GET | {MANAGER} {AGENT} | -
withdraw_contact | POST | {MANAGER} {AGENT} | contact
promises | GET | {MANAGER} {AGENT} | -
end_promise | POST | {MANAGER} {AGENT} | promise
proposals | GET | {MANAGER} {AGENT} | -
withdraw_proposal | POST | {MANAGER} {AGENT} | proposal
use_proposal | POST | {MANAGER} {AGENT} | proposal
inbox | GET | {LEAD} {CHIEFS} | -
decide | POST | {LEAD} {CHIEFS} | proposal
data | GET | importer | -
bring_in | POST | importer | -
hand_back | POST | importer | -
hand_back_again | POST | importer | -
receive | POST | importer | -
upload | GET | importer | upload
try_or_load | POST | importer | upload_verb
set_aside | GET | importer | upload_number
loads | GET | importer | -
load | GET | importer | load
undo | POST | importer | load
month | GET | {LEAD} {CHIEFS} marketer campaign_approver analyst | -
team | GET | {LEAD} {CHIEFS} | -
arrears | GET | {MANAGER} {AGENT} {LEAD} {CHIEFS} | -
fairness | GET | {LEAD} {CHIEFS} | -
meeting | GET | {LEAD} {CHIEFS} | -
bulletin | GET | {LEAD} {CHIEFS} | -
targets | GET POST | {LEAD} {CHIEFS} | -
handover | GET | {LEAD} {CHIEFS} | -
hand_over | GET POST | {LEAD} {CHIEFS} | seller
unowned | GET POST | {LEAD} {CHIEFS} | -
cover | GET POST | {LEAD} {CHIEFS} | -
end_cover | POST | {LEAD} {CHIEFS} | cover
accounts | GET | {MANAGER} {AGENT} {LEAD} {CHIEFS} analyst admin | -
account | GET | {MANAGER} {AGENT} {LEAD} {CHIEFS} analyst admin | account
unmask | POST | {MANAGER} {LEAD} | account
add_contact_person | GET POST | {MANAGER} {AGENT} | account
attach_head | POST | {MANAGER} {AGENT} | account
contact_person | GET POST | {MANAGER} {AGENT} | contact_person
end_contact_person | POST | {MANAGER} {AGENT} | contact_person
unmask_contact_person | POST | {MANAGER} {LEAD} | contact_person
look | POST | {MANAGER} {AGENT} {LEAD} {CHIEFS} analyst admin | -
save_view | POST | {MANAGER} {AGENT} {LEAD} {CHIEFS} analyst admin | -
remove_view | POST | {MANAGER} {AGENT} {LEAD} {CHIEFS} analyst admin | view
seek | POST | {EVERYONE} | -
find | POST | {MANAGER} {AGENT} {LEAD} {CHIEFS} analyst admin | -
reassign | POST | {LEAD} {CHIEFS} | -
plan_several | POST | {MANAGER} {AGENT} | -
claimable | GET | {MANAGER} {AGENT} | -
claim | POST | {MANAGER} {AGENT} | unowned
log_contact | POST | {MANAGER} {AGENT} | account
plan_step | POST | {MANAGER} {AGENT} | account
promise | POST | {MANAGER} {AGENT} | account
give | POST | {MANAGER} {AGENT} | account
propose | GET POST | {MANAGER} {AGENT} | account
people | GET POST | admin | -
end_all_sessions | POST | admin | -
person | GET POST | admin | person
end_token_of | POST | admin | person_token
make_unit | POST | admin | -
audit | GET | auditor | -
tasks | GET | {EVERYONE} | -
task | GET | {EVERYONE} | task
cancel_task | POST | {EVERYONE} | task
exports | GET POST | {MANAGER} {LEAD} {CHIEFS} analyst | -
export | GET | {MANAGER} {LEAD} {CHIEFS} analyst | export
decide_export | POST | {LEAD} {CHIEFS} | export
withdraw_export | POST | {MANAGER} {LEAD} {CHIEFS} analyst | export
export_file | POST | {MANAGER} {LEAD} {CHIEFS} analyst | file
"""
# role: whose records it may know of
SEES = {
    MANAGER: {"own"}, LEAD: {"own", "team"}, "district_chief": {"own", "team"}, "city_chief": {"own", "team"},
    "province_chief": {"own", "team", "other"}, "analyst": {"own", "team", "other"}, "admin": {"own", "team", "other"},
}  # fmt: skip
ROWS = {row.split("|")[0].strip(): [part.strip() for part in row.split("|")[1:]] for row in TABLE.strip().splitlines()}
FOUND = {200, 302, 403, 409, 422}  # whatever the record then says, it was not hidden
SIGNS_OUT = ("sign_out", "end_session", "end_all_sessions", "me", "person", "end_token_of")  # or may
RECORDS = ("own", "team", "other", "missing")


def test_every_address_stands_in_the_table_with_its_methods() -> None:
    patterns = {p.name: p.callback for p in get_resolver().url_patterns}
    assert set(patterns) == set(ROWS)
    for name, view in patterns.items():
        assert set(view.methods) == set(ROWS[name][0].split()), name
        assert (view.act == "open") == (ROWS[name][1] == "open"), name


def cases() -> Iterator[tuple[str, str]]:
    return ((name, role) for name, (_, roles, _) in ROWS.items() if roles != "open" for role in Role.values)


@pytest.mark.parametrize(("name", "role"), list(cases()))
def test_a_role_finds_what_the_table_says_and_nothing_else(
    name: str, role: str, cast: Cast, entered: Callable[[str], Client]
) -> None:
    methods, roles, kind = ROWS[name]
    client = entered(role)
    for record, args in places(kind, cast):
        for method in METHODS:
            client = entered(role) if name in SIGNS_OUT else client
            answer = client.generic(method, reverse(name, args=args), content_type="application/x-www-form-urlencoded")
            said = (name, role, record, method, answer.status_code)
            if role not in roles.split():
                assert answer.status_code == 404, said
            elif method not in methods.split():
                assert answer.status_code == 405, said
            elif record in ("missing", "other", "team") and record not in SEES.get(role, set()):
                assert answer.status_code == 404 or name == "end_session", said
            elif kind == "unowned":
                assert answer.status_code == (302 if record == "own" else 404), said
            elif of_another(name, kind, role, record):
                assert answer.status_code == 404, said
            else:
                assert answer.status_code in FOUND, said


def of_another(name: str, kind: str, role: str, record: str) -> bool:
    """Records that only their owner acts on, or that lie outside what the role sees."""
    if name in ("withdraw_contact", "withdraw_proposal", "withdraw_export") or kind in (
        "task",
        "file",
        "token",
        "view",
    ):
        return role != MANAGER
    if kind == "export" and role == "analyst":
        return True  # who consents to none knows of none but their own
    return kind in (
        "account",
        "contact",
        "contact_person",
        "promise",
        "proposal",
        "seller",
        "cover",
    ) and record not in SEES.get(role, set())


def places(kind: str, cast: Cast) -> Iterator[tuple[str, list[object]]]:
    """The address's arguments for one's own record, the team's, a stranger's and one that is not there."""
    if kind == "-":
        yield "none", []
        return
    if kind == "rest":
        yield "own", ["me"]  # what is below has a matrix of its own: api_matrix_test.py
        return
    if kind == "key":
        yield "own", ["abcdef012345"]
        return
    if kind == "load":
        yield "own", [loaded()]
        yield "missing", [999_999_999]
        return
    if kind.startswith("upload"):
        more = {"upload": [], "upload_verb": ["check"], "upload_number": [0]}[kind]
        yield "own", [dropped(cast.people["importer"]).pk, *more]
        yield "missing", [999_999_999_999, *more]
        return
    owners = {"own": cast.owner, "team": cast.colleague, "other": cast.stranger}
    accounts = {"own": cast.own, "team": cast.team, "other": cast.other}
    for record in RECORDS:
        if record == "missing":
            yield record, [999_999_999_999] * (1 + (kind == "person_token"))
        elif kind == "account":
            yield record, [accounts[record].pk]
        elif kind == "unowned":
            yield record, [unowned(record, accounts[record], owners[record]).pk]
        elif kind == "person":
            yield "own", [owners[record].pk]
        elif kind == "person_token":
            yield "own", [owners[record].pk, made("token", owners[record], 0).pk]
        elif kind == "seller":
            yield record, [owners[record].pk]
        else:
            yield record, [made(kind, owners[record], accounts[record].pk).pk]


def unowned(record: str, account: Account, seller: Person) -> Account:
    """Nobody's and of the seller's district; the team's goes on being somebody's."""
    if record != "team":
        Assignment.objects.filter(account=account).delete()
        Account.objects.filter(pk=account.pk).update(unit=seller.unit.above)
    return account


def made(kind: str, by: Person, customer_id: int) -> object:
    key = uuid.uuid4()
    if kind == "cover":
        instead = Person.objects.filter(unit=by.unit, role=Role.ACCOUNT_MANAGER).exclude(pk=by.pk).order_by("pk")[0]
        day = clock.today()
        return Cover.objects.create(
            away=by, covered_by=instead, starts_on=day, ends_on=day + dt.timedelta(days=1), reason="年休假", made_by=by
        )
    if kind == "token":
        return make_token(by=by, name="对接", scopes=["read"], days=1, proved=True)[0]
    if kind == "view":
        return save_view(person=by, name="高风险", query="risk=high", shared=False)
    if kind == "task":
        return ask_task(kind="export", asked={"export": 0}, by=by)
    if kind in ("export", "file"):
        export = ask_export(by=by, asked=Listing.of(QueryDict()), reason="本周拜访", key=key)
        if kind == "file":
            make({"export": export.pk}, Progress(claimed()))
        return export
    if kind == "contact_person":
        return add_person(by=by, customer_id=customer_id, key=key, said=Said("司马试验", "", "decides"))
    if kind == "contact":
        return log_contact(by=by, customer_id=customer_id, key=key, outcome="reached")
    if kind == "promise":
        return promise(by=by, customer_id=customer_id, key=key, what="回电", due_on=clock.today())
    return propose(by=by, customer_id=customer_id, key=key, offer_id="manager-visit", price_fen=0, reason="客户要求")


def dropped(by: Person) -> Upload:
    """A file that was tried, with a row set aside."""
    upload = receive(by=by, file=SimpleUploadedFile("bills.csv", "客户编号,金额\n1,x\n".encode("gb18030")))
    path = path_of(upload).with_name("aside.csv")
    path.write_text("x", encoding="utf-8")
    report = {"verdict": "accepted", "counts": {}, "set_aside_files": [str(path)]}
    Trial.objects.create(upload=upload, verb="check", mapping="x", report=report, person=by, at=clock.now())
    return upload


@functools.cache
def loaded() -> int:
    """A load of the lake, there for every test."""
    file = ROOT / "faults.csv"
    file.write_text("district,month,faults\nD1,2026-10,3\n", encoding="utf-8")
    mapping = '[match]\nfiles = ["faults.csv"]\n[[table]]\nname = "network_faults"\nidentity = true\n'
    return int(load_file(open_site(ROOT), file, mapping=mapping, accept=())["load"])


def claimed() -> Task:
    task = claim()
    assert task is not None
    return task


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row[1] != "open"])
def test_a_stranger_to_the_house_is_sent_to_sign_in_and_changes_nothing(name: str, cast: Cast) -> None:
    for _, args in places(ROWS[name][2], cast):
        before = (Promise.objects.count(), Proposal.objects.count())
        for method in METHODS:
            answer = Client().generic(method, reverse(name, args=args))
            assert answer.status_code == (302 if method == "GET" else 403), (name, method)
            assert method != "GET" or answer["Location"].startswith("/sign-in")
        assert (Promise.objects.count(), Proposal.objects.count()) == before


@pytest.mark.parametrize("role", Role.values)
def test_without_the_second_factor_nothing_is_shown_to_anybody(role: str, cast: Cast) -> None:
    person = cast.of_role(role)
    client = Client()
    client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    answer = client.get("/me")
    assert (answer.status_code, answer["Location"]) == (302, "/second-factor")
