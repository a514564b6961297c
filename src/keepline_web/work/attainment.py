"""Targets against actual over months: how far a unit came, measure by measure, as one chart."""

from __future__ import annotations

from typing import Any

from keepline.front import Month, numbers
from keepline_web.frame import clock
from keepline_web.frame.charting import Series, month_by_month
from keepline_web.frame.words import Text
from keepline_web.people.models import Person, Unit
from keepline_web.people.queries import sellers_of
from keepline_web.work.measures import actuals
from keepline_web.work.models import Target
from keepline_web.work.targets import held, progress
from keepline_web.work.words import MEASURES

MONTHS = 6
Shares = dict[str, dict[str, float | None]]


def attainment(person: Person, unit: Unit, until: Month) -> dict[str, Any] | None:
    """Actual over target by month, of months that had targets; nothing for fewer than two of them."""
    last = min(until, Month.of(clock.today()))
    asked = [str(last + -ago) for ago in reversed(range(MONTHS))]
    having = set(Target.objects.filter(unit=unit, month__in=asked).values_list("month", flat=True))
    shares = {month: found for month in asked if month in having and (found := _shares(person, unit, month))}
    if len(shares) < 2:
        return None
    months = list(shares)
    measured = [code for code in MEASURES if any(shares[month].get(code) is not None for month in months)]
    series = [Series(_named(code), [shares[month].get(code) for month in months], line=True) for code in measured]
    return month_by_month(
        "attainment", title=_finding(shares), unit=Text("完成率 = 实际 ÷ 目标", "attainment: actual ÷ target"),
        source=Text(f"来源：目标与记录；截至 {months[-1]}", f"Source: targets and logs; until {months[-1]}"),
        months=months, series=series, say=lambda share: numbers.percent(share, 0), form="share", limit=1.0,
        hrefs=[f"/targets?unit={unit.pk}&month={month}" for month in months],
    )  # fmt: skip


def _shares(person: Person, unit: Unit, month: str) -> dict[str, float | None]:
    people = list(sellers_of(person).filter(unit__path__startswith=unit.path))
    done = actuals(people, month)
    return {p.measure: p.share for p in progress(held(month), "unit", unit.pk, done, [p.pk for p in people], month)}


def _named(code: str) -> Text:
    return Text(MEASURES[code].zh, MEASURES[code].en.capitalize())


def _finding(shares: Shares) -> Text:
    """The furthest and the last of the latest month of which an actual figure is known."""
    month = next((m for m in reversed(shares) if any(v is not None for v in shares[m].values())), None)
    if month is None:
        return Text("还没有实际数", "No actual figures yet")
    known = sorted((share, code) for code, share in shares[month].items() if share is not None)
    (low, last), (high, best) = known[0], known[-1]
    top, bottom = numbers.percent(high, 0), numbers.percent(low, 0)
    if best == last:
        return Text(f"{month} {MEASURES[best].zh}完成 {top}", f"{month}: {MEASURES[best].en} at {top}")
    return Text(f"{month} {MEASURES[best].zh}完成 {top}，{MEASURES[last].zh}完成 {bottom}",
                f"{month}: {MEASURES[best].en} at {top}, {MEASURES[last].en} at {bottom}")  # fmt: skip
