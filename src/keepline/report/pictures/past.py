"""What past plans expected beside what they earned, a row a month."""

from __future__ import annotations

from typing import Any

from keepline.report.numbers import EMPTY, Money, count
from keepline.report.pictures.leave import interval
from keepline.report.pictures.shape import LONG, TEXT, Block, Cell, column, months, source, table
from keepline.report.tally import Row
from keepline.report.words import both

MOST = 12  # months told
NOTE = both(
    "“全程预期”计整个价值期限；“至今应得”把其中的毛利按账期均分到已测量的月份，只计可以比较的客户，再减去他们的实际成本。"
    "留住客户的收益来得更晚，刚开始测得的偏低属正常。实得一栏为 90% 区间，成本按记录计。"
    "各账期不相加：各月都与同一批客户相比，误差互相关联。",
    "Expected in all counts the whole value horizon. Expected by now spreads its margin evenly over the months and "
    "takes those measured, of the customers who can be compared, less what they cost; customers kept pay later, so "
    "early figures tend to fall short. What was earned has its 90% interval, its cost being on record. Months are "
    "not added up: each is held against the same customers, so their errors hang together.",
)


def past_table(figures: dict[str, Any], money: Money) -> Block | None:
    """None while there is no past plan."""
    rows = (figures.get("past") or [])[:MOST]
    if not rows:
        return None
    return table(
        "past",
        title=both("以往各账期：预期与实测", "Past months: expected beside earned"),
        columns=[
            column("方案账期", "plan", TEXT),
            column("方案客户", "in the plan"),
            column("全程预期净增毛利", "expected in all"),
            column("已测月数", "months measured"),
            column("可比较的客户", "customers compared"),
            column("至今应得", "expected by now"),
            column("至今实得（90% 区间）", "earned so far (90% interval)"),
            column("结果", "how they stand", LONG),
        ],
        rows=[_row(row, money) for row in rows],
        source=source("effects, decisions", figures),
        note=NOTE,
    )


def _row(row: Row, money: Money) -> list[Cell]:
    if row.get("hidden"):
        return [row["plan_month"], row["hidden"], *[EMPTY] * 5, EMPTY]
    return [
        row["plan_month"],
        count(row["customers"]),
        money_interval(row, "gain", money),
        EMPTY if row["months"] is None else months(row["months"]),
        count(row["compared"]),
        money.exact(row["by_now_fen"]),
        money_interval(row, "earned", money),
        row["said"],
    ]


def money_interval(row: Row, name: str, money: Money) -> str:
    """An amount with its interval where it has one: ¥1,200 [¥900, ¥1,500]."""
    found = {"value": row[f"{name}_fen"], "low": row.get(f"{name}_low_fen"), "high": row.get(f"{name}_high_fen")}
    return interval(found, money.exact)
