"""Sifting customers through the trees gives what LightGBM's own predictor gives, to the last bit."""

from __future__ import annotations

import pickle

import lightgbm
import numpy as np
import pytest

from keepline.insight.sifting import sieve_of
from keepline.insight.trees import SETTINGS, Trees


def grown(
    *, rows: int, unknown: float, rounds: int, leaves: int, seed: int, least: int = 20
) -> tuple[lightgbm.Booster, np.ndarray]:
    dice = np.random.default_rng(seed)
    x = dice.normal(size=(rows, 7))
    x[:, 2] = dice.poisson(1.0, rows)  # many zeros
    x[:, 3] = dice.random(rows) < 0.3
    x[dice.random(x.shape) < unknown] = np.nan
    y = (dice.random(rows) < 1 / (1 + np.exp(1 - np.nan_to_num(x[:, 0]) * np.nan_to_num(x[:, 2], nan=-2.0)))) * 1.0
    data = lightgbm.Dataset(x, label=y, params={"verbosity": -1})
    return lightgbm.train(SETTINGS | {"num_leaves": leaves, "min_data_in_leaf": least}, data, rounds), x


@pytest.mark.parametrize("unknown", [0.0, 0.2])
@pytest.mark.parametrize(("rows", "rounds", "leaves"), [(3000, 60, 31), (901, 40, 7)])
def test_it_is_lightgbms_own_prediction(unknown: float, rows: int, rounds: int, leaves: int) -> None:
    booster, x = grown(rows=rows, unknown=unknown, rounds=rounds, leaves=leaves, seed=rows)
    x = x.copy(order="F")
    x[::5, 0], x[::7, 3] = np.nan, np.nan  # unknown where training may have known all
    x[::11, 1], x[1::11, 1] = np.inf, -np.inf
    assert np.array_equal(Trees(sieve_of(booster)).logit(x), booster.predict(x, raw_score=True, num_threads=1))


def test_trees_that_found_nothing_are_a_single_leaf() -> None:
    booster, x = grown(rows=300, unknown=0.1, rounds=5, leaves=7, seed=1, least=200)
    trees = Trees(sieve_of(booster))
    assert len(trees.sieve.column) == 0
    assert np.array_equal(trees.logit(x), booster.predict(x, raw_score=True))


def test_no_rows_are_no_answer_and_trees_travel_to_other_machines() -> None:
    booster, x = grown(rows=500, unknown=0.1, rounds=10, leaves=7, seed=2)
    trees = Trees(sieve_of(booster))
    assert len(trees.logit(x[:0])) == 0
    assert np.array_equal(pickle.loads(pickle.dumps(trees)).logit(x), trees.logit(x))


def test_a_tree_of_more_leaves_than_a_word_holds_is_refused() -> None:
    booster, _ = grown(rows=3000, unknown=0.0, rounds=2, leaves=40, seed=3)
    with pytest.raises(ValueError, match="leaves"):
        sieve_of(booster)
