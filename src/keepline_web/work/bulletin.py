"""The monthly bulletin: what units and people did, held against their targets (A6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keepline.front import Month, numbers
from keepline_web.customers.models import Standing
from keepline_web.customers.queries import visible_to
from keepline_web.frame import clock
from keepline_web.frame.words import Text
from keepline_web.people.models import Person, Unit
from keepline_web.people.queries import sellers_of
from keepline_web.work.done import Done, done, together
from keepline_web.work.measures import MONEY, Actuals, actuals, working_days
from keepline_web.work.models import Target
from keepline_web.work.targets import Aim, Progress, held, parts_of, progress
from keepline_web.work.words import MEASURES


@dataclass(frozen=True)
class Part:
    """A unit below, or a person, with what was done and how far its targets are."""

    unit: Unit | None
    person: Person | None
    done: Done
    progress: tuple[Progress, ...]

    @property
    def name(self) -> str:
        return self.unit.name if self.unit else self.person.name if self.person else ""

    @property
    def mean_share(self) -> float | None:
        """The mean attainment of its targets, none counted above 100 %, so that one does not hide another."""
        shares = [min(one.share, 1.0) for one in self.progress if one.share is not None]
        return sum(shares) / len(shares) if shares else None


def month_of(text: str) -> Month:
    """The month asked for; this one for none, or for one that is still to come."""
    this = Month.of(clock.today())
    try:
        year, month = (int(part) for part in text.split("-"))
        asked = Month(year * 12 + month - 1) if 1 <= month <= 12 else this
    except ValueError:
        return this
    return asked if Month.parse("2000-01") <= asked <= this else this


def bulletin(person: Person, month: Month) -> dict[str, Any]:
    """The month of the person's unit: as a whole, by target, and part by part."""
    people = list(sellers_of(person).select_related("unit").order_by("unit__path", "pk"))
    name, aims = str(month), held(str(month))
    now = done(people, month.first_day, month.last_day)
    before = done(people, (month + -1).first_day, (month + -1).last_day)
    figures = actuals(people, name)
    parts = _parts(person, people, now, aims, figures, name)
    whole, whole_before = together(now.values()), together(before.values())
    own = progress(aims, "unit", person.unit_id, figures, [p.pk for p in people], name)
    following = month + 1 if month < Month.of(clock.today()) else None
    return {
        "month": name, "previous": str(month + -1), "following": str(following) if following else None,
        "whole": whole, "whole_before": whole_before, "own": own, "parts": parts, "days": working_days(name),
        "said": [*_said(whole, whole_before, own), *_ends(parts)], "moves": _moves(person, name),
        "measures": MEASURES, "money": MONEY,
    }  # fmt: skip


def _parts(person: Person, people: list[Person], now: dict[int, Done], aims: dict[Aim, Target], figures: Actuals,
           month: str) -> list[Part]:  # fmt: skip
    units, sellers = parts_of(person, person.unit)
    found = []
    for unit in units:
        ids = [p.pk for p in people if p.unit.path.startswith(unit.path)]
        own = tuple(progress(aims, "unit", unit.pk, figures, ids, month))
        found.append(Part(unit, None, together(now[pk] for pk in ids), own))
    for one in sellers:
        found.append(Part(None, one, now[one.pk], tuple(progress(aims, "person", one.pk, figures, [one.pk], month))))
    return found


def _said(now: Done, before: Done, own: list[Progress]) -> list[Text]:
    reached, kept = numbers.percent(now.reached_share, 0), numbers.percent(now.kept_share, 0)
    said = [
        Text(f"联系客户 {now.contacts} 次（上月 {before.contacts} 次），接通率 {reached}，{now.agreed} 户接受优惠。",
             f"Contacts: {now.contacts} ({before.contacts} the month before), {reached} reached; "
             f"offers taken: {now.agreed}."),
        Text(f"上门走访 {now.visits} 次，计划 {now.visits_planned} 次；承诺兑现率 {kept}，逾期 {now.late} 项。",
             f"Visits: {now.visits} made, {now.visits_planned} planned. Promises: {kept} kept, {now.late} late."),
    ]  # fmt: skip
    behind = [one for one in own if one.behind]
    if behind:
        zh = "、".join(MEASURES[one.measure].zh for one in behind)
        en = ", ".join(MEASURES[one.measure].en for one in behind)
        said.append(Text(f"按目前进度，月末达不到目标：{zh}。", f"At this pace the month ends below target: {en}."))
    elif own:
        said.append(
            Text("按目前进度，可预测的目标都能达到。", "At this pace every target that can be forecast is reached.")
        )
    return said


def _ends(parts: list[Part]) -> list[Text]:
    """Who is furthest and who is behind, where at least two have targets."""
    known = sorted(((share, part.name) for part in parts if (share := part.mean_share) is not None), reverse=True)
    if len(known) < 2 or known[0][0] == known[-1][0]:
        return []
    (high, best), (low, last) = known[0], known[-1]
    top, bottom = numbers.percent(high, 0), numbers.percent(low, 0)
    return [Text(f"平均完成率最高的是{best}（{top}），最低的是{last}（{bottom}）。",
                 f"Furthest is {best} with {top} of its targets, last is {last} with {bottom}.")]  # fmt: skip


def _moves(person: Person, month: str) -> dict[str, int] | None:
    """How accounts moved between classes, and how many may leave; nothing while the month is not published."""
    rows = Standing.objects.filter(month=month, account__in=visible_to(person))
    if not rows.exists():
        return None
    return {
        "up": rows.filter(move="up").count(), "down": rows.filter(move="down").count(),
        "high": rows.filter(risk_band="high").count(), "accounts": rows.count(),
    }  # fmt: skip
