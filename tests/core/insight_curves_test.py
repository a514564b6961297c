"""The compiled curves say what SciPy's splines say, of every kind of value."""

from __future__ import annotations

import numpy as np
import pytest

from keepline.insight.additive import Additive, fit_additive


def fitted(seed: int) -> tuple[Additive, np.ndarray]:
    dice = np.random.default_rng(seed)
    x = dice.normal(size=(6000, 5))
    x[:, 1] = dice.poisson(0.4, len(x))  # mostly one value
    x[:, 2] = dice.random(len(x)) < 0.3  # two levels: a line
    x[:, 3] = np.round(np.exp(2 * x[:, 3]))
    x[dice.random(x.shape) < 0.05] = np.nan
    odds = np.sin(2 * np.nan_to_num(x[:, 0])) + 0.4 * np.nan_to_num(x[:, 1], nan=1.0) - 1
    y = (dice.random(len(x)) < 1 / (1 + np.exp(-odds))) * 1.0
    return fit_additive(x, y, np.ones(len(x)), signs=(0, 1, 0, 0, -1) if seed % 2 else ()), x


@pytest.mark.parametrize("seed", [1, 2])
def test_each_part_is_what_the_spline_itself_gives(seed: int) -> None:
    model, x = fitted(seed)
    assert any(term.curve is not None for term in model.terms)
    asked = x[:500].copy()
    asked[0], asked[1], asked[2] = np.inf, -np.inf, np.nan
    for place, term in enumerate(model.terms):  # the knots themselves, and either end
        asked[10, term.column], asked[11, term.column] = term.low, term.high
        knots = [] if term.curve is None else term.curve.t
        for row, knot in enumerate(knots, start=20):
            asked[row, term.column] = knot
        np.testing.assert_allclose(
            model.parts(asked)[place], term.contribution(asked[:, term.column]), rtol=1e-11, atol=1e-12
        )


def test_parts_do_not_depend_on_the_cut_into_batches() -> None:
    model, x = fitted(1)
    whole = model.logit(x)
    cut = np.concatenate([model.logit(x[first : first + 77]) for first in range(0, len(x), 77)])
    assert np.array_equal(whole, cut)
    assert np.array_equal(whole, model.logit(np.asfortranarray(x)))


def test_a_model_without_terms_says_its_intercept() -> None:
    alone = Additive(-1.5, (), 0.0, 1.0, "lines", 30, 0.0)
    assert alone.logit(np.empty((3, 0))).tolist() == [-1.5] * 3
