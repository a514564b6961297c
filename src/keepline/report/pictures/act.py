"""What the plan does for whom within which means, and who is left out of it and why."""

from __future__ import annotations

from typing import Any

from keepline.report.numbers import EMPTY, Money, count, percent
from keepline.report.phrases import binds, dearest_first, district, ends, hardest, in_words, known, left, worth
from keepline.report.pictures.past import money_interval
from keepline.report.pictures.shape import TEXT, Block, Cell, caution, column, note, picture, section, source, table
from keepline.report.tally import Row
from keepline.report.words import ASSUMED, CHANNELS, CLASSES, MEASURED, PURPOSES, STATES, Words, both, word

Figures = dict[str, Any]
MOST_DISTRICTS, MOST_MANAGERS, MOST_LIMITS = 16, 60, 14
MOST_SAID, MOST_FREE = 5, 8  # limits told in a sentence each, and those named together
HOW_SURE = both(
    "；各优惠取其试点平均效果的区间，同一试点的相加，不同试点互相独立；客户个体之间的差异不在其内",
    "; of each offer the ends of its pilot's mean effect, added within a pilot and independent between pilots; how "
    "single customers differ is not in it",
)
NOT_RECORDED = both("未登记", "not recorded")


def act_sections(figures: Figures) -> list[Block]:
    money = Money(figures["head"]["currency"])
    return [plan(figures, money), limits(figures, money), funnel(figures)]


def plan(figures: Figures, money: Money) -> Block:
    found = figures["plan"]
    lead = both(
        "每位客户至多一项优惠；在费用、渠道与客户经理工时之内，取预期净增毛利最大的组合。",
        "At most one offer a customer; within money, channels and managers' hours, the combination that is expected "
        "to add most margin net of cost.",
    )
    if not found["customers"]:
        empty = note("本月方案没有安排任何客户。", "The plan of this month reaches no customer.")
        return section("plan", "本月方案", "The plan", lead=lead, blocks=[empty])
    blocks = [_whole(found, money), _districts(figures, money), _offers(figures, money)]
    if any(row["assumed"] for row in found["offers"]):
        blocks.append(
            caution(
                "标有“假设”的优惠效果来自政策中写明的假设，未经试点实测；其预期净增毛利不是测得的结果。",
                'Effects marked "assumed" are assumptions written in policy, not measured in a pilot; what they are '
                "expected to earn is no finding.",
            )
        )
    return section("plan", "本月方案", "The plan", lead=lead, blocks=[*blocks, _managers(found, money)])


def _whole(found: Figures, money: Money) -> Block:
    """What all of the plan is expected to earn, and how sure that is."""
    gain, sure, unsure = money.short(found["gain_fen"]), ends(found, money), found.get("unsure")
    why = both("", "")
    if unsure is not None:
        part = _measured_part(found, money)
        why = both(f"；没有区间：{unsure['zh']}{part['zh']}", f"; no interval is told: {unsure['en']}{part['en']}")
    elif sure["zh"]:
        why = HOW_SURE
    return note(
        f"整个方案预期净增毛利 {gain['zh']}{sure['zh']}{why['zh']}。",
        f"The whole plan is expected to earn {gain['en']} net of cost{sure['en']}{why['en']}.",
    )


def _measured_part(found: Figures, money: Money) -> Words:
    """The part of the plan whose effects are measured, with its interval; nothing where there is none."""
    gain, sure = money.short(found.get("measured_fen")), ends(found, money, name="measured")
    if not sure["zh"]:
        return both("", "")
    return both(f"；其中实测部分 {gain['zh']}{sure['zh']}", f"; the measured part is {gain['en']}{sure['en']}")


