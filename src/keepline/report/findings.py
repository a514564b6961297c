"""The month's five findings: sentences with numbers, each said only when the figures support it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keepline.periods import Month, in_chinese
from keepline.report.numbers import Money, count, percent, short_count
from keepline.report.phrases import ends, hardest, worth
from keepline.report.tally import Row
from keepline.report.words import STATES, Words, both, word

Finding = dict[str, Any]
Figures = dict[str, Any]
WANTED = 5
NO_EXCLUSION = ("treated", "held_out", "below_cut", "in_pilot")
WORTH_SAYING = 0.005  # a share below half a percent is no finding


def findings(figures: Figures) -> list[Finding]:
    """At most five, the most telling first; what the figures do not support is left out."""
    money = Money(figures["head"]["currency"])
    said: list[Finding] = []
    for find in FINDERS:
        found = find(figures, money)
        if found is not None and len(said) < WANTED:
            said.append(found)
    return said


def _finding(name: str, section: str, number: Words, said: Words) -> Finding:
    return {"id": name, "section": section, "number": number} | said


def concentrated(figures: Figures, money: Money) -> Finding | None:
    """How much the top fifth brings."""
    revenue = _measure(figures, "revenue")
    top = next((t["of"] for t in revenue["tops"] if t["share"] == 0.2), None)
    if top is None:
        return None
    base, bill = short_count(revenue["customers"]), money.short(revenue["total_fen"])
    return _finding(
        "concentration",
        "pareto",
        both(percent(top), percent(top)),
        both(
            f"收入最高的 20% 客户带来 {percent(top)} 的收入（共 {base['zh']} 户、{bill['zh']}）。",
            f"The top 20% of customers by revenue bring {percent(top)} of it ({base['en']} customers, {bill['en']}).",
        ),
    )


def _measure(figures: Figures, name: str) -> Row:
    return next(row for row in figures["concentration"] if row["measure"] == name)


def leaving(figures: Figures, money: Money) -> Finding | None:
    """How many are expected to leave; not said where leavers were over-sampled and the true rate is unknown."""
    head, expected = figures["head"], figures["leaving"]["expected"]["leave"]
    if not expected["known"] or (head["oversampled"] and head["true_monthly_rate"] is None):
        return None
    share = expected["customers"] / expected["known"]
    about = short_count(round(expected["customers"]))
    high = next((row for row in figures["leaving"]["bands"] if row["risk_band"] == "high"), None)
    tail = _high_band(high, money) if high else both("。", ".")
    months = head["leave_months"]
    return _finding(
        "leaving",
        "leaving",
        both(about["zh"] + " 户", about["en"]),
        both(
            f"未来 {months} 个月预计约 {about['zh']} 户离网（占 {percent(share)}）{tail['zh']}",
            f"About {about['en']} customers ({percent(share)}) are expected to leave within {_months(months)}"
            f"{tail['en']}",
        ),
    )


def _months(months: int) -> str:
    return "1 month" if months == 1 else f"{months} months"


def _high_band(row: Row, money: Money) -> Words:
    people = short_count(row["customers"])
    if row["value_fen"] is None:
        return both(f"，其中高风险 {people['zh']} 户。", f"; {people['en']} are at high risk.")
    value = money.short(row["value_fen"])
    return both(
        f"；高风险 {people['zh']} 户，客户价值合计 {value['zh']}。",
        f"; {people['en']} are at high risk, together worth {value['en']}.",
    )


def reason(figures: Figures, money: Money) -> Finding | None:
    """The reason with the most value behind it among those at risk."""
    rows = [row for row in figures["leaving"]["reasons"] if row["reason_1"] is not None and row["value_fen"]]
    whole = sum(row["value_fen"] or 0 for row in figures["leaving"]["reasons"])
    if not rows or whole <= 0:
        return None
    first, said = rows[0], rows[0]["words"]
    value, people = money.short(first["value_fen"]), short_count(first["customers"])
    return _finding(
        "reason",
        "leaving",
        value,
        both(
            f"在中高风险客户中，首要原因涉及价值最多的是“{said['zh']}”：{people['zh']} 户，{value['zh']}。",
            f"Among those at medium or high risk the leading reason with the most value behind it is "
            f"“{said['en']}”: {people['en']} customers, {value['en']}.",
        ),
    )


def planned(figures: Figures, money: Money) -> Finding | None:
    """What the plan does, is expected to earn, and how much of that rests on assumptions."""
    plan = figures["plan"]
    if not plan["customers"]:
        return None
    people, gain, cost = short_count(plan["customers"]), money.short(plan["gain_fen"]), money.short(plan["cost_fen"])
    sure = ends(plan, money)
    assumed = sum(row["gain_fen"] for row in plan["offers"] if row["assumed"])
    share = assumed / plan["gain_fen"] if plan["gain_fen"] else 0.0
    rests = _rests(share)
    return _finding(
        "plan",
        "plan",
        gain,
        both(
            f"本月方案安排 {people['zh']} 户，预期净增毛利 {gain['zh']}{sure['zh']}，成本 {cost['zh']}{rests['zh']}。",
            f"The plan reaches {people['en']} customers, expects {gain['en']} of margin net of cost"
            f"{sure['en']} and costs {cost['en']}{rests['en']}.",
        ),
    )


def _rests(share: float) -> Words:
    if share < WORTH_SAYING:
        return both("，效果均来自试点实测", "; all effects are measured in pilots")
    if share > 1 - WORTH_SAYING:
        return both("；所用效果均为假设，未经实测", "; every effect in it is assumed, none is measured")
    return both(f"；其中 {percent(share, 0)} 依据假设效果", f"; {percent(share, 0)} of that rests on assumed effects")


def dearest(figures: Figures, money: Money) -> Finding | None:
    """The limit that binds hardest: what one more unit is worth."""
    row = hardest(figures["limits"])
    if row is None:
        return None
    number, said = worth(row, money)
    return _finding("limit", "limits", number, both(said["zh"] + "。", said["en"] + "."))


def proved(figures: Figures, money: Money) -> Finding | None:
    """What the latest measured plan earned against those left alone, so far; cost comes first, margin later."""
    rows = [r for r in figures["effects"] if r["offer_id"] == "*" and r["measure"] == "margin"]
    row = next((r for r in rows if r["verdict"] == "measured" and r["low"] is not None), None)
    if row is None:
        return None
    low, high, each = (money.short(row[name]) for name in ("low", "high", "difference"))
    earned, verdict, plan = money.short(row["earned_fen"]), row["said"], row["plan_month"]
    sure = ends(row, money, name="earned")
    months = Month.parse(row["month"]) - Month.parse(plan)
    return _finding(
        "effect",
        "effects",
        each,
        both(
            f"{in_chinese(plan)}的方案实施 {months} 个月来，每户毛利与对照相差 {each['zh']}"
            f"（90% 区间 {low['zh']} 至 {high['zh']}）：{verdict['zh']}；"
            f"减去全部成本，至今合计 {earned['zh']}{sure['zh']}。",
            f"In {months} month{'s' * (months > 1)} the plan of {plan} changed margin by {each['en']} a customer "
            f"against those left alone (90% interval {low['en']} to {high['en']}): {verdict['en']}; "
            f"less all of its cost, {earned['en']} so far{sure['en']}.",
        ),
    )


def moved(figures: Figures, money: Money) -> Finding | None:  # noqa: ARG001 - finders share one shape
    """How many changed class, when there is a month to compare with."""
    flows = figures["moves"]["flows"]
    if not figures["moves"]["judged_before"]:
        return None
    up, down = (sum(r["customers"] for r in flows if r["move"] == move) for move in ("up", "down"))
    return _finding(
        "moves",
        "moves",
        both(f"↑{count(up)} ↓{count(down)}", f"↑{count(up)} ↓{count(down)}"),
        both(
            f"与上月相比，{count(up)} 户客户分类上升，{count(down)} 户下降。",
            f"Since last month {count(up)} customers moved up a class and {count(down)} moved down.",
        ),
    )


def excluded(figures: Figures, money: Money) -> Finding | None:  # noqa: ARG001 - finders share one shape
    """The exclusion that takes most customers out before offers are weighed.

    Pilots are told by the funnel alone: findings are read in the workbench, which speaks of no running pilot.
    """
    base = figures["funnel"]["base"]
    rows = [r for r in figures["funnel"]["steps"] if r["state"] not in NO_EXCLUSION]
    if not rows or not base:
        return None
    row = max(rows, key=lambda r: (r["customers"], r["state"]))
    share, said = row["customers"] / base, word(STATES, row["state"])
    if share < WORTH_SAYING:
        return None
    people = short_count(row["customers"])
    return _finding(
        "exclusion",
        "funnel",
        both(percent(share), percent(share)),
        both(
            f"{percent(share)} 的在网客户（{people['zh']} 户）未列入方案，因为：{said['zh']}。",
            f"{percent(share)} of the base ({people['en']} customers) is out of the plan because: {said['en']}.",
        ),
    )


Finder = Callable[[Figures, Money], Finding | None]
FINDERS: tuple[Finder, ...] = (leaving, planned, proved, dearest, concentrated, moved, reason, excluded)
