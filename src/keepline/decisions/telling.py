"""How an explanation reads: Chinese or English, for analysts or for people who sell.

The seller's face never tells who is held out, from the plan or by a pilot: the state, its reason, the gains and
the prices that would betray it are left out or told as for a customer below the cut. Of the planned
offer amounts are told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keepline.decisions import drivers, influence, pricing, words
from keepline.decisions.words import Words, yuan
from keepline.tables import OF_PEOPLE

if TYPE_CHECKING:
    from keepline.decisions.catalogue import OfferSeen
    from keepline.decisions.explain import Explanation

Row = dict[str, Any]
LEFT_ALONE = ("held_out", "in_pilot")
SELLER_SCORES = (
    "value_fen", "value_low_fen", "value_high_fen", "persistence_fen", "growth_fen", "word_of_mouth_fen", "loyalty",
    "loyalty_kind", "risk_band",
)  # fmt: skip
AMOUNTS = ("gain_fen", "gain_low_fen", "gain_high_fen", "cost_fen", "left_fen", "assumed")
STAYING_MONTHS = (1, 3, 6, 12, 24)
PROFILE = (
    "kind",
    "industry",
    "region",
    "district",
    "manager_id",
    "star_rating",
    "tenure_months",
    "products",
    "contract_months_left",
    "revenue_3m_fen",
    "margin_3m_fen",
    "complaints_3m",
    "arrears_fen",
    "contacts_out_3m",
    *OF_PEOPLE,
)


def text(found: Explanation, *, lang: str, face: str) -> str:
    """The whole explanation, one fact a line."""
    said = [
        _head(found),
        *_profile(found),
        _class(found),
        *_value(found),
        _loyalty(found),
        *pricing.told(found.price, found.quotes, face),
        *_risk(found, face),
        *(influence.told(found.circle) if face == "analyst" else influence.sold(found.circle)),
    ]
    said += [*_staying(found), *drivers.told(found.drivers)] if face == "analyst" else []
    said += [Words("优惠：", "offers:"), *(_offer(found, seen, face) for seen in found.offers), *_decision(found, face)]
    return "\n".join(line.said(lang) for line in said)


def as_dict(found: Explanation, *, face: str) -> Row:
    """The same facts for machines; words in both languages."""
    told = {
        "customer_id": found.customer_id,
        "month": found.month,
        "profile": {name: found.features.get(name) for name in PROFILE},
        "class": found.classes.get("class"),
        "previous_class": found.classes.get("previous_class"),
        "class_reason": {"zh": found.classes.get("reason_zh"), "en": found.classes.get("reason_en")},
        "scores": {name: value for name, value in found.scores.items() if name not in ("customer_id", "month")},
        "price": pricing.as_dict(found.price, found.quotes, face),
        "drivers": [drivers.as_dict(one) for one in found.drivers],
        "circle": influence.as_dict(found.circle),
        "risk_reasons": [vars(said) for said in found.risks],
        "offers": [_offer_dict(found, seen, face) for seen in found.offers],
        **_decision_dict(found, face),
    }
    return told if face == "analyst" else _as_sold(found, told)


def _as_sold(found: Explanation, told: Row) -> Row:
    """What the seller's sentences tell, and nothing they leave out."""
    scores = {name: found.scores.get(name) for name in SELLER_SCORES}
    shown = {name: value for name, value in told.items() if name != "drivers"}
    return shown | {"scores": scores, "circle": influence.as_sold(found.circle), "interval": found.interval}


def _head(found: Explanation) -> Words:
    return Words(f"客户 {found.customer_id}，账期 {found.month}", f"customer {found.customer_id}, {found.month}")


def _profile(found: Explanation) -> list[Words]:
    pairs = [_named(name, found.features[name]) for name in PROFILE if found.features.get(name) is not None]
    return [Words("资料：" + "；".join(p.zh for p in pairs), "profile: " + "; ".join(p.en for p in pairs))]


def _named(name: str, value: Any) -> Words:
    column = words.column_of(name)
    shown = words.measured(value, column)
    return Words(f"{column.zh} {shown.zh}", f"{column.en}: {shown.en}")


