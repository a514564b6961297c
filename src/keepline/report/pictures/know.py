"""Who our customers are: concentration, class moves, value by loyalty."""

from __future__ import annotations

from typing import Any

from keepline.periods import in_chinese
from keepline.report.numbers import EMPTY, Money, count, decimal, percent
from keepline.report.pictures.circles import circles
from keepline.report.pictures.drivers import drivers
from keepline.report.pictures.niches import niches
from keepline.report.pictures.pricing import pricing
from keepline.report.pictures.shape import (
    LONG,
    TEXT,
    Block,
    Cell,
    caution,
    column,
    months,
    note,
    picture,
    section,
    source,
    table,
)
from keepline.report.tally import Row
from keepline.report.words import CLASSES, LOYALTY, LOYALTY_KINDS, MOVES, VALUE_BANDS, Words, both, word

Figures = dict[str, Any]
MEASURES = {
    "revenue": both("出账收入", "billed revenue"),
    "margin": both("毛利", "margin"),
    "value": both("客户价值", "customer value"),
}
UNIT_SHARE = both("累计占比", "cumulated share")
LOYALTY_ORDER = ("loyal", "general", "wavering", "unknown")
BAND_ORDER = ("top", "next", "rest", "unknown")


def know_sections(figures: Figures) -> list[Block]:
    money = Money(figures["head"]["currency"])
    return [
        pareto(figures, money),
        moves(figures, money),
        grid(figures, money),
        drivers(figures),
        niches(figures, money),
        circles(figures, money),
        pricing(figures),
    ]


def pareto(figures: Figures, money: Money) -> Block:
    drawn = [row for row in figures["concentration"] if row["points"]]
    lead = both(
        "把客户按金额从高到低排列：前百分之几的客户，带来百分之几的收入与毛利。",
        "Customers ordered from the largest amount down: which share of them brings which share of revenue and margin.",
    )
    if not drawn:
        empty = note(
            "没有可用的收入或毛利，无法画出集中度。", "No revenue or margin is known, so concentration cannot be drawn."
        )
        return section("pareto", "收入与毛利的集中度", "How concentrated we are", lead=lead, blocks=[empty])
    blocks = [_pareto_picture(drawn, figures), _tops(figures["concentration"], money)]
    return section("pareto", "收入与毛利的集中度", "How concentrated we are", lead=lead, blocks=blocks)


def _pareto_picture(drawn: list[Row], figures: Figures) -> Block:
    series = [{"name": MEASURES[row["measure"]], "points": row["points"]} for row in drawn]
    places = [i for i in range(len(drawn[0]["points"])) if i % 5 == 0 and i]
    rows: list[list[Cell]] = []
    for i in places:
        x = drawn[0]["points"][i][0]
        rows.append([percent(x, 0), *(_point(row, x) for row in drawn)])
    names = [column(f"{MEASURES[r['measure']]['zh']}占比", f"share of {MEASURES[r['measure']]['en']}") for r in drawn]
    return picture(
        "pareto",
        "pareto",
        title=_pareto_title(drawn[0]),
        unit=UNIT_SHARE,
        source=source("features, scores", figures),
        data={"series": series, "even": both("平均分布", "if all were equal")},
        columns=[column("前百分之几的客户", "top customers"), *names],
        rows=rows,
        height=340,
    )


def _point(row: Row, x: float) -> str:
    return percent(next((y for at, y in row["points"] if abs(at - x) < 1e-6), None))


def _pareto_title(row: Row) -> Words:
    top = next((t for t in row["tops"] if t["share"] == 0.2), row["tops"][-1] if row["tops"] else None)
    said = MEASURES[row["measure"]]
    if top is None:
        return both(f"{said['zh']}的集中度", f"Concentration of {said['en']}")
    share, of = percent(top["share"], 0), percent(top["of"])
    return both(
        f"前 {share} 的客户带来 {of} 的{said['zh']}", f"The top {share} of customers bring {of} of {said['en']}"
    )


def _tops(rows: list[Row], money: Money) -> Block:
    shares = (0.01, 0.05, 0.1, 0.2, 0.5)
    body: list[list[Cell]] = []
    for row in rows:
        tops = {t["share"]: t["of"] for t in row["tops"]}
        cells = [percent(tops.get(share)) for share in shares]
        amounts = [money.exact(row["total_fen"]), count(row["customers"]), count(row["unknown"])]
        body.append([MEASURES[row["measure"]], *amounts, *cells, decimal(row["gini"])])
    heads = [column(f"前 {percent(share, 0)}", f"top {percent(share, 0)}") for share in shares]
    return table(
        "tops",
        title=both("金额与基尼系数", "Amounts and Gini coefficients"),
        columns=[
            column("指标", "measure", TEXT),
            column("合计", "total"),
            column("客户数", "customers"),
            column("未知", "unknown"),
            *heads,
            column("基尼系数", "Gini"),
        ],
        rows=body,
    )


