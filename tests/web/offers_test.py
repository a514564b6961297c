"""The life of an offer: precedents, the margin it leaves, its last day, taken up once, and what authority is left."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.http import Http404
from django.test import Client

from keepline.front import read_service
from keepline_web.audit.models import Entry
from keepline_web.customers.models import Account, Assignment, PlanRow, Standing
from keepline_web.exchange.outgoing import outgoing
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.actions import move_person
from keepline_web.people.models import Person
from keepline_web.work import actions, authority, proposals
from keepline_web.work.holding import granted_offers, take_up
from keepline_web.work.models import Proposal, Ruling
from keepline_web.work.precedents import precedents
from keepline_web.work.today import day_of
from web.cast import Cast
from web.races import at_once

OFFER = "manager-visit"
DAY = dt.timedelta(days=1)


@pytest.fixture
def cast(cast: Cast) -> Cast:
    """The cast, and nobody owes anything."""
    nothing_owed()
    return cast


def nothing_owed() -> None:
    Standing.objects.update(arrears_fen=0)
    Account.objects.update(blacklisted=False)


def ask(by: Person, account: Account, **values: Any) -> Proposal:
    said = {"offer_id": OFFER, "price_fen": 0, "reason": "客户要求上门"} | values
    return proposals.propose(by=by, customer_id=account.pk, key=uuid.uuid4(), **said)


def state(made: Proposal) -> str:
    return proposals.with_state(Proposal.objects.filter(pk=made.pk)).get().state


def granted(cast: Cast) -> Proposal:
    """An offer within the owner's own authority."""
    cast.owner.authority_fen = 10**6
    made = ask(cast.owner, cast.own)
    assert state(made) == "approved"
    return made