def _class(found: Explanation) -> Words:
    row = found.classes
    if not row:
        return Words("类别：未知", "class: unknown")
    named, before = words.CLASSES[row["class"]], words.CLASSES.get(row["previous_class"] or "")
    was = Words(f"；上月{before.zh}", f"; last month {before.en}") if before else Words("", "")
    return Words(f"类别：{named.zh}（{row['reason_zh']}）{was.zh}", f"class: {named.en} ({row['reason_en']}){was.en}")


def _value(found: Explanation) -> list[Words]:
    row = found.scores
    if row.get("value_fen") is None:
        return [Words("价值：未知", "value: unknown")]
    parts = [row.get(name) for name in ("persistence_fen", "growth_fen", "word_of_mouth_fen")]
    stay, grow, speak = (yuan(part or 0) for part in parts)
    span = Words("", "")
    if row.get("value_low_fen") is not None and row.get("value_high_fen") is not None:
        low, high, share = yuan(row["value_low_fen"]), yuan(row["value_high_fen"]), f"{found.interval * 100:g}%"
        span = Words(f"（{share} 区间 {low} 至 {high}）", f" ({share} interval {low} to {high})")
    whole = yuan(row["value_fen"])
    return [
        Words(
            f"价值：{whole} 元{span.zh}，其中持续 {stay}、增长 {grow}、口碑 {speak}",
            f"value: {whole} yuan{span.en}: staying {stay}, growth {grow}, word of mouth {speak}",
        )
    ]


def _loyalty(found: Explanation) -> Words:
    loyalty = words.LOYALTY[found.scores.get("loyalty") or "unknown"]
    kind = words.LOYALTY[found.scores.get("loyalty_kind") or "unknown"]
    return Words(f"忠诚：{loyalty.zh}，性质：{kind.zh}", f"loyalty: {loyalty.en}, by {kind.en}")


def _risk(found: Explanation, face: str) -> list[Words]:
    band = words.RISKS[found.scores.get("risk_band") or "unknown"]
    chance = found.scores.get("leave_probability")
    shown = face == "analyst" and chance is not None
    said = Words(f"，概率 {chance:.1%}", f", probability {chance:.1%}") if shown else Words("", "")
    why = Words("；".join(r.zh for r in found.risks), "; ".join(r.en for r in found.risks))
    reasons = Words(f"；原因：{why.zh}", f"; because: {why.en}") if found.risks else Words("", "")
    return [Words(f"离网风险：{band.zh}{said.zh}{reasons.zh}", f"risk of leaving: {band.en}{said.en}{reasons.en}")]


def _staying(found: Explanation) -> list[Words]:
    """When, not only whether: the chance to be here still after some months."""
    known = [(months, found.scores.get(f"stay_{months}m")) for months in STAYING_MONTHS]
    told = [(months, chance) for months, chance in known if chance is not None]
    if not told:
        return []
    zh = "、".join(f"{months} 个月后 {chance:.1%}" for months, chance in told)
    en = ", ".join(f"{chance:.1%} after {months} month{'s' * (months > 1)}" for months, chance in told)
    return [Words(f"仍在网的概率：{zh}", f"chance to be here still: {en}")]


def _offer(found: Explanation, seen: OfferSeen, face: str) -> Words:
    channel = words.CHANNELS[seen.channel]
    obstacles = _obstacles(seen, face)
    if obstacles:
        status = Words("；".join(o.zh for o in obstacles), "; ".join(o.en for o in obstacles))
    else:
        status = Words("条件成立", "may be made")
    amounts = _amounts(seen) if face == "analyst" or _is_treated_with(found, seen) else Words("", "")
    return Words(
        f"  {seen.name.zh}（{channel.zh}）：{status.zh}{amounts.zh}",
        f"  {seen.name.en} ({channel.en}): {status.en}{amounts.en}",
    )


def _obstacles(seen: OfferSeen, face: str) -> list[Words]:
    """Who is in a pilot and got no list to work off is left alone by it, so people who sell do not read of pilots."""
    return [said for said in seen.obstacles if face == "analyst" or said is not words.PILOT_RUNNING]


