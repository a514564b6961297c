"""What a judgement found or why it stays silent, as a sentence in Chinese and English: ``(zh, en)``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keepline.periods import in_chinese

Row = Mapping[str, Any]
WHO = {
    "left_alone": ("抽签留作对照的", "left alone by lot"),
    "everybody": ("期内未执行方案，全部", "(all of them, as no plan was carried out)"),
}


def judgement_words(said: Row) -> tuple[str, str]:
    """One judgement as a sentence; it always says on whom it was made."""
    plan = said["plan_month"]
    then = in_chinese(plan)
    if said["verdict"] == "window_open":
        return (
            f"{then}的预测期到{in_chinese(said['month'])}才结束，暂不评判",
            f"the horizon of {plan} ends with {said['month']}; not judged before",
        )
    if said["verdict"] == "leaving_unknown":
        return (
            f"不知道{then}之后谁离网：离网记录（或判断沉默所需的用量）没有或有账期未入库，请装载",
            f"who left after {plan} is not known: departures (or usage, where silence tells) are not on record, or not "
            "loaded for every month; load them",
        )
    if said["verdict"] == "months_absent":
        return f"{then}之后有账期未入库，无法评判", f"months after {plan} are not loaded, so it cannot be judged"
    if said["verdict"] == "nobody":
        return (
            f"{then}没有可评判的客户：有离网概率者中，没有人经抽签留作对照（见 limits.toml 的 held_out_share）",
            f"{plan} has no customers to judge by: nobody with a probability was left alone by lot "
            "(see held_out_share of limits.toml)",
        )
    few_zh = "；离网人数过少，仅供参考" if said["warning"] else ""
    few_en = "; so few left that this is a hint only" if said["warning"] else ""
    who_zh, who_en = WHO[said["judged_on"]]
    zh = (
        f"{then}的预测（{who_zh} {said['customers']:,} 人）：预计离网 {said['predicted']:.2%}，"
        f"实际 {said['observed']['value']:.2%}（{said['left']:,} 人）{_auc_zh(said)}{few_zh}"
    )
    en = (
        f"{plan}, {said['customers']:,} customers {who_en}: {said['predicted']:.2%} were expected "
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
