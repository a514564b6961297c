"""Over many small simulated operators, the published interval of value covers the truth as often as it says."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from acceptance.known_truth import known
from keepline.lake.intake import load
from keepline.periods import Month, months_between
from keepline.pipeline import run_month
from keepline.progress import Silent
from keepline.simulate.operator import next_month, start_site
from keepline.site import open_site

SEEDS = int(os.environ.get("KEEPLINE_SEEDS", "200"))
CUSTOMERS, MONTHS = 1000, 10
WORKERS = 2  # processes
LAST = Month.parse("2026-10")


def covered(root: Path, seed: int) -> float:
    """Share of one small operator's customers whose true value lies within its interval."""
    start_site(root, customers=CUSTOMERS, months=MONTHS, last=LAST, seed=seed, engine="duckdb")
    site = open_site(root)
    for month in months_between(LAST + (1 - MONTHS), LAST):
        for report in load(site, next_month(root, month, decisions=None, assignments=None, progress=Silent())):
            report.insist()
    run_month(site, LAST)
    scores = known(root, str(LAST)).scores
    inside = (scores.value_low_fen <= scores.value_fen_true) & (scores.value_fen_true <= scores.value_high_fen)
    return float(np.mean(inside))


@pytest.mark.full
def test_the_interval_of_value_covers_as_often_as_it_says(tmp_path: Path, found: Callable[..., None]) -> None:
    seeds = range(1, SEEDS + 1)
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as workers:
        shares = list(workers.map(covered, [tmp_path / str(seed) for seed in seeds], seeds))
    mean, error = float(np.mean(shares)), float(np.std(shares) / np.sqrt(len(shares)))
    found(
        "90 % interval of value covers",
        f"{mean:.1%} ± {error:.1%}",
        demand="86–94 %",
        source=f"{SEEDS} simulated operators of {CUSTOMERS:,} customers",
    )
    assert 0.86 <= mean <= 0.94
