"""What measurement found or why it stays silent, as a sentence in Chinese and English.

Every function returns ``(zh, en)``; none prints a figure where the verdict is that there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keepline.policy.document import Text

Row = Mapping[str, Any]

OUTCOMES = {
    "leave": Text(zh="离网概率", en="probability of leaving"),
    "margin": Text(zh="月均毛利", en="margin a month"),
}
LOTS_DOUBT = Text(
    zh="抽签后的两组差异过大，不像随机所致：请核对名单后再用此结果",
    en="the two arms differ more than lots allow: check how they were drawn before using this",
)


def effect_words(row: Row) -> tuple[str, str]:
    """One row of EFFECTS as a sentence."""
    if row["verdict"] == "measured":
        return _money(row) if row["measure"] == "margin" else _share(row)
    return _no_effect_figure(row)


def _no_effect_figure(row: Row) -> tuple[str, str]:
    plan = row["plan_month"]
    if row["verdict"] == "no_delivery":
        return f"没有 {plan} 方案已执行的记录", f"no record that the plan of {plan} was carried out"
    if row["verdict"] == "window_open":
        return f"{plan} 方案的观察期尚未开始", f"the outcome window of the plan of {plan} has not begun"
    treated, held_out = row["treated"], row["held_out"]
    zh = f"{plan} 方案：实施 {treated} 人、对照 {held_out} 人，不足以得出结论"
    en = f"plan of {plan}: {treated} treated and {held_out} held out are too few for an answer"
    return zh + _needed_zh(row), en + _needed_en(row)


def _money(row: Row) -> tuple[str, str]:
    plan, month = row["plan_month"], row["month"]
    yuan = {name: f"{row[name] / 100:,.2f}" for name in ("difference", "low", "high", "earned_fen")}
    zh = (
        f"{plan} 方案（至 {month}）：实施组比对照组每户多 {yuan['difference']} 元毛利"
        f"（90% 区间 {yuan['low']} 至 {yuan['high']}），扣除成本后共 {yuan['earned_fen']} 元"
    )
    en = (
        f"plan of {plan}, to {month}: the treated brought {yuan['difference']} yuan of margin more each "
        f"(90 % interval {yuan['low']} to {yuan['high']}); {yuan['earned_fen']} yuan in all after cost"
    )
    return zh + _unclear_zh(row), en + _unclear_en(row)


def _share(row: Row) -> tuple[str, str]:
    plan, month = row["plan_month"], row["month"]
    points = {name: f"{row[name] * 100:+.2f}" for name in ("difference", "low", "high")}
    zh = (
        f"{plan} 方案（至 {month}）：实施组留存率比对照组高 {points['difference']} 个百分点"
        f"（90% 区间 {points['low']} 至 {points['high']}）"
    )
    en = (
        f"plan of {plan}, to {month}: retention of the treated differs by {points['difference']} points "
        f"(90 % interval {points['low']} to {points['high']})"
    )
    return zh + _unclear_zh(row), en + _unclear_en(row)


def _unclear_zh(row: Row) -> str:
    return "；区间含零，尚不能断定" + _needed_zh(row) if row["low"] <= 0 <= row["high"] else ""


def _unclear_en(row: Row) -> str:
    return (
        "; the interval includes zero, so it may be chance" + _needed_en(row) if row["low"] <= 0 <= row["high"] else ""
    )


def _needed_zh(row: Row) -> str:
    return f"；每组约需 {row['needed']:,} 人" if row.get("needed") else ""


def _needed_en(row: Row) -> str:
    return f"; about {row['needed']:,} an arm would be needed" if row.get("needed") else ""


def pilot_words(row: Row) -> tuple[str, str]:
    """One row of PILOTS as a sentence; the mean effect is the same on every row of an outcome."""
    offer, arms = row["offer_id"], (row["treated"], row["held_out"])
    name = OUTCOMES[row["outcome"]]
    if row["verdict"] == "too_few":
        zh = f"{offer} 试点：实施 {arms[0]} 人、对照 {arms[1]} 人，不足以估计{name.zh}的变化"
        en = f"pilot of {offer}: {arms[0]} treated and {arms[1]} held out are too few to tell the change of {name.en}"
        return _with_doubt(row, zh, en)
    unit, factor = ("个百分点", 100.0) if row["outcome"] == "leave" else ("元", 0.01)
    mean, low, high = (f"{row[part] * factor:+.2f}" for part in ("mean_effect", "low", "high"))
    zh = f"{offer} 试点：{name.zh}平均变化 {mean} {unit}（90% 区间 {low} 至 {high}）"
    unit_en = "points" if row["outcome"] == "leave" else "yuan"
    en = f"pilot of {offer}: {name.en} changed by {mean} {unit_en} on average (90 % interval {low} to {high})"
    if row["verdict"] == "no_effect":
        zh, en = zh + "；未见效果，不予采用", en + "; no effect found, so none is used"
    return _with_doubt(row, zh, en)


def _with_doubt(row: Row, zh: str, en: str) -> tuple[str, str]:
    doubtful = row.get("lots_p") is not None and row["lots_p"] < 0.001
    return (f"{zh}。{LOTS_DOUBT.zh}", f"{en}. {LOTS_DOUBT.en}") if doubtful else (zh, en)


def judgement_words(said: Row) -> tuple[str, str]:
    """One judgement as a sentence; it always says that the treated were left out."""
    plan = said["plan_month"]
    if said["verdict"] == "window_open":
        return (
            f"{plan} 的预测期到 {said['month']} 才结束，暂不评判",
            f"the horizon of {plan} ends with {said['month']}; not judged before",
        )
    if said["verdict"] == "leaving_unknown":
        return f"不知道 {plan} 之后谁离网：没有离网记录", f"who left after {plan} is not known: no departures on record"
    if said["verdict"] == "months_absent":
        return f"{plan} 之后有账期未入库，无法评判", f"months after {plan} are not loaded, so it cannot be judged"
    if said["verdict"] == "nobody":
        return f"{plan} 没有可评判的客户", f"{plan} has no customers to judge by"
    few_zh = "；离网人数过少，仅供参考" if said["warning"] else ""
    few_en = "; so few left that this is a hint only" if said["warning"] else ""
    zh = (
        f"{plan} 的预测（未实施优惠的 {said['customers']:,} 人）：预计离网 {said['predicted']:.2%}，"
        f"实际 {said['observed']['value']:.2%}（{said['left']:,} 人）{_auc_zh(said)}{few_zh}"
    )
    en = (
        f"{plan}, {said['customers']:,} customers whom no plan treated: {said['predicted']:.2%} were expected "
        f"to leave, {said['observed']['value']:.2%} did ({said['left']:,}){_auc_en(said)}{few_en}"
    )
    return zh, en


def _auc_zh(said: Row) -> str:
    return f"；排序能力 AUC {_range(said['auc'], '至')}" if said["auc"] else ""


def _auc_en(said: Row) -> str:
    return f"; AUC {_range(said['auc'], 'to')}" if said["auc"] else ""


def _range(estimate: Mapping[str, float | None], to: str) -> str:
    if estimate["low"] is None:
        return f"{estimate['value']:.3f}"
    return f"{estimate['value']:.3f} ({estimate['low']:.3f} {to} {estimate['high']:.3f})"
