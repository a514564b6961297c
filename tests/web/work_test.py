"""What a day's work does: one tap is one line, what was agreed comes back, offers keep to floor and authority."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction
from django.http import Http404, QueryDict
from django.test import Client

from keepline_web.audit.models import Entry
from keepline_web.audit.queries import broken
from keepline_web.customers.listing import Listing, listed
from keepline_web.customers.models import Account, PlanRow, Standing
from keepline_web.exchange.views import figures_of
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.models import Person
from keepline_web.work import actions, proposals
from keepline_web.work.models import Contact, Ruling, StepEnd
from keepline_web.work.reasons import days_until
from keepline_web.work.team import board
from keepline_web.work.today import Day, day_of
from web.cast import Cast


def log(by: Person, account: Account, outcome: str = "reached", **values: object) -> Contact:
    return actions.log_contact(by=by, customer_id=account.pk, key=uuid.uuid4(), outcome=outcome, **values)


def cards(day: Day) -> dict[int, str]:
    parts = {"overdue": day.overdue, "today": day.today, "planned": day.planned}
    return {card.shown.account.pk: part for part, found in parts.items() for card in found}


def test_one_tap_is_one_line_however_often_it_is_sent(cast: Cast, entered: Callable[[str], Client]) -> None:
    client, key = entered("account_manager"), str(uuid.uuid4())
    for _ in range(5):
        answer = client.post(
            f"/accounts/{cast.own.pk}/log", {"key": key, "outcome": "reached"}, headers={"HX-Request": "true"}
        )
        assert answer.status_code == 200
        assert "已记录" in answer.content.decode()
        assert answer["HX-Trigger"] == "day-moved", "the page asks for its counts anew"
    assert Contact.objects.filter(account=cast.own).count() == 1
    assert Entry.objects.filter(act="contact_logged", object=f"account:{cast.own.pk}").count() == 1


def test_a_key_of_another_person_is_not_taken_over(cast: Cast) -> None:
    key = uuid.uuid4()
    actions.log_contact(by=cast.owner, customer_id=cast.own.pk, key=key, outcome="reached")
    with pytest.raises(Refused) as refused:
        actions.log_contact(by=cast.colleague, customer_id=cast.team.pk, key=key, outcome="reached")
    assert refused.value.code == "key_taken"


def test_a_line_that_waited_for_the_network_keeps_its_own_time_but_never_one_ahead(cast: Cast) -> None:
    now = clock.now()
    earlier, ahead = now - dt.timedelta(hours=3), now + dt.timedelta(hours=3)
    assert log(cast.owner, cast.own, happened_at=earlier).at == earlier
    assert log(cast.owner, cast.own, happened_at=ahead).at <= clock.now()
    assert log(cast.owner, cast.own, happened_at=now - dt.timedelta(days=30)).at >= now - dt.timedelta(
        days=7, minutes=1
    )


def test_what_was_agreed_comes_back_on_its_day_and_is_overdue_after_it(cast: Cast) -> None:
    day = clock.today()
    for ahead, part in ((0, "today"), (3, "planned")):
        actions.plan_step(
            by=cast.owner,
            customer_id=cast.own.pk,
            key=uuid.uuid4(),
            due_on=day + dt.timedelta(days=ahead),
            channel="visit",
        )
        assert cards(day_of(cast.owner))[cast.own.pk] == part
        log(cast.owner, cast.own) if ahead == 0 else None
    assert StepEnd.objects.count() == 1


def test_after_a_contact_only_what_was_agreed_with_somebody_comes_before_its_time(cast: Cast) -> None:
    log(cast.owner, cast.own)
    assert cast.own.pk not in cards(day_of(cast.owner))
    actions.promise(by=cast.owner, customer_id=cast.own.pk, key=uuid.uuid4(), what="寄发票", due_on=clock.today())
    found = next(c for c in day_of(cast.owner).today if c.shown.account.pk == cast.own.pk)
    assert [reason.code for reason in found.reasons] == ["promise"]


def test_a_promise_ends_once_and_stays(cast: Cast) -> None:
    made = actions.promise(by=cast.owner, customer_id=cast.own.pk, key=uuid.uuid4(), what="回电", due_on=clock.today())
    actions.end_promise(by=cast.owner, promise_id=made.pk, kept=True)
    with pytest.raises(Refused):
        actions.end_promise(by=cast.owner, promise_id=made.pk, kept=False)
    with pytest.raises(Http404):
        actions.end_promise(by=cast.stranger, promise_id=made.pk, kept=False)


def test_a_line_is_taken_back_by_another_line_and_neither_is_lost(cast: Cast) -> None:
    line = log(cast.owner, cast.own)
    actions.withdraw_contact(by=cast.owner, contact_id=line.pk)
    assert Contact.objects.filter(account=cast.own).count() == 2
    assert cast.own.pk in cards(day_of(cast.owner)) or day_of(cast.owner).done == 0
    with pytest.raises(Refused):
        actions.withdraw_contact(by=cast.owner, contact_id=line.pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        Contact.objects.filter(pk=line.pk).update(note="x")
    with pytest.raises(DatabaseError), transaction.atomic():
        Contact.objects.filter(pk=line.pk).delete()


def test_the_day_holds_no_more_than_policy_says_and_every_account_once(cast: Cast) -> None:
    day = day_of(cast.owner)
    told = [card.shown.account.pk for part in (day.overdue, day.today, day.planned) for card in part]
    assert len(told) == len(set(told))
    assert 0 < len(day.overdue) + len(day.today) <= 12
    scores = [card.score for card in day.today if card.due_on is None]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < len(card.facts) <= 3 for card in day.today)


@pytest.mark.parametrize(
    ("born", "today", "days"),
    [
        ("2000-02-29", "2023-02-27", 1), ("2000-02-29", "2023-02-28", 0), ("2000-02-29", "2023-03-01", 365),
        ("2000-02-29", "2024-02-28", 1), ("2000-02-29", "2024-02-29", 0), ("2000-02-29", "2100-02-28", 0),
        ("2001-12-31", "2026-12-31", 0), ("2001-01-01", "2026-12-31", 1),
    ],
)  # fmt: skip
def test_a_birthday_comes_round_every_year_and_on_the_28th_where_there_is_no_29th(
    born: str, today: str, days: int
) -> None:
    assert days_until(dt.date.fromisoformat(born), dt.date.fromisoformat(today)) == days


def ask(by: Person, account: Account, **values: object) -> proposals.Proposal:
    said = {"offer_id": "manager-visit", "price_fen": 0, "reason": "客户要求上门"} | values
    return proposals.propose(by=by, customer_id=account.pk, key=uuid.uuid4(), **said)


def state(made: proposals.Proposal) -> str:
    return Ruling.objects.filter(proposal=made).order_by("-number").first().what


def clear(account: Account) -> None:
    """No arrears, no blacklist."""
    Standing.objects.filter(account=account).update(arrears_fen=0)
    Account.objects.filter(pk=account.pk).update(blacklisted=False)


def test_an_offer_within_authority_is_approved_at_once_and_one_beyond_goes_up(cast: Cast) -> None:
    clear(cast.own)
    cost = ask(cast.owner, cast.own).cost_fen
    for own, expected in ((cost, "approved"), (cost - 1, "asked")):
        cast.owner.authority_fen = own
        assert state(ask(cast.owner, cast.own)) == expected


def test_below_the_floor_above_the_list_or_without_a_reason_nothing_is_asked(cast: Cast) -> None:
    clear(cast.own)
    floor = ask(cast.owner, cast.own).floor_price_fen
    for values in ({"price_fen": floor - 1}, {"price_fen": 10**9}, {"reason": "  x "}):
        with pytest.raises(Refused):
            ask(cast.owner, cast.own, **values)


def test_arrears_and_the_blacklist_stand_before_every_offer(cast: Cast) -> None:
    clear(cast.own)
    Standing.objects.filter(account=cast.own).update(arrears_fen=1)
    with pytest.raises(Refused) as refused:
        ask(cast.owner, cast.own)
    assert refused.value.code == "in_arrears"
    clear(cast.own)
    Account.objects.filter(pk=cast.own.pk).update(blacklisted=True)
    with pytest.raises(Refused) as refused:
        ask(cast.owner, cast.own)
    assert refused.value.code == "blacklisted"


def test_one_decision_is_made_by_somebody_else_of_high_enough_level(cast: Cast) -> None:
    clear(cast.own)
    cast.owner.authority_fen = 0
    made = ask(cast.owner, cast.own)
    lead = cast.people["team_lead"]
    assert list(proposals.waiting_for(lead)) == [made]
    with pytest.raises(Http404):
        proposals.decide(by=cast.owner, proposal_id=made.pk, what="approved", reason="")
    with pytest.raises(Refused):
        proposals.decide(by=lead, proposal_id=made.pk, what="refused", reason="")
    proposals.decide(by=lead, proposal_id=made.pk, what="approved", reason="")
    with pytest.raises(Refused) as refused:
        proposals.decide(by=cast.people["district_chief"], proposal_id=made.pk, what="refused", reason="太贵了吧")
    assert refused.value.code == "decided_already"
    assert state(made) == "approved"
    assert list(proposals.waiting_for(lead)) == []


def test_the_plans_offer_is_answered_once_and_then_leaves_the_day(cast: Cast) -> None:
    row = PlanRow.objects.filter(account__assignments__person=cast.owner).first()
    assert row is not None
    with pytest.raises(Refused):
        log(cast.owner, cast.own, outcome="agreed")
    line = log(cast.owner, row.account, outcome="agreed", plan_row=row.pk)
    assert (line.purpose, line.plan_row_id) == ("marketing", row.pk)
    assert row.account_id not in cards(day_of(cast.owner))
    assert broken() == []


def test_an_answer_that_was_taken_back_counts_nowhere_as_an_answer(cast: Cast) -> None:
    row = PlanRow.objects.filter(account__assignments__person=cast.owner).first()
    assert row is not None
    lead, listing = cast.people["team_lead"], Listing.of(QueryDict("plan=1&answered=1"))

    def counted() -> tuple[int, ...]:
        shown = figures_of(lead, "")["progress"]["answered"], sum(r["plan"][1] for r in board(lead)["rows"])
        return (listed(lead, listing).count(), *shown)

    line = log(cast.owner, row.account, outcome="refused", plan_row=row.pk)
    assert counted() == (1, 1, 1)
    actions.withdraw_contact(by=cast.owner, contact_id=line.pk)
    assert counted() == (0, 0, 0)
