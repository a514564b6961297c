"""Which ways of telling who responds to an offer were tried on its pilot, how well they did, and which have a say."""

from __future__ import annotations

from typing import Any

from keepline.report.numbers import EMPTY, Money, decimal, percent
from keepline.report.pictures.shape import LONG, TEXT, Block, Cell, column, table
from keepline.report.tally import Row
from keepline.report.words import both

NAMES = {
    "plain": both("对每个人同样有效（与风险或接受率成正比）", "works alike on everyone (in step with risk or takers)"),
    "share": both("成效占风险或接受率的比例因人而异", "its share of risk or takers differs by customer"),
    "line": both("成效大小因人而异", "its effect differs by customer"),
    "both": both("比例与大小都因人而异", "both its share and its effect differ"),
}
OUTCOMES = {"leave": both("留住的客户", "customers kept"), "margin": both("月毛利", "margin a month")}
HOW = both(
    "每种方法用其余客户学习，再给没见过的客户排序；“增益”是按排序优先实施、对所有实施比例平均，比抽签多得到的，"
    "± 为一个标准误：离网按每千户多留住的户数，毛利按每户每月。与最好的相差不超过一个标准误的方法都采用，取其平均；"
    "“采用比例”是其中超出“对每个人同样有效”的部分经折减后用了多少。没有可靠差别时为零：只按风险或接受率计。",
    "Each way is taught by some customers and ranks others it has not seen. The gain is what treating the highest "
    "ranked first brings over lots, averaged over all shares treated, ± one standard error: customers kept in a "
    "thousand, or margin a customer and month. Those not more than one standard error below the best are averaged. "
    "“Used” is how much of what they add to “works alike” is kept; zero where customers do not surely differ: then "
    "risk or takers alone count.",
)


def learners(figures: dict[str, Any], money: Money) -> list[Block]:
    """The table of learners; nothing where no pilot could be measured."""
    rows: list[Row] = figures.get("learners") or []
    if not rows:
        return []
    columns = [
        column("优惠", "offer", TEXT),
        column("改变", "changes", TEXT),
        column("假设", "takes for granted that the offer", LONG),
        column("增益", "gain"),
        column("采用", "has a say", TEXT),
        column("采用比例", "used"),
    ]
    title = both("谁会响应：各种学习方法的比较", "Who responds: how the ways to tell compare")
    body = [_row(row, money) for row in rows]
    return [table("learners", title=title, columns=columns, rows=body, note=HOW, folded=len(body) > 12)]


def _row(row: Row, money: Money) -> list[Cell]:
    return [
        row["name"],
        OUTCOMES[row["outcome"]],
        NAMES[row["learner"]],
        _gain(row, money),
        both("是", "yes") if row["chosen"] else both("否", "no"),
        EMPTY if row["kept"] is None else percent(row["kept"]),
    ]


def _gain(row: Row, money: Money) -> str:
    if row["outcome"] == "margin":
        return f"{money.exact(row['qini'], 2)} ± {money.exact(row['error'], 2)}"
    return f"{decimal(1000 * row['qini'])} ± {decimal(1000 * row['error'])}"
