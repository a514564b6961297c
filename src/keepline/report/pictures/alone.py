"""Those left alone: what leaving them alone costs, and what they were given by hand all the same."""

from __future__ import annotations

from typing import Any

from keepline.periods import in_chinese
from keepline.report.numbers import Money, count, percent
from keepline.report.pictures.shape import Block, note
from keepline.report.tally import Row

Figures = dict[str, Any]
WHOLE = "*"
LEAST = 10  # a smaller number would tell of one


def control(figures: Figures, money: Money) -> list[Block]:
    """Who is left alone by every campaign, and what that is expected to cost: the price of knowing."""
    said, share = figures.get("plan", {}).get("held_out"), figures["head"].get("held_out_share")
    if not said or "forgone_fen" not in said or not said["drawn"]:
        return []
    lost, alone = money.exact(said["forgone_fen"]), count(said["compared"])
    return [
        note(
            f"长期对照组：按抽签保留 {percent(share)} 的客户，任何活动都不触达，换账期也不换人。"
            f"本月其中 {alone} 户本可获得优惠，预计因此少得 {lost}；这是知道成效的代价。",
            f"The standing control group: {percent(share)} of the customers by lot, left alone by every campaign, the "
            f"same ones every month. This month {alone} of them would have had an offer, expected to "
            f"bring {lost}: the price of knowing what is earned.",
        )
    ]


def by_hand(rows: list[Row]) -> list[Block]:
    """How many of either arm were given an offer by hand; the arms are compared as drawn all the same."""
    found = []
    for row in rows:
        alone, treated = row.get("held_out_given") or 0, row.get("treated_given") or 0
        if row["offer_id"] == WHOLE and row["measure"] == "margin" and (alone or treated):
            plan, of, told = row["plan_month"], count(row["held_out"]), (_several(alone), _several(treated))
            found.append(
                note(
                    f"{in_chinese(plan)}的方案：对照 {of} 户中有 {told[0]} 户、实施客户中有 {told[1]} 户另获人工优惠。"
                    "仍按抽签时的分组比较（意向性分析）；对照得到的优惠会使测得的差异偏小。",
                    f"Plan of {plan}: {told[0]} of the {of} left alone, and {told[1]} of the treated, were given an "
                    "offer by hand. Both arms are compared as they were drawn (intention to treat); what those left "
                    "alone were given makes the difference look smaller than it is.",
                )
            )
    return found


def _several(number: int) -> str:
    """A number that tells of nobody: who gave the one offer there was would know whom the lot left alone."""
    return f"<{LEAST}" if 0 < number < LEAST else count(number)
