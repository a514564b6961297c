"""What is told of one customer's staying, of price and of a circle: round, no surer than known, and of nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from keepline.decisions.influence import as_sold
from keepline.front.answers import answers_of, price_answer, staying

NOBODY: dict[str, Any] = dict.fromkeys(("circle_size", "leader", "gatekeeper"))


def curve(year: float | None) -> dict[int, float | None]:
    return {1: 0.98765, 3: None, 12: year}


@pytest.mark.parametrize(("year", "said"), [
    (0.96, "Nearly all customers like this stay a year"), (0.949, "About 9 in 10 customers like this stay a year"),
    (0.75, "About 8 in 10 customers like this stay a year"), (0.051, "About 1 in 10 customers like this stay a year"),
    (0.049, "Hardly any customer like this stays a year"),
])  # fmt: skip
def test_the_year_is_told_as_so_many_of_ten(year: float, said: str) -> None:
    assert (staying(curve(year)) or {})["en"] == said


def test_a_curve_is_told_in_whole_per_cents_where_it_is_known() -> None:
    told = staying(curve(0.81234)) or {}
    assert told["points"] == [{"months": 1, "share": 0.99}, {"months": 12, "share": 0.81}]
    assert staying(curve(None)) is None


def test_price_is_told_as_far_as_the_whole_interval_says_it() -> None:
    def told(low: float, high: float) -> dict[str, Any]:
        row = {"elasticity": (low + high) / 2, "low": low, "high": high, "basis": "own", "quotes": 6}
        return price_answer(row) or {}

    assert [told(*ends)["strength"] for ends in ((-1.8, -1.1), (-0.4, 0.1), (-1.2, -0.6), (-1.2, 0.1))] == [
        "strong", "weak", "middling", "unsure",
    ]  # fmt: skip
    assert told(-1.8, -1.1)["zh"] == "强；价格高 1%，购买变化 -1.45%（90% 区间 -1.80% 至 -1.10%）"
    assert "6 quotes of their own" in told(-1.2, 0.1)["basis"]["en"]


def test_nothing_is_said_where_nothing_is_known() -> None:
    stays = dict.fromkeys(f"stay_{months}m" for months in (1, 3, 6, 12, 24))
    row = stays | dict.fromkeys(f"price_{name}" for name in ("basis", "elasticity", "low", "high", "quotes")) | NOBODY
    assert answers_of(row) == {"staying": None, "price": None, "circle": None}
    assert row == {}


def test_a_circle_is_told_by_a_band_of_its_size_so_that_two_of_one_are_not_known_by_it() -> None:
    def told(size: int) -> dict[str, Any]:
        return as_sold(NOBODY | {"circle_size": size}) or {}

    assert [told(size)["size_min"] for size in (3, 9, 10, 24, 25, 49, 50, 900)] == [1, 1, 10, 10, 25, 25, 50, 50]
    assert told(3) == told(9)
    assert told(51) == told(900)
    assert told(4)["en"] == "In a circle of fewer than 10 customers"


def test_the_part_in_a_circle_is_told_and_whoever_is_in_none_may_still_connect_circles() -> None:
    leads = as_sold({"circle_size": 30, "leader": True, "gatekeeper": True}) or {}
    assert leads["zh"] == ("常联系的圈子有 25 户以上；是圈内的意见领袖：打给该客户的人最多；是联络人，连接多个圈子")
    assert as_sold(NOBODY | {"gatekeeper": True}) == {
        "zh": "是联络人，连接多个圈子", "en": "A gatekeeper, who connects circles", "size_min": None, "leader": False,
        "gatekeeper": True,
    }  # fmt: skip
