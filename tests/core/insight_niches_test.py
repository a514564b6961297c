"""Niches: planted ones are found with their size, chance makes none, and pairs are told only where they say more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from core.small_lake import lake_of
from core.small_publication import write_parts
from keepline.engine import Engine
from keepline.insight.niches.searching import Trait, search
from keepline.insight.niches.stage import BEHAVIOURS, find_niches
from keepline.periods import Month
from keepline.report.numbers import Money
from keepline.report.pictures.niches import niches

MONTH = Month.parse("2026-10")
CUSTOMERS = 8000


def trait(name: str, random: np.random.Generator, values: int, customers: int) -> Trait:
    return Trait(name, tuple(f"{name}{i}" for i in range(values)), random.integers(0, values, customers))


def of_chance(seed: int, customers: int = 6000) -> tuple[np.ndarray, list[Trait], np.ndarray]:
    random = np.random.default_rng(seed)
    behaviours = random.normal(0, 1, (customers, 8))
    traits = [trait(name, random, values, customers) for name, values in (("a", 40), ("b", 12), ("c", 30), ("d", 5))]
    return behaviours, traits, random.random(customers) < 0.5


def test_chance_alone_makes_no_niche_in_nineteen_of_twenty_bases() -> None:
    wrong = sum(bool(search(*of_chance(seed)).groups) for seed in range(60))
    assert wrong <= 6


def test_a_planted_group_is_found_with_the_difference_it_has() -> None:
    inside = []
    for seed in range(20):
        behaviours, traits, halves = of_chance(seed)
        ours = traits[0].codes == 7
        behaviours[ours, 2] += 0.9
        (found,) = search(behaviours, traits, halves).groups
        assert found.traits == (("a", "a7"),)
        (apart,) = found.apart
        assert apart.behaviour == 2
        inside.append(apart.low <= 0.9 <= apart.high)
    assert np.mean(inside) >= 0.75  # of 90 % intervals


def test_two_values_are_told_together_only_where_together_they_say_more() -> None:
    behaviours, traits, halves = of_chance(1, customers=20_000)
    both = (traits[1].codes == 3) & (traits[3].codes == 2)
    behaviours[both, 0] += 1.5
    (found,) = search(behaviours, traits, halves).groups
    assert found.traits == (("b", "b3"), ("d", "d2"))
    behaviours[traits[1].codes == 3, 0] += 3.0  # a value of so many is no niche, and explains the pair
    assert all(("b", "b3") in one.traits for one in search(behaviours, traits, halves).groups)


def test_a_large_group_is_no_niche() -> None:
    behaviours, traits, halves = of_chance(2)
    behaviours[traits[3].codes == 1, 4] += 2.0  # a fifth of the base
    assert all(one.traits != (("d", "d1"),) for one in search(behaviours, traits, halves).groups)


def base() -> dict[str, list[Any]]:
    """Persons of four plans whose use goes with the plan; those near a hospital are called more and use less data."""
    random = np.random.default_rng(5)
    ids = [10**9 + i for i in range(CUSTOMERS)]
    price = random.choice([1900, 3900, 5900, 9900], CUSTOMERS)
    ward = np.arange(CUSTOMERS) % 40 == 0
    called = price * 10 * np.exp(random.normal(0, 0.4, CUSTOMERS)) * np.where(ward, 2.5, 1)
    data = price * 1000 * np.exp(random.normal(0, 0.4, CUSTOMERS)) * np.where(ward, 0.5, 1)
    return {
        "customer_id": ids, "month": [str(MONTH)] * CUSTOMERS, "kind": ["person"] * CUSTOMERS,
        "tenure_months": random.integers(3, 90, CUSTOMERS).tolist(), "plan_price_fen": price.tolist(),
        "lines": [1] * CUSTOMERS, "voice_in_3m_s": called.astype(int).tolist(), "data_3m_kb": data.astype(int).tolist(),
        "district": [f"D{i}" for i in random.integers(0, 9, CUSTOMERS)], "margin_fen": [1000] * CUSTOMERS,
    }  # fmt: skip


def test_the_planted_ward_is_found_on_both_engines_with_its_size_margin_and_how_often_it_is_called(
    engine: Engine, tmp_path: Path
) -> None:
    rows = base()
    write_parts(tmp_path / "features", "features", rows)
    facts = [{"customer_id": who, "month": str(MONTH), "name": "frequent_place", "number": None,
              "code": "hospital" if i % 40 == 0 else ("campus" if i % 9 == 0 else "elsewhere")}
             for i, who in enumerate(rows["customer_id"])]  # fmt: skip
    lake = lake_of(tmp_path / "lake", attributes=facts)
    to = tmp_path / "niches.parquet"
    parts = sorted((tmp_path / "features").glob("*.parquet"))
    said = find_niches(engine, lake, snapshot=MONTH, features=parts, to=to)
    found = pq.read_table(to).to_pylist()
    assert {(row["trait_1"], row["value_1"], row["trait_2"]) for row in found} == {
        ("own:frequent_place", "hospital", None)
    }
    told = {row["behaviour"]: row for row in found}
    assert set(told) == {"voice_in_3m_s", "data_3m_kb"}
    assert (found[0]["customers"], found[0]["margin_fen"]) == (200, 200_000)
    assert told["voice_in_3m_s"]["times"] == pytest.approx(2.5, rel=0.12)
    assert told["data_3m_kb"]["times"] == pytest.approx(0.5, rel=0.12)
    assert said["found"] == found
    assert set(told) <= set(BEHAVIOURS)


def test_the_report_says_who_they_are_and_what_they_do_or_why_there_are_none() -> None:
    row = {"niche": 1, "trait_1": "own:frequent_place", "value_1": "hospital", "trait_2": "tenure_months",
           "value_2": "0-5", "customers": 205, "margin_fen": 1_344_998, "behaviour": "voice_in_3m_s",
           "difference": 1.3, "low": 1.1, "high": 1.5, "times": 2.7}  # fmt: skip
    said = {"customers": 9000, "groups": 397, "too_few": False, "found": [row]}
    head = {"month": "2026-10", "currency": "CNY"}
    (block,) = niches({"niches": said, "head": head}, Money("CNY"))["blocks"]
    (cells,) = block["rows"]
    assert cells[0] == {"zh": "自有信息“frequent_place”：hospital，网龄：0 至 5 个月",
                        "en": "own fact “frequent_place”: hospital, "
                              "months since the first line: 0 to 5 months"}  # fmt: skip
    assert "2.7 ×" in cells[3]["zh"]
    for none, words in (({"found": []}, "397 groups"), ({"too_few": True}, "too few"), (None, "not looked for")):
        told = None if none is None else said | none
        (block,) = niches({"niches": told, "head": head}, Money("CNY"))["blocks"]
        assert words in block["text"]["en"]
