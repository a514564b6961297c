"""Targets: who may set whose, what they come to below, and what the month will come to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from keepline_web.audit.models import Entry
from keepline_web.customers.models import Assignment, Standing
from keepline_web.customers.queries import visible_to
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.models import Person, Unit
from keepline_web.people.roles import Role
from keepline_web.work.measures import actuals, forecast, working_days
from keepline_web.work.models import Contact, Target
from keepline_web.work.targets import Aim, Progress, below_together, held, parts_of, set_targets, total, units_of
from keepline_web.work.team import board
from web.cast import MONTH, Cast

Enter = Callable[[str], Client]
THIS = "2026-11"


@pytest.fixture(autouse=True)
def the_twelfth(monkeypatch: pytest.MonkeyPatch, cast: Cast) -> None:  # noqa: ARG001
    """The twelfth of November, with accounts owned since long."""
    Assignment.objects.update(starts_on=dt.date(2026, 1, 1))
    stand_at(monkeypatch, dt.date(2026, 11, 12))


def stand_at(monkeypatch: pytest.MonkeyPatch, day: dt.date) -> None:
    """Noon of the day in the business zone, by the machine's clock."""
    moment = dt.datetime.combine(day, dt.time(12), dt.timezone(dt.timedelta(hours=8)))
    monkeypatch.setattr(timezone, "now", lambda: moment)


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.code


def of(person: Person, measure: str = "contacts") -> Aim:
    return Aim("person", person.pk, measure)


def of_unit(unit: Unit, measure: str = "contacts") -> Aim:
    return Aim("unit", unit.pk, measure)


def test_the_last_target_holds_and_every_one_stays_in_the_table(cast: Cast) -> None:
    lead = cast.people[Role.TEAM_LEAD]
    for amount in (40, 60):
        assert set_targets(by=lead, month=THIS, wanted={of(cast.owner): amount}) == 1
    assert held(THIS)[of(cast.owner)].amount == 60
    assert list(Target.objects.order_by("pk").values_list("amount", flat=True)) == [40, 60]
    entry = Entry.objects.filter(act="target_set").order_by("-number").first()
    assert entry is not None
    assert (entry.detail["before"], entry.detail["amount"]) == (40, 60)


def test_the_same_target_again_adds_nothing_and_an_empty_one_ends_it(cast: Cast) -> None:
    lead = cast.people[Role.TEAM_LEAD]
    set_targets(by=lead, month=THIS, wanted={of(cast.owner): 40})
    assert set_targets(by=lead, month=THIS, wanted={of(cast.owner): 40, of(cast.colleague): None}) == 0
    assert set_targets(by=lead, month=THIS, wanted={of(cast.owner): None}) == 1
    assert held(THIS) == {}


def test_a_target_of_nothing_is_a_target_and_one_below_nothing_is_not(cast: Cast) -> None:
    lead = cast.people[Role.TEAM_LEAD]
    assert set_targets(by=lead, month=THIS, wanted={of(cast.owner): 0}) == 1
    assert refused(lambda: set_targets(by=lead, month=THIS, wanted={of(cast.owner): -1})) == "bad_amount"
    assert Progress("contacts", 0, 3, None).share is None


def test_rows_of_targets_are_only_added(cast: Cast) -> None:
    set_targets(by=cast.people[Role.TEAM_LEAD], month=THIS, wanted={of(cast.owner): 40})
    with pytest.raises(DatabaseError, match="only added"), transaction.atomic():
        Target.objects.update(amount=1)


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("m101", False), ("team_lead", False), ("district_chief", False), ("city_chief", False), ("province_chief", True)],
)
def test_targets_are_set_within_ones_scope_alone(cast: Cast, role: str, allowed: bool) -> None:
    by = cast.people[role]
    for aim in (of(cast.stranger), of_unit(cast.stranger.unit)):
        if allowed:
            assert set_targets(by=by, month=THIS, wanted={aim: 5}) == 1
        else:
            assert refused(lambda aim=aim: set_targets(by=by, month=THIS, wanted={aim: 5})) == "not_yours"  # type: ignore[misc]


