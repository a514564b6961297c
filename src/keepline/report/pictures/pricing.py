"""How customers answer to price, and how little of it is known."""

from __future__ import annotations

from typing import Any

from keepline.report.numbers import count, decimal, percent
from keepline.report.pictures.shape import TEXT, Block, Cell, column, note, section, source, table
from keepline.report.words import Words, both

WORDS = {
    "strong": both("强：价格高 1%，销量减少超过 1%", "strong: a price 1% higher loses more than 1% of sales"),
    "middling": both("中等或强：销量减少超过 0.5%", "middling or strong: it loses more than 0.5% of sales"),
    "weak": both("弱：价格高 1%，销量减少不到 0.5%", "weak: a price 1% higher loses less than 0.5% of sales"),
    "unsure": both("说不准：区间太宽", "not sure: the interval is too wide"),
    "unknown": both("不知道：未见购买", "not known: no purchases were seen"),
}
REACH_90 = 1.6449  # standard errors to either side of a 90 % interval
TITLE = ("价格敏感度", "How customers answer to price")
LEAD = both(
    "只在整个 90% 区间都支持时才下判断；只用按抽签给出的价格，或按当时的目标评分调整过的价格。",
    "Said only as far as the whole 90% interval says it, and learnt only from prices drawn by lot, or compared within "
    "the score they were aimed by.",
)


def pricing(figures: dict[str, Any]) -> Block:
    """One row a strength; why there is none where there is none."""
    said = figures.get("price")
    if said is None:
        why = note(
            "没有报价记录（price_quotes），不知道价格敏感度。",
            "No prices quoted are on record (price_quotes), so it is not known.",
        )
        return section("price", *TITLE, lead=LEAD, blocks=[why])
    cells: list[list[Cell]] = [
        [WORDS[row["strength"]], row.get("said") or count(row["customers"]), percent(row.get("share"))]
        for row in said["rows"]
    ]
    quotes = said["quotes"]
    mean = _mean(quotes)
    lot, aimed, out = (_quotes(quotes[name]) for name in ("by_lot", "aimed", "left_out"))
    about = both(
        f"{mean['zh']}依据抽签报价 {lot} 次、按评分调整的报价 {aimed} 次；另有 {out} 次两者都不是，未采用。",
        f"{mean['en']}From {lot} quotes by lot and {aimed} aimed by a score; {out} without either were not used.",
    )
    columns = [column("敏感度", "answer to price", TEXT), column("客户数", "customers"), column("占比", "share")]
    shown = table(
        "price", title=both("按价格敏感度分的客户", "Customers by their answer to price"), columns=columns, rows=cells,
        source=source("price_sensitivity", figures), note=about,
    )  # fmt: skip
    return section("price", *TITLE, lead=LEAD, blocks=[shown])


def _mean(quotes: dict[str, Any]) -> Words:
    """The mean of all segments with its interval; nothing where no segment tells one."""
    mean, error = quotes.get("mean"), quotes.get("mean_error")
    if mean is None:
        return both("平均弹性不知道。", "The mean answer is not known. ")
    said = both(
        f"平均：价格高 1%，购买变化 {decimal(mean)}%",
        f"On average a price 1% higher changes what is bought by {decimal(mean)}%",
    )
    if error is None:
        return both(said["zh"] + "。", said["en"] + ". ")
    low, high = decimal(mean - REACH_90 * error), decimal(mean + REACH_90 * error)
    return both(f"{said['zh']}（90% 区间 {low}% 至 {high}%）。", f"{said['en']} (90% interval {low}% to {high}%). ")


def _quotes(number: int | str) -> str:
    """A count too small to be told comes in words."""
    return number if isinstance(number, str) else count(number)