def moves(figures: Figures, money: Money) -> Block:
    found = figures["moves"]
    lead = both(
        "客户分类每月按政策中的规则和名单重新判定；名单优先于规则。",
        "Classes are judged anew each month by the rules and lists of policy; a list beats every rule.",
    )
    blocks: list[Block] = []
    if not found["classes"]:
        blocks.append(note("本月没有客户分类。", "No classes were judged this month."))
    elif found["judged_before"]:
        blocks.append(_sankey(found, figures))
    else:
        blocks.append(
            note(
                "没有上一账期的分类可比，本月只列出现状，从下一账期起显示变动。",
                "There is no former month to compare with: this month shows the state, moves appear from the next one.",
            )
        )
    if found["classes"]:
        blocks.append(_class_rules(found["rules"], money))
    return section("moves", "客户分类与变动", "Classes and moves", lead=lead, blocks=blocks)


def _sankey(found: Figures, figures: Figures) -> Block:
    month, before = figures["head"]["month"], figures["head"]["previous_month"] or ""
    flows = found["flows"]
    then, now = (in_chinese(m) if m else "" for m in (before, month))
    sides = {"before": both(then, before), "now": both(now, month)}
    nodes = [{"id": f"before:{c}", "class": c, "name": CLASSES[c]} for c in _present(flows, "previous_class")]
    nodes += [{"id": f"now:{c}", "class": c, "name": CLASSES[c]} for c in _present(flows, "class")]
    links = [
        {
            "source": f"before:{row['previous_class'] or 'new'}",
            "target": f"now:{row['class']}",
            "value": row["customers"],
        }
        for row in flows
    ]
    rows: list[list[Cell]] = [
        [CLASSES[r["previous_class"] or "new"], CLASSES[r["class"]], MOVES[r["move"]], count(r["customers"])]
        for r in flows
    ]
    return picture(
        "moves",
        "sankey",
        title=_moves_title(flows),
        unit=both("客户数", "customers"),
        source=source("classes", figures),
        data={"nodes": nodes, "links": links, "sides": sides},
        columns=[
            column(f"{then}分类", f"class in {before}", TEXT),
            column(f"{now}分类", f"class in {month}", TEXT),
            column("变动", "move", TEXT),
            column("客户数", "customers"),
        ],
        rows=rows,
        height=380,
        note=both(
            "上月之后离网的客户已不在本月基数内，不在此图中。",
            "Customers who left since last month are no longer in the base and not in this picture.",
        ),
    )


def _present(flows: list[Row], side: str) -> list[str]:
    return list(dict.fromkeys(row[side] or "new" for row in sorted(flows, key=lambda r: _order(r[side] or "new"))))


def _order(name: str) -> int:
    return list(CLASSES).index(name)


def _moves_title(flows: list[Row]) -> Words:
    up, down, new = (sum(r["customers"] for r in flows if r["move"] == m) for m in ("up", "down", "new"))
    return both(
        f"{count(up)} 户分类上升，{count(down)} 户下降，{count(new)} 户新在网",
        f"{count(up)} customers moved up, {count(down)} down, {count(new)} are new",
    )


def _class_rules(rules: list[Row], money: Money) -> Block:
    rows: list[list[Cell]] = [
        [
            CLASSES[r["class"]],
            both(r["reason_zh"] or EMPTY, r["reason_en"] or EMPTY),
            count(r["customers"]),
            money.exact(r["revenue_fen"]),
        ]
        for r in rules
    ]
    return table(
        "class-rules",
        title=both("每一类的客户数、依据与收入", "Customers, reason and revenue of each class"),
        columns=[
            column("分类", "class", TEXT),
            column("依据", "why", LONG),
            column("客户数", "customers"),
            column("本月收入", "revenue this month"),
        ],
        rows=rows,
    )


