"""The month as it was published: in sentences, with a way from every number to the customers behind it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from keepline.front import numbers
from keepline_web.customers.models import PlanRow, Standing
from keepline_web.customers.queries import visible_to
from keepline_web.customers.words import CLASSES, RISKS
from keepline_web.exchange.models import Arrival
from keepline_web.frame.pictures import Bar
from keepline_web.frame.words import Text
from keepline_web.people.access import page
from keepline_web.people.models import Person
from keepline_web.people.roles import Act

LISTS = {"leaving": "?risk=high", "plan": "?plan=1", "pareto": "?sort=revenue", "limits": "?plan=1"}
MOVES = {"up": Text("上升", "up"), "down": Text("下降", "down"), "new": Text("新在网", "new")}


@page(Act.SEE_FIGURES)
def month(request: HttpRequest) -> HttpResponse:
    """The last month brought in, or another one asked for in the URL."""
    return render(request, "exchange/month.html", figures_of(request.user, request.GET.get("month", "")))


def figures_of(person: Person, asked: str) -> dict[str, Any]:
    """What the page tells of the month asked for, or of the last one."""
    arrivals = list(Arrival.objects.order_by("-month", "-at"))
    known = {arrival.month: arrival for arrival in reversed(arrivals)}
    arrival = known.get(asked) or (arrivals[0] if arrivals else None)
    values: dict[str, Any] = {"arrival": arrival, "months": sorted(known, reverse=True)}
    if arrival is not None and arrival.figures:
        values |= _told(arrival.figures, _mine(person, arrival.month))
        values |= {"progress": _progress(person, arrival.month)}
    return values


def _told(figures: dict[str, Any], mine: dict[str, int]) -> dict[str, Any]:
    """The page's parts of the report's figures; aggregates alone, and no count of those held out."""
    return {
        "findings": [row | _way(row.get("section", ""), mine) for row in figures.get("findings") or []],
        "base": figures.get("base"), "plan": figures.get("plan"), "limits": figures.get("limits") or [],
        "bands": [row | {"mine": mine.get(f"risk:{row['risk_band']}", 0)}
                  for row in (figures.get("leaving") or {}).get("bands") or []], "risks": RISKS, "class_words": CLASSES,
        "classes": _classes(figures.get("moves") or {}, mine), "pareto": _pareto(figures.get("concentration") or []),
        "may_list": bool(mine), "mine": mine,
    }  # fmt: skip


def _way(section: str, mine: dict[str, int]) -> dict[str, Any]:
    """Where a sentence leads, and how many of one's own customers are there."""
    if not mine or section not in LISTS:
        return {"list": ""}
    return {"list": LISTS[section], "count": mine["plan"] if "plan" in LISTS[section] else
            mine["risk:high"] if "risk" in LISTS[section] else mine["all"]}  # fmt: skip


def _mine(person: Person, month: str) -> dict[str, int]:
    """How many accounts in one's own scope are in each class, at each risk, in the plan; empty for who sees none."""
    if not person.may(Act.SEE_ACCOUNTS):
        return {}
    seen = Standing.objects.filter(month=month, account__in=visible_to(person))
    found = {"all": seen.count(), "plan": PlanRow.objects.filter(month=month, account__in=visible_to(person)).count()}
    for name, field in (("class", "class_code"), ("risk", "risk_band"), ("move", "move")):
        counted = dict(seen.values_list(field).annotate(n=Count("pk")))
        found |= {f"{name}:{code}": n for code, n in counted.items()}
    return defaultdict(int, found)


def _classes(moves: dict[str, Any], mine: dict[str, int]) -> list[dict[str, Any]]:
    """Each class with its size and how many came up to it, down to it, or are new."""
    flows = moves.get("flows") or []
    return [
        row
        | {
            move: sum(f["customers"] for f in flows if f["class"] == row["class"] and f["move"] == move)
            for move in MOVES
        }
        | {"mine": mine.get(f"class:{row['class']}", 0)}
        for row in moves.get("classes") or []
    ]


def _pareto(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What share of revenue, margin and value the first so many percent of customers bring."""
    names = {"revenue": Text("收入", "revenue"), "margin": Text("毛利", "margin"), "value": Text("价值", "value")}
    found = []
    for row in rows:
        tops = [top for top in row.get("tops") or [] if top.get("of") is not None]
        bars = [Bar(numbers.percent(top["share"], 0), top["of"], numbers.percent(top["of"]), marked=top["share"] == 0.2)
                for top in tops]  # fmt: skip
        if bars:
            found.append({"words": names[row["measure"]], "bars": bars, "gini": row.get("gini")})
    return found


def _progress(person: Person, month: str) -> dict[str, int] | None:
    """How many of the plan's customers in one's own scope have given an answer."""
    if not person.may(Act.SEE_ACCOUNTS):
        return None
    rows = PlanRow.objects.filter(month=month, account__in=visible_to(person))
    answered = rows.filter(contacts__outcome__in=("agreed", "refused"), contacts__withdrawn=False).distinct().count()
    total = rows.count()
    return {"answered": answered, "total": total, "share": round(100 * answered / total) if total else 0}
