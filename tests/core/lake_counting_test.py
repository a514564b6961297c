"""How many customers ranges are cut by: each counts once, however often they are delivered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.small_lake import add_rows, lake_of
from keepline.engine import ID_SPACE
from keepline.lake import counting
from keepline.lake.store import Lake, open_lake

MONTHS = [f"2026-{month:02d}" for month in range(1, 13)]


def delivered(root: Path, *, customers: int) -> Lake:
    """Everybody, every month of a year."""
    ids = np.random.default_rng(4).integers(1, ID_SPACE, customers)
    return lake_of(root, customers=[{"customer_id": int(i), "month": month} for month in MONTHS for i in ids])


def test_customers_delivered_every_month_count_once(tmp_path: Path) -> None:
    lake = delivered(tmp_path, customers=50)
    assert lake.rows("customers") == 600
    assert lake.customers == 50


def test_of_many_an_interval_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "ENOUGH", 800)
    found = delivered(tmp_path, customers=3_000).customers
    assert found % 2 == 0  # half of them are seen
    assert 2_800 < found < 3_200
    assert found != 3_000


def test_who_came_later_counts_too(tmp_path: Path) -> None:
    lake = add_rows(delivered(tmp_path, customers=50), customers=[{"customer_id": 7, "month": MONTHS[-1]}])
    assert open_lake(lake.root).customers == 51


def test_no_customers_are_none(tmp_path: Path) -> None:
    assert open_lake(tmp_path).customers == 0
