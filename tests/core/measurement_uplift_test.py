"""The effect for each customer: recovered from pilots whose truth is known, and not found where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from keepline.measurement import uplift
from keepline.measurement.choosing import choose
from keepline.measurement.learners import Seen
from keepline.measurement.uplift import Terms, Uplift, estimate, ridge, standardise

FEATURES = 6


def pilot(n: int, seed: int, *, strength: float) -> tuple[Terms, Uplift, np.ndarray]:
    """A pilot in which the offer holds the wavering but not the lost, the price-minded most."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, FEATURES))
    risk = 1 / (1 + np.exp(2.9 - 0.9 * x[:, 0]))
    truth = -strength * risk * (1 - risk) ** 2 * (0.2 + 0.8 / (1 + np.exp(-1.2 * x[:, 1])))
    treated = rng.random(n) < 0.5
    left = (rng.random(n) < risk + treated * truth).astype(float)
    columns = {f"x{i}": x[:, i] for i in range(FEATURES)}
    terms, before = standardise({uplift.RISK: risk} | columns), standardise(columns)
    share = np.full(n, treated.mean())
    return (
        terms,
        estimate(
            terms,
            before=before,
            target=left,
            treated=treated,
            share=share,
            size=risk,
            weight=np.ones(n),
            fold=uplift.folds(np.arange(n)),
        ),
        truth,
    )


def told(terms: Terms, found: Uplift) -> np.ndarray:
    """What the result says of each customer; the risk is the first term."""
    risk = terms.values[:, 0] * terms.scale[0] + terms.centre[0]
    return found.effect.at(terms.values, risk)


def test_who_responds_is_recovered_from_a_large_pilot() -> None:
    terms, found, truth = pilot(20_000, 1, strength=0.9)
    told_each = told(terms, found)
    best = np.argsort(told_each)[: len(truth) // 5]
    assert found.low <= truth.mean() <= found.high
    assert found.differ_p < 0.05
    assert np.corrcoef(told_each, truth)[0, 1] > 0.8
    assert truth[best].sum() < 0.9 * np.sort(truth)[: len(best)].sum()  # both are falls


@pytest.mark.parametrize("strength", [0.0, 0.9])
def test_the_90_percent_interval_of_the_mean_effect_holds_the_truth_86_to_94_times_in_a_hundred(
    strength: float,
) -> None:
    held = 0
    for seed in range(200):
        _, found, truth = pilot(600, seed, strength=strength)
        held += found.low <= truth.mean() <= found.high
    assert 172 <= held <= 188


def test_the_90_percent_interval_of_the_plain_effect_holds_the_slope_as_often_as_it_says() -> None:
    """The offer takes away two fifths of everybody's risk; the interval is for one unit of the risk."""
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(600, 3))
        risk = 1 / (1 + np.exp(2.0 - 0.9 * x[:, 0]))
        treated = rng.random(600) < 0.5
        left = (rng.random(600) < risk * np.where(treated, 0.6, 1.0)).astype(float)
        terms = standardise({f"x{i}": x[:, i] for i in range(3)})
        share, fold = np.full(600, treated.mean()), uplift.folds(np.arange(600))
        given = {"target": left, "treated": treated, "share": share, "weight": np.ones(600), "fold": fold}
        found = estimate(terms, before=terms, size=risk, **given)
        slope = found.errors * found.reach / uplift._reach(600)
        held += abs(slope + 0.4) <= found.reach
    assert 172 <= held <= 188


def test_customers_are_seldom_said_to_differ_where_the_offer_does_nothing() -> None:
    alarms = sum(pilot(600, seed, strength=0.0)[1].differ_p < 0.05 for seed in range(200))
    assert alarms <= 20


def test_an_effect_no_larger_than_its_error_is_not_used_and_a_sure_one_nearly_whole() -> None:
    assert uplift._sure(0.01, 0.01) == uplift._sure(0.0, 0.0) == 0
    assert uplift._sure(-0.02, 0.01) == pytest.approx(0.75)
    assert uplift._sure(0.1, 0.01) == pytest.approx(0.99)


def test_nothing_is_added_to_the_plain_effect_where_it_is_not_surely_more_and_most_where_it_is() -> None:
    rng = np.random.default_rng(5)
    x, size = rng.normal(size=(4000, 3)), rng.uniform(0.01, 0.2, 4000)
    fold, noise = uplift.folds(np.arange(4000)), rng.normal(size=4000)

    def kept(own: np.ndarray) -> float:
        seen = Seen(x, size, np.ones(4000), own)
        return uplift._kept(choose(seen, fold), seen, fold)

    assert kept(-0.5 * size + noise) == 0
    assert kept(-0.5 * size + 0.4 * x[:, 0] + noise) > 0.8


def test_where_nothing_happens_the_line_used_is_shorter_than_the_one_found() -> None:
    pairs = [pilot(600, seed, strength=0.0) for seed in range(40)]
    used = [float(np.abs(told(terms, found)).mean()) for terms, found, _ in pairs]
    means = [abs(found.mean) for _, found, _ in pairs]
    assert np.mean(used) < 0.8 * np.mean(means)


def test_a_few_huge_accounts_are_held_within_reach() -> None:
    change = np.r_[np.linspace(-100, 100, 999), 1e9]
    held = uplift.within_reach(change)
    assert held.max() < 1000
    assert held[:999] == pytest.approx(change[:999])
    flat = np.r_[np.zeros(960), np.full(38, 3000.0), -1e11, 1e11]
    assert uplift.within_reach(flat).max() < 10_000
    assert uplift.within_reach(np.ones(5)) == pytest.approx(np.ones(5))


def test_a_ridge_line_without_noise_is_the_line_itself() -> None:
    values = np.random.default_rng(1).normal(size=(400, 3))
    found = ridge(values, 2 + values @ np.array([1.0, -3.0, 0.0]))
    assert found.intercept == pytest.approx(2, abs=0.01)
    assert found.slopes == pytest.approx([1, -3, 0], abs=0.01)


def test_unknown_counts_as_the_centre_far_values_are_held_and_useless_terms_go() -> None:
    many = np.r_[np.linspace(0, 10, 99), 1e9]
    rare = np.full(100, np.nan)
    rare[:5] = range(5)
    some = many.copy()
    some[3] = np.nan
    found = standardise({"some": some, "alike": np.ones(100), "rare": rare})
    assert found.names == ("some",)
    assert found.values[3, 0] == 0
    assert found.values.max() == uplift.REACH
