"""What past plans earned, how good the data were, and what long standing earns."""

from __future__ import annotations

from typing import Any

from keepline.periods import in_chinese
from keepline.report.numbers import EMPTY, Money, count, decimal, percent
from keepline.report.pictures.alone import by_hand, control
from keepline.report.pictures.judge import judgement_section
from keepline.report.pictures.learners import learners
from keepline.report.pictures.leave import interval
from keepline.report.pictures.looks import looks
from keepline.report.pictures.past import money_interval, past_table
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
from keepline.report.words import MEASURES, Words, both, word
from keepline.tables import OF_PEOPLE

Figures = dict[str, Any]
LOTS_IN_DOUBT = 0.001
OUTCOMES = {
    "leave": both("离网概率", "probability of leaving"),
    "margin": both("月毛利", "margin a month"),
    "taken": both("接受优惠的比例", "share who take it"),
}
VERDICTS = {
    "measured": both("已测量", "measured"),
    "no_effect": both("未见效果", "no effect found"),
    "too_few": both("人数太少", "too few"),
}


HOW_SURE = both(
    "“已测量”指至少一项检验达到政策要求的把握；此时各项改变都计入，按其把握程度缩减，区间含零的也如此。"
    "离网概率的改变为负，表示少离网。做法见 docs/mechanisms/pilots.md。",
    "Measured: at least one thing looked at is as sure as policy asks. Every change then counts, shortened as far as "
    "it is unsure, also where its interval holds zero. A negative change of the probability of leaving is good. See "
    "docs/mechanisms/pilots.md.",
)


def prove_sections(figures: Figures) -> list[Block]:
    money = Money(figures["head"]["currency"])
    return [effects(figures, money), judgement_section(figures), quality(figures), tenure(figures, money)]


def effects(figures: Figures, money: Money) -> Block:
    rows, head = figures["effects"], figures["head"]
    window, ahead = months(head["leave_months"]), months(head["value_months"])
    beside = (
        both("，表中因此另列至今应得", ", so a table tells what was expected by now")
        if figures.get("past")
        else both("", "")
    )
    lead = both(
        "以往方案的成效，是实施客户与随机保留的对照之间的差；观察期未满的，只计已过的账期；没有执行记录或人数太少，就不给数字。"
        f"成效至多计 {window['zh']}，方案的预期净增毛利计 {ahead['zh']}，两者不能直接相比{beside['zh']}。",
        "What a past plan earned is the difference between the treated and those left alone by lot; while its "
        "window is not over, the months so far count; without proof of delivery, or with too few, there is no figure. "
        f"It counts {window['en']} at most, a plan's expected net margin {ahead['en']}: the two are not to be compared "
        f"directly{beside['en']}.",
    )
    blocks: list[Block] = []
    if not rows:
        blocks.append(note("还没有可以测量的以往方案。", "There is no past plan to measure yet."))
    drawn = [r for r in rows if r["measure"] == "margin" and r["verdict"] == "measured" and r["low"] is not None]
    if drawn:
        blocks.append(_forest(drawn, figures, money))
    if rows:
        blocks.append(_effects_table(rows, money, drawn=bool(drawn)))
    blocks += [block for block in [past_table(figures, money)] if block is not None]
    blocks += [*control(figures, money), *by_hand(rows), *_by_people(figures["base"], money)]
    blocks += _pilots(figures, money) + learners(figures, money) + looks(figures, money)
    return section("effects", "以往方案的成效", "What past plans earned", lead=lead, blocks=blocks)


def _of_month(row: Row) -> Words:
    name = row["name"]
    return both(f"{in_chinese(row['plan_month'])} {name['zh']}", f"{row['plan_month']} {name['en']}")


def _by_people(base: Row, money: Money) -> list[Block]:
    """Promises kept and broken, and offers outside the plan, where the workbench tells of them."""
    kept, broken, granted = (base.get(f"{name}") for name in OF_PEOPLE)
    if kept is None and broken is None and granted is None:
        return []
    cost = money.short(granted or 0)
    return [
        note(
            f"近三个月：兑现承诺 {count(kept or 0)} 项，失约 {count(broken or 0)} 项；"
            f"客户已使用的方案外优惠，成本 {cost['zh']}。",
            f"In three months {count(kept or 0)} promises were kept and {count(broken or 0)} broken; offers outside "
            f"the plan that customers took up cost {cost['en']}.",
        )
    ]


