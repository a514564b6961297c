"""The words, in Chinese and English, for states, reasons, arms, limits and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keepline import vocabulary
from keepline.policy.conditions import KNOWN, Condition
from keepline.tables import Column


@dataclass(frozen=True)
class Words:
    zh: str
    en: str

    def said(self, lang: str) -> str:
        """The words in ``zh`` or ``en``."""
        return self.zh if lang == "zh" else self.en


STATES = {code: Words(*pair) for code, pair in vocabulary.STATES.items()}

ARMS: dict[str, Words] = {
    "treated": Words("实施组", "treated"),
    "held_out": Words("对照组", "held out"),
}

REASONS: dict[str, Words] = {
    "no_contacts_allowed": Words("政策规定本月不做任何营销触达", "policy allows no marketing contact this month"),
    "no_manager": Words(
        "所有优惠都由客户经理执行，而该客户没有客户经理",
        "every offer is made by an account manager, and the customer has none",
    ),
    "consent_unknown": Words(
        "适用优惠的渠道都需要授权，而没有授权记录",
        "every channel of the offers that fit needs consent, and none is on record",
    ),
    "consent_refused": Words(
        "适用优惠的渠道都需要授权，而客户没有同意",
        "every channel of the offers that fit needs consent, and the customer has not given it",
    ),
    "blacklisted": Words("客户在黑名单中", "the customer is on the blacklist"),
    "arrears_too_old": Words("欠费账龄超过政策上限", "arrears are older than policy allows"),
    "month_cap_reached": Words("本月营销触达次数已达上限", "marketing contacts this month have reached the cap"),
    "gap_too_short": Words("距上次触达的天数少于政策规定", "the last contact was fewer days ago than policy asks"),
    "own_rhythm": Words(
        "距上次触达的天数少于客户选定的间隔", "the last contact was fewer days ago than the customer chose"
    ),
    "complaint_open": Words(
        "投诉尚未办结，办结前不营销", "a complaint is not yet answered; nothing is sold before it is"
    ),
    "pilot_running": Words(
        "所参加的试点尚在观察期内，其间不另作安排",
        "takes part in a pilot that is still being measured; until then nothing else is done",
    ),
    "no_offers": Words("优惠目录为空", "the catalogue of offers is empty"),
    "conditions_not_met": Words("没有一项优惠的条件成立", "the conditions of no offer hold"),
    "offer_needs_manager": Words(
        "条件成立的优惠须由客户经理执行，而该客户没有客户经理",
        "the offers whose conditions hold are made by an account manager, and there is none",
    ),
    "cost_beyond_authority": Words(
        "适用的优惠都超出客户经理的优惠权限", "each offer that fits costs more than the manager may give"
    ),
    "gain_beyond_authority": Words(
        "有收益的优惠都超出客户经理的优惠权限", "each offer that would gain costs more than the manager may give"
    ),
    "gain_not_positive": Words(
        "每项适用优惠预期增加的毛利都不超过成本", "no offer that fits is expected to earn more than it costs"
    ),
    "effect_not_measured": Words(
        "没有试点测出适用优惠的效果", "no pilot has measured an effect of the offers that fit"
    ),
    "scores_unknown": Words(
        "缺少价值或离网概率，无法估算收益", "value or probability of leaving is unknown, so no gain can be shown"
    ),
    "drawn_by_lot": Words(
        "抽签留作对照，以便测量成效", "drawn by lot to be left alone, so that the effect can be measured"
    ),
    "outbid": Words("资源优先给了收益更高的客户", "our means earn more with other customers"),
    "worth_its_price": Words("扣除所用资源的价格后收益最高", "earns most after paying for the means it uses"),
    "filled_up": Words("用剩余的资源安排", "placed with means that were left over"),
}

PILOT_RUNNING = REASONS["pilot_running"]
# How who is in a pilot and would be in no plan without it reads to people who sell: by finer reason, state and reason.
WITHOUT_PILOT = {
    "pilot_no_offers": ("no_offer_fits", "no_offers"),
    "pilot_conditions_not_met": ("no_offer_fits", "conditions_not_met"),
    "pilot_offer_needs_manager": ("no_offer_fits", "offer_needs_manager"),
    "pilot_cost_beyond_authority": ("beyond_authority", "cost_beyond_authority"),
    "pilot_scores_unknown": ("no_gain", "scores_unknown"),
    "pilot_gain_not_positive": ("no_gain", "gain_not_positive"),
}
REASONS |= dict.fromkeys(WITHOUT_PILOT, PILOT_RUNNING)

CHANNELS: dict[str, Words] = {
    "visit": Words("上门走访", "visit"),
    "manager_call": Words("客户经理电话", "account manager's call"),
    "hotline": Words("热线（来电时）", "hotline, when they call"),
    "sms": Words("短信", "SMS"),
    "app": Words("手机应用", "app"),
    "shop": Words("营业厅", "shop"),
    "email": Words("电子邮件", "e-mail"),
    "letter": Words("信函", "letter"),
}

CLASSES: dict[str, Words] = {
    "important": Words("重要客户", "important account"),
    "key": Words("重点大客户", "key account"),
    "potential": Words("潜在大客户", "potential account"),
    "ordinary": Words("普通客户", "ordinary customer"),
}

LOYALTY: dict[str, Words] = {
    "loyal": Words("忠诚客户", "loyal"),
    "general": Words("一般客户", "general"),
    "wavering": Words("游离客户", "wavering"),
    "unknown": Words("未知", "unknown"),
    "attachment": Words("情感依附", "attachment"),
    "inertia": Words("惰性", "inertia"),
    "price": Words("价格", "price"),
}

RISKS: dict[str, Words] = {
    "high": Words("高", "high"),
    "medium": Words("中", "medium"),
    "low": Words("低", "low"),
    "unknown": Words("未知", "unknown"),
}


NEEDS: dict[str, Words] = {
    "manager": Words("须由客户经理执行，而该客户没有客户经理", "made by an account manager, and the customer has none"),
    "consent": Words("该渠道需要营销授权，而没有授权", "the channel needs consent, and there is none"),
    "effect": Words("没有试点测出其效果，不发送", "no pilot has measured an effect of it, so nothing is sent"),
}

CODES: dict[str, Words] = {"person": Words("个人", "person"), "organisation": Words("单位", "organisation")}
UNITS: dict[str, Words] = {
    "months": Words(" 个月", " months"),
    "days": Words(" 天", " days"),
    "minutes": Words(" 分钟", " minutes"),
    "count": Words("", ""),
}
BOUNDS = (("at_least", "≥"), ("at_most", "≤"), ("above", ">"), ("below", "<"))


def over_authority(cost_fen: int, bound_fen: int) -> Words:
    return Words(
        f"最高成本 {yuan(cost_fen)} 元，超出客户经理的优惠权限 {yuan(bound_fen)} 元",
        f"costs up to {yuan(cost_fen)} yuan, beyond the manager's authority of {yuan(bound_fen)} yuan",
    )


def condition_failed(condition: Condition, facts: Mapping[str, Any]) -> Words:
    """A condition of policy that does not hold, with what is known instead."""
    column = column_of(condition.feature)
    asked = _asked(condition, column)
    value = facts.get(condition.feature)
    now = Words("未知", "unknown") if value is None else measured(value, column)
    return Words(f"要求{column.zh}{asked.zh}，现为{now.zh}", f"asks for {column.en} {asked.en}; it is {now.en}")


def _asked(condition: Condition, column: Column) -> Words:
    """What a condition asks of its column."""
    bounds = [(sign, getattr(condition, name)) for name, sign in BOUNDS if getattr(condition, name) is not None]
    asked = [Words(f"{sign}{m.zh}", f"{sign} {m.en}") for sign, v in bounds if (m := measured(v, column))]
    for codes, zh, en in ((condition.one_of, "属于", "to be one of"), (condition.none_of, "不属于", "to be none of")):
        named = [measured(code, column) for code in codes]
        if named:
            asked.append(Words(zh + "、".join(w.zh for w in named), f"{en} {', '.join(w.en for w in named)}"))
    if condition.true is not None:
        wanted = measured(condition.true, column)
        asked.append(Words(f"为{wanted.zh}", f"to be {wanted.en}"))
    if condition.missing is not None:
        asked.append(Words("未知", "to be unknown") if condition.missing else Words("已知", "to be known"))
    return Words("，".join(w.zh for w in asked), " and ".join(w.en for w in asked))


def measured(value: float | str | bool, column: Column) -> Words:
    """A value of a column with its unit, as people read it: fen as yuan, shares as percent."""
    if isinstance(value, bool):
        return Words("是", "yes") if value else Words("否", "no")
    if isinstance(value, str):
        return CODES.get(value, Words(value, value))
    if column.unit.startswith("fen"):
        return Words(f"{yuan(value)} 元", f"{yuan(value)} yuan")
    if column.unit == "share":
        return Words(f"{value:.1%}", f"{value:.1%}")
    unit = UNITS.get(column.unit, Words("", ""))
    return Words(f"{value:g}{unit.zh}", f"{value:g}{unit.en}")


def column_of(name: str) -> Column:
    """The feature or score of that name, with its words and unit."""
    return KNOWN[name]


def risk_reason(code: str, said: Mapping[str, Mapping[str, str]]) -> Words:
    """The words the model card gives a reason; a feature's own name, or the code, where it gives none."""
    if code in said:
        return Words(said[code]["zh"], said[code]["en"])
    name = code.removeprefix("own:").partition(":")[0]
    return Words(KNOWN[name].zh, KNOWN[name].en) if name in KNOWN else Words(name, name)