def on_day(monkeypatch: pytest.MonkeyPatch, day: dt.date) -> None:
    monkeypatch.setattr("keepline_web.frame.clock.today", lambda: day)  # the wall clock is not ours


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def test_an_approved_offer_holds_until_its_last_day_and_not_a_day_longer(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = granted(cast)
    last = clock.today() + read_service(settings.SITE.policy).proposal_days * DAY
    assert made.rulings.get(what="approved").last_on == last
    on_day(monkeypatch, last + DAY)
    assert state(made) == "expired"
    assert refusal(lambda: take_up(by=cast.owner, proposal_id=made.pk)) == "expired"
    on_day(monkeypatch, last)
    assert state(made) == "approved"
    take_up(by=cast.owner, proposal_id=made.pk)
    on_day(monkeypatch, last + DAY)
    assert state(made) == "used"


def test_an_offer_is_taken_up_once_and_by_nobody_who_may_not_know_of_it(cast: Cast) -> None:
    made = granted(cast)
    with pytest.raises(Http404):
        take_up(by=cast.stranger, proposal_id=made.pk)
    with pytest.raises(Http404):
        take_up(by=cast.people["team_lead"], proposal_id=made.pk)
    take_up(by=cast.owner, proposal_id=made.pk)
    assert refusal(lambda: take_up(by=cast.owner, proposal_id=made.pk)) == "used_already"
    assert Entry.objects.filter(act="proposal_used").count() == 1


def test_what_is_not_approved_or_gated_cannot_be_taken_up(cast: Cast) -> None:
    cast.owner.authority_fen = 0
    assert refusal(lambda: take_up(by=cast.owner, proposal_id=ask(cast.owner, cast.own).pk)) == "not_approved"
    made = granted(cast)
    Standing.objects.filter(account=cast.own).update(arrears_fen=1)
    assert refusal(lambda: take_up(by=cast.owner, proposal_id=made.pk)) == "in_arrears"


def test_a_customer_who_agrees_takes_the_offer_up_and_a_line_taken_back_gives_it_back(cast: Cast) -> None:
    made = granted(cast)
    key = uuid.uuid4()
    for _ in range(2):  # sent twice, it is there once
        line = actions.log_contact(by=cast.owner, customer_id=cast.own.pk, key=key, outcome="agreed", proposal=made.pk)
    assert (line.purpose, state(made)) == ("marketing", "used")
    actions.withdraw_contact(by=cast.owner, contact_id=line.pk)
    assert state(made) == "approved"
    take_up(by=cast.owner, proposal_id=made.pk)
    assert list(made.rulings.values_list("what", flat=True)) == ["approved", "used", "restored", "used"]


def test_agreeing_to_the_plans_offer_takes_up_what_was_granted_for_it(cast: Cast) -> None:
    row = PlanRow.objects.filter(account__assignments__person=cast.owner).first()
    assert row is not None
    cast.owner.authority_fen = 10**9
    made = ask(cast.owner, row.account, offer_id=row.offer_id, price_fen=row.floor_price_fen)
    line = actions.log_contact(by=cast.owner, customer_id=row.account_id, key=uuid.uuid4(), outcome="agreed",
                               plan_row=row.pk)  # fmt: skip
    assert (line.proposal, state(made)) == (made, "used")
    rows = outgoing(clock.today()).rows
    assert [r["cost_fen"] for r in rows["deliveries"]] == [made.cost_fen]
    assert [(r["planned"], r["used_on"], r["answer"]) for r in rows["approvals"]] == [(True, line.on_day, "accepted")]


def test_a_line_dated_back_takes_up_no_offer_that_was_approved_later(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = PlanRow.objects.filter(account__assignments__person=cast.owner).first()
    assert row is not None
    cast.owner.authority_fen = 10**9
    asked = ask(cast.owner, row.account, offer_id=row.offer_id, price_fen=row.floor_price_fen)
    yesterday = clock.now() - DAY
    agreed = {"by": cast.owner, "customer_id": row.account_id, "outcome": "agreed", "happened_at": yesterday}
    dated = lambda: actions.log_contact(**agreed, key=uuid.uuid4(), proposal=asked.pk)  # type: ignore[arg-type] # noqa: E731
    assert refusal(dated) == "before_approval"
    line = actions.log_contact(**agreed, key=uuid.uuid4(), plan_row=row.pk)  # type: ignore[arg-type]
    assert (line.proposal, state(asked)) == (None, "approved")  # the plan's own offer, not what was granted after
    on_day(monkeypatch, clock.today() + 2 * DAY)
    take_up(by=cast.owner, proposal_id=asked.pk, on_day=clock.today() - 2 * DAY)
    assert state(asked) == "used"


def test_a_proposal_of_another_account_is_not_there_to_agree_to(cast: Cast) -> None:
    cast.colleague.authority_fen = 10**6
    theirs = ask(cast.colleague, cast.team)
    with pytest.raises(Http404):
        actions.log_contact(by=cast.owner, customer_id=cast.own.pk, key=uuid.uuid4(), outcome="agreed",
                            proposal=theirs.pk)  # fmt: skip


@pytest.fixture
def limits(settings: Any) -> Iterator[Callable[..., None]]:
    """Writes other limits of a month into the site's service standards, by level; put back after the test."""
    path = settings.SITE.policy / "service.toml"
    before = path.read_text(encoding="utf-8")

    def write(**month: int) -> None:
        text = before.replace("cost_fen_max = 5000\n", "cost_fen_max = 3000\n")
        for level, fen in month.items():
            found = re.compile(rf"(level = {level[1:]} .*?month_fen_max = )\d+", re.DOTALL)
            text = found.sub(lambda said, fen=fen: f"{said[1]}{fen}", text, count=1)
        path.write_text(text, encoding="utf-8")

    yield write
    path.write_text(before, encoding="utf-8")


def test_beyond_the_months_authority_it_goes_up_the_chain_though_one_offer_is_within(
    cast: Cast, limits: Callable[..., None]
) -> None:
    cast.owner.authority_fen = 10**6
    cost = ask(cast.owner, cast.own).cost_fen
    limits(l1=max(3000, cost * 2))
    room = (authority.authority_of(cast.owner).left_fen or 0) // cost
    said = [state(ask(cast.owner, cast.own)) for _ in range(room + 1)]
    assert said == ["approved"] * room + ["asked"]
    assert list(proposals.waiting_for(cast.people["team_lead"]).values_list("needs_level", flat=True)) == [2]


def test_who_has_no_authority_left_passes_it_up_and_the_next_level_decides(
    cast: Cast, limits: Callable[..., None]
) -> None:
    lead, chief = cast.people["team_lead"], cast.people["district_chief"]
    cast.owner.authority_fen = 0
    made, more = ask(cast.owner, cast.own), ask(cast.owner, cast.own)
    limits(l2=20000)
    used = 0
    while authority.authority_of(lead).lasts_for(made.cost_fen):
        proposals.decide(by=lead, proposal_id=ask(cast.owner, cast.own).pk, what="approved", reason="")
        used += made.cost_fen
    assert authority.authority_of(lead).used_fen == used
    act = lambda: proposals.decide(by=lead, proposal_id=made.pk, what="approved", reason="")  # noqa: E731
    assert refusal(act) == "month_used_up"
    proposals.decide(by=lead, proposal_id=made.pk, what="raised", reason="")
    assert made not in proposals.waiting_for(lead)
    assert made in proposals.waiting_for(chief)
    proposals.decide(by=chief, proposal_id=made.pk, what="approved", reason="")
    assert (state(made), state(more)) == ("approved", "asked")


def test_an_approvers_own_limit_bounds_what_they_give_alone_and_ends_with_the_role(cast: Cast) -> None:
    lead, chief = cast.people["team_lead"], cast.people["district_chief"]
    cast.owner.authority_fen = 0
    made = ask(cast.owner, cast.own)
    lead.authority_fen = made.cost_fen - 1
    lead.save(update_fields=["authority_fen"])
    yes = lambda by: proposals.decide(by=by, proposal_id=made.pk, what="approved", reason="")  # noqa: E731
    assert refusal(lambda: yes(lead)) == "beyond_own_limit"
    assert made in proposals.waiting_for(lead)  # to pass up, send back or refuse
    proposals.decide(by=lead, proposal_id=made.pk, what="raised", reason="")
    yes(chief)
    assert state(made) == "approved"
    move_person(person=lead, role="team_lead", unit=cast.owner.unit, by=cast.people["admin"])
    assert Person.objects.get(pk=lead.pk).authority_fen == made.cost_fen - 1
    move_person(person=lead, role="district_chief", unit=chief.unit, by=cast.people["admin"])
    assert Person.objects.get(pk=lead.pk).authority_fen is None


def test_the_highest_level_passes_nothing_up(cast: Cast) -> None:
    cast.owner.authority_fen = 0
    made, top = ask(cast.owner, cast.own), cast.people["province_chief"]
    assert refusal(lambda: proposals.decide(by=top, proposal_id=made.pk, what="raised", reason="")) == "no_level_above"


def test_precedents_are_of_ones_own_accounts_the_likest_first(cast: Cast) -> None:
    cast.stranger.authority_fen = cast.colleague.authority_fen = 10**6
    ask(cast.stranger, cast.other, reason="远山的客户")
    near = ask(cast.colleague, cast.team, reason="同班的客户")
    cast.owner.authority_fen = 0
    waiting = ask(cast.owner, cast.own)
    found = precedents(cast.people["team_lead"], [waiting])[waiting.pk]
    assert [one.proposal for one in found.shown] == [near]
    assert (found.approved, found.declined, found.low_fen) == (1, 0, near.price_fen)
    assert len(precedents(cast.people["province_chief"], [waiting])[waiting.pk].shown) == 2


def test_the_inbox_tells_margin_precedents_and_authority_and_names_no_account_outside_scope(
    cast: Cast, entered: Callable[[str], Client]
) -> None:
    cast.stranger.authority_fen = 10**6
    ask(cast.stranger, cast.other, reason="远山的理由")
    cast.owner.authority_fen = 0
    ask(cast.owner, cast.own)
    page = entered("team_lead").get("/inbox").content.decode()
    assert "本月还剩" in page
    assert "以往的决定" in page
    assert "远山的理由" not in page
    assert f"/accounts/{cast.other.pk}" not in page
    assert "远山的理由" in entered("province_chief").get("/inbox").content.decode()


def test_beyond_ones_own_limit_the_inbox_offers_to_pass_it_up_and_not_to_approve(
    cast: Cast, entered: Callable[[str], Client]
) -> None:
    cast.owner.authority_fen = 0
    made, lead = ask(cast.owner, cast.own), cast.people["team_lead"]
    approve = 'value="approved"'
    assert approve in entered("team_lead").get("/inbox").content.decode()
    Person.objects.filter(pk=lead.pk).update(authority_fen=made.cost_fen - 1)
    page = entered("team_lead").get("/inbox").content.decode()
    assert approve not in page
    assert "成本超出您单笔或本月剩余的权限" in page
    assert 'value="raised"' in page


def test_net_margin_is_the_plans_less_what_the_price_is_below_the_plans(cast: Cast) -> None:
    row = PlanRow.objects.filter(account__assignments__person=cast.owner, gain_fen__isnull=False).first()
    assert row is not None
    PlanRow.objects.filter(pk=row.pk).update(floor_price_fen=0)
    made = Proposal(plan_row=row, gain_fen=row.gain_fen, price_fen=row.price_fen - 500)
    assert proposals.net_fen(made) == (row.gain_fen or 0) - 500
    assert proposals.net_fen(Proposal(gain_fen=None)) is None


def test_an_unused_offer_that_ends_soon_is_a_reason_to_turn_to_the_customer_until_it_is_refused(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch, entered: Callable[[str], Client]
) -> None:
    made = granted(cast)
    Assignment.objects.filter(person=cast.owner).exclude(account=cast.own).delete()
    days = read_service(settings.SITE.policy).proposal_days
    on_day(monkeypatch, clock.today() + (days - 3) * DAY)
    day = day_of(cast.owner)
    (card,) = (*day.overdue, *day.today, *day.planned)
    assert "granted" in {reason.code for reason in card.reasons}
    assert any("到期" in fact.zh for fact in card.facts)
    page = entered("account_manager").get("/today").content.decode()
    assert f"/proposals/{made.pk}/use" in page
    actions.log_contact(by=cast.owner, customer_id=cast.own.pk, key=uuid.uuid4(), outcome="refused", proposal=made.pk)
    assert not granted_offers().filter(pk=made.pk).exists()


def test_the_team_board_shows_what_each_person_and_level_has_used_and_left(
    cast: Cast, entered: Callable[[str], Client]
) -> None:
    made = granted(cast)
    levels = authority.levels_of(cast.people["team_lead"])
    assert [(level.people, level.authority.used_fen) for level in levels] == [(3, made.cost_fen), (1, 0)]
    page = entered("team_lead").get("/team").content.decode()
    assert "本月优惠权限" in page
    assert "本月还剩" in entered("account_manager").get(f"/accounts/{cast.own.pk}/propose").content.decode()


def test_the_button_takes_the_offer_up_and_leads_back_to_the_customer(
    cast: Cast, entered: Callable[[str], Client]
) -> None:
    made = granted(cast)
    answer = entered("account_manager").post(f"/proposals/{made.pk}/use")
    assert answer["Location"] == f"/accounts/{cast.own.pk}"
    assert state(made) == "used"
    assert entered("account_manager").post(f"/proposals/{made.pk}/use").status_code == 409


def test_two_proposals_at_once_cannot_both_take_the_last_of_the_months_authority(
    committed: str,  # noqa: ARG001
    limits: Callable[..., None],
) -> None:
    nothing_owed()
    cast = Cast.found()
    cast.owner.authority_fen = 10**6
    cost = ask(cast.owner, cast.own).cost_fen
    limits(l1=max(3000, 2 * cost))
    room = (authority.authority_of(cast.owner).left_fen or 0) // cost
    many = room + 4
    said = at_once([lambda: state(ask(cast.owner, cast.own)) for _ in range(many)])
    assert sorted(said) == ["approved"] * room + ["asked"] * 4  # type: ignore[type-var]


def test_of_two_who_take_an_offer_up_at_once_one_does_and_the_other_is_told(committed: str) -> None:  # noqa: ARG001
    nothing_owed()
    cast = Cast.found()
    made = granted(cast)
    acts = [lambda: take_up(by=cast.owner, proposal_id=made.pk)] * 4
    acts += [lambda: actions.log_contact(by=cast.owner, customer_id=cast.own.pk, key=uuid.uuid4(), outcome="agreed",
                                         proposal=made.pk)] * 2  # type: ignore[list-item]  # fmt: skip
    said = at_once(acts)
    assert sum(not isinstance(one, Exception) for one in said) == 1
    assert {one.code for one in said if isinstance(one, Refused)} == {"used_already"}
    assert Ruling.objects.filter(proposal=made, what="used").count() == 1


def test_what_was_approved_before_offers_had_a_last_day_holds_thirty_days_and_stays_unchangeable(
    committed: str,  # noqa: ARG001
) -> None:
    nothing_owed()
    made = granted(Cast.found())
    call_command("migrate", "work", "0003_given", verbosity=0)
    call_command("migrate", verbosity=0)
    ruling = made.rulings.get(what="approved")
    assert ruling.last_on == ruling.on_day + 30 * DAY
    with pytest.raises(IntegrityError, match="only added"):
        Ruling.objects.filter(pk=ruling.pk).update(last_on=None)
