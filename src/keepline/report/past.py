"""What pilots and past plans earned against those left alone, and who might be won back: the rows, ready to be said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keepline.periods import in_chinese
from keepline.policy.documents import Offers, Policy
from keepline.report.expected import earned_ends
from keepline.report.numbers import count
from keepline.report.tally import Row, Shelf
from keepline.report.words import Words, both, word

WHOLE_PLAN = both("整个方案（对照足够的优惠）", "whole plan, offers with enough left alone")


def offer_names(offers: Offers) -> dict[str, Words]:
    return {offer.id: both(offer.name.zh, offer.name.en) for offer in offers.offer}


def offer_name(offers: Offers, offer_id: str) -> Words:
    """The name policy gives; an offer that policy no longer lists stands for itself."""
    return WHOLE_PLAN if offer_id == "*" else offer_names(offers).get(offer_id, both(offer_id, offer_id))


def effect_figures(shelf: Shelf, policy: Policy) -> list[Row]:
    """Every effect, latest plan first, the whole plan before its offers, margin before retention."""
    rows = shelf.rows("effects") if shelf.has("effects") else []
    ordered = sorted(rows, key=lambda r: (r["offer_id"] != "*", r["offer_id"], r["measure"]))
    ordered.sort(key=lambda r: r["plan_month"], reverse=True)
    return [
        row | earned_ends(row) | {"name": offer_name(policy.offers, row["offer_id"]), "said": verdict_words(row)}
        for row in ordered
    ]


def verdict_words(row: Row) -> Words:
    """What an effect's verdict means; why there is no figure where there is none."""
    plan = row["plan_month"]
    if row["verdict"] == "measured":
        return _measured(row)
    if row["verdict"] == "no_delivery":
        return both(
            f"没有记录表明{in_chinese(plan)}的方案执行过，故不下结论",
            f"no record that the plan of {plan} was carried out",
        )
    if row["verdict"] == "window_open":
        return both(f"{in_chinese(plan)}方案的观察期尚未结束", f"the window of the plan of {plan} is still open")
    return _too_few(row)


def _measured(row: Row) -> Words:
    low, high = row["low"], row["high"]
    if low is None or high is None:
        return both("已测量", "measured")
    if low > 0:
        return both("高于对照，区间不含零", "better than those left alone; the interval excludes zero")
    if high < 0:
        return both("低于对照，区间不含零", "worse than those left alone; the interval excludes zero")
    if row.get("needed") is None:
        return both("尚不能与零区分", "not yet told apart from zero")
    needed = count(row["needed"])
    return both(
        f"尚不能与零区分，每组约需 {needed} 人", f"not yet told apart from zero; about {needed} are needed in each arm"
    )


def _too_few(row: Row) -> Words:
    treated, held_out, needed = count(row["treated"]), count(row["held_out"]), row["needed"]
    zh = f"人数太少：实施 {treated} 人、对照 {held_out} 人"
    en = f"too few: {treated} treated, {held_out} left alone"
    if needed is None:
        return both(zh, en)
    return both(f"{zh}，每组约需 {needed:,} 人", f"{en}; about {needed:,} are needed in each arm")


def pilot_figures(said: Any, policy: Policy) -> list[Row]:
    """The mean effect of each pilot: one row an offer and outcome."""
    rows = said if isinstance(said, Sequence) and not isinstance(said, str) else []
    keys = (
        "offer_id",
        "outcome",
        "experiment_id",
        "treated",
        "held_out",
        "mean_effect",
        "low",
        "high",
        "verdict",
        "lots_p",
    )
    found: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=lambda r: (r["offer_id"], r["outcome"], r["term"] != "intercept", r["term"])):
        slim = {key: row.get(key) for key in keys} | {"name": offer_name(policy.offers, row["offer_id"])}
        found.setdefault((row["offer_id"], row["outcome"]), slim)
    return list(found.values())


def learner_figures(said: Any, policy: Policy) -> list[Row]:
    """Every learner tried on each pilot, in the order of the manifest, offers by name."""
    rows = said if isinstance(said, Sequence) and not isinstance(said, str) else []
    return [row | {"name": offer_name(policy.offers, row["offer_id"])} for row in rows]


def look_figures(said: Any, policy: Policy) -> list[Row]:
    """Every look at every pilot that has a rule; the offers by name, the looks in order."""
    rows = said if isinstance(said, Sequence) and not isinstance(said, str) else []
    ordered = sorted(rows, key=lambda r: (r["offer_id"], r["experiment_id"], r["look"]))
    return [row | {"name": offer_name(policy.offers, row["offer_id"])} for row in ordered]


def reason_names(policy: Policy) -> dict[str, Words]:
    """The operator's recorded reasons in words."""
    named = {code: both(text.zh, text.en) for code, text in policy.leaving.reasons.items()}
    return named | {"unrecorded": both("未记录原因", "no reason recorded")}


def win_back_figures(said: Any, policy: Policy) -> list[Row] | None:
    """Those who left lately by recorded reason, the most margin first; None when no departure is known."""
    if not said:
        return None
    names = reason_names(policy)
    rows = [_win_back_row(row, names) for row in said]
    return sorted(rows, key=lambda r: (-(r["margin_fen"] or 0), -r["customers"], r["reason"]))


def _win_back_row(row: Row, names: dict[str, Words]) -> Row:
    code = str(row.get("reason") or "unrecorded")
    return {
        "reason": code,
        "name": word(names, code),
        "customers": row.get("customers", 0),
        "margin_fen": row.get("margin_3m_fen"),
    }
