"""The simulated operator's truth, demanded back from what was published of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from acceptance.commands import keepline
from acceptance.known_truth import (
    Known,
    best_fen,
    by_risk_fen,
    calibration_slope,
    known,
    means,
    plan_fen,
    possible,
    table,
)

MONTH = "2026-10"
SITE = "simulated, 20,000 customers"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("truth") / "site"
    keepline("demo", "--site", made)
    return made


@pytest.fixture(scope="module")
def found_month(site: Path) -> Known:
    return known(site, MONTH)


@pytest.mark.full
def test_value_is_recovered_in_order(found_month: Known, found: Callable[..., None]) -> None:
    rank = spearmanr(found_month.scores.value_fen, found_month.scores.value_fen_true).statistic
    found("Spearman of value with the truth", f"{rank:.3f}", demand="≥ .7", source=SITE)
    assert rank >= 0.7


@pytest.mark.full
def test_the_probability_of_leaving_is_calibrated(found_month: Known, found: Callable[..., None]) -> None:
    scores = found_month.scores
    slope = calibration_slope(scores.leave_probability.to_numpy(), scores.p_leave_horizon.to_numpy())
    found("calibration slope of leaving", f"{slope:.3f}", demand=".9–1.1", source=SITE)
    assert 0.9 <= slope <= 1.1


@pytest.mark.full
def test_the_plan_earns_more_of_the_best_possible_than_a_list_by_risk(
    found_month: Known, found: Callable[..., None]
) -> None:
    summary = json.loads((found_month.folder / "manifest.json").read_text(encoding="utf-8"))["plan"]
    pairs, limits = possible(found_month), means(summary)
    best = best_fen(pairs, limits)
    ours, listed = plan_fen(found_month) / best, by_risk_fen(found_month, pairs, limits) / best
    found("plan's share of the best possible margin", f"{ours:.1%}", demand="list by risk + 10 points", source=SITE)
    found("share of a list by risk, same limits", f"{listed:.1%}", demand="", source=SITE)
    assert ours >= listed + 0.10


@pytest.mark.full
def test_the_interval_of_value_covers_the_truth(found_month: Known, found: Callable[..., None]) -> None:
    scores = found_month.scores
    inside = np.mean((scores.value_low_fen <= scores.value_fen_true) & (scores.value_fen_true <= scores.value_high_fen))
    found("90 % interval of value covers", f"{inside:.1%}", demand="86–94 % over 200 seeds", source=SITE)
    assert 0.80 <= inside <= 0.97  # one seed; the long test holds the mark over 200


@pytest.mark.full
def test_the_planted_niches_come_out_before_all_but_the_worst_served_district(
    found_month: Known, found: Callable[..., None]
) -> None:
    rows = json.loads((found_month.folder / "manifest.json").read_text(encoding="utf-8"))["niches"]["found"]
    named = list(dict.fromkeys(row["value_1"] for row in rows if row["trait_1"] == "own:frequent_place"))
    found("planted niches found", ", ".join(named), demand="hospital, border; not campus, market", source=SITE)
    assert set(named) == {"hospital", "border"}
    before = max(row["niche"] for row in rows if row["value_1"] in named)
    faults = table(found_month.folder / "features").groupby("district").district_faults_3m.first()
    worst = faults.idxmax()  # where the network fails most, everybody's use truly falls
    others = [row for row in rows if row["niche"] < before and row["value_1"] not in named]
    assert {(row["trait_1"], row["value_1"]) for row in others} <= {("district", worst)}
