"""Circles of the calling graph: how many there are, and which opinion leaders are worth keeping; counts, no names."""

from __future__ import annotations

from typing import Any

from keepline.report.numbers import Money, count
from keepline.report.pictures.shape import TEXT, Block, Cell, caution, column, note, section, source, table
from keepline.report.tally import Row
from keepline.report.words import Words, both

PARTS = {
    "leader": both("意见领袖", "opinion leaders"),
    "gatekeeper": both("联络人（连接多个圈子）", "gatekeepers (connect circles)"),
    "member": both("圈内其他客户", "others in circles"),
    "outside": both("不在圈内", "in no circle"),
}
TITLE = ("交往圈与意见领袖", "Circles and opinion leaders")
LEAD = both(
    "按近三个月的通话，把常联系的客户归为一圈；意见领袖是圈内最多人打给的人，人数至少为圈内平均的两倍。",
    "By the calls of three months, customers who talk with one another are one circle. An opinion leader is the one "
    "called by most of the circle, by at least twice as many as its mean member.",
)
HOW = both(
    "客户名单见数据表 circles。留住意见领袖能否留住其圈子，须由试点证明，这里没有测量。",
    "Who they are stands in the table circles. Whether keeping a leader keeps the circle is for a pilot to show: it "
    "was not measured here.",
)


def circles(figures: dict[str, Any], money: Money) -> Block:
    """One row a part; why there is none where there is none."""
    said = figures.get("circles")
    if said is None:
        why = note("运营商没有提供客户之间的通话，不知道圈子。", "The operator brings no calls between customers.")
        return section("circles", *TITLE, lead=LEAD, blocks=[why])
    if said["abstains"]:
        return section("circles", *TITLE, lead=LEAD, blocks=[caution(said["abstains"]["zh"], said["abstains"]["en"])])
    columns = [
        column("角色", "part", TEXT),
        column("客户数", "customers"),
        column("客户价值合计", "their value"),
        column("离网风险高或中", "at high or medium risk"),
        column("其价值", "value of those"),
        column("其圈内其他客户", "others in the circles of those"),
        column("近一年推荐的新客户", "new customers brought in a year"),
    ]
    shown = table(
        "circles", title=_title(said), columns=columns, rows=[_row(row, money) for row in said["parts"]],
        source=source("circles, scores", figures), note=HOW,
    )  # fmt: skip
    return section("circles", *TITLE, lead=LEAD, blocks=[_sizes(said), shown])


def _title(said: Row) -> Words:
    leaders = next(row for row in said["parts"] if row["part"] == "leader")
    total, risky, around = (count(leaders[name]) for name in ("customers", "at_risk", "risk_around"))
    return both(
        f"{total} 位意见领袖中 {risky} 位离网风险高或中，他们的圈内还有 {around} 户",
        f"Of {total} opinion leaders {risky} are at high or medium risk; {around} others are in their circles",
    )


def _sizes(said: Row) -> Block:
    number, inside, left = (count(said[name]) for name in ("circles", "in_circles", "leader_left"))
    share = f"{said['in_circles'] / said['base']:.0%}"
    return note(
        f"共 {number} 个圈子，含 {inside} 户（在网客户的 {share}）；{left} 户所在圈子的意见领袖近三月已离网。",
        f"{number} circles hold {inside} customers ({share} of the base); {left} customers have lost the "
        "leader of their circle within three months.",
    )


def _row(row: Row, money: Money) -> list[Cell]:
    return [
        PARTS[row["part"]],
        count(row["customers"]),
        money.short(row["value_fen"]),
        count(row["at_risk"]),
        money.short(row["risk_value_fen"]),
        count(row["risk_around"]) if row["part"] in ("leader", "gatekeeper") else "–",
        count(row["brought"]),
    ]
