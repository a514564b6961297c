"""Who speaks for an account and what it belongs to: sealed, masked, kept row by row, and seen within one's scope."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from django.db import DatabaseError, connection, transaction
from django.http import Http404
from django.test import Client

from core.small_lake import write_rows
from core.small_publication import MONTH
from keepline.canonical import file_hash
from keepline.front import Month, open_site
from keepline.lake import store
from keepline.lake.staging import ALWAYS
from keepline.lake.store import Lake, LakeFile
from keepline_web.audit.models import Entry
from keepline_web.customers import sealed
from keepline_web.customers.group import attach, group_ids, group_of
from keepline_web.customers.listing import Listing, listed
from keepline_web.customers.models import Account, Affiliation, ContactPerson, Unmasking
from keepline_web.customers.persons import Said, add, correct, end, holding, opened, persons_of
from keepline_web.exchange.arriving import bring_in
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.roles import Role
from keepline_web.work.today import day_of
from web.calling import Program
from web.cast import Cast
from web.conftest import ROOT
from web.visiting import browser

NAME, PHONE = "司马试验", "15490001234"
Enter = Callable[[str], Client]


def said(**more: object) -> Said:
    return Said(**({"name": NAME, "phone": PHONE, "role": "decides"} | more))  # type: ignore[arg-type]


def added(cast: Cast, **more: object) -> ContactPerson:
    return add(by=cast.owner, customer_id=cast.own.pk, key=uuid.uuid4(), said=said(**more))


# sealed


def test_name_telephone_and_note_lie_sealed_and_bound_to_their_row(cast: Cast) -> None:
    one, other = added(cast, note="喜欢早上通话"), added(cast, name="另一位")
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM customers_contactperson t")
        text = " ".join(row[0] for row in cursor.fetchall())
    for plain in (NAME, PHONE, "喜欢早上通话"):
        assert plain not in text
        assert plain.encode().hex() not in text
    assert opened(one).name == NAME
    with pytest.raises(InvalidTag):
        sealed.unseal(one.name_sealed, customer_id=one.account_id, row=str(other.key))
    with pytest.raises(InvalidTag):
        sealed.unseal(one.name_sealed, customer_id=one.account_id)


def test_rows_are_added_and_never_changed_or_removed(cast: Cast) -> None:
    one = added(cast)
    for act in (lambda: ContactPerson.objects.filter(pk=one.pk).update(role="pays"), one.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


# kept


def test_the_same_entry_sent_twice_is_there_once(cast: Cast) -> None:
    key = uuid.uuid4()
    first, again = (add(by=cast.owner, customer_id=cast.own.pk, key=key, said=said()) for _ in range(2))
    assert first == again
    other = uuid.uuid4()
    one, two = (correct(by=cast.owner, contact_id=first.pk, key=other, said=said(role="pays")) for _ in range(2))
    assert one == two
    assert holding().filter(account=cast.own).count() == 1


def test_a_correction_is_a_new_row_and_an_empty_name_stays_what_it_was(cast: Cast) -> None:
    first = added(cast)
    second = correct(by=cast.owner, contact_id=first.pk, key=uuid.uuid4(), said=said(name="", phone="", role="pays"))
    assert (opened(second).name, opened(second).phone, second.role) == (NAME, PHONE, "pays")
    assert (second.replaces_id, opened(first).role) == (first.pk, "decides")
    assert [one.row.pk for one in persons_of(cast.own, cast.owner)] == [second.pk]


def test_of_two_who_correct_the_same_row_the_second_is_told(cast: Cast) -> None:
    first = added(cast)
    correct(by=cast.owner, contact_id=first.pk, key=uuid.uuid4(), said=said(role="pays"))
    with pytest.raises(Refused) as refused:
        correct(by=cast.owner, contact_id=first.pk, key=uuid.uuid4(), said=said(role="uses"))
    assert refused.value.code == "changed_meanwhile"
    with pytest.raises(Refused):
        end(by=cast.owner, contact_id=first.pk)


def test_who_was_ended_is_shown_no_more_and_stands_in_the_timeline(cast: Cast, entered: Enter) -> None:
    end(by=cast.owner, contact_id=added(cast).pk)
    assert persons_of(cast.own, cast.owner) == []
    text = html.unescape(entered("account_manager").get(f"/accounts/{cast.own.pk}").content.decode())
    assert "联系人不再负责 · 司***" in text
    assert {e.act for e in Entry.objects.filter(act__startswith="contact_person")} == {
        "contact_person_added", "contact_person_ended",
    }  # fmt: skip
    assert NAME not in json.dumps([e.detail for e in Entry.objects.all()], ensure_ascii=False)


@pytest.mark.parametrize(
    "wrong",
    [{"name": " "}, {"name": "长" * 41}, {"phone": "12"}, {"phone": "1" * 16}, {"role": "boss"},
     {"birthday": dt.date(2999, 1, 1)}],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_is_kept(cast: Cast, wrong: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        added(cast, **wrong)
    assert refused.value.status == 422
    assert not ContactPerson.objects.exists()


# seen


@pytest.mark.parametrize("role", [Role.ACCOUNT_MANAGER, Role.TEAM_LEAD, Role.PROVINCE_CHIEF, Role.ADMIN])
def test_those_who_see_the_account_see_its_people_masked(cast: Cast, role: str) -> None:
    added(cast)
    text = html.unescape(browser(cast.of_role(role)).get(f"/accounts/{cast.own.pk}").content.decode())
    assert "司***" in text
    assert "154 **** 1234" in text
    assert NAME not in text
    assert PHONE not in re.sub(r"\s", "", text)


def test_who_is_shown_no_customers_name_is_shown_the_part_in_decisions_alone(cast: Cast) -> None:
    added(cast, note="张先生的同学")
    text = html.unescape(browser(cast.people[Role.ANALYST]).get(f"/accounts/{cast.own.pk}").content.decode())
    assert "决策者" in text
    assert not [part for part in ("司*", "1234", "同学") if part in re.sub(r"/accounts/\d+|customer_\d+", "", text)
                and part != "1234"]  # fmt: skip


def test_others_find_no_contact_person_of_an_account_they_may_not_see(cast: Cast) -> None:
    one = added(cast)
    for act in (
        lambda: correct(by=cast.stranger, contact_id=one.pk, key=uuid.uuid4(), said=said(role="pays")),
        lambda: end(by=cast.colleague, contact_id=one.pk),
        lambda: add(by=cast.colleague, customer_id=cast.own.pk, key=uuid.uuid4(), said=said()),
    ):
        with pytest.raises(Http404):
            act()


def test_unmasking_needs_a_reason_counts_and_is_in_the_audit(cast: Cast, entered: Enter) -> None:
    one = added(cast)
    client = entered("account_manager")
    assert client.post(f"/contact-persons/{one.pk}/unmask", {"reason": "x"}).status_code == 422
    answer = client.post(f"/contact-persons/{one.pk}/unmask", {"reason": "约定上门拜访"})
    assert NAME in answer.content.decode()
    assert sealed.grouped(PHONE) in answer.content.decode()
    look = Unmasking.objects.get()
    assert (look.contact_person_id, look.account_id, look.person_id) == (one.pk, cast.own.pk, cast.owner.pk)
    assert Entry.objects.get(act="unmasked").detail == {"reason": "约定上门拜访", "contact_person": one.pk}


def test_a_whole_telephone_of_a_contact_person_finds_the_account_until_they_are_ended(
    cast: Cast, entered: Enter
) -> None:
    one = added(cast)

    def found() -> bool:
        return f"/accounts/{cast.own.pk}?" in entered("account_manager").get("/accounts", {"q": PHONE}).content.decode()

    assert found()
    end(by=cast.owner, contact_id=one.pk)
    assert not found()


def test_a_birthday_near_is_a_reason_of_the_day_without_a_name(cast: Cast) -> None:
    day = clock.today() + dt.timedelta(days=2)
    added(cast, birthday=day.replace(year=1980) if (day.month, day.day) != (2, 29) else dt.date(1980, 2, 29))
    day_now = day_of(cast.owner)
    cards = [*day_now.overdue, *day_now.today, *day_now.planned]
    words = [r.words.zh for card in cards if card.shown.account.pk == cast.own.pk for r in card.reasons]
    assert "联系人（决策者）生日：2 天后" in words


# belonging together


@pytest.fixture
def group(cast: Cast) -> dict[str, Account]:
    """A head of the owner's with one branch of each: the owner's, the colleague's, the stranger's."""
    owned = Account.objects.filter(assignments__person=cast.owner).exclude(pk=cast.own.pk).order_by("pk")
    found = {"head": cast.own, "own": owned[0], "team": cast.team, "other": cast.other}
    for name in ("own", "team", "other"):
        Account.objects.filter(pk=found[name].pk).update(head_id=cast.own.pk)
    return {name: Account.objects.get(pk=row.pk) for name, row in found.items()}


@pytest.mark.parametrize(
    ("role", "sees"),
    [(Role.ACCOUNT_MANAGER, {"head", "own"}), (Role.TEAM_LEAD, {"head", "own", "team"}),
     (Role.PROVINCE_CHIEF, {"head", "own", "team", "other"})],
)  # fmt: skip
def test_of_a_group_everyone_sees_those_of_their_own_scope_and_no_count_of_others(
    cast: Cast, group: dict[str, Account], role: str, sees: set[str]
) -> None:
    person = cast.of_role(role)
    seen = group_of(group["head"], person)
    assert {m.shown.account.pk for m in seen["members"]} == {group[name].pk for name in sees}
    assert seen["count"] == len(sees)
    assert len(listed(person, Listing("", {}, False, False, "", "", "value", str(group["head"].pk)))) == len(sees)


def test_a_branch_whose_relatives_are_all_outside_ones_scope_looks_like_one_without_any(
    cast: Cast, group: dict[str, Account]
) -> None:
    Account.objects.filter(head_id=cast.own.pk).exclude(pk=cast.other.pk).update(head_id=None)
    client = browser(cast.stranger)

    def page() -> str:
        text = client.get(f"/accounts/{cast.other.pk}").content.decode()
        return re.sub(
            r'value="[0-9a-f-]{36}"|csrfmiddlewaretoken" value="[^"]+"|content="[^"]+"|nonce="[^"]+"|CSRF[^,]+',
            "",
            text,
        )

    before = page()
    Account.objects.filter(pk=cast.other.pk).update(head_id=None)
    assert page() == before
    assert group["other"].head_id == cast.own.pk


def test_another_accounts_number_narrows_the_list_to_nothing(cast: Cast, group: dict[str, Account]) -> None:
    asked = Listing("", {}, False, False, "", "", "value", str(group["head"].pk))
    assert len(listed(cast.stranger, asked)) == 0
    assert len(listed(cast.stranger, Listing("", {}, False, False, "", "", "value", "x"))) == 0


def test_a_head_that_is_no_account_here_still_holds_its_branches_together(cast: Cast) -> None:
    Account.objects.filter(pk__in=[cast.own.pk, cast.team.pk]).update(head_id=77)
    assert {cast.own.pk, cast.team.pk} <= group_ids(Account.objects.get(pk=cast.own.pk))


def test_a_circle_in_the_operators_files_ends(cast: Cast) -> None:
    Account.objects.filter(pk=cast.own.pk).update(head_id=cast.team.pk)
    Account.objects.filter(pk=cast.team.pk).update(head_id=cast.own.pk)
    seen = group_of(Account.objects.get(pk=cast.own.pk), cast.people[Role.TEAM_LEAD])
    assert {m.shown.account.pk for m in seen["members"]} == {cast.own.pk, cast.team.pk}


def organisations(cast: Cast) -> tuple[Account, Account]:
    mine = list(Account.objects.filter(assignments__person=cast.owner).order_by("pk")[:2])
    Account.objects.filter(pk__in=[a.pk for a in mine]).update(kind="organisation")
    return mine[0], mine[1]


def number_of(account: Account) -> str:
    return sealed.unseal(account.phone_sealed, customer_id=account.pk) or ""


def test_what_an_account_belongs_to_is_recorded_once_with_its_reason(cast: Cast) -> None:
    one, head = organisations(cast)
    made = attach(by=cast.owner, customer_id=one.pk, text=number_of(head), reason="客户告知")
    assert made is not None
    assert Account.objects.get(pk=one.pk).head_id == head.pk
    assert attach(by=cast.owner, customer_id=one.pk, text=number_of(head), reason="客户告知") is None
    attach(by=cast.owner, customer_id=one.pk, text="", reason="已独立")
    assert Account.objects.get(pk=one.pk).head_id is None
    assert [row.head_id for row in Affiliation.objects.order_by("pk")] == [head.pk, None]


@pytest.mark.parametrize("who", ["nobody", "other", "circle"])
def test_a_head_that_is_not_found_not_seen_or_below_is_refused(cast: Cast, who: str) -> None:
    one, head = organisations(cast)
    Account.objects.filter(pk=cast.other.pk).update(kind="organisation")
    attach(by=cast.owner, customer_id=one.pk, text=number_of(head), reason="客户告知")
    text = {"nobody": "15999999999", "other": number_of(cast.other), "circle": number_of(one)}[who]
    with pytest.raises(Refused) as refused:
        attach(by=cast.owner, customer_id=head.pk, text=text, reason="客户告知")
    assert refused.value.code == ("runs_in_a_circle" if who == "circle" else "head_not_found")


# the operator's own files


def brought(tmp_path: Path, place: int, *, name: str, role: str, head: int | None, own: int) -> None:
    """A publication whose lake tells of one contact person and one head of the account ``own``."""
    root = tmp_path / str(place)
    shutil.copytree(ROOT, root)
    manifest = root / "published" / MONTH / "manifest.json"
    body = json.loads(manifest.read_text(encoding="utf-8"))
    body["publication_id"] = f"{1000 + place:064x}"
    manifest.write_text(json.dumps(body), encoding="utf-8")
    lake, site = Lake(root / "lake", ()), open_site(root)
    rows = {
        "contact_persons": (ALWAYS, {"customer_id": own, "person_no": "1", "name": name, "phone": PHONE, "role": role}),
        "affiliations": (MONTH, {"customer_id": own, "month": MONTH, "head_id": head}),
    }
    files = []
    for table, (month, row) in rows.items():
        path = write_rows(lake.root / f"{table}/{month}/0.parquet", table, [row])
        files.append(LakeFile(table, month, f"{table}/{month}/0.parquet", 1, file_hash(path)))
    store.switch(lake, files, lake.sources)
    bring_in(site, Month.parse(MONTH))


def test_the_operators_word_binds_where_it_is_new_and_what_was_changed_here_since_stays(
    cast: Cast, tmp_path: Path
) -> None:
    own, team = cast.own.pk, cast.team.pk
    brought(tmp_path, 1, name="甲一", role="decides", head=team, own=own)
    (one,) = persons_of(cast.own, cast.owner)
    assert (opened(one.row).name, one.row.made_by) == ("甲一", None)
    assert Account.objects.get(pk=own).head_id == team
    correct(by=cast.owner, contact_id=one.row.pk, key=uuid.uuid4(), said=said(name="乙二", role="pays"))
    Account.objects.filter(pk=own).update(head_id=None)  # as by somebody here
    brought(tmp_path, 2, name="甲一", role="decides", head=team, own=own)
    assert [opened(s.row).name for s in persons_of(cast.own, cast.owner)] == ["乙二"]
    assert Account.objects.get(pk=own).head_id is None
    brought(tmp_path, 3, name="丙三", role="technical", head=cast.other.pk, own=own)
    assert [(opened(s.row).name, s.row.role) for s in persons_of(cast.own, cast.owner)] == [("丙三", "technical")]
    assert Account.objects.get(pk=own).head_id == cast.other.pk
    assert ContactPerson.objects.filter(account=own).count() == 3


@pytest.mark.usefixtures("group")
def test_a_program_reads_the_timeline_with_those_who_speak_for_the_account(cast: Cast) -> None:
    end(by=cast.owner, contact_id=added(cast).pk)
    attach(by=cast.owner, customer_id=cast.own.pk, text="", reason="试验")
    told = Program(cast.owner).get(f"accounts/{cast.own.pk}")
    assert told.status_code == 200, told.content
    how = {row["how"]["zh"] for row in told.json()["timeline"] if row["how"]}
    assert sealed.mask_name(NAME) in how
    assert NAME not in told.content.decode()
