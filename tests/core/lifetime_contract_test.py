"""Survival of customers under contract: published figures, planted truths, known curves, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from core.lifetime_cast import retention
from keepline.errors import TooFewError
from keepline.insight.lifetime import hazard
from keepline.insight.lifetime.hazard import Spells
from keepline.insight.lifetime.retention import (
    Melting,
    curves,
    expected_margin,
    fit_bdw,
    fit_sbg,
    loss_of,
    residual_lifetime,
    survival,
    survival_interval,
)

PUBLISHED = {"high_end": (0.668, 3.806), "regular": (0.704, 1.182)}
KNOWN = 7  # years fitted


@pytest.mark.data
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_parameters_are_found(name: str, data_dir: Path) -> None:
    seen = Melting.of_survivors(1000 * retention(data_dir, name)[: KNOWN + 1])
    assert fit_sbg(seen).values == pytest.approx(PUBLISHED[name], abs=5e-4)


@pytest.mark.data
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_weibull_predicts_years_8_to_12_within_a_hundredth_and_a_half(name: str, data_dir: Path) -> None:
    known = retention(data_dir, name)
    made = fit_bdw(Melting.of_survivors(1000 * known[: KNOWN + 1]))
    years = np.arange(KNOWN + 1, 13)
    wrong = np.abs(survival(made.values, years) / known[years] - 1).mean()
    constant = (known[KNOWN] ** (1 / KNOWN)) ** years
    assert wrong <= 0.015
    assert np.abs(constant / known[years] - 1).mean() > 5 * wrong
    _, low, high = survival_interval(made, years)
    assert np.all((low <= known[years]) & (known[years] <= high))


@pytest.mark.data
def test_the_published_likelihood_and_residual_lifetime_are_found(data_dir: Path) -> None:
    seen = Melting.of_survivors(retention(data_dir, "high_end")[: KNOWN + 1])
    assert -loss_of(seen)(np.ones(3))[0] == pytest.approx(-2.115, abs=1e-3)
    assert residual_lifetime(np.array(PUBLISHED["high_end"]), age=7, discount=0.1) == pytest.approx(7.530, abs=1e-3)


def test_planted_parameters_are_found_again_from_customers_first_seen_late() -> None:
    random, customers = np.random.default_rng(1), 200_000
    alpha, beta, c = 0.8, 12.0, 1.3
    chance = random.random(customers)
    own = random.beta(alpha, beta, customers)
    age = np.ceil((np.log(chance) / np.log1p(-own)) ** (1 / c)).clip(1, 500).astype(np.int64)
    first = random.integers(0, 40, customers)
    seen = age > first
    last = np.minimum(age, first + 24)
    melting = Melting.of_customers(first[seen], last[seen], (age <= first + 24)[seen])
    made = fit_bdw(melting)
    assert made.told
    for value, (low, high) in zip((alpha, beta, c), made.intervals(0.998).values(), strict=True):
        assert low < value < high


def test_customers_at_risk_are_counted_from_when_they_were_seen() -> None:
    made = Melting.of_customers(np.array([0, 0, 2]), np.array([1, 3, 3]), np.array([True, False, True]))
    assert made.here.tolist() == [2, 1, 2]
    assert made.left.tolist() == [1, 0, 1]


def test_slopes_are_those_of_the_likelihood() -> None:
    loss = loss_of(Melting(np.array([100.0, 80, 70, 64]), np.array([20.0, 10, 6, 3])))
    at = np.array([0.7, 3.0, 1.2])
    by_difference = [(loss(at + step)[0] - loss(at - step)[0]) / 2e-6 for step in 1e-6 * np.eye(3)]
    assert loss(at)[1] == pytest.approx(by_difference, rel=1e-5)


def test_who_has_stayed_long_stays_longer() -> None:
    p = np.array([0.668, 3.806])
    made = curves(p, np.array([0, 5, 0]), ahead=3)
    assert made[0] == pytest.approx(survival(p, np.arange(1, 4)))
    assert np.array_equal(made[0], made[2])
    assert np.all(made[1] > made[0])
    hazards = 1 - survival(p, np.arange(1, 5)) / survival(p, np.arange(4))
    assert hazards == pytest.approx(0.668 / (0.668 + 3.806 + np.arange(4)))


def test_expected_margin_adds_up_the_months_stayed() -> None:
    made = expected_margin(np.array([[0.9, 0.8]]), np.array([1000.0]), discount=0.01)
    assert made[0] == pytest.approx(1000 * (0.9 / 1.01 + 0.8 / 1.01**2))


def test_too_few_leavers_are_refused_with_their_number() -> None:
    with pytest.raises(TooFewError, match="29 customers") as refused:
        fit_sbg(Melting(np.full(5, 1000.0), np.array([10.0, 9, 5, 5, 0])))
    assert "29" in refused.value.zh
    with pytest.raises(TooFewError, match="at 2 different ages"):
        fit_bdw(Melting(np.full(5, 1000.0), np.array([100.0, 90, 0, 0, 0])))


def spells(customers: int, *, seed: int) -> tuple[Spells, np.ndarray]:
    """Customers of known monthly odds: higher when young, when a contract ends, and by one input of two."""
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(customers, 2))
    begin = random.integers(0, 60, customers)
    contract = np.where(random.random(customers) < 0.5, begin + random.integers(1, 24, customers), np.nan)
    months = begin[:, None] + np.arange(1, 37)
    odds = known_odds(inputs, months, contract[:, None])
    leaves = random.random(odds.shape) < expit(odds)
    when = np.where(leaves.any(axis=1), leaves.argmax(axis=1) + 1, 18)
    left = leaves.any(axis=1) & (when <= 18)
    return Spells(begin, begin + np.minimum(when, 18), left, contract, inputs), expit(odds)


def known_odds(inputs: np.ndarray, months: np.ndarray, contract: np.ndarray) -> np.ndarray:
    to_go = contract - months
    return (
        -4.0
        + 0.6 * inputs[:, :1]
        + 1.0 * np.exp(-months / 12)
        + 1.5 * (to_go == 0)
        - 2.0 * ((to_go > 2) & (to_go < 99))
    )


def test_a_planted_hazard_is_found_again_with_its_spikes() -> None:
    seen, _ = spells(40_000, seed=2)
    made = hazard.fit(seen, seed=1)
    fresh, truth = spells(4_000, seed=3)
    curve = made.survival(fresh.inputs, fresh.here_from, fresh.contract_end, ahead=24)
    true = np.cumprod(1 - truth[:, :24], axis=1)
    assert np.abs(curve - true).mean() < 0.012
    assert np.abs(curve.mean(axis=0) - true.mean(axis=0)).max() < 0.01
    assert np.all(np.diff(curve, axis=1) <= 0)
    ends_now = made.log_odds(np.zeros((2, 2)), np.array([20.0, 20.0]), np.array([20.0, 40.0]))
    assert ends_now[0] - ends_now[1] == pytest.approx(3.5, abs=0.4)


def test_a_hazard_with_few_leavers_is_refused() -> None:
    seen, _ = spells(200, seed=4)
    few = Spells(seen.here_from, seen.here_to, seen.left & (np.arange(200) < 20), seen.contract_end, seen.inputs)
    with pytest.raises(TooFewError):
        hazard.fit(few, seed=1)
