"""Curves of staying agree with the chance to leave, find planted months again, and say when they cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.special import expit, logit

from core.insight_world import EVERYONE, HORIZON, SNAPSHOT, Shelf, World, policy
from keepline.engine import DuckDB
from keepline.insight.scoring import score
from keepline.insight.staying import AHEAD, FURTHEST, Course, learn_course
from keepline.insight.training import train

PLAIN = Course(3, 0.02, 1.0)


def planted(tenure: np.ndarray, contract_left: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Monthly chance to leave, customers x months: falls with the months here, rises where a contract ends."""
    months = np.arange(1, FURTHEST + 1)
    here, to_go = tenure[:, None] + months, contract_left[:, None] - months
    ends, bound = (to_go <= 0) & (to_go > -4), to_go >= 3
    return np.asarray(expit(-3.6 + own[:, None] + 1.2 * np.exp(-here / 15) + 1.1 * ends - 1.3 * bound))


def customers(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    tenure = random.integers(0, 90, count).astype(float)
    contract_left = np.where(random.random(count) < 0.6, random.integers(-6, 24, count), np.nan).astype(float)
    return tenure, contract_left, random.normal(0, 0.5, count)


def learnt(count: int = 60_000) -> Course:
    """Learnt from what three months of some customers showed."""
    tenure, contract_left, own = customers(count, 1)
    leaves = np.random.default_rng(2).random((count, 3)) < planted(tenure, contract_left, own)[:, :3]
    left = leaves.any(axis=1)
    after = np.where(left, leaves.argmax(axis=1) + 1.0, np.nan)
    column = {"tenure_months": tenure, "contract_months_left": contract_left}
    return learn_course(column, left.astype(float), after, np.ones(count), plain=PLAIN, seed=1)


def test_the_curve_is_one_less_the_chance_to_leave_at_the_horizon_and_never_rises() -> None:
    course = learnt(20_000)
    tenure, contract_left, _ = customers(500, 3)
    tenure[:20], contract_left[20:40] = np.nan, np.nan
    leave = np.random.default_rng(4).beta(1, 12, 500)
    curve = course.curve(leave, tenure, contract_left)
    assert curve[:, 2] == pytest.approx(1 - leave, abs=1e-8)
    assert np.all(np.diff(curve, axis=1) < 0)
    assert np.all((curve > 0) & (curve < 1))


def test_planted_months_are_found_again() -> None:
    course = learnt()
    assert course.hazard is not None
    tenure, contract_left, own = customers(20_000, 5)
    true = np.cumprod(1 - planted(tenure, contract_left, own), axis=1)
    curve = course.curve(1 - true[:, 2], tenure, contract_left)
    assert np.abs(curve.mean(axis=0) - true.mean(axis=0)).max() < 0.015
    for months in AHEAD.values():
        assert np.abs(curve[:, months - 1] - true[:, months - 1]).mean() < 0.03
    soon, later = contract_left == 1, contract_left == 12
    for group in (soon, later):
        assert curve[group].mean(axis=0) == pytest.approx(true[group].mean(axis=0), abs=0.04)


def test_where_a_contract_ends_the_curve_falls() -> None:
    course, tenure = learnt(), np.full(2, 30.0)
    curve = course.curve(np.full(2, 0.03), tenure, np.array([8.0, 20.0]))
    rate = 1 - curve[:, 1:] / curve[:, :-1]
    assert rate[0, 7] > 2.5 * rate[1, 7]  # the ninth month: just over for the first, bound for the second


def test_without_leavers_enough_the_course_is_level_and_says_why() -> None:
    column = {"tenure_months": np.full(300, 20.0), "contract_months_left": np.full(300, np.nan)}
    left = (np.arange(300) < 12).astype(float)
    course = learn_course(column, left, np.where(left == 1, 2.0, np.nan), np.ones(300), plain=PLAIN, seed=1)
    assert course.hazard is None
    assert "12 events" in (course.refused or {})["en"]
    curve = course.curve(np.array([0.1]), np.array([5.0]), np.array([np.nan]))
    assert curve[0, [0, 2, 11]] == pytest.approx(0.9 ** (np.array([1, 3, 12]) / 3))


def test_who_was_reached_is_watched_until_then() -> None:
    """Leaving in months two and three only: those reached before month two tell nothing of them."""
    n = 9_000
    column = {"tenure_months": np.full(n, 20.0), "contract_months_left": np.full(n, np.nan)}
    reached = np.arange(n) % 3 == 0
    left = ~reached & (np.arange(n) % 10 == 1)
    after = np.where(left, 3.0, np.nan)
    made = [
        learn_course(column, left.astype(float), after, alone, plain=PLAIN, seed=1)
        for alone in (np.where(reached, 0.4, 1.0), np.ones(n))
    ]
    rates = [1 / (1 + np.exp(-each.hazard.odds_of_average(np.array([23.0]), np.array([-np.inf]))))[0] for each in made]  # type: ignore[union-attr]
    assert rates[0] > 1.2 * rates[1]


def test_scores_hold_the_curve_and_are_empty_where_leaving_is_unknown(tmp_path: Path) -> None:
    engine, world = DuckDB(spill=tmp_path / "spill"), World(3000, seed=3, monthly_rate=0.04)
    samples = [world.snapshot(SNAPSHOT + -HORIZON * i, tmp_path)[0] for i in (2, 1)]
    now, _ = world.snapshot(SNAPSHOT, tmp_path)
    given = {"snapshot": SNAPSHOT, "features": now.features[0], "only": EVERYONE, "to": tmp_path / "s"}
    models = train(engine, Shelf({}), policy(), snapshot=SNAPSHOT, samples=samples, seed=1)
    score(engine, Shelf({}), policy(), models, **given)
    table = pq.read_table(tmp_path / "s")
    assert models.card["staying"]["learnt"]
    p = table["leave_probability"].to_numpy()
    assert table["stay_3m"].to_numpy() == pytest.approx(1 - p, abs=1e-8)
    assert logit(table["stay_24m"].to_numpy()).mean() < logit(table["stay_12m"].to_numpy()).mean()
    nothing = train(engine, Shelf({}), policy(), snapshot=SNAPSHOT, samples=[], seed=1)
    score(engine, Shelf({}), policy(), nothing, **given)
    empty = pq.read_table(tmp_path / "s")
    assert all(empty[name].null_count == empty.num_rows for name in AHEAD)
    assert not nothing.card["staying"]["learnt"]
