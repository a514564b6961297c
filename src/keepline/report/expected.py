"""How sure what a plan is expected to earn is, and what past plans expected beside what they earned.

An offer's interval takes every customer at the same end of the interval of the pilot's effect, since one error of the
mean, or of the slope that an effect grows by, moves them all the same way; where a pilot tells two effects, both at
their bad or good ends. Offers measured in one experiment may share those left alone, so their ends add. Offers of
different experiments were measured on other customers by other lots: their errors are independent and add in squares
(Zou and Donner 2008, Statist. Med. 27:1693-1702), as in ``measurement.statistics.weighted``. An assumed effect has no
interval, nor a sum it is part of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import hypot
from typing import Any

from keepline.periods import Month
from keepline.policy.documents import Policy
from keepline.report.tally import Row, Shelf, model
from keepline.report.words import Words, both

ENDS = ("gain_low_fen", "gain_high_fen")
UNKNOWN: Row = dict.fromkeys(ENDS)
ASSUMED = both(
    "方案中有优惠的效果没有区间（假设的效果都没有），因此合计也没有",
    "the effect of some offer in the plan has no interval (an assumed one never has), so neither has the sum",
)

UNMEASURED = {  # told in the workbench too, which counts nobody who is left alone
    "measured": both("没有可比较的预期", "nothing to hold it against"),
    "no_delivery": both("没有执行记录，不下结论", "no record that it was carried out"),
    "window_open": both("观察期尚未开始或数据未到", "no month of it can be measured yet"),
    "too_few": both("人数太少，不下结论", "too few to tell"),
}


def offer_ends(shelf: Shelf) -> dict[str, Row]:
    """By offer the two ends of what it is expected to earn; unknown where the effect of any customer's has none."""
    if not shelf.has("candidates"):
        return {}
    rows = shelf.sums(model("expected").query, ["decisions", "candidates"], ("offer_id",))
    return {row["offer_id"]: UNKNOWN if row["unsure"] else {name: row[name] for name in ENDS} for row in rows}


def plan_ends(offers: Sequence[Row], policy: Policy) -> Row:
    """The two ends of the whole plan; where it has none, why, and those of the part whose effects have an interval."""
    sure = [row for row in offers if row["gain_low_fen"] is not None and row["gain_high_fen"] is not None]
    low, high = _ends(sure, policy) if sure else (None, None)
    part = {"measured_fen": sum(row["gain_fen"] for row in sure) if sure else None}
    part |= {"measured_low_fen": low, "measured_high_fen": high}
    if len(sure) < len(offers):
        return part | UNKNOWN | {"unsure": ASSUMED}
    return part | {"gain_low_fen": low, "gain_high_fen": high, "unsure": None}


def _ends(offers: Sequence[Row], policy: Policy) -> tuple[int, int]:
    """Of offers that each have an interval."""
    experiment = {offer.id: offer.effect.experiment_id for offer in policy.offers.offer}
    reach: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in offers:
        of = reach[experiment.get(row["offer_id"]) or row["offer_id"]]
        of[0] += row["gain_fen"] - row["gain_low_fen"]
        of[1] += row["gain_high_fen"] - row["gain_fen"]
    gain = sum(row["gain_fen"] for row in offers)
    below, above = (hypot(*(of[side] for of in reach.values())) for side in (0, 1))
    return round(gain - below), round(gain + above)


def earned_ends(row: Mapping[str, Any]) -> Row:
    """The interval of what an effect earned: its own ends over the treated; the cost is on record and sure."""
    if row["measure"] != "margin" or row["verdict"] != "measured" or row["low"] is None or row["high"] is None:
        return {"earned_low_fen": None, "earned_high_fen": None}
    ends = zip(("earned_low_fen", "earned_high_fen"), (row["low"], row["high"]), strict=True)
    return {name: round(end * row["treated"]) - (row["cost_fen"] or 0) for name, end in ends}


def past_figures(said: Any, effects: Sequence[Row]) -> list[Row]:
    """What each past plan expected beside what it earned so far, the latest first.

    ``by_now_fen`` is the part of the expected margin that falls to the months measured were it to come evenly, of
    those compared, less what they cost.
    """
    rows = said if isinstance(said, Sequence) and not isinstance(said, str) else []
    whole = {row["plan_month"]: row for row in effects if row["offer_id"] == "*" and row["measure"] == "margin"}
    return [_past(row, whole[row["plan_month"]]) for row in reversed(rows) if row["plan_month"] in whole]


def _past(plan: Row, effect: Row) -> Row:
    kept = {name: plan.get(name) for name in ("plan_month", "customers", "gain_fen", *ENDS, "value_months")}
    compared = plan.get("compared") or {}
    known = effect["verdict"] == "measured" and bool(compared)
    earned = {name: effect[name] if known else None for name in ("earned_fen", "earned_low_fen", "earned_high_fen")}
    months = Month.parse(effect["month"]) - Month.parse(plan["plan_month"]) if known else None
    by_now = _by_now(compared, effect, months, plan["value_months"]) if months is not None else None
    told = {"months": months, "compared": effect["treated"] if known else None, "by_now_fen": by_now}
    return kept | earned | told | {"said": _standing(by_now, earned) if known else UNMEASURED[effect["verdict"]]}


def _by_now(compared: Row, effect: Row, months: int, value_months: int) -> int:
    margin: int = compared["gain_fen"] + compared["cost_fen"]  # before cost
    cost: int = effect["cost_fen"] or 0
    return round(margin * min(months / value_months, 1.0)) - cost


def _standing(by_now: int | None, earned: Row) -> Words:
    low, high = earned["earned_low_fen"], earned["earned_high_fen"]
    if by_now is None or low is None or high is None:
        return both("没有区间，不作比较", "without an interval, so not compared")
    if by_now > high:
        return both("低于预期：预期高于区间", "less than expected: that lies above the interval")
    if by_now < low:
        return both("高于预期：预期低于区间", "more than expected: that lies below the interval")
    return both("与预期相符：预期落在区间内", "as expected: within the interval")