def _districts(figures: Figures, money: Money) -> Block:
    rows = sorted(figures["plan"]["districts"], key=lambda r: -r["gain_fen"])
    shown = rows[:MOST_DISTRICTS]
    return picture(
        "districts",
        "bars",
        title=_district_title(shown[0], figures["plan"]["gain_fen"]),
        unit=both("预期净增毛利与成本", "expected margin net of cost, and cost"),
        source=source("decisions", figures),
        data={
            "names": [_named(r["district"]) for r in shown],
            "format": "money",
            "series": [
                {"name": both("预期净增毛利", "expected net margin"), "values": [r["gain_fen"] for r in shown]},
                {"name": both("成本", "cost"), "values": [r["cost_fen"] for r in shown]},
            ],
        },
        columns=[
            column("区县", "district", TEXT),
            column("客户数", "customers"),
            column("预期净增毛利", "expected net margin"),
            column("成本", "cost"),
            column("占用分钟", "minutes used"),
            column("可用分钟", "minutes available"),
            column("再多一小时的价值", "worth of one more hour"),
        ],
        rows=[_district_row(row, money) for row in rows],
        height=320,
    )


def _district_title(first: Row, gain: int | None) -> Words:
    name = district(first["district"])
    share = percent(first["gain_fen"] / gain) if gain else EMPTY
    where = name["en"][0].upper() + name["en"][1:]
    return both(f"{name['zh']}预期净增毛利最多，占 {share}", f"{where} is expected to gain most, {share}")


def _district_row(row: Row, money: Money) -> list[Cell]:
    return [
        _named(row["district"]),
        count(row["customers"]),
        money.exact(row["gain_fen"]),
        money.exact(row["cost_fen"]),
        count(row["minutes"]),
        count(row["available"]),
        money.exact(row["hour_fen"]) if row["hour_fen"] else EMPTY,
    ]


def _named(name: str | None) -> Words:
    return NOT_RECORDED if name is None else both(name, name)


def _offers(figures: Figures, money: Money) -> Block:
    rows: list[list[Cell]] = [
        [
            r["name"],
            word(CHANNELS, r["channel"]),
            word(PURPOSES, r["purpose"]),
            EMPTY if r["assumed"] is None else (ASSUMED if r["assumed"] else MEASURED),
            count(r["customers"]),
            count(r["held_out"]),
            money_interval(r, "gain", money),
            money.exact(r["cost_fen"]),
        ]
        for r in figures["plan"]["offers"]
    ]
    return table(
        "offers",
        title=both("按优惠", "By offer"),
        columns=[
            column("优惠", "offer", TEXT),
            column("渠道", "channel", TEXT),
            column("目的", "purpose", TEXT),
            column("效果来自", "effect is", TEXT),
            column("实施", "treated"),
            column("对照", "held out"),
            column("预期净增毛利（90% 区间）", "expected net margin (90% interval)"),
            column("成本", "cost"),
        ],
        rows=rows,
        source=source("decisions, assignments", figures),
    )


def _managers(found: Figures, money: Money) -> Block:
    rows = sorted((r for r in found["managers"] if r["customers"]), key=lambda r: -r["gain_fen"])
    shown = rows[:MOST_MANAGERS]
    body: list[list[Cell]] = [
        [
            r["manager_id"] or both("无客户经理", "no account manager"),
            r["district"] or EMPTY,
            count(r["customers"]),
            money.exact(r["gain_fen"]),
            money.exact(r["cost_fen"]),
            count(r["minutes"]),
            count(r["available"]),
            money.exact(r["hour_fen"]) if r["hour_fen"] else EMPTY,
        ]
        for r in shown
    ]
    rest = len(rows) - len(shown)
    return table(
        "managers",
        title=both("按客户经理", "By account manager"),
        columns=[
            column("客户经理", "manager", TEXT),
            column("区县", "district", TEXT),
            column("客户数", "customers"),
            column("预期净增毛利", "expected net margin"),
            column("成本", "cost"),
            column("占用分钟", "minutes used"),
            column("可用分钟", "minutes available"),
            column("再多一小时的价值", "worth of one more hour"),
        ],
        rows=body,
        note=both(f"另有 {rest} 位客户经理见 plan.xlsx。", f"{rest} more managers are in plan.xlsx.")
        if rest > 0
        else None,
        folded=True,
    )


