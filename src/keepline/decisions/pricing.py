"""How explain tells what a customer's purchases say of price, and how little that may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keepline.decisions.words import Words
from keepline.vocabulary import PRICE_STRONG, PRICE_WEAK

Row = Mapping[str, Any]
STRENGTHS = {
    "strong": Words("强", "strong"),
    "middling": Words("中等或强", "middling or strong"),
    "weak": Words("弱", "weak"),
    "unsure": Words("说不准", "not sure"),
}


def told(price: Row, quotes: Row, face: str) -> list[Words]:
    """A line or two; nothing at all in a publication that knows nothing of prices."""
    if not quotes:
        return []
    if price.get("elasticity") is None:
        return [
            Words(
                "价格敏感度：不知道（未见这类客户对不同价格的购买）",
                "price sensitivity: not known (no purchases at different prices were seen of customers alike)",
            )
        ]
    value, low, high = (f"{price[name]:.2f}" for name in ("elasticity", "low", "high"))
    how = strength_of(price)
    zh = f"价格敏感度：{how.zh}；价格高 1%，购买变化 {value}%（90% 区间 {low} 至 {high}）"
    en = f"price sensitivity: {how.en}; a price 1% higher changes what is bought by {value}%"
    en = f"{en} (90% interval {low} to {high})"
    if face == "seller":
        return [how_only(how)]
    basis, source = basis_of(price), _source(quotes)
    return [Words(f"{zh}；{basis.zh}；{source.zh}", f"{en}; {basis.en}; {source.en}")]


def how_only(how: Words) -> Words:
    return Words(f"价格敏感度：{how.zh}", f"price sensitivity: {how.en}")


def strength_code(price: Row) -> str:
    """Said only as far as the whole interval says it."""
    if price["high"] < PRICE_STRONG:
        return "strong"
    if price["low"] > PRICE_WEAK:
        return "weak"
    return "middling" if price["high"] < PRICE_WEAK else "unsure"


def strength_of(price: Row) -> Words:
    return STRENGTHS[strength_code(price)]


def basis_of(price: Row) -> Words:
    if price["basis"] == "own":
        n = price["quotes"]
        return Words(f"依据本人 {n} 次报价与同类客户", f"from {n} quotes of their own and from customers alike")
    return Words("依据同类客户，本人未见或不足", "from customers alike; too little was seen of their own")


def _source(quotes: Row) -> Words:
    """By lot, or aimed and adjusted; and what could not be used."""
    lot, aimed, out = (quotes[name] for name in ("by_lot", "aimed", "left_out"))
    return Words(
        f"学自全部客户的报价：{lot:,} 次随机，{aimed:,} 次按评分定价（已按评分校正），{out:,} 次无依据未用",
        f"learnt from everybody's quotes: {lot:,} by lot, {aimed:,} aimed by a score (compared within it), "
        f"{out:,} without either not used",
    )


def as_dict(price: Row, quotes: Row, face: str) -> dict[str, Any]:
    """The same for machines."""
    if not quotes:
        return {}
    if face == "seller":
        known = price.get("elasticity") is not None
        return {"known": known, "said": vars(strength_of(price)) if known else None}
    names = ("segment", "basis", "elasticity", "low", "high", "quotes")
    return {name: price.get(name) for name in names} | {"learnt_from": dict(quotes)}
