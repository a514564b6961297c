"""The month's charts with a way from every part to the list behind it, counted within one's own scope."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Count

from keepline.front import month_pictures, month_tables, numbers
from keepline_web.customers.models import PlanRow, Standing
from keepline_web.customers.queries import latest_month, visible_to
from keepline_web.people.models import Person
from keepline_web.people.roles import Act

MINE = {"name": {"zh": "我范围内", "en": "in my scope"}, "kind": "number"}
FEWER = {"zh": "少于 10 户、或可由合计推出的格子不显示。",
         "en": "Cells of fewer than 10 customers, or that totals would give away, are not shown."}  # fmt: skip
MOVED = {"zh": "客户分类的变动", "en": "Moves between classes"}
Picture = dict[str, Any]


class Mine:
    """How many of the accounts one sees are in each cell of a month, and where their list is."""

    def __init__(self, person: Person, month: str) -> None:
        self.shown = person.may(Act.SEE_ACCOUNTS)
        self.month = "" if month == latest_month() else f"&month={month}"
        seen = visible_to(person)
        standings, plan = (
            Standing.objects.filter(month=month, account__in=seen),
            PlanRow.objects.filter(month=month, account__in=seen),
        )
        self.moved: Counter[tuple[str, ...]] = Counter()
        self.planned: Counter[tuple[str, ...]] = Counter()
        if self.shown:
            self.moved = _counted(standings, "previous_class", "class_code", "move", "risk_band")
            self.planned = _counted(plan, "account__district", "channel")

    def standing(self, **wanted: str) -> int:
        names = ("was", "code", "move", "risk")
        return sum(n for key, n in self.moved.items()
                   if all(key[names.index(name)] == value for name, value in wanted.items()))  # fmt: skip

    def plan(self, *, district: str = "", channel: str = "") -> int:
        return sum(n for key, n in self.planned.items()
                   if (not district or key[0] == district) and (not channel or key[1] == channel))  # fmt: skip

    def way(self, query: str) -> str:
        return f"/accounts?{query}{self.month}"


def _counted(rows: Any, *fields: str) -> Counter[tuple[str, ...]]:
    return Counter({tuple(row[:-1]): row[-1] for row in rows.values_list(*fields).annotate(n=Count("pk")).order_by()})


def drawn(figures: dict[str, Any], mine: Mine) -> dict[str, Picture]:
    """The charts that the figures support; for those who see accounts, each row leads to its list."""
    hidden = any(band["customers"] is None for band in (figures.get("leaving") or {}).get("bands") or [])
    wanted = {name: rows for name, rows in figures.items() if not (hidden and name == "leaving")}
    found = month_pictures(wanted) if figures.get("head", {}).get("currency") else {}
    if (figures.get("moves") or {}).get("hidden") and "moves" in found:
        found["moves"] |= {"title": MOVED, "note": FEWER}
    if mine.shown:
        for name, way in (("moves", _flow), ("bands", _band), ("limits", _limit)):
            if name in found:
                found[name] = _led(found[name], [way(row, mine) for row in _rows(name, figures)])
        if "moves" in found:
            found["moves"]["data"]["hrefs"] = _ways_of_flows(figures, mine)
    return found


def tables(figures: dict[str, Any]) -> dict[str, Picture]:
    """The report's tables of niches, circles and price, where the figures have them."""
    return month_tables(figures) if figures.get("head", {}).get("currency") else {}


def _rows(name: str, figures: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = {
        "moves": lambda: figures["moves"]["flows"], "bands": lambda: figures["leaving"]["bands"],
        "limits": lambda: figures["limits"],
    }[name]()  # fmt: skip
    return rows


def _led(picture: Picture, ways: list[tuple[str, int]]) -> Picture:
    """One more column, and the way of each row; a picture that draws fewer rows than its table has the first ones."""
    rows = [[*row, numbers.count(count)] for row, (_, count) in zip(picture["rows"], ways, strict=True)]
    hrefs = [way for way, _ in ways]
    return picture | {"columns": [*picture["columns"], MINE], "rows": rows, "hrefs": hrefs,
                      "data": picture["data"] | {"hrefs": hrefs}}  # fmt: skip


def _flow(row: dict[str, Any], mine: Mine) -> tuple[str, int]:
    was, code = row["previous_class"] or "", row["class"]
    if not was:
        return mine.way(f"class={code}&move=new"), mine.standing(code=code, move="new")
    return mine.way(f"class={code}&was={was}"), mine.standing(code=code, was=was)


def _band(row: dict[str, Any], mine: Mine) -> tuple[str, int]:
    return mine.way(f"risk={row['risk_band']}"), mine.standing(risk=row["risk_band"])


def _limit(row: dict[str, Any], mine: Mine) -> tuple[str, int]:
    if row["kind"] == "channel":
        return mine.way(f"plan=1&channel={row['of']}"), mine.plan(channel=row["of"])
    if row["kind"] == "hours":
        return mine.way(f"plan=1&district={row['of']}"), mine.plan(district=row["of"])
    return mine.way("plan=1"), mine.plan()


def _ways_of_flows(figures: dict[str, Any], mine: Mine) -> dict[str, str]:
    ways = {}
    for row in figures["moves"]["flows"]:
        before, now = f"before:{row['previous_class'] or 'new'}", f"now:{row['class']}"
        ways[f"{before}>{now}"] = _flow(row, mine)[0]
        ways[now] = mine.way(f"class={row['class']}")
        ways[before] = mine.way(f"was={row['previous_class']}" if row["previous_class"] else "move=new")
    return ways
