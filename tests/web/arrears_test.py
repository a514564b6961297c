"""Arrears, the blacklist and the fairness of offers: who owes, who answers for it, and what differs."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

import pytest
from django.test import Client

from keepline_web.customers.actions import assign
from keepline_web.customers.models import Account, Assignment, Standing
from keepline_web.customers.queries import visible_to
from keepline_web.frame import clock
from keepline_web.people.models import Person
from keepline_web.people.roles import Role
from keepline_web.work.actions import log_contact
from keepline_web.work.arrears import OLD_MONTHS, SILENT_DAYS, owing, told_of, totals
from keepline_web.work.fairness import compared
from keepline_web.work.models import Contact, Proposal
from keepline_web.work.proposals import decide, propose
from web.cast import Cast

Enter = Callable[[str], Client]
OFFER = "bundle-broadband"


def owe(account: Account, fen: int, months: int = 1) -> Account:
    Standing.objects.filter(account=account).update(arrears_fen=fen, arrears_months=months)
    return account


def mine(person: Person, count: int) -> list[Account]:
    return list(visible_to(person).filter(blacklisted=False).order_by("pk")[:count])


def ids(person: Person, part: str = "") -> list[int]:
    return [account.pk for account in owing(person, part)]


@pytest.fixture
def nobody_owes(cast: Cast) -> Cast:
    Standing.objects.update(arrears_fen=0, arrears_months=0)
    Account.objects.update(blacklisted=False)
    return cast


def test_who_owes_most_stands_first_and_who_owes_nothing_is_not_there(nobody_owes: Cast) -> None:
    first, second, third = mine(nobody_owes.owner, 3)
    owe(first, 1_00)
    owe(second, 250_00)
    assert ids(nobody_owes.owner) == [second.pk, first.pk]
    assert third.pk not in ids(nobody_owes.owner)


def test_the_blacklist_is_listed_even_without_arrears_after_those_who_owe(nobody_owes: Cast) -> None:
    first, second, _ = mine(nobody_owes.owner, 3)
    Account.objects.filter(pk=first.pk).update(blacklisted=True)
    owe(second, 1)
    assert ids(nobody_owes.owner) == [second.pk, first.pk]
    assert ids(nobody_owes.owner, "blacklist") == [first.pk]


@pytest.mark.parametrize(("months", "old"), [(OLD_MONTHS, False), (OLD_MONTHS + 1, True)])
def test_arrears_are_old_beyond_three_months(nobody_owes: Cast, months: int, old: bool) -> None:
    owe(nobody_owes.own, 100_00, months)
    assert (ids(nobody_owes.owner, "old") == [nobody_owes.own.pk]) is old
    said = totals(nobody_owes.owner)
    assert (said["old"], said["old_fen"] or 0) == ((1, 100_00) if old else (0, 0))


@pytest.mark.parametrize(("days", "silent"), [(SILENT_DAYS, False), (SILENT_DAYS + 1, True)])
def test_nobody_spoke_with_them_for_more_than_a_week(nobody_owes: Cast, days: int, silent: bool) -> None:
    owe(nobody_owes.own, 100_00)
    Contact.objects.create(
        account=nobody_owes.own, person=nobody_owes.owner, at=clock.now(), channel="manager_call", purpose="billing",
        on_day=clock.today() - dt.timedelta(days=days), outcome="reached",
    )  # fmt: skip
    assert [row.silent for row in told_of(list(owing(nobody_owes.owner)))] == [silent]
    assert totals(nobody_owes.owner)["silent"] == int(silent)


def test_the_owner_is_accountable_and_their_lead_stands_behind(nobody_owes: Cast) -> None:
    owe(nobody_owes.own, 100_00)
    row = told_of(list(owing(nobody_owes.people[Role.TEAM_LEAD])))[0]
    assert (row.account.owner_name, row.lead) == (nobody_owes.owner.name, nobody_owes.people[Role.TEAM_LEAD].name)
    assign(account=nobody_owes.own, to=nobody_owes.colleague, reason="片区调整", by=None)
    row = told_of(list(owing(nobody_owes.people[Role.TEAM_LEAD])))[0]
    assert row.account.owner_name == nobody_owes.colleague.name


def test_totals_are_of_what_one_may_see_and_of_nothing_else(nobody_owes: Cast) -> None:
    for account, fen in ((nobody_owes.own, 1_00), (nobody_owes.team, 20_00), (nobody_owes.other, 300_00)):
        owe(account, fen)
    seen = {
        name: totals(nobody_owes.people[name])["owed_fen"]
        for name in ("m101", Role.TEAM_LEAD, Role.DISTRICT_CHIEF, Role.PROVINCE_CHIEF)
    }
    assert list(seen.values()) == [1_00, 21_00, 21_00, 321_00]


def test_the_page_names_who_answers_and_says_where_nobody_does(nobody_owes: Cast, entered: Enter) -> None:
    owe(nobody_owes.own, 1234_50, 4)
    text = entered(Role.TEAM_LEAD).get("/arrears").content.decode()
    assert "¥1,234.50" in text
    assert nobody_owes.owner.name in text
    district = nobody_owes.people[Role.DISTRICT_CHIEF].unit
    Account.objects.filter(pk=nobody_owes.own.pk).update(unit=district)
    Assignment.objects.filter(account=nobody_owes.own).delete()
    text = entered(Role.DISTRICT_CHIEF).get("/arrears").content.decode()
    assert "无人负责" in text
    assert "¥1,234.50" not in entered(Role.TEAM_LEAD).get("/arrears").content.decode()


def test_an_unknown_part_of_the_list_is_all_of_it(nobody_owes: Cast, entered: Enter) -> None:
    owe(nobody_owes.own, 100_00)
    page = entered(Role.ACCOUNT_MANAGER).get("/arrears?part=nonsense")
    assert page.context["page"].paginator.count == 1


def approved(cast: Cast, by: Person, account: Account, price_fen: int) -> Proposal:
    """An approved offer at the price, decided by the province where it is beyond the asker."""
    made = propose(by=by, customer_id=account.pk, key=uuid.uuid4(), offer_id=OFFER, price_fen=price_fen,
                   reason="对手报价更低")  # fmt: skip
    if made.rulings.order_by("-number")[0].what == "asked":
        decide(by=cast.people[Role.PROVINCE_CHIEF], proposal_id=made.pk, what="approved", reason="")
    return made


def prices() -> tuple[int, int]:
    """Floor and list price of the offer."""
    from django.conf import settings

    from keepline.front import Month, read_published
    from web.cast import MONTH

    offers = read_published(settings.SITE, Month.parse(MONTH)).offers
    offer = next(o for o in offers if o["offer_id"] == OFFER)
    return offer["floor_price_fen"], offer["list_price_fen"]


def test_one_price_for_all_is_no_finding_and_two_prices_are(nobody_owes: Cast) -> None:
    cast, lead = nobody_owes, nobody_owes.people[Role.TEAM_LEAD]
    first, second, third = mine(cast.owner, 3)
    _, high = prices()
    approved(cast, cast.owner, first, high)
    approved(cast, cast.owner, second, high)
    assert compared(lead) == ([], 1)
    approved(cast, cast.owner, third, high - 1_00)
    (one,), same = compared(lead)
    assert (len(one.prices), same) == (3, 0)
    assert [price.proposal.price_fen for price in one.prices] == [high - 1_00, high, high]


@pytest.mark.parametrize(("classes", "explained"), [(("key", "key"), False), (("key", "ordinary"), True)])
def test_it_says_plainly_whether_the_class_explains_the_difference(
    nobody_owes: Cast, classes: tuple[str, str], explained: bool
) -> None:
    cast = nobody_owes
    _, high = prices()
    for account, code, off in zip(mine(cast.owner, 2), classes, (0, 1_00), strict=True):
        Standing.objects.filter(account=account).update(class_code=code)
        approved(cast, cast.owner, account, high - off)
    (one,), _ = compared(cast.people[Role.TEAM_LEAD])
    said = " ".join(text.en for text in one.differs)
    assert ("differs between classes alone" in said) is explained
    assert ("does not explain" in said) is not explained


def test_what_was_not_approved_is_not_compared(nobody_owes: Cast) -> None:
    cast, chief = nobody_owes, nobody_owes.people[Role.PROVINCE_CHIEF]
    first, second = mine(cast.owner, 2)
    floor, high = prices()
    approved(cast, cast.owner, first, high)
    Person.objects.filter(pk=cast.owner.pk).update(authority_fen=0)
    cast.owner.refresh_from_db()
    made = propose(by=cast.owner, customer_id=second.pk, key=uuid.uuid4(), offer_id=OFFER, price_fen=floor,
                   reason="对手报价更低")  # fmt: skip
    assert made.rulings.get().what == "asked"
    decide(by=chief, proposal_id=made.pk, what="refused", reason="价格太低了")
    assert compared(cast.people[Role.TEAM_LEAD]) == ([], 1)


def test_another_teams_prices_are_not_shown_to_a_lead(nobody_owes: Cast, entered: Enter) -> None:
    cast = nobody_owes
    _, high = prices()
    for account, off in zip(mine(cast.stranger, 2), (0, 1_00), strict=True):
        approved(cast, cast.stranger, account, high - off)
    assert compared(cast.people[Role.TEAM_LEAD]) == ([], 0)
    (one,), _ = compared(cast.people[Role.PROVINCE_CHIEF])
    assert len(one.prices) == 2
    assert cast.stranger.name not in entered(Role.TEAM_LEAD).get("/fairness").content.decode()
    assert cast.stranger.name in entered(Role.PROVINCE_CHIEF).get("/fairness").content.decode()


def test_a_contact_taken_back_was_no_contact(nobody_owes: Cast) -> None:
    from keepline_web.work.actions import withdraw_contact

    owe(nobody_owes.own, 100_00)
    line = log_contact(by=nobody_owes.owner, customer_id=nobody_owes.own.pk, key=uuid.uuid4(), outcome="reached")
    assert totals(nobody_owes.owner)["silent"] == 0
    withdraw_contact(by=nobody_owes.owner, contact_id=line.pk)
    assert totals(nobody_owes.owner)["silent"] == 1
