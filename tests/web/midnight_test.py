"""Midnight between the check and the act: each act belongs to one day, nobody owns twice, and no decision is lost."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from itertools import count

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from keepline_web.audit.models import Entry
from keepline_web.customers.actions import assign, cover, end_cover, give_out, hand_over, reassign
from keepline_web.customers.models import Account, Assignment
from keepline_web.customers.queries import on_day
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.roles import Role
from web.cast import Cast

DAY = dt.timedelta(days=1)
WAITS = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"
ACTS = ("assign", "hand_over", "reassign", "give_out")
LOOKS = 14  # more than any of them takes at the clock


def last_second(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, 15, 59, 59, tzinfo=dt.UTC)  # of the day in Shanghai


def act(cast: Cast, name: str) -> object:
    lead, chief, reason = cast.people[Role.TEAM_LEAD], cast.people[Role.DISTRICT_CHIEF], "片区调整"
    if name == "assign":
        return assign(account=cast.own, to=cast.colleague, reason=reason, by=lead)
    if name == "hand_over":
        return hand_over(leaving=cast.owner, to=cast.colleague, accounts=[cast.own.pk], reason=reason, by=lead)
    if name == "reassign":
        return reassign(to=cast.colleague, held={cast.own.pk: cast.owner.pk}, reason=reason, by=lead)
    return give_out(to=cast.colleague, accounts=[cast.own.pk], reason=reason, by=chief)


@pytest.mark.parametrize("name", ACTS)
def test_whenever_midnight_passes_the_act_is_of_one_day(cast: Cast, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    today, days = clock.today(), set()
    if name == "give_out":
        Account.objects.filter(pk=cast.own.pk).update(unit=cast.people[Role.DISTRICT_CHIEF].unit)
        Assignment.objects.filter(account=cast.own).delete()
    else:
        Assignment.objects.filter(account=cast.own).update(starts_on=today - DAY)
    for at in range(LOOKS):
        looks = count()
        with transaction.atomic(), monkeypatch.context() as patch:
            patch.setattr(timezone, "now", lambda at=at, looks=looks: last_second(today) + (next(looks) >= at) * DAY)
            act(cast, name)
            made = Assignment.objects.get(account=cast.own, person=cast.colleague)
            assert made.starts_on in (today, today + DAY)
            assert set(Assignment.objects.exclude(pk=made.pk).filter(account=cast.own)
                       .values_list("ends_on", flat=True)) <= {made.starts_on}  # fmt: skip
            assert Entry.objects.filter(act="assigned").latest("id").detail["on"] == made.starts_on.isoformat()
            days.add(made.starts_on)
            transaction.set_rollback(True)
    assert days == {today, today + DAY}


def test_whenever_midnight_passes_cover_ends_on_a_day_it_held(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    today, lead, said = clock.today(), cast.people[Role.TEAM_LEAD], set()
    made = cover(away=cast.owner, covered_by=cast.colleague, starts_on=today, ends_on=today + DAY, reason="年休假期",
                 by=lead)  # fmt: skip
    for at in range(LOOKS):
        looks = count()
        with transaction.atomic(), monkeypatch.context() as patch:
            patch.setattr(timezone, "now", lambda at=at, looks=looks: last_second(today) + (next(looks) >= at) * DAY)
            try:
                end_cover(cover=made, by=lead)
                made.refresh_from_db()
                said.add(made.ended_early_on)
            except Refused as refused:
                said.add(refused.code)
            transaction.set_rollback(True)
    assert said == {today, "cover_over"}


def waited_for(first: Callable[[], object], second: Callable[[], object], turn: Callable[[], None]) -> list[object]:
    """The first holds its locks over midnight while the second waits for them; what the second gave or raised."""
    gave: list[object] = []

    def then() -> None:
        try:
            gave.append(second())
        except Refused as refused:
            gave.append(refused.code)
        finally:
            connections.close_all()

    late = threading.Thread(target=then)
    with transaction.atomic():
        list(Account.objects.select_for_update().order_by("pk"))
        late.start()
        with connection.cursor() as cursor:
            until = time.monotonic() + 30
            waits = False
            while not waits:
                assert time.monotonic() < until
                cursor.execute(WAITS)
                (waits,) = cursor.fetchone()
        turn()
        first()
    late.join(60)
    return gave


@pytest.mark.parametrize("name", ["hand_over", "reassign", "assign"])
def test_who_waited_past_midnight_does_not_undo_what_was_decided_on_the_new_day(
    committed: str,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    cast, today = Cast.found(), clock.today()
    moment = [last_second(today)]
    Assignment.objects.filter(account=cast.own).update(starts_on=today - DAY)
    monkeypatch.setattr(timezone, "now", lambda: moment[0])
    third, lead = cast.people["m103"], cast.people[Role.TEAM_LEAD]
    gave = waited_for(
        lambda: assign(account=cast.own, to=third, reason="新的一天", by=lead),
        lambda: act(cast, name) and None,
        lambda: moment.__setitem__(0, moment[0] + DAY),
    )
    owners = [Assignment.objects.filter(on_day(today + n * DAY), account=cast.own).values_list("person", flat=True)
              for n in range(3)]  # fmt: skip
    last = cast.colleague if name == "assign" else third  # which asks nobody who owned it before
    assert gave == [None if name == "assign" else "changed_meanwhile"]
    assert [list(owner) for owner in owners] == [[cast.owner.pk], [last.pk], [last.pk]]
