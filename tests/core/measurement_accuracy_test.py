"""Ranking and calibration from cells: equal to counting pairs, and to a line whose truth is known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from keepline.measurement.accuracy import Cells, auc, brier, calibration, merge, tenths, top_tenth_lift
from keepline.tables import SCORE_CELLS


def cells_of(p: np.ndarray, gone: np.ndarray) -> pa.Table:
    score, where = np.unique(np.round(p, 5), return_inverse=True)

    def total(weights: np.ndarray) -> np.ndarray:
        return np.bincount(where, weights=weights, minlength=len(score))

    columns = [score, total(np.ones_like(p)).astype(int), total(gone).astype(int), total(p), total(p * p)]
    return pa.table([*columns, total(p * gone)], schema=SCORE_CELLS.arrow)


def simulated(n: int, seed: int, slope: float = 1.0) -> tuple[np.ndarray, np.ndarray, Cells]:
    rng = np.random.default_rng(seed)
    logit = rng.normal(-2.5, 1, n)
    gone = (rng.random(n) < 1 / (1 + np.exp(-slope * logit))).astype(float)
    p = np.round(1 / (1 + np.exp(-logit)), 5)
    return p, gone, merge([cells_of(p, gone)])


def test_cells_of_parts_add_to_the_cells_of_the_whole() -> None:
    p, gone, whole = simulated(3000, 1)
    parts = merge([cells_of(p[:1000], gone[:1000]), cells_of(p[1000:], gone[1000:])])
    assert np.array_equal(parts.score, whole.score)
    assert np.array_equal(parts.gone, whole.gone)
    assert np.allclose(parts.squares, whole.squares)


def test_auc_equals_counting_pairs_and_brier_its_definition() -> None:
    p, gone, cells = simulated(3000, 2)
    found = auc(cells)
    assert found is not None
    assert found.value == pytest.approx(roc_auc_score(gone, p))
    assert brier(cells) == pytest.approx(((p - gone) ** 2).mean())


def test_the_auc_interval_equals_delongs_sums_over_customers() -> None:
    p, gone, cells = simulated(400, 3)
    left, stayed = p[gone == 1], p[gone == 0]
    pairs = (left[:, None] > stayed) + 0.5 * (left[:, None] == stayed)
    variance = pairs.mean(1).var(ddof=1) / len(left) + pairs.mean(0).var(ddof=1) / len(stayed)
    found, value = auc(cells), pairs.mean()
    assert found is not None
    assert found.low is not None
    half = np.log(value / (1 - value)) - np.log(found.low / (1 - found.low))
    assert half == pytest.approx(1.6448536 * np.sqrt(variance) / (value * (1 - value)))


def test_no_auc_without_leavers_and_no_interval_with_one() -> None:
    p = np.array([0.1, 0.2, 0.3])
    assert auc(merge([cells_of(p, np.zeros(3))])) is None
    found = auc(merge([cells_of(p, np.array([0.0, 1.0, 0.0]))]))
    assert found is not None
    assert found.value == 0.5
    assert found.low is None


@pytest.mark.parametrize("slope", [1.0, 0.6])
def test_calibration_finds_the_line_that_made_the_outcomes(slope: float) -> None:
    *_, cells = simulated(60_000, 4, slope)
    found = calibration(cells)
    assert found is not None
    assert found.slope.value == pytest.approx(slope, abs=0.05)
    assert found.intercept.value == pytest.approx(0, abs=0.1)


def test_the_90_percent_intervals_of_auc_and_slope_hold_the_truth_86_to_94_times_in_a_hundred() -> None:
    p, gone, _ = simulated(200_000, 99)
    truth = roc_auc_score(gone, p)
    held = {"auc": 0, "slope": 0}
    for seed in range(200):
        *_, cells = simulated(800, 1000 + seed)
        ranked, line = auc(cells), calibration(cells)
        assert ranked is not None
        assert line is not None
        held["auc"] += ranked.low <= truth <= ranked.high  # type: ignore[operator]
        held["slope"] += line.slope.low <= 1 <= line.slope.high  # type: ignore[operator]
    assert 172 <= held["auc"] <= 188
    assert 172 <= held["slope"] <= 188


def test_lift_shares_a_cell_that_is_cut_and_tenths_count_everybody_once() -> None:
    p = np.repeat([0.1, 0.5], [80, 20])
    gone = np.zeros(100)
    gone[80:90] = 1
    cells = merge([cells_of(p, gone)])
    assert top_tenth_lift(cells) == pytest.approx(5.0)
    rows = tenths(cells)
    assert sum(row["customers"] for row in rows) == 100
    assert rows[0]["predicted"] == pytest.approx(0.5)
