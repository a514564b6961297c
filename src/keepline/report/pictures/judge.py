"""Whether past probabilities and values came true, once their horizon was over."""

from __future__ import annotations

from typing import Any

from keepline.periods import in_chinese
from keepline.report.numbers import Money, count, decimal, percent
from keepline.report.pictures.leave import interval
from keepline.report.pictures.shape import TEXT, Block, Cell, column, note, picture, section, source, table
from keepline.report.tally import Row
from keepline.report.words import both

Figures = dict[str, Any]


def judgement_section(figures: Figures) -> Block:
    rows = figures["judgement"]
    lead = both(
        "以往发布的离网概率，在预测期结束后与实际相比。",
        "Probabilities published in the past, compared with what happened once their horizon was over.",
    )
    judged = [row for row in rows if row["auc"] is not None]
    blocks: list[Block] = []
    if not judged:
        blocks.append(note("还没有预测期已结束的以往发布。", "No past publication has a horizon that is over yet."))
    else:
        if judged[0]["tenths"]:
            blocks.append(_judged_picture(judged[0], figures))
        blocks += [_judged_table(judged), *_value_notes(judged, Money(figures["head"]["currency"]))]
    blocks += [note(row["said"]["zh"], row["said"]["en"]) for row in rows if row["said"] is not None]
    return section("judgement", "以往的概率准不准", "Were past probabilities right", lead=lead, blocks=blocks)


def _value_notes(rows: list[Row], money: Money) -> list[Block]:
    """Past values against the margin that followed, once their horizon is over."""
    notes = []
    for row in rows:
        value = row["value"]
        if value:
            told, came = money.exact(value["predicted_fen"]), money.exact(value["realised_fen"])
            people, share, part = count(value["customers"]), value.get("share", 1), value["realised_share"]
            zh, en = ("", "") if share == 1 else (f"（抽签取 {percent(share)}）", f" ({percent(share)}, drawn by lot)")
            who_zh, who_en = ("对照 ", " left alone") if value.get("judged_on") == "left_alone" else ("", "")
            of_zh, of_en = ("", "") if part is None else (f"，为预期的 {percent(part)}", f", {percent(part)} of it")
            notes.append(
                note(
                    f"{in_chinese(row['month'])}的客户价值：{who_zh}{people} 户{zh}预期合计 {told}，"
                    f"实际 {came}{of_zh}。",
                    f"Customer value of {row['month']}: {told} was expected of {people} customers{who_en}{en}, "
                    f"{came} came{of_en}.",
                )
            )
    return notes


def _judged_picture(row: Row, figures: Figures) -> Block:
    inside = sum(1 for t in row["tenths"] if t["low"] <= t["predicted"] <= t["high"])
    of, month = len(row["tenths"]), row["month"]
    return picture(
        "judged",
        "calibration",
        title=both(
            f"{in_chinese(month)}发布的概率：{of} 组客户中，{inside} 组与后来的实际相符",
            f"Probabilities of {month}: {inside} of {of} groups agree with what followed",
        ),
        unit=both("各十分之一客户的预测概率与实际比例，90% 区间", "predicted and observed by tenths, 90% interval"),
        source=source("scores, departures", figures),
        data={"points": row["tenths"]},
        columns=[
            column("预测", "predicted"),
            column("实际", "observed"),
            column("区间下限", "interval from"),
            column("区间上限", "to"),
            column("客户数", "customers"),
        ],
        rows=[
            [*(percent(t[k]) for k in ("predicted", "observed", "low", "high")), count(t["customers"])]
            for t in row["tenths"]
        ],
    )


def _judged_table(rows: list[Row]) -> Block:
    body: list[list[Cell]] = [
        [
            row["month"],
            count(row["customers"]),
            count(row["events"]),
            interval(row["auc"], lambda v: decimal(v, 3)),
            interval(row["slope"], decimal),
            interval(row["brier"], lambda v: decimal(v, 4)),
            decimal(row["lift"], 1),
        ]
        for row in rows
    ]
    return table(
        "judged",
        title=both("按发布账期（方括号内为 90% 区间）", "By month of publication (90% intervals in brackets)"),
        columns=[
            column("发布账期", "published for", TEXT),
            column("客户数", "customers"),
            column("实际离网", "left"),
            column("AUC", "AUC"),
            column("校准斜率", "calibration slope"),
            column("Brier", "Brier score"),
            column("前十分之一提升", "lift of the top tenth"),
        ],
        rows=body,
    )
