"""Differences, intervals and sample sizes: equal to other libraries and published figures; they hold their level."""

from __future__ import annotations

from math import isclose

import numpy as np
import pytest
from scipy import stats

from keepline.measurement.statistics import (
    Sums,
    adjusted_variance,
    cuped,
    lots_p,
    needed_each,
    shares,
    welch,
)
from keepline.measurement.summing import BLOCK, arms_of

SIMULATIONS = 200


def sums(y: np.ndarray, x: np.ndarray | None = None) -> Sums:
    x = np.zeros_like(y) if x is None else x
    return Sums(len(y), y.sum(), (y * y).sum(), x.sum(), (x * x).sum(), (x * y).sum())


def test_sums_of_parts_add_to_the_sums_of_the_whole() -> None:
    y = np.arange(10.0)
    assert sums(y[:4]) + sums(y[4:]) == sums(y)


def test_the_sums_of_both_arms_in_one_pass_are_those_of_each_arm_picked_out() -> None:
    rng = np.random.default_rng(9)
    x, treated = rng.gamma(2, 50, 2 * BLOCK + 77), rng.random(2 * BLOCK + 77) < 0.1
    y = 0.7 * x + rng.normal(0, 20, len(x))
    for found, arm in zip(arms_of(y, x, treated), (treated, ~treated), strict=True):
        assert found.n == arm.sum()
        assert vars(found) == pytest.approx(vars(sums(y[arm], x[arm])), rel=1e-12)


def test_the_interval_equals_scipys_welch() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.gamma(2, 50, 80), rng.gamma(2, 40, 31)
    found = welch(sums(a), sums(b))
    oracle = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.9)
    assert found is not None
    assert found.low == pytest.approx(oracle.low)
    assert found.high == pytest.approx(oracle.high)


def test_no_interval_is_made_up_where_nobody_differs_or_an_arm_is_one() -> None:
    alike, one = sums(np.full(40, 7.0)), sums(np.array([3.0]))
    assert welch(alike, alike) is None
    assert welch(alike, one) is None
    assert cuped(alike, one) is None


def test_what_was_known_before_narrows_the_interval_and_moves_no_mean_in_expectation() -> None:
    rng = np.random.default_rng(7)
    before = rng.gamma(2, 100, 4000)
    after = 0.8 * before + rng.normal(0, 30, 4000)
    after[:2000] += 5
    arms = [sums(after[part], before[part]) for part in (slice(0, 2000), slice(2000, 4000))]
    plain, adjusted = welch(*arms), cuped(*arms)
    assert plain is not None
    assert adjusted is not None
    assert (adjusted.high - adjusted.low) < 0.4 * (plain.high - plain.low)
    assert adjusted.low < 5 < adjusted.high
    assert adjusted_variance(arms) == pytest.approx(900, rel=0.1)


def test_the_share_interval_equals_newcombes_published_example() -> None:
    """Newcombe 1998, table II, (a) 56/70 against 48/80, method 10: 0.0524 to 0.3339 at 95 %."""
    found = shares((56, 70), (48, 80), level=0.95)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


def test_the_share_interval_has_width_when_everybody_stayed() -> None:
    found = shares((40, 40), (40, 40))
    assert found is not None
    assert found.low < 0 < found.high
    assert shares((0, 0), (3, 4)) is None


def test_needed_customers_give_the_stated_power() -> None:
    n = needed_each(100.0, 2.0)
    assert n is not None
    reach = 2.0 / np.sqrt(2 * 100.0 / n) - stats.norm.ppf(0.95)
    assert isclose(float(stats.norm.cdf(reach)), 0.8, abs_tol=0.003)
    assert needed_each(100.0, 0.0) is None
    assert needed_each(0.0, 1.0) is None


def test_uneven_lots_are_told_and_even_ones_pass() -> None:
    table = [(50, 52), (48, 50), (70, 20)]
    assert lots_p(table) == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    assert lots_p([(50, 50)]) is None


@pytest.mark.parametrize("arms", [(2000, 200), (60, 30)])
def test_the_90_percent_interval_of_skewed_margins_holds_the_truth_86_to_94_times_in_a_hundred(
    arms: tuple[int, int],
) -> None:
    held = 0
    for seed in range(SIMULATIONS):
        rng = np.random.default_rng(seed)
        n = sum(arms)
        before = rng.gamma(2, 100, n)
        after = 0.7 * before + rng.gamma(2, 40, n)
        after[: arms[0]] += 9
        found = cuped(sums(after[: arms[0]], before[: arms[0]]), sums(after[arms[0] :], before[arms[0] :]))
        assert found is not None
        held += found.low <= 9 <= found.high
    assert 0.86 <= held / SIMULATIONS <= 0.94


def test_the_90_percent_interval_of_retention_holds_the_truth_86_to_94_times_in_a_hundred() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(5 * SIMULATIONS):
        found = shares((int(rng.binomial(900, 0.96)), 900), (int(rng.binomial(100, 0.94)), 100))
        assert found is not None
        held += found.low <= 0.02 <= found.high
    assert 0.86 <= held / (5 * SIMULATIONS) <= 0.94
