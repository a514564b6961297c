"""Targets of units and people by month: set, taken apart below, and held against what was done (P1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from keepline.front import Month
from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.models import Person, Unit
from keepline_web.people.queries import sellers_of, units_below
from keepline_web.people.roles import Act, Scope
from keepline_web.work.measures import Actuals, forecast
from keepline_web.work.models import Target
from keepline_web.work.words import MEASURES

MONTHS_AHEAD = 12
LARGEST = 10**14


@dataclass(frozen=True)
class Aim:
    """Whose target of which measure: a unit's or a person's."""

    kind: str  # "unit" or "person"
    pk: int
    measure: str


@dataclass(frozen=True)
class Progress:
    """A target against what was done, and what the month will come to."""

    measure: str
    target: int | None
    actual: int | None
    forecast: int | None

    @property
    def share(self) -> float | None:
        """Attainment; nothing for a target of nothing."""
        return self.actual / self.target if self.actual is not None and self.target else None

    @property
    def bar(self) -> float:
        """How far its bar goes, of 100."""
        return round(min(self.share or 0.0, 1.0) * 100, 1)

    @property
    def behind(self) -> bool:
        """The forecast falls short of the target."""
        return self.forecast is not None and self.target is not None and self.forecast < self.target


def units_of(person: Person) -> QuerySet[Unit]:
    """The units whose targets the person sees and may set: their own, and for chiefs all below it."""
    if not person.may(Act.SEE_TEAM):
        return Unit.objects.none()
    below = units_below(person.unit)
    return below if person.rights.scope is Scope.SUBTREE else below.filter(pk=person.unit_id)


def parts_of(person: Person, unit: Unit) -> tuple[list[Unit], list[Person]]:
    """What a unit's target is taken apart into: the units right below it, and the sellers who stand in it."""
    units = list(units_of(person).filter(above=unit).order_by("path"))
    return units, list(sellers_of(person).filter(unit=unit, is_active=True).order_by("pk"))


def held(month: str) -> dict[Aim, Target]:
    """The targets that hold: the last row of each, unless that one ended it."""
    keys = ("unit_id", "person_id", "measure")
    rows = Target.objects.filter(month=month).select_related("set_by").order_by(*keys, "-pk").distinct(*keys)
    return {_aim(row): row for row in rows if row.amount is not None}


def _aim(row: Target) -> Aim:
    pk = row.unit_id or row.person_id
    return Aim("unit" if row.unit_id else "person", pk, row.measure)


def below_together(aims: Mapping[Aim, Target], measure: str, units: Iterable[Unit], people: Iterable[Person]) -> int:
    """What the targets of the parts come to."""
    wanted = [Aim("unit", unit.pk, measure) for unit in units] + [Aim("person", p.pk, measure) for p in people]
    return sum(aims[aim].amount or 0 for aim in wanted if aim in aims)


def progress(aims: Mapping[Aim, Target], kind: str, pk: int, done: Actuals, people: list[int],
             month: str) -> list[Progress]:  # fmt: skip
    """Each measure that has a target, of a unit or a person, against what its ``people`` did."""
    found = []
    for measure in MEASURES:
        target = aims.get(Aim(kind, pk, measure))
        if target is None:
            continue
        actual = total(done[measure][one] for one in people)
        found.append(Progress(measure, target.amount, actual, forecast(measure, actual, month)))
    return found


def total(amounts: Iterable[int | None]) -> int | None:
    """The sum; not known when one of them is not known."""
    listed = list(amounts)
    return None if None in listed else sum(amount for amount in listed if amount is not None)


@transaction.atomic
def set_targets(*, by: Person, month: str, wanted: Mapping[Aim, int | None]) -> int:
    """Set all these targets, or none; those that stand already are left. Returns how many were new or changed."""
    _may_set(by, wanted)
    _month(month)
    before = held(month)
    stood = {aim: row.amount for aim, row in before.items()}
    changed = {aim: amount for aim, amount in wanted.items() if amount != stood.get(aim)}
    for aim, amount in changed.items():
        _amount(amount)
        _not_above(by, before.get(aim))
        Target.objects.create(
            month=month, measure=aim.measure, amount=amount, set_by=by, set_at=clock.now(),
            unit_id=aim.pk if aim.kind == "unit" else None, person_id=aim.pk if aim.kind == "person" else None,
        )  # fmt: skip
        detail = {"month": month, "measure": aim.measure, "amount": amount, "before": stood.get(aim)}
        write(Stream.WORK, act="target_set", by=by, object=f"{aim.kind}:{aim.pk}", detail=detail)
    return len(changed)


def _may_set(by: Person, wanted: Iterable[Aim]) -> None:
    """All of them lie within the scope of who sets them."""
    units = set(units_of(by).values_list("pk", flat=True))
    people = set(sellers_of(by).values_list("pk", flat=True)) if by.may(Act.SEE_TEAM) else set()
    known = {"unit": units, "person": people}
    for aim in wanted:
        if aim.pk not in known.get(aim.kind, set()):
            raise Refused(
                "目标所属的单位或人员不在您的管理范围内。",
                "A unit or person of these targets is not within your scope.",
                code="not_yours",
                status=403,
            )
        if aim.measure not in MEASURES:
            raise Refused(
                f"没有这个指标：{aim.measure}。", f"There is no such measure: {aim.measure}.",
                code="unknown_choice", status=422,
            )  # fmt: skip


def _month(month: str) -> None:
    this = Month.of(clock.today())
    if not this <= Month.parse(month) <= this + MONTHS_AHEAD:
        raise Refused(
            f"只能设定本月起 {MONTHS_AHEAD} 个月内的目标；已过去的月份不改写。",
            f"Targets are set for this month and the {MONTHS_AHEAD} after it; months that are over are not rewritten.",
            code="month_closed",
            status=422,
        )


def _amount(amount: int | None) -> None:
    if amount is not None and not 0 <= amount <= LARGEST:
        raise Refused(
            "目标须为不小于 0 的数，且不能过大。", "A target is 0 or more, and not beyond reason.",
            code="bad_amount", status=422,
        )  # fmt: skip


def _not_above(by: Person, before: Target | None) -> None:
    """What a higher level set, a lower one does not change."""
    if before is not None and before.set_by.rights.level > by.rights.level:
        raise Refused(
            f"这个目标由上级{before.set_by.name}设定，您不能更改；请与上级商定。",
            f"This target was set by {before.set_by.name}, who stands above you; agree on a change with them.",
            code="set_above",
            status=403,
        )
