"""Which learners have a say: known effects come back, and who cannot be told from the best is not thrown away."""

from __future__ import annotations

import numpy as np
import pytest

from keepline.measurement.choosing import Choice, choose, gained
from keepline.measurement.learners import LEARNERS, Seen, plain, ridge
from keepline.measurement.uplift import folds

N = 20_000


def pilot(kind: str, seed: int) -> tuple[Seen, np.ndarray]:
    """Guesses of the effect as noisy as leaving makes them, and the truth, for a thousand in ten at risk."""
    rng = np.random.default_rng(seed)
    terms = rng.normal(size=(N, 6))
    risk = 1 / (1 + np.exp(2.2 - terms[:, 0]))
    truth = {
        "nothing": np.zeros(N),
        "grows with risk": -0.3 * risk,
        "a share by customer": -0.3 * risk * (1 + np.clip(terms[:, 1], -1, 1)),
        "unrelated to risk": -0.04 * terms[:, 2],
    }[kind]
    own = truth + rng.normal(size=N) * 2 * np.sqrt(risk * (1 - risk))
    return Seen(terms, risk, 1 / (risk * (1 - risk)), own), truth


def choice(seen: Seen) -> Choice:
    return choose(seen, folds(np.arange(N)))


def chosen(found: Choice) -> set[str]:
    return {each.name for each in found.tried if each.chosen}


def test_an_effect_that_grows_with_risk_is_told_by_the_plain_learner_among_others() -> None:
    seen, truth = pilot("grows with risk", 1)
    found = choice(seen)
    assert "plain" in chosen(found)
    assert np.corrcoef(found.effect.at(seen.values, seen.size), truth)[0, 1] > 0.9


def test_a_share_that_differs_by_customer_is_told_by_the_learner_of_shares() -> None:
    seen, truth = pilot("a share by customer", 2)
    found = choice(seen)
    assert "share" in chosen(found)
    assert "plain" not in chosen(found)
    assert np.corrcoef(found.effect.at(seen.values, seen.size), truth)[0, 1] > 0.9


def test_an_effect_unrelated_to_risk_is_told_by_a_line() -> None:
    seen, truth = pilot("unrelated to risk", 3)
    found = choice(seen)
    assert chosen(found) <= {"line", "both"}
    assert np.corrcoef(found.effect.at(seen.values, seen.size), truth)[0, 1] > 0.9


def test_where_nothing_happens_the_gain_of_every_learner_holds_zero_within_two_errors_as_a_rule() -> None:
    outside = 0
    for seed in range(10):
        outside += sum(abs(each.qini) > 2 * each.error for each in choice(pilot("nothing", seed)[0]).tried)
    assert outside <= 6, "of 40, which hang together in fours"


def test_the_gain_is_the_area_between_the_curve_and_the_straight_line() -> None:
    rng = np.random.default_rng(1)
    own, told = rng.normal(size=500), rng.normal(size=500)
    curve = np.r_[0.0, np.cumsum(own[np.argsort(-told)])] / 500
    area = ((curve[1:] + curve[:-1]) / 2).mean() - curve[-1] / 2
    one = np.zeros(500, dtype=np.int64)
    assert gained(own, told, one).mean() == pytest.approx(area, abs=1e-12)
    assert gained(own, np.ones(500), one).mean() == pytest.approx(0, abs=1e-12)
    assert gained(-own, -told, one).mean() == pytest.approx(area, abs=1e-12)


def test_the_error_of_the_gain_is_that_of_pilots_made_again() -> None:
    gains = []
    for seed in range(60):
        seen, _ = pilot("a share by customer", seed)
        parts = gained(seen.own, -seen.size, folds(np.arange(N)))
        gains.append((parts.mean(), parts.std(ddof=1) / N**0.5))
    values, errors = np.array(gains).T
    assert errors.mean() == pytest.approx(values.std(ddof=1), rel=0.25)


def test_without_noise_the_learners_are_exact() -> None:
    rng = np.random.default_rng(4)
    terms, size = rng.normal(size=(400, 3)), rng.uniform(0.1, 0.9, 400)
    slopes = np.array([0.2, -0.1, 0.0])
    seen = Seen(terms, size, np.ones(400), size * (0.5 + terms @ slopes))
    found = LEARNERS["share"](seen)
    assert found.share.intercept == pytest.approx(0.5, abs=1e-3)
    assert found.share.slopes == pytest.approx(slopes, abs=1e-3)
    assert LEARNERS["both"](seen).at(terms, size) == pytest.approx(seen.own, abs=2e-3)
    even = Seen(terms, size, np.ones(400), -0.3 * size)
    assert plain(even).at(terms, size) == pytest.approx(even.own)
    assert ridge(size[:, None], terms, even.own, np.ones(400))[0] == pytest.approx(-0.3)
