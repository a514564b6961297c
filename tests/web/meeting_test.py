"""The weekly meeting and the monthly bulletin: counted from the logs, on the right side of each border."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from keepline.front import Month
from keepline_web.customers.models import Account, Assignment, Standing
from keepline_web.customers.queries import visible_to
from keepline_web.frame import clock
from keepline_web.people.actions import disable
from keepline_web.people.models import Person
from keepline_web.people.roles import Role
from keepline_web.work.bulletin import bulletin, month_of
from keepline_web.work.done import Done, done, together
from keepline_web.work.meeting import FEW_CONTACTS, RISKS_SHOWN, Week, meeting
from keepline_web.work.models import Contact, Promise, PromiseEnd, Proposal, Ruling, Step
from keepline_web.work.targets import Aim, set_targets
from web.cast import Cast

Enter = Callable[[str], Client]
DAY = dt.timedelta(days=1)
MONDAY = dt.date(2026, 11, 9)
ZONE = dt.timezone(dt.timedelta(hours=8))


@pytest.fixture(autouse=True)
def a_thursday(monkeypatch: pytest.MonkeyPatch, cast: Cast) -> None:  # noqa: ARG001
    """The machine's clock stands at Thursday noon of the week of ``MONDAY``, and accounts are owned since long."""
    Assignment.objects.update(starts_on=dt.date(2026, 1, 1))
    moment = dt.datetime(2026, 11, 12, 12, tzinfo=ZONE)
    monkeypatch.setattr(timezone, "now", lambda: moment)


def logged(person: Person, account: Account, day: dt.date, outcome: str = "reached", **said: object) -> Contact:
    values = {"channel": "manager_call", "purpose": "care", "at": clock.now()} | said
    return Contact.objects.create(account=account, person=person, on_day=day, outcome=outcome, **values)


def promised(person: Person, account: Account, due_on: dt.date, kept: bool | None = None,
             ended_on: dt.date | None = None) -> Promise:  # fmt: skip
    made = Promise.objects.create(account=account, person=person, what="回电", due_on=due_on, made_at=clock.now(),
                                  made_on=due_on - 3 * DAY)  # fmt: skip
    if kept is not None:
        PromiseEnd.objects.create(promise=made, person=person, kept=kept, on_day=ended_on or due_on, at=clock.now())
    return made


def week_of(person: Person, first: dt.date = MONDAY) -> Done:
    return done([person], first, first + 6 * DAY)[person.pk]


def test_a_week_is_monday_to_sunday_and_none_is_still_to_come() -> None:
    assert Week.of("").first == MONDAY
    assert Week.of("2026-11-15").first == MONDAY
    assert Week.of("2000-01-01").first == dt.date(1999, 12, 27)
    assert Week.of("1999-12-31").first == MONDAY
    assert Week.of("2026-11-08").first == MONDAY - 7 * DAY
    assert Week.of("2027-01-01").first == MONDAY
    assert Week.of("what").first == MONDAY
    assert Week.of("").after is None
    assert Week.of("2026-11-08").after == Week(MONDAY)


@pytest.mark.parametrize("day", ["0001-01-03", "1999-12-31", "9999-12-31"])
def test_the_calendars_ends_are_answered_with_this_week(day: str, entered: Enter) -> None:
    answer = entered(Role.TEAM_LEAD).get(f"/meeting?week={day}")
    assert answer.status_code == 200
    assert answer.context["week"] == Week(MONDAY)


@pytest.mark.parametrize(("offset", "inside"), [(-1, False), (0, True), (6, True), (7, False)])
def test_a_contact_counts_in_the_week_of_its_day(cast: Cast, offset: int, inside: bool) -> None:
    logged(cast.owner, cast.own, MONDAY + offset * DAY)
    assert week_of(cast.owner).contacts == int(inside)


def test_reached_taken_and_visits_are_counted_and_what_was_taken_back_is_not(cast: Cast) -> None:
    logged(cast.owner, cast.own, MONDAY, "not_reached")
    logged(cast.owner, cast.own, MONDAY, "agreed", channel="visit")
    logged(cast.owner, cast.own, MONDAY, "refused")
    wrong = logged(cast.owner, cast.own, MONDAY, "agreed", channel="visit")
    logged(cast.owner, cast.own, MONDAY, "agreed", corrects=wrong, withdrawn=True, channel="visit")
    one = week_of(cast.owner)
    assert (one.contacts, one.reached, one.agreed, one.visits) == (3, 2, 1, 1)


