"""The month as it was published: in sentences, with a way from every number to the customers behind it."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from keepline.front import month_watch
from keepline_web.customers.listing import ANSWERS
from keepline_web.customers.models import PlanRow
from keepline_web.customers.queries import visible_to
from keepline_web.customers.words import CLASSES, RISKS
from keepline_web.exchange.models import Arrival
from keepline_web.exchange.month_pictures import Mine, drawn, tables
from keepline_web.exchange.small_cells import guarded
from keepline_web.jobs.actions import ask
from keepline_web.people.access import page
from keepline_web.people.models import Person
from keepline_web.people.roles import Act

LISTS = {"leaving": "risk=high", "plan": "plan=1", "pareto": "sort=revenue", "limits": "plan=1", "moves": "move=up"}
OF_MODELS = {  # of each what the page tells
    "drift": ("warnings", "checked", "refused"),
    "niches": ("found",),
    "circles": ("parts",),
    "price": ("rows", "quotes"),
}
MOVES = ("up", "down", "new")


@page(Act.SEE_FIGURES)
def month(request: HttpRequest) -> HttpResponse:
    """The last month brought in, or another one asked for in the URL."""
    return render(request, "exchange/month.html", figures_of(request.user, request.GET.get("month", "")))


def figures_of(person: Person, asked: str) -> dict[str, Any]:
    """What the page tells of the month asked for, or of the last one."""
    arrivals = list(Arrival.objects.order_by("-month", "-pk"))
    known = {arrival.month: arrival for arrival in reversed(arrivals)}
    arrival = known.get(asked) or (arrivals[0] if arrivals else None)
    values: dict[str, Any] = {"arrival": arrival, "months": sorted(known, reverse=True)}
    if arrival is not None and arrival.figures:
        mine = Mine(person, arrival.month)
        figures = arrival.figures if mine.shown else guarded(arrival.figures)
        values |= _told(figures, mine) | {"progress": _progress(person, arrival.month, mine)}
    return values


@page(Act.LOAD, "POST")
def hand_back_again(request: HttpRequest) -> HttpResponse:
    """Everything from the first day on, for a lake that was put back to an earlier state."""
    return redirect("task", ask(kind="hand_back", asked={"person": request.user.pk, "again": True}, by=request.user).pk)


def _told(figures: dict[str, Any], mine: Mine) -> dict[str, Any]:
    """The page's parts of the report's figures; aggregates alone, and no count of those held out."""
    bands = (figures.get("leaving") or {}).get("bands") or []
    return {
        "findings": [row | _way(row.get("section", ""), mine) for row in figures.get("findings") or []],
        "base": figures.get("base"), "plan": figures.get("plan"), "charts": drawn(figures, mine),
        "tables": tables(figures), "watch": month_watch(figures), "past": figures.get("past") or [],
        **{name: _named(figures.get(name) or {}, names) for name, names in OF_MODELS.items()},
        "limits": figures.get("limits") or [], "concentration": figures.get("concentration") or [],
        "bands": [row | {"mine": mine.standing(risk=row["risk_band"]), "way": mine.way(f"risk={row['risk_band']}")}
                  for row in bands], "risks": RISKS, "class_words": CLASSES,
        "classes": _classes(figures.get("moves") or {}, mine), "may_list": mine.shown,
        "all_mine": mine.standing(), "plan_mine": mine.plan(), "all_way": mine.way(""), "plan_way": mine.way("plan=1"),
    }  # fmt: skip


def _named(said: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any] | None:
    return {name: said[name] for name in names if name in said} or None


def _way(section: str, mine: Mine) -> dict[str, Any]:
    """Where a sentence leads, and how many of one's own customers are there."""
    if not mine.shown or section not in LISTS:
        return {"list": ""}
    query = LISTS[section]
    counts = {"risk=high": mine.standing(risk="high"), "plan=1": mine.plan(), "move=up": mine.standing(move="up")}
    return {"list": mine.way(query), "count": counts.get(query, mine.standing())}


def _classes(moves: dict[str, Any], mine: Mine) -> list[dict[str, Any]]:
    """Each class with its size and how many came up to it, down to it, or are new; and those of one's own."""
    flows = moves.get("flows") or []
    return [
        row
        | {"moves": [_moved(row["class"], move, flows, mine, hidden=bool(moves.get("hidden"))) for move in MOVES]}
        | {"mine": mine.standing(code=row["class"]), "way": mine.way(f"class={row['class']}")}
        for row in moves.get("classes") or []
    ]


def _moved(code: str, move: str, flows: list[dict[str, Any]], mine: Mine, *, hidden: bool) -> dict[str, Any]:
    """One cell; not told where flows are hidden, since it is a sum of them."""
    count = sum(f["customers"] for f in flows if f["class"] == code and f["move"] == move)
    return {"count": None if hidden else count, "mine": mine.standing(code=code, move=move),
            "way": mine.way(f"class={code}&move={move}")}  # fmt: skip


def _progress(person: Person, month: str, mine: Mine) -> dict[str, Any] | None:
    """How many of the plan's customers in one's own scope have given an answer."""
    if not mine.shown:
        return None
    rows = PlanRow.objects.filter(month=month, account__in=visible_to(person))
    said = Q(contacts__outcome__in=ANSWERS, contacts__withdrawn=False, contacts__corrected_by=None)
    answered, total = rows.filter(said).values("account").distinct().count(), mine.plan()
    return {"answered": answered, "total": total, "share": round(100 * answered / total) if total else 0,
            "way": mine.way("plan=1&answered=1")}  # fmt: skip
