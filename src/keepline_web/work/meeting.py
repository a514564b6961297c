"""The weekly meeting, made from logs and figures: what was done, what is at risk, who needs help (A6)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Q

from keepline.front import numbers
from keepline_web.customers.holders import holders
from keepline_web.customers.models import Account, Assignment, Standing
from keepline_web.customers.queries import latest_month, on_day, owned_by, visible_to, with_standing
from keepline_web.frame import clock
from keepline_web.frame.words import Text
from keepline_web.people.models import Person, Unit
from keepline_web.people.queries import sellers_of
from keepline_web.work.arrears import OLD_MONTHS
from keepline_web.work.done import Done, done, together
from keepline_web.work.models import Contact
from keepline_web.work.targets import units_of

RISKS_SHOWN = 10
HELP_SHOWN = 12  # people by name; of more, how many in which unit
WEEK = dt.timedelta(days=7)
FIRST_DAY = dt.date(2000, 1, 1)  # before it nobody asks, and the calendar ends
FEW_CONTACTS = 10  # below so many, the share reached says nothing


@dataclass(frozen=True)
class Week:
    """Monday to Sunday."""

    first: dt.date

    @classmethod
    def of(cls, text: str) -> Week:
        """The week a day lies in; this week for no day, one that is none, is long past or is still to come."""
        today = clock.today()
        try:
            asked = dt.date.fromisoformat(text)
        except ValueError:
            asked = today
        day = asked if FIRST_DAY <= asked <= today else today
        return cls(day - dt.timedelta(days=day.weekday()))

    @property
    def last(self) -> dt.date:
        return self.first + dt.timedelta(days=6)

    @property
    def well_begun(self) -> bool:
        """From Wednesday on, who logged nothing is noticed; before, the week is young."""
        return clock.today() >= self.first + dt.timedelta(days=2)

    @property
    def before(self) -> Week:
        return Week(self.first - WEEK)

    @property
    def after(self) -> Week | None:
        following = self.first + WEEK
        return Week(following) if following <= clock.today() else None


@dataclass(frozen=True)
class Row:
    """One person's week."""

    person: Person
    done: Done
    help: tuple[Text, ...]


@dataclass(frozen=True)
class Part:
    """A unit right below, with everyone's week in it together, and how many there need help."""

    unit: Unit
    done: Done
    people: int
    needy: int


@dataclass(frozen=True)
class Risk:
    """An account at risk: why, and whether anybody turned to it in the week."""

    account: Any  # with its standing and owner
    why: tuple[Text, ...]
    contacted_on: dt.date | None


def meeting(person: Person, week: Week, unit: Unit | None = None) -> dict[str, Any]:
    """Everything the meeting speaks of, of the people of ``unit`` and the accounts the person may see.

    A unit with units below is told by them; the people who stand in it itself, one by one.
    """
    unit = unit or person.unit
    below = sellers_of(person).filter(unit__path__startswith=unit.path)
    people = list(below.select_related("unit").order_by("unit__path", "pk"))
    now, past = (done(people, one.first, one.last) for one in (week, week.before))
    whole, whole_before = together(now.values()), together(past.values())
    owns = set(Assignment.objects.filter(on_day(clock.today()), person__in=people).values_list("person", flat=True))
    rows = [
        Row(p, now[p.pk], tuple(_needs(now[p.pk], whole, expected=p.pk in owns and week.well_begun)))
        for p in people if p.is_active or now[p.pk] != Done()
    ]  # fmt: skip
    needy = [row for row in rows if row.help and row.person.is_active]
    return {
        "week": week, "unit": unit, "whole": whole, "whole_before": whole_before, "said": _said(whole, whole_before),
        "parts": _parts(person, unit, rows, now), "people": rows,
        "rows": [row for row in rows if row.person.unit_id == unit.pk],
        "help": needy if len(needy) <= HELP_SHOWN else [], "needy": len(needy), "risks": _risks(person, week, unit),
        "stranded": [h for h in holders(person) if not h.sells and h.person.unit.path.startswith(unit.path)],
        "above": units_of(person).filter(pk=unit.above_id).first(),
    }  # fmt: skip


