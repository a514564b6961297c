"""The columns of the list of customers: what each is called, how it stands, and what it orders the list by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keepline_web.customers.listing import TURNED, Listing
from keepline_web.frame.words import Text


@dataclass(frozen=True)
class Column:
    """One column; ``order`` is the list's order that its head asks for."""

    code: str
    words: Text
    order: str = ""
    right: bool = False
    at_first: bool = True


COLUMNS = (
    Column("class", Text("分类", "Class")),
    Column("risk", Text("风险", "Risk"), order="risk"),
    Column("loyalty", Text("忠诚", "Loyalty"), order="loyalty"),
    Column("value", Text("价值", "Value"), order="value", right=True),
    Column("revenue", Text("近三月收入", "Revenue, 3 months"), order="revenue", right=True),
    Column("change", Text("收入变化", "Change"), order="change", right=True, at_first=False),
    Column("arrears", Text("欠费", "Arrears"), order="arrears", right=True),
    Column("lines", Text("号码数", "Lines"), order="lines", right=True, at_first=False),
    Column("contract", Text("合约剩余", "Contract left"), order="contract", right=True, at_first=False),
    Column("contact", Text("未联系", "Not contacted"), order="contact", right=True, at_first=False),
    Column("plan", Text("本月安排", "This month")),
    Column("district", Text("区县", "District"), order="district", at_first=False),
    Column("joined", Text("入网", "Joined"), order="joined", at_first=False),
    Column("owner", Text("负责人", "Owner")),
)
CODES = {column.code: column for column in COLUMNS}
AT_FIRST = tuple(column.code for column in COLUMNS if column.at_first)


def heads(codes: tuple[str, ...], asked: Listing) -> list[dict[str, Any]]:
    """The columns shown, each with the order its head asks for next and the one that holds now."""
    shown = []
    for column in (CODES[code] for code in codes):
        here = bool(column.order) and asked.by == column.order
        turned = asked.order.startswith(TURNED)
        down = (column.order in ("value", "revenue", "arrears", "contact", "lines")) ^ turned
        shown.append({
            "code": column.code, "words": column.words, "right": column.right,
            "next": asked.turned(column.order) if column.order else "",
            "sorted": ("descending" if down else "ascending") if here else "",
        })  # fmt: skip
    return shown