def limits(figures: Figures, money: Money) -> Block:
    rows = figures["limits"]
    lead = both(
        "影子价格：某项资源多一个单位，可能的最好方案最多能多得多少毛利，成本（包括多花的费用）已经减去；"
        "富余的资源影子价格为零。多一成至多多得多少，也就可能的最好方案而言。"
        "剩下的分钟不够一次走访时，工时虽未用完也有价格；补足一次走访，本方案多得的可以超过它。",
        "Shadow price: how much more margin one more unit of a limit brings the best plan possible at most, all cost, "
        "also money spent more, taken off; a limit with plenty left has none. What a tenth more earns at most is said "
        "of the best plan possible too. Minutes too few for one more visit stay unused and still have a price; what "
        "completes a visit may bring this plan more than that.",
    )
    if not rows:
        empty = note("方案没有记录资源限制。", "The plan recorded no limits.")
        return section("limits", "资源与影子价格", "Limits and shadow prices", lead=lead, blocks=[empty])
    blocks = [_limit_picture(rows, figures, money), *_said(rows, money), *_gap(figures["plan"], money)]
    return section("limits", "资源与影子价格", "Limits and shadow prices", lead=lead, blocks=blocks)


def _limit_picture(rows: list[Row], figures: Figures, money: Money) -> Block:
    shown = [row for row in rows if row["share"] is not None][:MOST_LIMITS]
    first = hardest(rows)
    title = worth(first, money)[1] if first else both("没有一项资源限制方案", "No limit holds the plan back")
    return picture(
        "limits",
        "bars",
        title=title,
        unit=both("已用占可用的比例", "used as a share of available"),
        source=source("plan", figures),
        data={
            "names": [row["name"] for row in shown],
            "format": "share",
            "limit": 1,
            "codes": ["binding" if binds(row) else "free" for row in shown],
            "series": [{"name": both("已用", "used"), "values": [row["share"] for row in shown]}],
        },
        columns=[
            column("资源", "limit", TEXT),
            column("可用", "available"),
            column("已用", "used"),
            column("占比", "share"),
            column("再多一单位（工时按小时）的价值", "worth of one more unit (an hour for minutes)"),
            column("多一成至多多得", "a tenth more earns at most"),
        ],
        rows=[_limit_cells(row, money) for row in rows],
        height=max(200, 60 + 28 * len(shown)),
        note=both(
            "红色：影子价格大于零，多一些就能多得。", "Red: the shadow price is above zero, more of it would earn more."
        ),
    )


def _limit_cells(row: Row, money: Money) -> list[Cell]:
    means = [_amount(row["available"], row, money), _amount(row["used"], row, money), percent(row["share"])]
    return [row["name"], *means, _one_more(row, money), money.exact(row.get("tenth_fen"))]


def _one_more(row: Row, money: Money) -> Cell:
    if binds(row):
        return worth(row, money)[0]
    return both("不限制方案", "does not bind") if known(row) else EMPTY


def _said(rows: list[Row], money: Money) -> list[Block]:
    """What more of each limit would earn, in plain words; together those of which more would earn nothing."""
    told = [*dearest_first(rows)[:MOST_SAID], *[row for row in rows if not known(row)][:MOST_SAID]]
    said = [in_words(row, money) for row in told]
    free = [left(row, money) for row in rows if known(row) and not binds(row)]
    blocks = [note("。".join(s["zh"] for s in said) + "。", ". ".join(s["en"] for s in said) + ".")] if said else []
    return blocks + ([_free(free)] if free else [])


def _free(names: list[Words]) -> Block:
    more = len(names) - MOST_FREE
    zh = "、".join(name["zh"] for name in names[:MOST_FREE]) + (f" 等 {len(names)} 项" if more > 0 else "")
    en = ", ".join(name["en"] for name in names[:MOST_FREE]) + (f" and {more} more" if more > 0 else "")
    return note(f"这些多了也不会多得：{zh}。", f"More of these would earn nothing: {en}.")


