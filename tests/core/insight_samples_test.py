"""A month looked at by an interval of it shows just those customers, each with their own facts."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.small_lake import lake_of
from core.small_publication import write_parts
from keepline.engine import ID_SPACE, Engine
from keepline.insight.samples import looked_at, read_some
from keepline.periods import Month
from keepline.sampled import LOOKED_AT, Sampled

MONTH = Month.parse("2026-10")
CUSTOMERS, MOST = 2_000, 500


def test_an_interval_of_a_month_is_read_with_its_customers_own_facts(engine: Engine, tmp_path: Path) -> None:
    ids = np.sort(np.random.default_rng(3).integers(1, ID_SPACE, CUSTOMERS)).tolist()
    write_parts(tmp_path / "features", "features", {"customer_id": ids, "month": [str(MONTH)] * CUSTOMERS})
    facts = [
        {"customer_id": who, "month": str(MONTH + -ago), "name": "tv_hours", "number": float(who % 11 + 100 * ago)}
        for who in ids
        for ago in (0, 3)
    ]
    lake = lake_of(tmp_path / "lake", attributes=facts)
    parts = sorted((tmp_path / "features").glob("*.parquet"))
    some = Sampled(MOST / CUSTOMERS, LOOKED_AT)
    assert looked_at(parts, MOST) == some
    found = read_some(engine, lake, snapshot=MONTH, features=parts, attributes=("tv_hours",), most=MOST)
    within = [who for who in ids if some.low <= who < some.high]
    assert 400 < len(within) < 600
    assert found["customer_id"].to_pylist() == within
    assert found["number_0"].to_pylist() == [float(who % 11) for who in within]


def test_a_month_of_few_is_read_whole(engine: Engine, tmp_path: Path) -> None:
    write_parts(tmp_path / "features", "features", {"customer_id": [1, 2, 3], "month": [str(MONTH)] * 3})
    parts = sorted((tmp_path / "features").glob("*.parquet"))
    lake = lake_of(tmp_path / "lake")
    found = read_some(engine, lake, snapshot=MONTH, features=parts, attributes=(), most=MOST)
    assert found["customer_id"].to_pylist() == [1, 2, 3]
