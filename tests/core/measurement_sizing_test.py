"""Sizes of pilots: they see what they promise to see, in thousands of simulated pilots."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from keepline.measurement.sizing import Size, most_profitable, needed, smallest_effect
from keepline.measurement.statistics import needed_each

PILOTS = 4_000


def test_half_and_half_needs_what_two_equal_arms_need() -> None:
    size = needed(25.0, 0.5)
    each = needed_each(25.0, 0.5)
    assert size is not None
    assert each is not None
    assert abs(size.customers - 2 * each) <= 1


@pytest.mark.parametrize("treated_share", [0.5, 0.2])
def test_a_pilot_of_the_needed_size_sees_the_effect_four_times_in_five(treated_share: float) -> None:
    size = needed(4.0, 0.25, treated_share=treated_share)
    assert size is not None
    rng = np.random.default_rng(7)
    error = (4.0 * (1 / size.treated + 1 / size.held_out)) ** 0.5
    seen = rng.normal(0.25, error, PILOTS) / error > stats.norm.ppf(0.95)
    assert abs(seen.mean() - 0.80) < 0.02


def test_the_smallest_effect_of_a_size_needs_that_size() -> None:
    size = needed(9.0, 0.4, treated_share=0.3)
    assert size is not None
    assert smallest_effect(9.0, size) == pytest.approx(0.4, rel=0.01)


def test_nothing_to_look_for_has_no_size() -> None:
    assert needed(4.0, 0.0) is None
    assert needed(0.0, 0.5) is None


def test_the_profitable_pilot_is_that_of_feit_and_berman() -> None:
    # their example of a web page: s² = .68 × .32, σ = .03, N = 100,000: 2,284 each
    noise, prior = 0.68 * 0.32, 0.03**2
    assert most_profitable(noise, 2 * prior, population=100_000).treated == pytest.approx(2_284, abs=1)


def test_the_profitable_pilot_earns_more_than_one_by_power_and_than_none() -> None:
    noise, prior, population = 400.0, 0.5, 20_000
    chosen = most_profitable(noise, 2 * prior, population=population)
    by_power = needed(noise, (2 * prior) ** 0.5, power=0.9)
    assert by_power is not None
    earned = {size: regretless(noise, prior, population, size) for size in (4, chosen.treated, by_power.treated)}
    assert max(earned, key=lambda size: earned[size]) == chosen.treated


def regretless(noise: float, prior: float, population: int, each: int) -> float:
    """What is earned a customer, over 40,000 simulated pairs of arms."""
    rng = np.random.default_rng(3)
    means = rng.normal(0, prior**0.5, (40_000, 2))
    seen = means + rng.normal(0, (noise / each) ** 0.5, means.shape)
    best = means[np.arange(len(means)), seen.argmax(axis=1)]
    return float((each * means.sum(axis=1) + max(population - 2 * each, 0) * best).mean() / population)


def test_a_population_too_small_to_try_on_is_split() -> None:
    assert most_profitable(1.0, 1.0, population=2) == Size(2, 1)
    assert most_profitable(1.0, 0.0, population=100) == Size(4, 2)
