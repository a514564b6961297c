"""Several arms against one: published factors, an independent library, and error rates by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from keepline.measurement.several import reach_for, together
from keepline.measurement.statistics import Sums

EQUAL = 0.5**0.5  # λ of arms as large as the one left alone


def sums(values: np.ndarray) -> Sums:
    return Sums(len(values), float(values.sum()), float((values**2).sum()))


@pytest.mark.parametrize(("arms", "published"), [(1, 1.96), (2, 2.21), (3, 2.35), (5, 2.51), (9, 2.69)])
def test_the_factors_are_dunnetts(arms: int, published: float) -> None:
    assert reach_for([EQUAL] * arms, level=0.95) == pytest.approx(published, abs=5e-3)


def test_p_agrees_with_scipy_where_all_vary_alike() -> None:
    rng = np.random.default_rng(5)
    arms = [rng.normal(mean, 1, 20_000) for mean in (0.0, 0.015, 0.03)]
    common = rng.normal(0, 1, 20_000)
    found = together([sums(arm) for arm in arms], sums(common))
    assert found is not None
    assert [one.p for one in found] == pytest.approx(list(stats.dunnett(*arms, control=common).pvalue), abs=5e-3)


def test_five_idle_offers_seem_to_work_no_oftener_than_said_together() -> None:
    rng = np.random.default_rng(9)
    wrong, pilots = 0, 2_000
    for _ in range(pilots):
        means = rng.normal(0, 1 / 400**0.5, 6)
        arms = [Sums(400, 400 * mean, 399 + 400 * mean**2) for mean in means]
        found = together(arms[1:], arms[0])
        assert found is not None
        wrong += any(not one.difference.includes_zero for one in found)
    assert 0.08 < wrong / pilots < 0.12


def test_arms_too_small_or_all_alike_give_no_answer() -> None:
    assert together([], Sums(10, 1.0, 1.0)) is None
    assert together([Sums(1, 1.0, 1.0)], Sums(10, 1.0, 1.0)) is None
    assert together([Sums(5, 0.0, 0.0)], Sums(5, 0.0, 0.0)) is None
