"""Where each pilot stands under the rule it was started with, and what the rule says."""

from __future__ import annotations

from typing import Any

from keepline.report.numbers import EMPTY, Money, count, percent
from keepline.report.pictures.leave import interval
from keepline.report.pictures.shape import LONG, TEXT, Block, Cell, column, table
from keepline.report.tally import Row
from keepline.report.words import Words, both

VERDICTS = {
    "roll_out": both("推广：区间整体高于约定水平", "roll out: the interval lies above what is worth having"),
    "stop": both("停止：未达到约定水平", "stop: what is worth having was not reached"),
    "keep_looking": both("继续观察：尚不能决定", "keep looking: it cannot be decided yet"),
    "too_few": both("人数太少，不下结论", "too few, nothing is concluded"),
    "lots_in_doubt": both(
        "两组人数或构成异常，抽签存疑，不下结论", "the arms are too uneven for lots; nothing is concluded"
    ),
}
HOW = both(
    "规则在试点开始前写入政策；区间对全部查看次数合在一起成立，提前查看不会增加误判。净毛利已扣除优惠成本，流失客户按其留存月份计。",
    "The rule was written into policy before the pilot started. The intervals hold at all looks together, so that "
    "looking early makes no more mistakes. Margin is net of the offer's cost; whoever left counts with the months "
    "they stayed.",
)


def looks(figures: dict[str, Any], money: Money) -> list[Block]:
    """The table of looks; nothing where no pilot has a rule."""
    rows: list[Row] = figures.get("looks") or []
    if not rows:
        return []
    columns = [
        column("优惠", "offer", TEXT),
        column("查看", "look", TEXT),
        column("抽签账期", "lots of", TEXT),
        column("实施", "treated"),
        column("对照", "left alone"),
        column("已有证据", "evidence so far"),
        column("每户月净毛利差", "net margin a customer and month"),
        column("约定水平", "worth having from"),
        column("判定", "by the rule", LONG),
    ]
    title = both("试点判定", "Pilots under their rule")
    return [table("looks", title=title, columns=columns, rows=[_row(row, money) for row in rows], note=HOW)]


def _row(row: Row, money: Money) -> list[Cell]:
    return [
        row["name"],
        _which(row),
        row["month"],
        count(row["treated"]),
        count(row["held_out"]),
        percent(row["share"]),
        _difference(row, money),
        money.exact(row["worth_month_fen"], 2),
        VERDICTS[row["verdict"]],
    ]


def _which(row: Row) -> Words:
    return both(f"第 {row['look']} 次，共 {row['looks']} 次", f"{row['look']} of {row['looks']}")


def _difference(row: Row, money: Money) -> Cell:
    if row["difference"] is None:
        return EMPTY
    found = {"value": row["difference"], "low": row["low"], "high": row["high"]}
    return interval(found, lambda fen: money.exact(fen, 2))