def _amount(value: float | None, row: Row, money: Money) -> str:
    return money.exact(value) if row["unit"] == "fen" else count(value)


def _gap(found: Figures, money: Money) -> list[Block]:
    """How near the plan is to the best possible, and what other rules would earn with the same means."""
    blocks = []
    if found["dual_value_fen"] is not None and found["gap_share"] is not None:
        bound, gap = money.exact(found["dual_value_fen"]), percent(found["gap_share"], 2)
        blocks.append(
            note(
                f"在这些资源内，任何方案都不会超过 {bound}；本方案与之相差至多 {gap}。",
                f"No plan within these limits can exceed {bound}; this one is at most {gap} below.",
            )
        )
    other = found["comparison"] or {}
    if other.get("ranked_by_risk_fen") is not None and found["primal_value_fen"]:
        ranked, ours = money.exact(other["ranked_by_risk_fen"]), money.exact(found["primal_value_fen"])
        free = money.exact(other.get("without_limits_fen"))
        blocks.append(
            note(
                f"同样的资源，若只按离网风险从高到低安排，预期净增毛利为 {ranked}；本方案为 {ours}；"
                f"资源不受限时为 {free}。",
                f"The same means given by risk of leaving alone would be expected to earn {ranked}; this plan {ours}; "
                f"without any limit {free}.",
            )
        )
    return blocks


def funnel(figures: Figures) -> Block:
    found = figures["funnel"]
    lead = both(
        "每位在网客户恰好归入一种状态；按顺序相减，加总等于基数。",
        "Every customer of the base ends in exactly one state; taken in order they add up to the base.",
    )
    if not found["steps"]:
        empty = note("本月没有决策。", "There are no decisions this month.")
        return section("funnel", "为什么没有轮到", "Why and why not", lead=lead, blocks=[empty])
    blocks = [_funnel_picture(found, figures), _by_class(found)]
    return section("funnel", "为什么没有轮到", "Why and why not", lead=lead, blocks=blocks)


def _funnel_picture(found: Figures, figures: Figures) -> Block:
    steps, base = found["steps"], found["base"]
    treated = next((s["customers"] for s in steps if s["state"] == "treated"), 0)
    body: list[list[Cell]] = [[both("在网客户", "base"), count(base), percent(1.0), count(base)]]
    body += [
        [word(STATES, s["state"]), count(s["customers"]), percent(s["customers"] / base), count(s["left"])]
        for s in steps
    ]
    body.append([both("合计", "sum of states"), count(sum(s["customers"] for s in steps)), percent(1.0), ""])
    return picture(
        "funnel",
        "waterfall",
        title=both(
            f"{count(base)} 户在网客户中，{count(treated)} 户列入方案",
            f"Of {count(base)} customers {count(treated)} are in the plan",
        ),
        unit=both("客户数", "customers"),
        source=source("decisions", figures),
        data={
            "names": [both("在网客户", "base"), *(word(STATES, s["state"]) for s in steps)],
            "codes": ["base", *(s["state"] for s in steps)],
            "values": [base, *(s["customers"] for s in steps)],
            "from": [0, *(s["left"] for s in steps)],
        },
        columns=[
            column("状态", "state", TEXT),
            column("客户数", "customers"),
            column("占比", "share"),
            column("剩余", "left"),
        ],
        rows=body,
        height=80 + 28 * len(steps),
    )


def _by_class(found: Figures) -> Block:
    classes = [c for c in CLASSES if any(r["class"] == c for r in found["by_class"])]
    counted = {(r["state"], r["class"]): r["customers"] for r in found["by_class"]}
    rows: list[list[Cell]] = [
        [word(STATES, s["state"]), *(count(counted.get((s["state"], c), 0)) for c in classes)] for s in found["steps"]
    ]
    return table(
        "states-by-class",
        title=both("按客户分类", "By class"),
        columns=[column("状态", "state", TEXT), *(column(CLASSES[c]["zh"], CLASSES[c]["en"]) for c in classes)],
        rows=rows,
        folded=True,
    )