def grid(figures: Figures, money: Money) -> Block:
    found, head = figures["grid"], figures["head"]
    rate = percent(head["discount_rate"], 0)
    span = months(head["value_months"])
    lead = both(
        f"客户价值 = 未来 {span['zh']}在网期间的预期毛利 + 增长 + 口碑，年折现率 {rate}；忠诚按政策中写明的规则判定。",
        f"Value = margin expected over {span['en']} while the customer stays + growth + word of mouth, discounted at "
        f"{rate} a year; loyalty follows the rule written in policy.",
    )
    blocks: list[Block] = []
    if not found["cells"]:
        blocks.append(note("本月没有评分。", "No customer was scored this month."))
    else:
        if not found["value_known"]:
            blocks.append(_no_value(head))
        blocks += [_grid_picture(found, figures, money), _kinds(found, money)]
    return section("grid", "价值与忠诚", "Value and loyalty", lead=lead, blocks=blocks)


def _no_value(head: Row) -> Block:
    if head["oversampled"] and head["true_monthly_rate"] is None:
        return caution(
            "客户价值未知：数据中的离网客户经过放大抽样，而政策没有写明真实月离网率。",
            "Value is not known: leavers are over-sampled in the data and policy does not state the true monthly rate.",
        )
    return caution("客户价值未知：模型没有给出。", "Value is not known: the models gave none.")


def _grid_picture(found: Figures, figures: Figures, money: Money) -> Block:
    bands = [b for b in BAND_ORDER if any(c["band"] == b for c in found["cells"])]
    loyalties = [k for k in LOYALTY_ORDER if any(c["loyalty"] == k for c in found["cells"])]
    cells = [
        [loyalties.index(c["loyalty"]), bands.index(c["band"]), c["customers"], c["value_fen"]]
        for c in found["cells"]
        if c["loyalty"] is not None
    ]
    rows: list[list[Cell]] = [
        [
            VALUE_BANDS[c["band"]],
            word(LOYALTY, c["loyalty"]),
            count(c["customers"]),
            money.exact(c["value_fen"]),
            percent(c["leave_probability"]),
        ]
        for c in sorted(found["cells"], key=lambda c: (BAND_ORDER.index(c["band"]), str(c["loyalty"])))
    ]
    return picture(
        "grid",
        "heat",
        title=_grid_title(found),
        unit=both("格内：客户数与价值合计；颜色：客户数", "in each cell: customers and their value; colour: customers"),
        source=source("scores", figures),
        data={
            "x": [LOYALTY[k] for k in loyalties],
            "y": [VALUE_BANDS[b] for b in bands],
            "cells": cells,
        },
        columns=[
            column("价值", "value", TEXT),
            column("忠诚", "loyalty", TEXT),
            column("客户数", "customers"),
            column("价值合计", "total value"),
            column("平均离网概率", "mean probability of leaving"),
        ],
        rows=rows,
        height=360,
        note=_band_note(found, money),
    )


def _grid_title(found: Figures) -> Words:
    cells = [c for c in found["cells"] if c["band"] == "top" and c["loyalty"] == "wavering"]
    if not found["value_known"]:
        people = sum(c["customers"] for c in found["cells"] if c["loyalty"] == "wavering")
        return both(f"{count(people)} 户客户处于游离", f"{count(people)} customers are wavering")
    people = sum(c["customers"] for c in cells)
    return both(f"{count(people)} 户高价值客户处于游离", f"{count(people)} of the most valuable customers are wavering")


def _band_note(found: Figures, money: Money) -> Words | None:
    if not found["value_known"]:
        return None
    top, following = money.short(found["from_fen"]["top"]), money.short(found["from_fen"]["next"])
    return both(
        f"前 20% 自 {top['zh']} 起，其后 30% 自 {following['zh']} 起。",
        f"The top 20% begin at {top['en']}, the next 30% at {following['en']}.",
    )


def _kinds(found: Figures, money: Money) -> Block:
    whole = sum(row["customers"] for row in found["kinds"])
    rows: list[list[Cell]] = [
        [
            word(LOYALTY, r["loyalty"]),
            word(LOYALTY_KINDS, r["loyalty_kind"]),
            count(r["customers"]),
            percent(r["customers"] / whole),
            money.exact(r["value_fen"]),
        ]
        for r in sorted(found["kinds"], key=lambda r: (_rank(r["loyalty"]), -r["customers"]))
    ]
    return table(
        "loyalty-kinds",
        title=both("忠诚出自什么", "What loyalty rests on"),
        columns=[
            column("忠诚", "loyalty", TEXT),
            column("性质", "kind", TEXT),
            column("客户数", "customers"),
            column("占比", "share"),
            column("价值合计", "total value"),
        ],
        rows=rows,
        folded=True,
    )


def _rank(loyalty: str | None) -> int:
    return LOYALTY_ORDER.index(loyalty) if loyalty in LOYALTY_ORDER else len(LOYALTY_ORDER)
