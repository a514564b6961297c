"""For who leads: the team's board, arrears, fairness, targets, meeting, bulletin and the month's figures."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import Http404, HttpRequest
from ninja import Query, Router
from pydantic import Field, StrictInt

from keepline.front import Month
from keepline_web.api.access import needs
from keepline_web.api.fields import (
    INTEGER,
    Day,
    Id,
    In,
    MonthText,
    Named,
    Out,
    Words,
    named,
    words,
)
from keepline_web.api.shapes import Who, who
from keepline_web.exchange.views import figures_of
from keepline_web.frame import clock
from keepline_web.frame.pictures import Bar
from keepline_web.frame.words import Text
from keepline_web.people.roles import Act
from keepline_web.work.bulletin import bulletin, month_of
from keepline_web.work.done import Done
from keepline_web.work.meeting import Week, meeting
from keepline_web.work.targets import LARGEST, Aim, Progress, below_together, held, parts_of, set_targets, units_of
from keepline_web.work.team import board
from keepline_web.work.words import MEASURES

NAME = "团队与数字 · team and figures"
router = Router()
OF_FIGURES = {
    "base": ("customers", "revenue_fen", "margin_fen"),
    "plan": ("customers", "said", "gain_fen", "gain_low_fen", "gain_high_fen", "unsure", "dual_value_fen",
             "primal_value_fen", "gap_share"),
}  # fmt: skip
Measure = Literal[tuple(MEASURES)]  # type: ignore[valid-type]
Kind = Literal["unit", "person"]


class ProgressShape(Out):
    """A target against what was done, and what the month will come to; money in fen."""

    measure: str
    target: int | None
    actual: int | None
    forecast: int | None
    share: float | None


class DoneShape(Out):
    contacts: int
    reached: int
    agreed: int
    visits: int
    visits_planned: int
    kept: int
    broken: int
    late: int
    approved: int
    returned: int
    refused: int


class BoardRow(Out):
    person: Named
    owned: int
    made: int
    reached: int
    agreed: int
    late: int
    planned: int
    answered: int
    progress: list[ProgressShape]


class Figures(Out):
    """Of the accounts one may see."""

    accounts: int
    value: int | None
    revenue: int | None
    owed: int | None
    high: int
    up: int
    down: int


class BoardShape(Out):
    month: str | None
    this_month: str
    waiting: int
    figures: Figures
    own: list[ProgressShape]
    rows: list[BoardRow]


class TargetRow(Out):
    kind: str
    id: int
    name: str
    measure: str
    amount: int
    set_by: str


class TargetSum(Out):
    measure: str
    parts: int


class TargetsShape(Out):
    unit: Named
    month: str
    units: list[Named]
    people: list[Named]
    targets: list[TargetRow]
    sums: list[TargetSum]


class TargetIn(In):
    kind: Kind
    id: Id
    measure: Measure
    amount: Annotated[StrictInt, Field(ge=0, le=LARGEST), INTEGER] | None = Field(
        description="fen for money; null ends it"
    )


class TargetsIn(In):
    month: MonthText
    targets: list[TargetIn] = Field(min_length=1, max_length=1000)


class Changed(Out):
    changed: int


class MeetingRow(Out):
    person: Named
    done: DoneShape
    help: list[Words]


class RiskRow(Who):
    why: list[Words]
    owner: str | None
    contacted_on: dt.date | None


class Stranded(Out):
    person: Named
    accounts: int


class MeetingShape(Out):
    first: dt.date
    last: dt.date
    said: list[Words]
    whole: DoneShape
    whole_before: DoneShape
    rows: list[MeetingRow]
    stranded: list[Stranded]
    risks: list[RiskRow]


class PartShape(Out):
    kind: str
    id: int
    name: str
    done: DoneShape
    progress: list[ProgressShape]


class Moves(Out):
    up: int
    down: int
    high: int
    accounts: int


class BulletinShape(Out):
    month: str
    working_days_passed: int
    working_days: int
    said: list[Words]
    whole: DoneShape
    whole_before: DoneShape
    own: list[ProgressShape]
    parts: list[PartShape]
    moves: Moves | None


class MonthShape(Out):
    """The figures of a month brought in; aggregates alone, and what of them lies in one's own scope."""

    month: str | None
    months: list[str]
    figures: dict[str, Any]


@router.get("team", response=BoardShape, **needs(Act.SEE_TEAM, "read", zh="团队看板", en="The team's board"))
def read_team(request: HttpRequest) -> Any:
    """What each has done this month and has before them."""
    said = board(request.user)
    rows = [
        row | {"person": named(row["person"]), "planned": row["plan"][0], "answered": row["plan"][1],
               "progress": _progress(row["progress"])}
        for row in said["rows"]
    ]  # fmt: skip
    same = ("month", "this_month", "waiting", "figures")
    return {name: said[name] for name in same} | {"own": _progress(said["own"]), "rows": rows}


def _progress(rows: Any) -> list[dict[str, Any]]:
    names = ("measure", "target", "actual", "forecast", "share")
    return [{name: getattr(one, name) for name in names} for one in rows if isinstance(one, Progress)]