def yuan(fen: float) -> str:
    """Fen as yuan with two places: 123456 is 1,234.56."""
    return f"{fen / 100:,.2f}"


def money_limit() -> Words:
    return Words("维系费用", "money")


def contact_limit(channel: str) -> Words:
    named = CHANNELS[channel]
    return Words(f"{named.zh}触达次数", f"contacts by {named.en}")


def hours_limit(manager_id: str) -> Words:
    return Words(f"客户经理 {manager_id} 的工时", f"hours of manager {manager_id}")


def limit_named(limit: str) -> Words:
    """A limit by the name it is moved by: money, hours of all managers, ``channel:NAME`` or ``manager:ID``."""
    kind, _, of = limit.partition(":")
    if kind == "channel" and of in CHANNELS:
        return contact_limit(of)
    if kind == "manager":
        return hours_limit(of)
    named = {"money": money_limit(), "hours": Words("全部客户经理的工时", "hours of all managers")}
    return named.get(limit, Words(limit, limit))


def worth_money(price: float) -> Words:
    """What one more yuan of money is worth, itself taken off: gain is net of cost."""
    return Words(
        f"再多 1 元费用，收回之外还值 {price:.2f} 元", f"one more yuan of money is worth {price:.2f} yuan beyond itself"
    )


def worth_contact(channel: str, fen: float) -> Words:
    named = CHANNELS[channel]
    return Words(
        f"{named.zh}再多 1 次触达值 {yuan(fen)} 元", f"one more contact by {named.en} is worth {yuan(fen)} yuan"
    )


def worth_hour(of: str | None, fen: float) -> Words:
    """What one more hour of a manager, or of a district's managers, is worth."""
    zh, en = of or "区县不详处", of or "no known district"
    return Words(f"{zh} 再多 1 个走访小时值 {yuan(fen)} 元", f"one more visit hour of {en} is worth {yuan(fen)} yuan")