def _forest(rows: list[Row], figures: Figures, money: Money) -> Block:
    shown = rows[:20]
    sure = sum(1 for r in shown if r["low"] > 0)
    return picture(
        "effects",
        "forest",
        title=both(
            f"{len(shown)} 项测得的成效中，{sure} 项的区间整个高于零",
            f"Of {len(shown)} measured effects {sure} have an interval that lies above zero",
        ),
        unit=both("每户毛利差，90% 区间", "difference in margin a customer, 90% interval"),
        source=source("effects", figures),
        data={
            "format": "money",
            "rows": [
                {
                    "name": _of_month(r),
                    **{key: r[key] for key in ("difference", "low", "high")},
                }
                for r in shown
            ],
        },
        columns=[
            column("方案", "plan", TEXT),
            column("每户毛利差", "difference a customer"),
            column("区间下限", "from"),
            column("区间上限", "to"),
        ],
        rows=[
            [
                _of_month(r),
                *(money.exact(r[key], 2) for key in ("difference", "low", "high")),
            ]
            for r in shown
        ],
        height=90 + 34 * len(shown),
    )


def _effects_table(rows: list[Row], money: Money, *, drawn: bool) -> Block:
    body: list[list[Cell]] = [
        [
            r["plan_month"],
            r["month"],
            r["name"],
            word(MEASURES, r["measure"]),
            count(r["treated"]),
            count(r["held_out"]),
            count(r["delivered"]),
            _difference(r, money),
            money_interval(r, "earned", money) if r["measure"] == "margin" else EMPTY,
            r["said"],
        ]
        for r in rows
    ]
    return table(
        "effects-table",
        title=both("逐项结论", "Every effect and its verdict"),
        columns=[
            column("方案账期", "plan", TEXT),
            column("测到账期", "measured up to", TEXT),
            column("优惠", "offer", TEXT),
            column("指标", "measure", TEXT),
            column("实施", "treated"),
            column("对照", "left alone"),
            column("有执行记录", "delivered"),
            column("差异（90% 区间）", "difference (90% interval)"),
            column("减去成本后合计（90% 区间）", "earned, net of cost (90% interval)"),
            column("结论", "verdict", LONG),
        ],
        rows=body,
        folded=drawn and len(body) > 12,
    )


def _difference(row: Row, money: Money) -> Cell:
    if row["verdict"] != "measured":
        return EMPTY
    found = {"value": row["difference"], "low": row["low"], "high": row["high"]}
    return _by_measure(found, row["measure"], money)


def _by_measure(found: Row, measure: str, money: Money) -> Cell:
    """Money as money; a difference of shares in percentage points."""
    if measure == "margin":
        return interval(found, lambda fen: money.exact(fen, 2))
    points = interval(found, lambda share: decimal(share * 100, 2))
    return both(f"{points} 个百分点", f"{points} points")


def _pilots(figures: Figures, money: Money) -> list[Block]:
    rows = figures["pilots"]
    if not rows:
        return [
            note(
                "没有试点：优惠效果若有，均为政策中的假设。",
                "No pilots: where an offer states an effect, it is an assumption of policy.",
            )
        ]
    body: list[list[Cell]] = [
        [
            r["name"],
            word(OUTCOMES, r["outcome"]),
            count(r["treated"]),
            count(r["held_out"]),
            _pilot_effect(r, money),
            _pilot_verdict(r),
        ]
        for r in rows
    ]
    return [
        table(
            "pilots",
            title=both("试点实测的优惠效果", "Effects of offers measured in pilots"),
            columns=[
                column("优惠", "offer", TEXT),
                column("改变", "changes", TEXT),
                column("实施", "treated"),
                column("对照", "left alone"),
                column("平均效果（90% 区间）", "mean effect (90% interval)"),
                column("结论", "verdict", LONG),
            ],
            rows=body,
            note=HOW_SURE,
        )
    ]


def _pilot_verdict(row: Row) -> Words:
    said = word(VERDICTS, row["verdict"])
    if row["lots_p"] is None or row["lots_p"] >= LOTS_IN_DOUBT:
        return said
    return both(
        f"{said['zh']}；两组差异过大，抽签存疑", f"{said['en']}; the arms differ too much, the lots are in doubt"
    )


def _pilot_effect(row: Row, money: Money) -> Cell:
    if row["mean_effect"] is None or row["verdict"] == "too_few":
        return EMPTY
    found = {"value": row["mean_effect"], "low": row["low"], "high": row["high"]}
    if row["outcome"] == "taken":
        return interval(found, lambda share: percent(share, 1))
    return _by_measure(found, row["outcome"], money)


def quality(figures: Figures) -> Block:
    found = figures["quality"]
    lead = both(
        "每个文件读入的行数 = 载入 + 更新 + 未变 + 忽略 + 搁置。",
        "Rows read of each file = loaded + updated + unchanged + ignored + set aside.",
    )
    blocks = [*_intake(found["intake"], found["aside"]), *_lacking(found["lacking"]), _known(found["known"])]
    return section("quality", "数据质量", "Data quality", lead=lead, blocks=blocks)


