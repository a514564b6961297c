"""Small groups who use the service unlike others of their kind: whether each deserves an offer of its own."""

from __future__ import annotations

from typing import Any

from keepline.report.numbers import EMPTY, Money, count, decimal
from keepline.report.pictures.shape import LONG, Block, Cell, column, note, section, source, table
from keepline.report.tally import Row
from keepline.report.words import CHANNELS, CLASSES, Words, both, word
from keepline.tables import FEATURES

OWN = "own:"
CODED = {"listed_class": CLASSES, "preferred_channel": CHANNELS}
BANDED = {"age_years": ("岁", "years"), "tenure_months": ("个月", "months")}
LEAD = both(
    "在同类客户（个人或单位、套餐价位相近）之外，用法明显不同的小群体；可以为它们单设优惠，并先做试点。",
    "Small groups who use the service unlike others of their kind (persons or organisations, plans of a like price). "
    "Each may deserve an offer of its own, tried in a pilot first.",
)
HOW = both(
    "先在一半客户中寻找，再用另一半核实；表中的差异只取自核实的一半，区间为 90%。差异以标准差计。",
    "Looked for in one half of the customers and proved in the other; what is told is of the latter, with 90% "
    "intervals, in standard deviations.",
)


def niches(figures: dict[str, Any], money: Money) -> Block:
    """One row a group; why there is none where there is none."""
    said = figures.get("niches")
    title = ("细分客户群", "Niches in the base")
    if said is None or said["too_few"] or not said["found"]:
        return section("niches", *title, lead=LEAD, blocks=[note(*_none(said))])
    columns = [
        column("共同特征", "what they share", LONG),
        column("客户数", "customers"),
        column("本月毛利", "margin this month"),
        column("用法有何不同", "how their use differs", LONG),
    ]
    groups = sorted({row["niche"] for row in said["found"]})
    rows = [_row([row for row in said["found"] if row["niche"] == group], money) for group in groups]
    shown = table(
        "niches", title=both(f"找到 {len(groups)} 个细分客户群", f"{len(groups)} niches found"),
        columns=columns, rows=rows, source=source("features, attributes", figures), note=HOW,
    )  # fmt: skip
    return section("niches", *title, lead=LEAD, blocks=[shown])


def _none(said: Row | None) -> tuple[str, str]:
    if said is None:
        return "这个账期没有寻找细分客户群。", "Niches were not looked for in this month."
    if said["too_few"]:
        return (
            f"在网满三个月的客户只有 {said['customers']:,} 位，太少，不寻找细分客户群。",
            f"Only {said['customers']:,} customers have been here for three months, too few to look for niches.",
        )
    return (
        f"查看了 {said['groups']:,} 个群体，没有用法可靠地不同的。",
        f"{said['groups']:,} groups were looked at; none surely uses the service in another way.",
    )


def _row(apart: list[Row], money: Money) -> list[Cell]:
    first = apart[0]
    return [_shared(first), count(first["customers"]), money.short(first["margin_fen"]), _differences(apart)]


def _shared(row: Row) -> Words:
    traits = [(row["trait_1"], row["value_1"]), (row["trait_2"], row["value_2"])]
    named = [(_trait(name), _value(name, value)) for name, value in traits if name]
    return both(
        "，".join(f"{name['zh']}：{value['zh']}" for name, value in named),
        ", ".join(f"{name['en']}: {value['en']}" for name, value in named),
    )


def _trait(name: str) -> Words:
    """The operator's own facts keep the operator's name, and are said to be the operator's."""
    if name.startswith(OWN):
        own = name.removeprefix(OWN)
        return both(f"自有信息“{own}”", f"own fact “{own}”")
    return _feature(name)


def _value(name: str, value: str) -> Words:
    """A band with its unit, a code in words; the operator's own codes stand for themselves."""
    if name in CODED:
        return word(CODED[name], value)
    if name not in BANDED:
        return both(value, value)
    zh, en = BANDED[name]
    if value.endswith("+"):
        return both(f"{value[:-1]} {zh}及以上", f"{value[:-1]} {en} or more")
    first, last = value.split("-")
    return both(f"{first} 至 {last} {zh}", f"{first} to {last} {en}")


def _feature(name: str) -> Words:
    column = FEATURES.column(name)
    return both(column.zh, column.en)


def _differences(apart: list[Row]) -> Words:
    told = [(_feature(row["behaviour"]), row) for row in apart]
    return both(
        "；".join(f"{name['zh']} {_how(row)}（{_range(row, '至')}）" for name, row in told),
        "; ".join(f"{name['en']} {_how(row)} ({_range(row, 'to')})" for name, row in told),
    )


def _how(row: Row) -> str:
    return EMPTY if row["times"] is None else f"{decimal(row['times'], 1)} ×"


def _range(row: Row, to: str) -> str:
    return f"{row['difference']:+.1f}; {row['low']:+.1f} {to} {row['high']:+.1f}"
