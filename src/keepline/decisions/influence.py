"""How explain tells a customer's part in the calling graph: which circle, how much turned to, who left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keepline.decisions.words import Words

Row = Mapping[str, Any]
BANDS = (50, 25, 10)  # a circle's size is told by the band it is in, so that two of one circle are not told by it
LEADER = Words("是圈内的意见领袖：打给该客户的人最多", "its opinion leader: the one most of all called")
NAMES = (
    "circle", "circle_size", "ties", "influence", "influence_rank", "rank_in_circle", "circle_callers",
    "circles_reached", "spread", "leader", "gatekeeper", "circle_left_3m", "leader_left_3m", "brought_12m",
)  # fmt: skip


def told(circle: Row) -> list[Words]:
    """One line; nothing in a publication without a calling graph."""
    if not circle:
        return []
    said = [_where(circle), *_weight(circle), *_parts(circle), *_losses(circle)]
    return [Words("交往圈：" + "；".join(s.zh for s in said), "circle: " + "; ".join(s.en for s in said))]


def sold(circle: Row) -> list[Words]:
    """For people who sell: one line, or nothing where there is nothing to tell them."""
    said = as_sold(circle)
    return [] if said is None else [Words(f"交往圈：{said['zh']}", f"circle: {said['en']}")]


def as_sold(circle: Row) -> dict[str, Any] | None:
    """The size of the circle in a band, and the part in it; neither its number nor anything of its other members."""
    size, leader, gatekeeper = circle.get("circle_size"), bool(circle.get("leader")), bool(circle.get("gatekeeper"))
    if size is None and not gatekeeper:
        return None
    parts = [
        *([] if size is None else [_size(size)]),
        *([LEADER] if leader else []),
        *([Words("是联络人，连接多个圈子", "a gatekeeper, who connects circles")] if gatekeeper else []),
    ]
    en = "; ".join(part.en for part in parts)
    told = {"zh": "；".join(part.zh for part in parts), "en": en[0].upper() + en[1:]}
    return told | {"size_min": _band(size), "leader": leader, "gatekeeper": gatekeeper}


def _band(size: int | None) -> int | None:
    """The least size of the band; 1 for those below ten."""
    return None if size is None else next((least for least in BANDS if size >= least), 1)


def _size(size: int) -> Words:
    least = _band(size)
    if least == 1:
        return Words(f"常联系的圈子不足 {BANDS[-1]} 户", f"in a circle of fewer than {BANDS[-1]} customers")
    return Words(f"常联系的圈子有 {least} 户以上", f"in a circle of {least} customers or more")


def as_dict(circle: Row) -> dict[str, Any]:
    """The same for machines."""
    return {name: circle.get(name) for name in NAMES} if circle else {}


def _where(circle: Row) -> Words:
    if circle["influence"] is None:
        return Words("近三月与其他客户没有通话", "no calls with other customers in three months")
    if circle["circle"] is None:
        return Words(
            f"与 {circle['ties']:,} 户通话，不成圈子", f"talks with {circle['ties']:,} customers, in no circle"
        )
    number, size, callers = circle["circle"], circle["circle_size"], circle["circle_callers"]
    return Words(
        f"第 {number} 圈，共 {size:,} 户，其中 {callers:,} 户打给该客户",
        f"number {number}, of {size:,} customers, {callers:,} of whom call them",
    )


def _weight(circle: Row) -> list[Words]:
    if circle["influence"] is None:
        return []
    times, place = f"{circle['influence']:.1f}", circle["rank_in_circle"]
    zh, en = f"影响力为平均的 {times} 倍", f"influence {times} times the mean"
    return [Words(zh, en) if place is None else Words(f"{zh}，圈内第 {place}", f"{en}, place {place} in the circle")]


def _parts(circle: Row) -> list[Words]:
    """The parts they have, most often none."""
    said = [Words("意见领袖", "opinion leader")] if circle["leader"] else []
    if circle["gatekeeper"]:
        reached = circle["circles_reached"]
        said.append(Words(f"联络人，连接 {reached} 个其他圈子", f"gatekeeper to {reached} other circles"))
    if circle["brought_12m"]:
        count = circle["brought_12m"]
        said.append(
            Words(f"近一年推荐了 {count} 位新客户", f"brought {count} new customer{'s' * (count > 1)} in a year")
        )
    return said


def _losses(circle: Row) -> list[Words]:
    left = circle["circle_left_3m"]
    if not left:
        return []
    zh, en = f"圈内近三月 {left} 户离网", f"{left} of the circle left within three months"
    if not circle["leader_left_3m"]:
        return [Words(zh, en)]
    return [Words(f"{zh}，其中有意见领袖", f"{en}, an opinion leader among them")]