def test_visits_planned_are_the_steps_by_visit_that_fall_due(cast: Cast) -> None:
    for channel, due in (("visit", MONDAY), ("visit", MONDAY + 6 * DAY), ("visit", MONDAY + 7 * DAY),
                         ("manager_call", MONDAY)):  # fmt: skip
        Step.objects.create(account=cast.own, person=cast.owner, due_on=due, channel=channel, made_at=clock.now())
    assert week_of(cast.owner).visits_planned == 2


def test_promises_kept_and_broken_count_on_the_day_it_was_said(cast: Cast) -> None:
    promised(cast.owner, cast.own, MONDAY - 7 * DAY, kept=True, ended_on=MONDAY)
    promised(cast.owner, cast.own, MONDAY, kept=False)
    promised(cast.owner, cast.own, MONDAY, kept=True, ended_on=MONDAY - DAY)
    one = week_of(cast.owner)
    assert (one.kept, one.broken, one.kept_share) == (1, 1, 0.5)


@pytest.mark.parametrize(("due", "late"), [(dt.date(2026, 11, 11), True), (dt.date(2026, 11, 12), False)])
def test_a_promise_is_late_the_day_after_it_was_due(cast: Cast, due: dt.date, late: bool) -> None:
    promised(cast.owner, cast.own, due)
    assert week_of(cast.owner).late == int(late)


def test_a_promise_kept_late_was_late_in_the_week_before_and_is_not_now(cast: Cast) -> None:
    promised(cast.owner, cast.own, MONDAY - 3 * DAY, kept=True, ended_on=MONDAY + DAY)
    assert week_of(cast.owner, MONDAY - 7 * DAY).late == 1
    assert week_of(cast.owner).late == 0


def test_offers_decided_count_for_who_asked(cast: Cast) -> None:
    made = Proposal.objects.create(
        account=cast.own, month="2026-10", offer_id="x", name={"zh": "甲", "en": "x"}, price_fen=1, list_price_fen=1,
        floor_price_fen=0, cost_fen=0, reason="客户要求", policy_version="1", made_by=cast.owner, made_at=clock.now(),
        made_on=MONDAY,
    )  # fmt: skip
    chief = cast.people[Role.CITY_CHIEF]
    for number, what in enumerate(("asked", "returned", "approved"), 1):
        Ruling.objects.create(proposal=made, number=number, what=what, person=chief, at=clock.now(), on_day=MONDAY)
    one = week_of(cast.owner)
    assert (one.approved, one.returned, one.refused, one.decided) == (1, 1, 0, 2)


def test_the_whole_is_the_sum_of_everyone(cast: Cast) -> None:
    for person, account in ((cast.owner, cast.own), (cast.colleague, cast.team), (cast.stranger, cast.other)):
        logged(person, account, MONDAY)
    whole = meeting(cast.people[Role.TEAM_LEAD], Week(MONDAY))["whole"]
    assert whole.contacts == 2
    assert meeting(cast.people[Role.PROVINCE_CHIEF], Week(MONDAY))["whole"].contacts == 3
    assert together([]) == Done()


def helped(cast: Cast) -> dict[str, str]:
    rows = meeting(cast.people[Role.TEAM_LEAD], Week(MONDAY))["help"]
    return {row.person.username: " ".join(text.en for text in row.help) for row in rows}


def test_who_logged_nothing_and_who_is_late_needs_help_and_nobody_else(cast: Cast) -> None:
    logged(cast.owner, cast.own, MONDAY)
    logged(cast.colleague, cast.team, MONDAY)
    promised(cast.colleague, cast.team, MONDAY)
    said = helped(cast)
    assert set(said) == {"m102", "m103"}
    assert said["m102"] == "promises late: 1"
    assert "logged no contact" in said["m103"]


@pytest.mark.parametrize(("day", "noticed"), [(10, False), (11, True)])
def test_who_logged_nothing_is_noticed_from_wednesday_on(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, day: int, noticed: bool
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: dt.datetime(2026, 11, day, 12, tzinfo=ZONE))
    assert ("m103" in helped(cast)) is noticed


@pytest.mark.parametrize(("count", "helps"), [(FEW_CONTACTS - 1, False), (FEW_CONTACTS, True)])
def test_few_contacts_say_nothing_about_the_share_reached(cast: Cast, count: int, helps: bool) -> None:
    for _ in range(count):
        logged(cast.owner, cast.own, MONDAY, "not_reached")
    for _ in range(count):
        logged(cast.colleague, cast.team, MONDAY, "reached")
    assert ("m101" in helped(cast)) is helps


