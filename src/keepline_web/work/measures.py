"""What is measured against targets: the actual figure of each person in a month, and what the month will come to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, F, Q, Sum

from keepline.front import Month
from keepline_web.customers.models import Assignment, Standing
from keepline_web.customers.queries import on_day
from keepline_web.frame import clock
from keepline_web.people.models import Person
from keepline_web.work.done import done

COUNTED = ("contacts", "visits", "agreed")  # add up day by day, so that they can be forecast
MONEY = ("revenue_3m",)
SATURDAY = 5
Actuals = dict[str, dict[int, int | None]]


def actuals(people: Iterable[Person], month: str) -> Actuals:
    """Measure → person → figure; nothing where the publication that would tell it is not in yet."""
    listed = list(people)
    asked = Month.parse(month)
    worked = done(listed, asked.first_day, asked.last_day)
    found: Actuals = {name: {pk: getattr(one, name) for pk, one in worked.items()} for name in COUNTED}
    return found | _told(listed, month, min(asked.last_day, clock.today()))


def _told(people: list[Person], month: str, day: dt.date) -> Actuals:
    """What publications say of the accounts each person owned on ``day``.

    ``revenue_3m`` is the sum of three months' revenue in the month's publication. ``high_kept`` counts the accounts
    that the publication before called high risk and that the month's publication still has with a line in use.
    """
    ids = [person.pk for person in people]
    known = Standing.objects.filter(month=month).exists()
    if not known:
        return {name: dict.fromkeys(ids) for name in ("revenue_3m", "high_kept")}
    before = str(Month.parse(month) + -1)
    high = Standing.objects.filter(month=before, risk_band="high").values("account")
    held = Assignment.objects.filter(on_day(day), person__in=ids, account__standings__month=month)
    there = Q(account__in=high) & (Q(account__standings__lines__isnull=True) | Q(account__standings__lines__gt=0))
    rows: Any = held.values(owner=F("person")).annotate(
        revenue=Sum("account__standings__revenue_3m_fen"), kept=Count("pk", filter=there)
    )
    found = {row["owner"]: (row["revenue"] or 0, row["kept"]) for row in rows}
    none = (0, 0)
    return {
        "revenue_3m": {pk: found.get(pk, none)[0] for pk in ids},
        "high_kept": {pk: found.get(pk, none)[1] for pk in ids},
    }


def forecast(measure: str, actual: int | None, month: str) -> int | None:
    """What the month will come to: actual ÷ working days passed × working days of the month, rounded to a whole.

    Working days are Monday to Friday; public holidays are not known here. Today counts as passed. Before the first
    working day there is no forecast, after the last day the actual figure is it. Figures of a publication do not add
    up day by day and are not forecast.
    """
    if actual is None or measure not in COUNTED:
        return None
    passed, whole = working_days(month)
    return round(actual / passed * whole) if passed else None


def working_days(month: str) -> tuple[int, int]:
    """Working days of the month that have passed, today included, and in all."""
    asked = Month.parse(month)
    days = [asked.first_day + dt.timedelta(days=n) for n in range((asked.last_day - asked.first_day).days + 1)]
    working = [day for day in days if day.weekday() < SATURDAY]
    return sum(day <= clock.today() for day in working), len(working)
