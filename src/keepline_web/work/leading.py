"""The pages of those who lead: weekly meeting, monthly bulletin and targets."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from keepline.front import Month
from keepline_web.customers.queries import shown
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.access import page
from keepline_web.people.models import Person, Unit
from keepline_web.people.roles import Act
from keepline_web.work.attainment import attainment
from keepline_web.work.bulletin import bulletin, month_of
from keepline_web.work.measures import MONEY
from keepline_web.work.meeting import Week, meeting
from keepline_web.work.models import Target
from keepline_web.work.targets import Aim, below_together, held, parts_of, set_targets, units_of
from keepline_web.work.words import MEASURES


@page(Act.SEE_TEAM)
def meeting_page(request: HttpRequest) -> HttpResponse:
    """The week as the meeting goes through it."""
    unit = _unit(request.user, request.GET.get("unit", ""))
    values = meeting(request.user, Week.of(request.GET.get("week", "")), unit)
    values["risks"] = [(risk, shown(risk.account, request.user)) for risk in values["risks"]]
    return render(request, "work/meeting.html", values)


@page(Act.SEE_TEAM)
def bulletin_page(request: HttpRequest) -> HttpResponse:
    """The month against its targets."""
    return render(request, "work/bulletin.html", bulletin(request.user, month_of(request.GET.get("month", ""))))


@page(Act.SEE_TEAM, "GET", "POST")
def targets_page(request: HttpRequest) -> HttpResponse:
    """One unit's targets and those of its parts, with what the parts come to; seen and set."""
    said = request.POST if request.method == "POST" else request.GET
    unit, month = _unit(request.user, said.get("unit", "")), _month(said.get("month", ""))
    units, people = parts_of(request.user, unit)
    if request.method == "POST":
        count = set_targets(by=request.user, month=month, wanted=_wanted(request, unit, units, people))
        return redirect(f"/targets?unit={unit.pk}&month={month}&done={count}")
    return render(request, "work/targets.html", _table(request, unit, month, units, people))


def _table(request: HttpRequest, unit: Unit, month: str, units: list[Unit], people: list[Person]) -> dict[str, Any]:
    aims, asked = held(month), Month.parse(month)

    def cells(kind: str, pk: int) -> list[tuple[str, Target | None]]:
        return [(m, aims.get(Aim(kind, pk, m))) for m in MEASURES]

    own = [("unit", unit.pk, unit.name, "", cells("unit", unit.pk))]
    rows = [("unit", u.pk, u.name, f"/targets?unit={u.pk}&month={month}", cells("unit", u.pk)) for u in units]
    rows += [("person", p.pk, p.name, "", cells("person", p.pk)) for p in people]
    sums = [below_together(aims, m, units, people) for m in MEASURES]
    gaps = [(cell.amount or 0) - total if cell else None for (_, cell), total in zip(own[0][4], sums, strict=True)]
    above = units_of(request.user).filter(pk=unit.above_id).first()
    return {
        "unit": unit, "above": above, "month": month, "own": own, "rows": rows, "measures": MEASURES, "money": MONEY,
        "sums": list(zip(MEASURES, sums, gaps, strict=True)), "level": request.user.rights.level,
        "chart": attainment(request.user, unit, asked), "demo_targets": settings.DEMO,
        "previous": str(asked + -1), "following": str(asked + 1), "open": asked >= Month.of(clock.today()),
        "done": request.GET.get("done", "") if request.GET.get("done", "").isdigit() else "",
    }  # fmt: skip


def _wanted(request: HttpRequest, unit: Unit, units: list[Unit], people: list[Person]) -> dict[Aim, int | None]:
    """The cells of the form; one left out stays as it is, an empty one ends a target."""
    aims = [Aim("unit", u.pk, m) for u in (unit, *units) for m in MEASURES]
    aims += [Aim("person", p.pk, m) for p in people for m in MEASURES]
    names = {f"{aim.kind}-{aim.pk}-{aim.measure}": aim for aim in aims}
    unknown = [name for name in request.POST if name.startswith(("unit-", "person-")) and name not in names]
    if unknown:
        raise Refused(
            "表单中有不属于这个单位的目标，未作任何改动；请刷新页面后重填。",
            "The form holds a target that is not this unit's. Nothing was changed; reload the page.",
            code="not_yours",
            status=403,
        )
    return {aim: _amount(request.POST[name], aim.measure) for name, aim in names.items() if name in request.POST}


def _amount(text: str, measure: str) -> int | None:
    """A whole number as typed, in fen where it is money; nothing for an empty field."""
    plain = text.strip().replace(",", "").replace("，", "")
    if not plain:
        return None
    if not (plain.isascii() and plain.isdigit() and len(plain) <= 12):
        raise Refused(
            f"“{text[:20]}”不是目标值；请填整数，收入以元为单位。",
            f"'{text[:20]}' is no target; write a whole number, revenue in yuan.",
            code="bad_amount",
            status=422,
        )
    return int(plain) * 100 if measure in MONEY else int(plain)


def _unit(person: Person, text: str) -> Unit:
    """The unit asked for, of those the person may see; their own when none is."""
    if not text:
        return person.unit
    found = units_of(person).filter(pk=int(text)).first() if text.isascii() and text.isdigit() else None
    if found is None:
        raise Http404
    return found


def _month(text: str) -> str:
    """The month asked for, this one when none is; a bad one is refused by the core in both languages."""
    return str(Month.parse(text) if text else Month.of(clock.today()))