def _intake(rows: list[Row], aside: list[Row]) -> list[Block]:
    if not rows:
        return [note("没有载入记录。", "Nothing is recorded about intake.")]
    names = ("files", "read", "loaded", "updated", "unchanged", "ignored", "set_aside")
    files, put = sum(row["files"] for row in rows), sum(row["set_aside"] or 0 for row in rows)
    heads = (
        column("文件", "files"),
        column("读入", "read"),
        column("载入", "loaded"),
        column("更新", "updated"),
        column("未变", "unchanged"),
        column("忽略", "ignored"),
        column("搁置", "set aside"),
    )
    title = both(f"{count(files)} 个文件，搁置 {count(put)} 行", f"{count(files)} files, {count(put)} rows set aside")
    body: list[list[Cell]] = [[row["source"], *(count(row[name]) for name in names)] for row in rows]
    blocks = [table("intake", title=title, columns=[column("来源", "source", TEXT), *heads], rows=body)]
    if aside:
        lines: list[list[Cell]] = [[row["file"], *(count(row[name]) for name in names[1:])] for row in aside]
        columns = [column("文件", "file", TEXT), *heads[1:]]
        title = both("有搁置行的文件", "Files with rows set aside")
        blocks.append(table("aside", title=title, columns=columns, rows=lines))
    return blocks


def _lacking(rows: list[Row]) -> list[Block]:
    if not rows:
        return [note("没有缺失的表。", "No table is lacking.")]
    return [
        table(
            "lacking",
            title=both("缺少的数据，以及因此不知道什么", "What is lacking, and what is not known because of it"),
            columns=[column("表", "table", TEXT), column("影响", "what it costs", LONG)],
            rows=[[row["table"], both(row["zh"] or EMPTY, row["en"] or EMPTY)] for row in rows],
        )
    ]


def _known(rows: list[Row]) -> Block:
    if not rows:
        return note("没有客户特征可查。", "No features of customers are there to look at.")
    poor = sorted((row for row in rows if row["share"] < 1), key=lambda r: (r["share"], r["feature"]))
    never = sum(1 for row in poor if row["share"] == 0)
    return table(
        "known",
        title=both(
            f"{len(rows)} 项特征中，{never} 项完全未知",
            f"Of {len(rows)} features {never} are not known for anyone",
        ),
        columns=[
            column("特征", "feature", TEXT),
            column("列名", "column", TEXT),
            column("已知客户占比", "share of customers known"),
        ],
        rows=[[row["name"], row["feature"], percent(row["share"])] for row in poor],
        folded=True,
    )


def tenure(figures: Figures, money: Money) -> Block:
    found = figures["tenure"]
    lead = both(
        "老客户优先：达到网龄的客户每年应得的回馈，与其他决定无关。",
        "Old customers first: what long standing earns every year, whatever else is decided.",
    )
    if not found["bands"]:
        empty = note("政策没有写明网龄回馈。", "Policy states no benefit for long standing.")
        return section("tenure", "老客户回馈", "Long standing", lead=lead, blocks=[empty])
    blocks: list[Block] = [_tenure_table(found, money)]
    if found["unknown"]:
        unknown = count(found["unknown"])
        blocks.append(
            caution(
                f"{unknown} 户客户网龄未知，不在其中。", f"{unknown} customers of unknown tenure are not among them."
            )
        )
    return section("tenure", "老客户回馈", "Long standing", lead=lead, blocks=blocks)


def _tenure_table(found: Figures, money: Money) -> Block:
    rows: list[list[Cell]] = [
        [
            row["name"],
            _span(row),
            count(row["customers"]),
            percent(row["customers"] / found["customers"]) if found["customers"] else EMPTY,
            money.exact(row["yearly_fen"]),
            money.exact(row["cost_fen"]),
        ]
        for row in found["bands"]
    ]
    total = money.short(sum(row["cost_fen"] for row in found["bands"]))
    return table(
        "tenure",
        title=both(f"网龄回馈每年共 {total['zh']}", f"Benefits for long standing come to {total['en']} a year"),
        columns=[
            column("回馈", "benefit", TEXT),
            column("网龄（月）", "tenure in months", TEXT),
            column("客户数", "customers"),
            column("占比", "share"),
            column("每户每年", "each, a year"),
            column("每年合计", "total a year"),
        ],
        rows=rows,
    )


def _span(row: Row) -> Words:
    start, end = row["from_months"], row["below_months"]
    if end is None:
        return both(f"{start} 以上", f"{start} and more")
    return both(f"{start}–{end - 1}", f"{start}–{end - 1}")
