"""What each number of the report means, in what unit, and where it comes from."""

from __future__ import annotations

from typing import Any

from keepline.report.numbers import Money, percent
from keepline.report.pictures.shape import LONG, TEXT, Block, Cell, column, months, section, table
from keepline.report.words import Words, both

Line = tuple[Words, Words, Words, str]


def definitions(figures: dict[str, Any]) -> Block:
    head = figures["head"]
    lines = [*_who(head), *_worth(head), *_plan(head), *_proof()]
    money = Money(head["currency"]).unit
    rows: list[list[Cell]] = [[name, said, _unit(unit, money), origin] for name, said, unit, origin in lines]
    return section(
        "definitions",
        "指标定义",
        "Definitions",
        lead=both(
            "金额以分保存，不做汇率换算；未知显示为 --，不以 0 代替。",
            "Amounts are kept in hundredths and never converted; what is not known is shown as --, never as 0.",
        ),
        blocks=[
            table(
                "definitions",
                title=both("本报告的数字", "The numbers of this report"),
                columns=[
                    column("指标", "number", TEXT),
                    column("定义", "definition", LONG),
                    column("单位", "unit", TEXT),
                    column("来源", "source", TEXT),
                ],
                rows=rows,
            )
        ],
    )


MONEY = both("money", "money")
SHARE = both("占比", "share")
PEOPLE = both("户", "customers")


def _unit(unit: Words, money: Words) -> Words:
    return money if unit == MONEY else unit


def _left(head: dict[str, Any]) -> Words:
    if head["left_when"] == "silent":
        return both("整月没有用量也没有账单", "a whole month without use and without a bill")
    return both("有离网记录", "a recorded departure")


def _who(head: dict[str, Any]) -> list[Line]:
    span, left = months(head["leave_months"]), _left(head)
    return [
        (
            both("基数（在网客户）", "base"),
            both(
                "账期末按政策属于在网的客户；以下各项均在其中计算",
                "customers active in the month by the rule in policy; all other numbers are of these",
            ),
            PEOPLE,
            "features",
        ),
        (
            both("离网", "leaving"),
            both(f"账期之后 {span['zh']}内：{left['zh']}", f"within {span['en']} after the month: {left['en']}"),
            PEOPLE,
            "labels",
        ),
        (
            both("离网概率", "probability of leaving"),
            both(
                "校准后的模型概率；预计离网 = 概率之和",
                "calibrated probability of the model; expected leavers are the sum of probabilities",
            ),
            SHARE,
            "scores.leave_probability",
        ),
        (
            both("风险等级", "risk band"),
            both(
                f"高：{percent(head['high_from'], 0)} 以上；中：{percent(head['medium_from'], 0)} 以上",
                f"high from {percent(head['high_from'], 0)}, medium from {percent(head['medium_from'], 0)}",
            ),
            SHARE,
            "policy/leaving.toml",
        ),
        (
            both("客户分类", "class"),
            both(
                "重要、重点、潜在、普通：名单优先，其次为政策规则，先成立者为准",
                "important, key, potential, ordinary: by list, else by the first rule of policy that holds",
            ),
            both("类", "class"),
            "classes, policy/classes.toml",
        ),
    ]


def _worth(head: dict[str, Any]) -> list[Line]:
    span, rate = months(head["value_months"]), percent(head["discount_rate"], 0)
    return [
        (
            both("出账收入", "billed revenue"),
            both("当月各账目之和，扣除优惠与冲减", "sum of the month's bill components, less discounts and credits"),
            MONEY,
            "bills",
        ),
        (
            both("毛利", "margin"),
            both("各账目金额乘以政策写明的毛利率", "each bill component times its margin share in policy"),
            MONEY,
            "bills, policy/value.toml",
        ),
        (
            both("客户价值", "customer value"),
            both(
                f"未来 {span['zh']}在网期间的预期毛利、增长与口碑，按年 {rate} 折现",
                f"margin expected over {span['en']} while staying, its growth, and word of mouth, discounted at {rate} "
                "a year",
            ),
            MONEY,
            "scores.value_fen",
        ),
        (
            both("涉及价值", "value at risk"),
            both("中高风险客户的客户价值合计", "customer value of those at medium or high risk, added up"),
            MONEY,
            "scores",
        ),
        (
            both("基尼系数", "Gini coefficient"),
            both("0 为人人相同，趋近 1 为集中于少数", "0 when all bring the same, towards 1 when few bring everything"),
            both("0–1", "0–1"),
            "features, scores",
        ),
        (
            both("忠诚", "loyalty"),
            both(
                "忠诚、一般、游离，及其性质：情感、惰性或价格；按政策规则",
                "loyal, general, wavering, and whether by attachment, inertia or price; by the rules of policy",
            ),
            both("类", "class"),
            "scores, policy/loyalty.toml",
        ),
    ]


def _plan(head: dict[str, Any]) -> list[Line]:
    share = percent(head["held_out_share"], 0)
    return [
        (
            both("预期净增毛利", "expected net margin"),
            both(
                "有优惠与没有优惠相比预期多得的毛利，减去预期成本",
                "margin expected with the offer less without it, less the expected cost",
            ),
            MONEY,
            "decisions.gain_fen",
        ),
        (
            both("成本", "cost"),
            both("触达成本加预期兑现的优惠成本", "contact cost plus the expected cost of the benefit"),
            MONEY,
            "decisions.cost_fen",
        ),
        (
            both("假设 / 实测", "assumed / measured"),
            both(
                "优惠效果来自政策中的假设，或来自试点",
                "the effect of an offer is stated in policy, or was found in a pilot",
            ),
            both("—", "—"),
            "policy/offers.toml, pilots",
        ),
        (
            both("对照", "held out"),
            both(
                f"本可获得优惠、但按抽签（{share}）保留不动的客户，用来测量成效",
                f"customers the rule chose but the lot ({share}) leaves alone, so that the effect can be measured",
            ),
            PEOPLE,
            "decisions, policy/limits.toml",
        ),
        (
            both("影子价格", "shadow price"),
            both("该资源多一个单位时方案最多多得的毛利", "margin that one more unit of the limit would add at most"),
            MONEY,
            "plan",
        ),
    ]


def _proof() -> list[Line]:
    return [
        (
            both("成效", "effect"),
            both(
                "实施客户均值减对照均值，只计有执行记录的方案；区间为 90%",
                "mean of the treated less mean of those left alone, for plans with proof of delivery; 90% interval",
            ),
            MONEY,
            "effects",
        ),
        (
            both("AUC", "AUC"),
            both(
                "随机一位离网客户的概率高于随机一位在网客户的机会",
                "chance that a leaver had a higher probability than a stayer",
            ),
            both("0.5–1", "0.5–1"),
            "model card",
        ),
        (
            both("校准斜率", "calibration slope"),
            both(
                "1 为概率不偏；小于 1 为过于极端", "1 when probabilities are right; below 1 when they are too extreme"
            ),
            both("—", "—"),
            "model card",
        ),
    ]