@router.get("targets", response=TargetsShape, **needs(Act.SEE_TEAM, "read", zh="目标", en="Targets"))
def read_targets(
    request: HttpRequest,
    unit: Annotated[int, Query(ge=1, le=2**63 - 1, description="one's own when none is said")] | None = None,
    month: MonthText | None = None,
) -> Any:
    """One unit's targets and those of its parts, and what the parts come to."""
    one = units_of(request.user).filter(pk=unit or request.user.unit_id).first()
    if one is None:
        raise Http404
    name = month or str(Month.of(clock.today()))
    units, people = parts_of(request.user, one)
    aims, names = (
        held(name),
        {("unit", u.pk): u.name for u in (one, *units)} | {("person", p.pk): p.name for p in people},
    )
    rows = [
        {"kind": aim.kind, "id": aim.pk, "name": names[aim.kind, aim.pk], "measure": aim.measure, "amount": row.amount,
         "set_by": row.set_by.name}
        for aim, row in aims.items() if (aim.kind, aim.pk) in names
    ]  # fmt: skip
    sums = [{"measure": m, "parts": below_together(aims, m, units, people)} for m in MEASURES]
    return {"unit": named(one), "month": name, "units": [named(u) for u in units], "people": [named(p) for p in people],
            "targets": rows, "sums": sums}  # fmt: skip


@router.put("targets", response=Changed, **needs(Act.SEE_TEAM, "arrange", zh="设定目标", en="Set targets"))
def put_targets(request: HttpRequest, said: TargetsIn) -> Any:
    """All of them or none; what a higher level set a lower one does not change. Returns how many are new."""
    wanted = {Aim(row.kind, row.id, row.measure): row.amount for row in said.targets}
    return {"changed": set_targets(by=request.user, month=said.month, wanted=wanted)}


@router.get("meeting", response=MeetingShape, **needs(Act.SEE_TEAM, "read", zh="营销例会", en="The weekly meeting"))
def read_meeting(request: HttpRequest, week: Annotated[Day, Query(description="any day of it")] | None = None) -> Any:
    """The week as the meeting goes through it; this week when no day is said."""
    said = meeting(request.user, Week.of(week.isoformat() if week else ""))
    return {
        "first": said["week"].first, "last": said["week"].last, "said": [words(text) for text in said["said"]],
        "whole": _done(said["whole"]), "whole_before": _done(said["whole_before"]),
        "rows": [{"person": named(row.person), "done": _done(row.done), "help": [words(text) for text in row.help]}
                 for row in said["people"]],
        "stranded": [{"person": named(one.person), "accounts": one.accounts} for one in said["stranded"]],
        "risks": [who(risk.account, request.user) | {"why": [words(text) for text in risk.why],
                                                     "owner": risk.account.owner_name,
                                                     "contacted_on": risk.contacted_on} for risk in said["risks"]],
    }  # fmt: skip


def _done(one: Done) -> dict[str, int]:
    return {name: getattr(one, name) for name in DoneShape.model_fields}


@router.get("bulletin", response=BulletinShape, **needs(Act.SEE_TEAM, "read", zh="月度通报", en="The monthly bulletin"))
def read_bulletin(request: HttpRequest, month: MonthText | None = None) -> Any:
    """The month of one's unit against its targets: as a whole and part by part."""
    said = bulletin(request.user, month_of(month or ""))
    parts = [
        {"kind": "unit" if part.unit else "person", "id": (part.unit or part.person).pk, "name": part.name,
         "done": _done(part.done), "progress": _progress(part.progress)}
        for part in said["parts"]
    ]  # fmt: skip
    return {
        "month": said["month"], "working_days_passed": said["days"][0], "working_days": said["days"][1],
        "said": [words(text) for text in said["said"]], "whole": _done(said["whole"]),
        "whole_before": _done(said["whole_before"]), "own": _progress(said["own"]), "parts": parts,
        "moves": said["moves"],
    }  # fmt: skip


@router.get("month", response=MonthShape, **needs(Act.SEE_FIGURES, "read", zh="本月数字", en="The month in figures"))
def read_month(request: HttpRequest, month: MonthText | None = None) -> Any:
    """The last month brought in, or the one asked for: findings, classes, risk, plan, limits, concentration,
    what past plans expected beside what they earned, what moved since the models learnt, niches, circles and answers
    to price."""
    said = figures_of(request.user, month or "")
    arrival = said["arrival"]
    hidden = ("arrival", "months", "risks", "class_words", "may_list", "charts", "tables", "watch",
              "all_way", "plan_way")  # fmt: skip
    shown = {name: value for name, value in said.items() if name not in hidden} | _told(said)
    return {"month": arrival.month if arrival else None, "months": said["months"],
            "figures": {name: _plain(value) for name, value in shown.items()}}  # fmt: skip


def _told(said: dict[str, Any]) -> dict[str, Any]:
    """Of base and plan what the page tells: their parts by manager or district are counts of a few."""
    return {
        part: {name: said[part][name] for name in names if name in said[part]} if said[part] else None
        for part, names in OF_FIGURES.items() if part in said
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """The page's values as JSON has them."""
    if isinstance(value, Text):
        return words(value)
    if isinstance(value, Bar):
        return {"label": value.label, "value": value.value, "said": value.said}
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items() if name not in ("list", "way")}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
