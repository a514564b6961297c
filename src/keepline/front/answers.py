"""What the models say of one customer, as who sells may read it: how long such customers stay, price, and circle.

Round figures of customers alike, and of a circle the customer's own part in it: nothing that tells of another customer.
"""

from __future__ import annotations

from typing import Any

from keepline.decisions import influence
from keepline.decisions.pricing import basis_of, strength_code, strength_of
from keepline.report.numbers import decimal
from keepline.report.words import Words, both

Row = dict[str, Any]
STAYING = {1: "stay_1m", 3: "stay_3m", 6: "stay_6m", 12: "stay_12m", 24: "stay_24m"}
YEAR, OF = 12, 10
PRICE = ("basis", "elasticity", "low", "high", "quotes")
CIRCLE = ("circle_size", "leader", "gatekeeper")


def answers_of(row: Row) -> Row:
    """The three answers, each None where nothing is known; takes what they are made of out of the row."""
    stays = {months: row.pop(name) for months, name in STAYING.items()}
    price = {name: row.pop(f"price_{name}") for name in PRICE}
    circle = {name: row.pop(name) for name in CIRCLE}
    return {"staying": staying(stays), "price": price_answer(price), "circle": influence.as_sold(circle)}


def staying(stays: dict[int, float | None]) -> Row | None:
    """The curve in whole per cents, and the year of it in words."""
    known = [{"months": months, "share": round(share, 2)} for months, share in stays.items() if share is not None]
    year = stays[YEAR]
    return None if year is None else {**_of_ten(year), "points": known}


def _of_ten(share: float) -> Words:
    tenths = int(share * OF + 0.5)
    if tenths == OF:
        return both("这样的客户几乎都会再留一年", "Nearly all customers like this stay a year")
    if tenths == 0:
        return both("这样的客户几乎没有再留一年的", "Hardly any customer like this stays a year")
    return both(
        f"这样的客户 10 户中约有 {tenths} 户会再留一年", f"About {tenths} in 10 customers like this stay a year"
    )


def price_answer(price: Row) -> Row | None:
    """How purchases answer to price, how sure that is, and what it rests on; nothing where it is not known."""
    if price["elasticity"] is None:
        return None
    value, low, high = (decimal(price[name]) for name in ("elasticity", "low", "high"))
    how, rests = strength_of(price), basis_of(price)
    told = both(
        f"{how.zh}；价格高 1%，购买变化 {value}%（90% 区间 {low}% 至 {high}%）",
        f"{how.en.capitalize()}; a price 1% higher changes what is bought by {value}% (90% interval {low}% to {high}%)",
    )
    figures = {name: price[name] for name in ("elasticity", "low", "high")}
    return told | figures | {"strength": strength_code(price), "basis": both(rests.zh, rests.en)}