def _parts(person: Person, unit: Unit, rows: list[Row], now: dict[int, Done]) -> list[Part]:
    found = []
    for part in units_of(person).filter(above=unit).order_by("path"):
        own = [row for row in rows if row.person.unit.path.startswith(part.path)]
        needy = sum(bool(row.help) and row.person.is_active for row in own)
        found.append(Part(part, together(now[row.person.pk] for row in own), len(own), needy))
    return found


def _said(now: Done, before: Done) -> list[Text]:
    """The week in sentences."""
    reached, kept = numbers.percent(now.reached_share, 0), numbers.percent(now.kept_share, 0)
    return [
        Text(f"联系客户 {now.contacts} 次（上周 {before.contacts} 次），接通率 {reached}，{now.agreed} 户接受优惠。",
             f"Contacts: {now.contacts} ({before.contacts} the week before), {reached} reached; "
             f"offers taken: {now.agreed}."),
        Text(f"上门走访 {now.visits} 次，计划 {now.visits_planned} 次。",
             f"Visits: {now.visits} made, {now.visits_planned} planned."),
        Text(f"承诺兑现 {now.kept} 项、未兑现 {now.broken} 项（兑现率 {kept}），逾期 {now.late} 项。",
             f"Promises: {now.kept} kept, {now.broken} broken ({kept} kept), {now.late} late."),
        Text(f"优惠申请批准 {now.approved} 项，退回 {now.returned} 项，不批准 {now.refused} 项。",
             f"Offers: {now.approved} approved, {now.returned} sent back, {now.refused} refused."),
    ]  # fmt: skip


def _needs(one: Done, whole: Done, *, expected: bool) -> list[Text]:
    """Why somebody may need help: promises late, nothing logged, or far fewer reached than the others do."""
    found = []
    if one.late:
        found.append(Text(f"{one.late} 项承诺逾期", f"promises late: {one.late}"))
    if expected and not one.contacts:
        found.append(Text("名下有客户，本周没有联系记录", "owns customers, and logged no contact this week"))
    share, usual = one.reached_share, whole.reached_share
    if one.contacts >= FEW_CONTACTS and share is not None and usual is not None and share < usual / 2:
        low, mean = numbers.percent(share, 0), numbers.percent(usual, 0)
        found.append(
            Text(f"接通率 {low}，不到全体 {mean} 的一半", f"reached {low}, less than half of everyone's {mean}")
        )
    return found


def _risks(person: Person, week: Week, unit: Unit) -> list[Risk]:
    """The accounts worth most among those that may leave, wait for an answer, or owe for long."""
    month = latest_month()
    risky = Q(risk_band="high") | Q(complaints_open__gt=0) | Q(arrears_fen__gt=0, arrears_months__gt=OLD_MONTHS)
    seen: Any = visible_to(person)
    if unit.pk != person.unit_id:
        seen = seen.filter(pk__in=owned_by(Q(person__unit__path__startswith=unit.path)))
    of_month = Standing.objects.filter(risky, month=month, account__in=seen)
    ids = list(of_month.order_by("-value_fen", "account").values_list("account", flat=True)[:RISKS_SHOWN])
    accounts = {row.pk: row for row in with_standing(Account.objects.filter(pk__in=ids), month or "")}
    contacts = Contact.objects.filter(
        account__in=ids, on_day__range=(week.first, week.last), withdrawn=False, corrected_by__isnull=True
    )
    last = dict(contacts.values_list("account").annotate(last=Max("on_day")))
    return [Risk(accounts[pk], tuple(_why(accounts[pk].of_month[0])), last.get(pk)) for pk in ids]  # type: ignore[attr-defined]


def _why(standing: Standing) -> list[Text]:
    found = []
    if standing.risk_band == "high":
        told = standing.risks[0] if standing.risks else None
        found.append(Text(f"离网风险高：{told['zh']}", f"may leave: {told['en']}") if told
                     else Text("离网风险高", "may leave"))  # fmt: skip
    if standing.complaints_open:
        found.append(Text(f"投诉 {standing.complaints_open} 件未办结", f"complaints open: {standing.complaints_open}"))
    if standing.arrears_fen and (standing.arrears_months or 0) > OLD_MONTHS:
        found.append(Text(f"欠费 {standing.arrears_months} 个月", f"in arrears for {standing.arrears_months} months"))
    return found
