"""Looking early: published boundaries, and error rates in thousands of pilots that do nothing or something."""

from __future__ import annotations

import numpy as np
import pytest

from keepline.measurement.looking import (
    always_valid_factor,
    boundaries,
    inflation,
    power,
    repeated_interval,
    spent,
)

PILOTS, LOOKS = 20_000, 20
RISING = [look / LOOKS for look in range(1, LOOKS + 1)]


def evidence(drift: float, *, pilots: int = PILOTS, shares: list[float] = RISING) -> np.ndarray:
    """Estimates in errors at each look of many pilots, the effect being ``drift`` errors of the last."""
    rng = np.random.default_rng(11)
    steps = np.diff([0.0, *shares])
    walk = (rng.normal(0, 1, (pilots, len(shares))) * np.sqrt(steps) + drift * steps).cumsum(axis=1)
    return walk / np.sqrt(shares)


@pytest.mark.parametrize(
    ("shares", "published"),
    [
        # Lan-DeMets spending like O'Brien-Fleming, two-sided .05: Jennison and Turnbull 2000, and the program ld98
        ([0.2, 0.4, 0.6, 0.8, 1.0], [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
        ([0.5, 1.0], [2.9626, 1.9686]),
        ([1.0], [1.9600]),
    ],
)
def test_the_boundaries_are_the_published_ones(shares: list[float], published: list[float]) -> None:
    assert boundaries(shares, level=0.95) == pytest.approx(published, abs=2e-4)


def test_planned_looks_are_wrong_as_often_as_said() -> None:
    bounds = np.array(boundaries(RISING, level=0.90))
    wrong = (np.abs(evidence(0.0)) > bounds).any(axis=1).mean()
    assert 0.094 < wrong < 0.106  # three errors of the simulation to each side


def test_twenty_naive_looks_would_be_wrong_several_times_as_often() -> None:
    assert (np.abs(evidence(0.0)) > 1.6449).any(axis=1).mean() > 0.3


def test_planned_looks_see_what_they_promise_with_fewer_customers() -> None:
    bounds = boundaries(RISING, level=0.95)
    drift = 3.3
    hits = evidence(drift) > np.array(bounds)
    first = np.where(hits.any(axis=1), hits.argmax(axis=1), LOOKS - 1)
    seen, used = power(RISING, bounds, drift)
    assert hits.any(axis=1).mean() == pytest.approx(seen, abs=0.01)
    assert np.array(RISING)[first].mean() == pytest.approx(used, abs=0.01)
    assert used < 0.75


def test_five_looks_need_a_few_percent_more_than_one() -> None:
    assert 1.02 < inflation([0.2, 0.4, 0.6, 0.8, 1.0], level=0.95, wanted=0.9) < 1.03


def test_always_valid_intervals_hold_at_every_one_of_many_looks() -> None:
    """The effect lies outside at some look in fewer pilots than said, wherever the interval is tightest."""
    shares = [look / 200 for look in range(1, 201)]
    errors = evidence(0.0, pilots=4_000, shares=shares)
    for planned in (0.1, 1.0, 10.0):
        factors = np.array([always_valid_factor(share, planned=planned) for share in shares])
        assert (np.abs(errors) > factors).any(axis=1).mean() < 0.10


def test_an_always_valid_interval_is_wider_than_one_look_and_narrowest_where_planned() -> None:
    factors = {planned: always_valid_factor(1.0, planned=planned) for planned in (0.05, 0.3, 1.0, 5.0)}
    assert min(factors.values()) > 1.6449
    assert min(factors, key=lambda planned: factors[planned]) == 1.0
    assert always_valid_factor(0.0, planned=1.0) == float("inf")


def test_all_that_may_be_spent_is_spent_at_the_end_and_nothing_at_the_start() -> None:
    assert spent(0.0, alpha=0.1) == 0.0
    assert spent(1.0, alpha=0.1) == pytest.approx(0.1)
    assert spent(2.0, alpha=0.1) == pytest.approx(0.1)


def test_shares_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValueError, match="rise"):
        boundaries([0.5, 0.5])


def test_a_repeated_interval_is_as_wide_as_its_bound() -> None:
    assert repeated_interval(10.0, 2.0, 3.0) == (4.0, 16.0)