def test_a_lead_does_not_set_the_target_of_the_district(cast: Cast) -> None:
    lead = cast.people[Role.TEAM_LEAD]
    district = cast.people[Role.DISTRICT_CHIEF].unit
    assert refused(lambda: set_targets(by=lead, month=THIS, wanted={of_unit(district): 5})) == "not_yours"
    assert list(units_of(lead)) == [lead.unit]
    assert set(units_of(cast.people[Role.DISTRICT_CHIEF])) == {district, lead.unit}


def test_what_a_chief_set_a_lead_does_not_change_and_a_higher_chief_does(cast: Cast) -> None:
    lead, chief, city = (cast.people[r] for r in (Role.TEAM_LEAD, Role.DISTRICT_CHIEF, Role.CITY_CHIEF))
    set_targets(by=chief, month=THIS, wanted={of_unit(lead.unit): 100})
    assert refused(lambda: set_targets(by=lead, month=THIS, wanted={of_unit(lead.unit): 50})) == "set_above"
    assert set_targets(by=lead, month=THIS, wanted={of_unit(lead.unit): 100}) == 0
    assert set_targets(by=city, month=THIS, wanted={of_unit(lead.unit): 120}) == 1


def test_one_bad_target_keeps_the_others_from_being_set(cast: Cast) -> None:
    lead = cast.people[Role.TEAM_LEAD]
    wanted = {of(cast.owner): 40, of(cast.colleague): -1}
    assert refused(lambda: set_targets(by=lead, month=THIS, wanted=wanted)) == "bad_amount"
    assert held(THIS) == {}


@pytest.mark.parametrize(
    ("month", "code"), [("2026-10", "month_closed"), (THIS, ""), ("2027-11", ""), ("2027-12", "month_closed")]
)
def test_months_that_are_over_stay_and_those_far_ahead_wait(cast: Cast, month: str, code: str) -> None:
    def act() -> int:
        return set_targets(by=cast.people[Role.TEAM_LEAD], month=month, wanted={of(cast.owner): 5})

    assert (refused(act) if code else act()) == (code or 1)


def test_what_the_parts_come_to_is_shown_against_the_whole(cast: Cast, entered: Enter) -> None:
    chief, lead = cast.people[Role.DISTRICT_CHIEF], cast.people[Role.TEAM_LEAD]
    set_targets(by=chief, month=THIS, wanted={of_unit(lead.unit): 100})
    set_targets(by=lead, month=THIS, wanted={of(cast.owner): 40, of(cast.colleague): 35})
    units, people = parts_of(lead, lead.unit)
    assert units == []
    assert below_together(held(THIS), "contacts", units, people) == 75
    page = entered(Role.TEAM_LEAD).get(f"/targets?month={THIS}")
    name, sums, gap = page.context["sums"][0]
    assert (name, sums, gap) == ("contacts", 75, 25)


@pytest.mark.parametrize(
    ("day", "passed"),
    [(dt.date(2026, 11, 1), 0), (dt.date(2026, 11, 2), 1), (dt.date(2026, 11, 8), 5), (dt.date(2026, 11, 30), 21)],
)
def test_working_days_are_monday_to_friday_and_today_has_passed(
    monkeypatch: pytest.MonkeyPatch, day: dt.date, passed: int
) -> None:
    stand_at(monkeypatch, day)
    assert working_days(THIS) == (passed, 21)


def test_the_forecast_is_the_pace_so_far_carried_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert working_days(THIS) == (9, 21)
    assert forecast("contacts", 30, THIS) == 70
    assert forecast("revenue_3m", 30, THIS) is None
    assert forecast("contacts", None, THIS) is None
    stand_at(monkeypatch, dt.date(2026, 11, 1))
    assert forecast("contacts", 3, THIS) is None
    stand_at(monkeypatch, dt.date(2026, 12, 5))
    assert forecast("contacts", 30, THIS) == 30


@pytest.mark.parametrize(("target", "behind"), [(70, False), (71, True)])
def test_a_target_is_behind_when_the_forecast_falls_short(target: int, behind: bool) -> None:
    one = Progress("contacts", target, 30, forecast("contacts", 30, THIS))
    assert one.behind is behind