def _amounts(seen: OfferSeen) -> Words:
    """Gain, cost and what is left after the prices of our means; people who sell read them of what is planned."""
    if seen.gain_fen is None or seen.cost_fen is None:
        return Words("", "")
    gain, cost = yuan(seen.gain_fen), yuan(seen.cost_fen)
    zh, en = f"，预期净增毛利 {gain} 元（成本 {cost}）", f", expected gain {gain} yuan (cost {cost})"
    if seen.gain_low_fen is not None and seen.gain_high_fen is not None:
        low, high = yuan(seen.gain_low_fen), yuan(seen.gain_high_fen)
        zh, en = f"{zh}，区间 {low} 至 {high}", f"{en}, interval {low} to {high}"
    if seen.left_fen is not None:
        left = yuan(seen.left_fen)
        zh, en = f"{zh}，扣除资源价格后 {left} 元", f"{en}, {left} yuan after the price of the means"
    return Words(f"{zh}（效果为假设）", f"{en} (effect assumed)") if seen.assumed else Words(zh, en)


def _is_treated_with(found: Explanation, seen: OfferSeen) -> bool:
    return bool(found.decision.get("offer_id") == seen.offer_id)


def _shown(found: Explanation, face: str) -> tuple[str, str]:
    """State and reason as this face may know them."""
    state, reason = found.decision["state"], found.decision["reason"]
    if face == "analyst" or state not in LEFT_ALONE:
        return state, reason
    state, reason = words.WITHOUT_PILOT.get(reason, ("below_cut", "outbid"))
    barred = all(_obstacles(seen, face) for seen in found.offers)
    return (state, "effect_not_measured") if reason == "gain_not_positive" and barred else (state, reason)


def _decision(found: Explanation, face: str) -> list[Words]:
    state, reason = _shown(found, face)
    named, why = words.STATES[state], words.REASONS[reason]
    said = [Words(f"结果：{named.zh}：{why.zh}", f"decision: {named.en}: {why.en}")]
    done = [seen for seen in found.offers if _is_treated_with(found, seen)]
    said += [_to_do(found, seen) for seen in done]
    return [*said, *_arm(found)] if face == "analyst" else said


def _to_do(found: Explanation, seen: OfferSeen) -> Words:
    """The offer, how it is made and, where somebody does, by whom."""
    channel, manager = words.CHANNELS[found.decision["channel"] or seen.channel], found.decision["manager_id"]
    by = Words(f"，客户经理 {manager}", f", account manager {manager}") if manager else Words("", "")
    return Words(f"安排：{seen.name.zh}（{channel.zh}{by.zh}）", f"to do: {seen.name.en} ({channel.en}{by.en})")


def _arm(found: Explanation) -> list[Words]:
    if found.assigned is None:
        return []
    arm = words.ARMS[found.assigned["arm"]]
    named = next((s.name for s in found.offers if s.offer_id == found.assigned["offer_id"]), None) or Words("", "")
    chosen = Words("按价选中", "the prices chose")
    if not found.assigned["by_rule"]:
        chosen = Words("用剩余资源安排", "placed with means left over")
    return [Words(f"组别：{arm.zh}；{chosen.zh}：{named.zh}", f"arm: {arm.en}; {chosen.en}: {named.en}")]


def _decision_dict(found: Explanation, face: str) -> Row:
    state, reason = _shown(found, face)
    named, why = words.STATES[state], words.REASONS[reason]
    told: Row = {
        "state": state,
        "state_said": vars(named),
        "reason": reason,
        "reason_said": vars(why),
        "offer_id": found.decision["offer_id"],
        "channel": found.decision["channel"],
        "manager_id": found.decision["manager_id"],
    }
    if face == "seller":
        return told
    amounts = {name: found.decision[name] for name in ("gain_fen", "cost_fen", "policy_version", "model_version")}
    assigned = found.assigned or {}
    return told | amounts | {"arm": found.decision["arm"], "chosen_by_prices": assigned.get("offer_id")}


def _offer_dict(found: Explanation, seen: OfferSeen, face: str) -> Row:
    told: Row = {
        "offer_id": seen.offer_id,
        "name": vars(seen.name),
        "channel": seen.channel,
        "obstacles": [vars(said) for said in _obstacles(seen, face)],
        "planned": _is_treated_with(found, seen),
    }
    if face == "analyst":
        return told | {name: getattr(seen, name) for name in ("purpose", *AMOUNTS, "price_fen")}
    tells = _is_treated_with(found, seen) and seen.gain_fen is not None and seen.cost_fen is not None
    return told | ({name: getattr(seen, name) for name in AMOUNTS} if tells else {})
