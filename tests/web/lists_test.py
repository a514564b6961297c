"""The list of customers: order, columns, views with a name, several at once, and finding one from the keyboard."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.http import Http404, QueryDict
from django.test import Client

from keepline_web.audit.models import Entry
from keepline_web.audit.words import ACTS
from keepline_web.customers import actions, looks
from keepline_web.customers.columns import AT_FIRST, COLUMNS
from keepline_web.customers.listing import CHOSEN_MOST, ORDERS, Listing, listed
from keepline_web.customers.models import Assignment, SavedView
from keepline_web.customers.queries import owner_of, owners_now, visible_to
from keepline_web.exports.models import Export
from keepline_web.exports.queries import rows_of
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.work.models import Step
from web.cast import PHONE, Cast

ROOMS = Path(__file__).parents[2] / "src" / "keepline_web"


def asked(query: str) -> Listing:
    return Listing.of(QueryDict(query))


@pytest.mark.parametrize("name", sorted(ORDERS))
def test_each_order_turns_round_and_keeps_every_customer(name: str, cast: Cast) -> None:
    chief = cast.people["city_chief"]
    one, other = (
        list(listed(chief, asked(f"sort={said}")).values_list("pk", flat=True)) for said in (name, f"-{name}")
    )
    assert set(one) == set(other) == set(visible_to(chief).values_list("pk", flat=True))
    assert len(one) == len(set(one))


def test_value_turned_round_begins_with_the_least(cast: Cast) -> None:
    rows = [account.value for account in listed(cast.people["city_chief"], asked("sort=-value"))]
    known = [value for value in rows if value is not None]
    assert known == sorted(known)


def test_an_order_that_is_none_is_the_value(cast: Cast) -> None:
    assert asked("sort=--value").order == asked("sort=pk;drop").order == "value"
    assert cast.own


def test_the_columns_and_rows_chosen_are_there_on_the_next_visit(cast: Cast, entered: Callable[[str], Client]) -> None:
    client = entered("account_manager")
    answer = client.post(
        "/accounts/look", {"column": ["owner", "value", "nonsense"], "each": "50", "filters": "risk=low"}
    )
    assert answer["Location"] == "/accounts?risk=low"
    assert looks.look_of(cast.owner) == (("value", "owner"), 50)
    page = client.get("/accounts").content.decode()
    assert 'data-name="价值"' in page
    assert 'data-name="风险"' not in page
    client.post("/accounts/look", {"each": "7"})
    assert looks.look_of(cast.owner) == (AT_FIRST, 20)


def test_every_column_is_shown_with_all_there_is(cast: Cast, entered: Callable[[str], Client]) -> None:
    looks.set_look(person=cast.owner, columns=[column.code for column in COLUMNS], each="100")
    page = entered("account_manager").get("/accounts").content.decode()
    for column in COLUMNS:
        assert f'data-name="{column.words.zh}"' in page


def test_a_view_keeps_filters_and_never_the_text_searched_for(cast: Cast) -> None:
    view = looks.save_view(person=cast.owner, name=" 高  风险 ", query=f"q={PHONE}&risk=high&page=3&x=1", shared=False)
    assert (view.name, view.query) == ("高 风险", "risk=high")
    assert PHONE not in str(list(Entry.objects.filter(act="view_saved").values()))


def test_a_view_asks_for_all_that_the_list_was_asked_for_but_the_text() -> None:
    said = "class=A1&was=B2&month=2026-09&channel=manager_call&answered=1&plan=1&owing=1&owner=3&district=D1&sort=-risk"
    assert asked(looks.plain(f"{said}&group=5&loyalty=x&move=up&risk=high")) == asked(
        f"{said}&group=5&loyalty=x&move=up&risk=high"
    )


def test_a_shared_view_is_the_units_and_opens_no_customer_to_anybody(cast: Cast) -> None:
    looks.save_view(person=cast.owner, name="共享", query=f"owner={cast.owner.pk}", shared=True)
    looks.save_view(person=cast.owner, name="自用", query="risk=low", shared=False)
    names = {person.pk: [view.name for view in looks.views_of(person)] for person in (cast.colleague, cast.stranger)}
    assert names == {cast.colleague.pk: ["共享"], cast.stranger.pk: []}
    assert not listed(cast.colleague, asked(f"owner={cast.owner.pk}")).exists()
    with pytest.raises(Http404):
        looks.remove_view(person=cast.colleague, view_id=SavedView.objects.get(name="共享").pk)


def test_the_same_name_again_is_the_same_view_and_too_many_are_refused(cast: Cast) -> None:
    for query in ("risk=low", "risk=high"):
        looks.save_view(person=cast.owner, name="一", query=query, shared=False)
    assert [view.query for view in looks.views_of(cast.owner)] == ["risk=high"]
    for number in range(looks.VIEWS_MOST - 1):
        looks.save_view(person=cast.owner, name=f"n{number}", query="", shared=False)
    with pytest.raises(Refused):
        looks.save_view(person=cast.owner, name="再一个", query="", shared=False)
    looks.save_view(person=cast.owner, name="一", query="plan=1", shared=False)


def test_several_are_planned_once_however_often_it_is_sent(cast: Cast, entered: Callable[[str], Client]) -> None:
    client, ids = entered("account_manager"), list(visible_to(cast.owner).values_list("pk", flat=True)[:3])
    said = {"account": ids, "key": str(uuid.uuid4()), "due_on": clock.today().isoformat(), "channel": "visit"}
    page = client.post("/accounts/plan", said)
    assert page.status_code == 200
    assert not Step.objects.exists()
    for _ in range(3):
        assert client.post("/accounts/plan", {**said, "confirmed": "yes"}).status_code == 302
    assert sorted(Step.objects.values_list("account", flat=True)) == sorted(ids)


def test_several_with_one_that_is_not_ones_own_are_not_planned_at_all(
    cast: Cast, entered: Callable[[str], Client]
) -> None:
    said = {"account": [cast.own.pk, cast.other.pk], "key": str(uuid.uuid4()), "due_on": clock.today().isoformat()}
    for more in ({}, {"confirmed": "yes"}):
        assert entered("account_manager").post("/accounts/plan", {**said, **more}).status_code == 404
    assert not Step.objects.exists()


@pytest.mark.parametrize("ids", [[], ["x"], [str(n) for n in range(1, CHOSEN_MOST + 2)]])
def test_none_too_many_or_unreadable_ones_are_refused(ids: list[str], entered: Callable[[str], Client]) -> None:
    said = {"account": ids, "key": str(uuid.uuid4()), "due_on": clock.today().isoformat()}
    assert entered("account_manager").post("/accounts/plan", said).status_code == 422


def test_those_picked_are_handed_over_after_a_look_whoever_owns_them(
    cast: Cast, entered: Callable[[str], Client]
) -> None:
    client, to = entered("team_lead"), cast.people["m103"]
    said = {"account": [cast.own.pk, cast.team.pk], "to": to.pk, "reason": "片区调整"}
    page = client.post("/accounts/assign", said).content.decode()
    assert owner_of(cast.own) == cast.owner
    held = re.findall(r'name="held" value="(\d*)"', page)
    ids = re.findall(r'name="account" value="(\d+)"', page)
    client.post("/accounts/assign", {**said, "account": ids, "held": held, "confirmed": "yes"})
    assert {owner_of(account) for account in (cast.own, cast.team)} == {to}
    assert Entry.objects.filter(act="reassigned").count() == 1


def test_nobody_is_handed_over_when_an_owner_changed_after_the_look(cast: Cast) -> None:
    lead, to = cast.people["team_lead"], cast.people["m103"]
    held: dict[int, int | None] = {pk: owner.pk for pk, owner in owners_now([cast.own, cast.team]).items()}
    actions.assign(account=cast.team, to=to, reason="其间", by=lead)
    with pytest.raises(Refused) as refused:
        actions.reassign(to=to, held=held, reason="片区调整", by=lead)
    assert refused.value.code == "changed_meanwhile"
    assert owner_of(cast.own) == cast.owner


def test_a_lead_hands_over_nobody_of_another_team(cast: Cast) -> None:
    before = Assignment.objects.count()
    for to, account, owner in ((cast.people["m103"], cast.other, cast.stranger), (cast.stranger, cast.own, cast.owner)):
        with pytest.raises(Refused):
            actions.reassign(to=to, held={account.pk: owner.pk}, reason="试试", by=cast.people["team_lead"])
    assert Assignment.objects.count() == before


def test_an_export_of_those_picked_holds_them_and_nobody_elses(cast: Cast, entered: Callable[[str], Client]) -> None:
    said = {"key": str(uuid.uuid4()), "filters": "", "reason": "本周拜访", "account": [cast.own.pk, cast.other.pk]}
    assert entered("account_manager").post("/exports", said).status_code == 302
    export = Export.objects.get(key=said["key"])
    assert [account.pk for account in rows_of(export)] == [cast.own.pk]
    assert "勾选的 2 户" in entered("account_manager").get(f"/exports/{export.pk}").content.decode()


def test_the_palette_finds_ones_own_by_name_or_whole_number_and_nobody_elses(
    cast: Cast, entered: Callable[[str], Client]
) -> None:
    client = entered("account_manager")
    assert (
        f"/accounts/{cast.own.pk}"
        in client.post("/find", {"q": "清河"}).content.decode() + client.post("/find", {"q": "欧阳"}).content.decode()
    )
    for text in ("清河", "欧阳", "1540000", ""):
        assert f'/accounts/{cast.other.pk}"' not in client.post("/find", {"q": text}).content.decode()
    page = entered("analyst").post("/find", {"q": "清河"}).content.decode()
    assert "/accounts/" not in page


def test_every_act_that_is_audited_has_its_words() -> None:
    found = set()
    for path in ROOMS.rglob("*.py"):
        found |= set(re.findall(r'write\([^()]*?\bact="(\w+)"', path.read_text(encoding="utf-8"), flags=re.DOTALL))
    assert {"unmasked", "assigned"} <= found
    assert found - set(ACTS) == set()


def test_the_auditor_finds_who_saw_a_customer_by_either_number(cast: Cast, entered: Callable[[str], Client]) -> None:
    actions.unmask(person=cast.owner, customer_id=cast.own.pk, reason="约定上门核对")
    page = entered("auditor").get(f"/audit?act=unmasked&days=7&customer={cast.own.pk}").content.decode()
    assert "约定上门核对" in page
    assert "查看完整姓名与号码" in page
    assert cast.owner.name in page
    assert "约定上门核对" not in entered("auditor").get(f"/audit?customer={cast.other.pk}").content.decode()