def test_visits_are_counted_from_the_log_against_their_target(cast: Cast) -> None:
    lead = cast.people[Role.TEAM_LEAD]
    set_targets(by=lead, month=THIS, wanted={of(cast.owner, "visits"): 4, of_unit(lead.unit, "visits"): 8})
    for channel in ("visit", "manager_call"):
        Contact.objects.create(account=cast.own, person=cast.owner, at=clock.now(), on_day=clock.today(),
                               channel=channel, outcome="reached", purpose="care")  # fmt: skip
    said = board(lead)
    assert [(one.measure, one.target, one.actual) for one in said["own"]] == [("visits", 8, 1)]
    row = next(row for row in said["rows"] if row["person"] == cast.owner)
    assert [(one.target, one.actual, one.share) for one in row["progress"]] == [(4, 1, 0.25)]


def test_revenue_is_that_of_ones_accounts_in_the_months_publication(cast: Cast) -> None:
    worth = sum(
        Standing.objects.get(account=account, month=MONTH).revenue_3m_fen or 0 for account in visible_to(cast.owner)
    )
    assert actuals([cast.owner], MONTH)["revenue_3m"] == {cast.owner.pk: worth}
    assert actuals([cast.owner], THIS)["revenue_3m"] == {cast.owner.pk: None}
    assert total([1, None]) is None


def test_high_risk_customers_are_kept_when_the_next_publication_still_has_them_with_a_line(cast: Cast) -> None:
    first, second, third = visible_to(cast.owner).order_by("pk")[:3]
    for account, band in ((first, "high"), (second, "high"), (third, "low")):
        now = Standing.objects.get(account=account, month=MONTH)
        now.pk, now.month, now.risk_band = None, "2026-09", band
        now.save()
    assert actuals([cast.owner], MONTH)["high_kept"] == {cast.owner.pk: 2}
    Standing.objects.filter(account=first, month=MONTH).update(lines=0)
    assert actuals([cast.owner], MONTH)["high_kept"] == {cast.owner.pk: 1}
    Standing.objects.filter(account=second, month=MONTH).delete()
    assert actuals([cast.owner], MONTH)["high_kept"] == {cast.owner.pk: 0}


def test_the_form_saves_what_is_typed_in_yuan_and_leaves_what_is_not_in_it(cast: Cast, entered: Enter) -> None:
    client, lead = entered(Role.TEAM_LEAD), cast.people[Role.TEAM_LEAD]
    set_targets(by=lead, month=THIS, wanted={of(cast.colleague): 9})
    said = {"unit": lead.unit_id, "month": THIS, f"person-{cast.owner.pk}-revenue_3m": "12,000",
            f"person-{cast.owner.pk}-contacts": "30"}  # fmt: skip
    answer = client.post("/targets", said)
    assert (answer.status_code, answer["Location"]) == (302, f"/targets?unit={lead.unit_id}&month={THIS}&done=2")
    aims = held(THIS)
    assert aims[of(cast.owner, "revenue_3m")].amount == 12_000_00
    assert aims[of(cast.colleague)].amount == 9


@pytest.mark.parametrize("typed", ["3.5", "-1", "many", "1" * 13, "１２"])
def test_what_is_no_whole_number_is_refused_in_words(cast: Cast, entered: Enter, typed: str) -> None:
    said = {"month": THIS, f"person-{cast.owner.pk}-contacts": typed}
    answer = entered(Role.TEAM_LEAD).post("/targets", said)
    assert (answer.status_code, answer["X-Refused"]) == (422, "bad_amount")


def test_the_form_of_another_unit_or_person_is_not_there(cast: Cast, entered: Enter) -> None:
    client = entered(Role.TEAM_LEAD)
    assert client.get(f"/targets?unit={cast.stranger.unit_id}").status_code == 404
    assert client.post("/targets", {"unit": cast.stranger.unit_id, "month": "nonsense"}).status_code == 404
    answer = client.post("/targets", {"month": THIS, f"person-{cast.stranger.pk}-contacts": "5"})
    assert (answer.status_code, answer["X-Refused"]) == (403, "not_yours")
    assert client.get("/targets?month=nonsense").status_code == 409


def test_the_board_shows_the_units_targets_with_their_formula(cast: Cast, entered: Enter) -> None:
    lead = cast.people[Role.TEAM_LEAD]
    set_targets(by=lead, month=THIS, wanted={of_unit(lead.unit): 100, of(cast.owner): 40})
    text = entered(Role.TEAM_LEAD).get("/team").content.decode()
    assert "已过工作日 9 天 × 全月工作日 21 天" in text
    assert "可能达不到" in text