def test_who_left_customers_behind_is_named(cast: Cast) -> None:
    disable(person=cast.people["m103"], by=cast.people[Role.ADMIN])
    said = meeting(cast.people[Role.TEAM_LEAD], Week(MONDAY))
    assert [holder.person.username for holder in said["stranded"]] == ["m103"]
    assert "m103" not in helped(cast)


def test_the_biggest_risks_are_worth_most_and_tell_whether_anybody_spoke_with_them(cast: Cast) -> None:
    Standing.objects.update(risk_band="low", complaints_open=0, arrears_fen=0)
    first, second, third = visible_to(cast.owner).order_by("pk")[:3]
    Standing.objects.filter(account=first).update(risk_band="high", value_fen=5_000)
    Standing.objects.filter(account=second).update(complaints_open=1, value_fen=9_000)
    Standing.objects.filter(account=third).update(arrears_fen=100, arrears_months=3, value_fen=99_000)
    logged(cast.owner, first, MONDAY)
    risks = meeting(cast.people[Role.TEAM_LEAD], Week(MONDAY))["risks"]
    assert [(risk.account.pk, risk.contacted_on) for risk in risks] == [(second.pk, None), (first.pk, MONDAY)]
    Standing.objects.update(risk_band="high")
    assert len(meeting(cast.people[Role.PROVINCE_CHIEF], Week(MONDAY))["risks"]) == RISKS_SHOWN


def test_the_pages_of_a_lead_name_no_other_team_and_mask_names(cast: Cast, entered: Enter) -> None:
    Standing.objects.update(risk_band="high")
    logged(cast.stranger, cast.other, MONDAY)
    for address in ("/meeting", "/bulletin"):
        text = entered(Role.TEAM_LEAD).get(address).content.decode()
        assert cast.stranger.name not in text, address
        assert "欧阳" not in text, address
        assert cast.owner.name in text, address
    assert cast.stranger.name in entered(Role.PROVINCE_CHIEF).get("/meeting").content.decode()


def test_a_month_still_to_come_or_unreadable_is_this_month() -> None:
    assert [str(month_of(text)) for text in ("", "2026-12", "2026-13", "x", "2026-10")] == [
        "2026-11", "2026-11", "2026-11", "2026-11", "2026-10",
    ]  # fmt: skip


@pytest.mark.parametrize(("day", "inside"), [(dt.date(2026, 10, 31), False), (dt.date(2026, 11, 1), True)])
def test_the_bulletin_counts_its_own_month(cast: Cast, day: dt.date, inside: bool) -> None:
    logged(cast.owner, cast.own, day)
    said = bulletin(cast.people[Role.TEAM_LEAD], Month.parse("2026-11"))
    assert (said["whole"].contacts, said["whole_before"].contacts) == ((1, 0) if inside else (0, 1))


def test_the_bulletin_takes_a_chiefs_unit_apart_into_the_units_below(cast: Cast) -> None:
    logged(cast.owner, cast.own, MONDAY)
    city = bulletin(cast.people[Role.CITY_CHIEF], Month.parse("2026-11"))
    assert [(part.name, part.done.contacts) for part in city["parts"]] == [("D1", 1)]
    lead = bulletin(cast.people[Role.TEAM_LEAD], Month.parse("2026-11"))
    assert {part.name for part in lead["parts"]} == {
        p.name for p in (cast.owner, cast.colleague, cast.people["m103"], cast.people[Role.AGENT])
    }


def test_the_bulletin_says_who_is_furthest_and_what_falls_short(cast: Cast) -> None:
    lead = cast.people[Role.TEAM_LEAD]
    wanted = {Aim("unit", lead.unit_id, "contacts"): 100, Aim("person", cast.owner.pk, "contacts"): 2,
              Aim("person", cast.colleague.pk, "contacts"): 2}  # fmt: skip
    set_targets(by=lead, month="2026-11", wanted=wanted)
    logged(cast.owner, cast.own, MONDAY)
    said = " ".join(text.en for text in bulletin(lead, Month.parse("2026-11"))["said"])
    assert "below target: contacts" in said
    assert f"Furthest is {cast.owner.name} with 50%" in said
    assert f"last is {cast.colleague.name} with 0%" in said


def test_the_bulletin_of_a_published_month_tells_how_classes_moved_and_another_says_it_cannot(cast: Cast) -> None:
    lead = cast.people[Role.TEAM_LEAD]
    assert bulletin(lead, Month.parse("2026-11"))["moves"] is None
    moves = bulletin(lead, Month.parse("2026-10"))["moves"]
    assert moves["accounts"] == visible_to(lead).count()
