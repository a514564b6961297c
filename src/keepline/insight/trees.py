"""Gradient-boosted trees beside the curves: they find what several inputs do together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np

from keepline.insight.inputs import Vector
from keepline.insight.sifting import Sieve, sieve_of, sift

# Both settings were measured untuned over several public churn sets: the small one wins where
# leavers are few, the long one where there are many thousands of them.
SMALL = {"rounds": 300, "num_leaves": 7, "min_data_in_leaf": 40, "feature_fraction": 0.5}
LONG = {"rounds": 900, "num_leaves": 31, "min_data_in_leaf": 20, "feature_fraction": 0.6}
SETTINGS = {
    "objective": "binary",
    "learning_rate": 0.02,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,  # threads that wait for each other stand still on a busy machine
    "verbosity": -1,
}


@dataclass(frozen=True)
class Trees:
    sieve: Sieve

    def logit(self, matrix: Vector) -> Vector:
        """Log-odds, to the bit what LightGBM's own predictor gives."""
        total = np.zeros(len(matrix))
        sift(np.asfortranarray(matrix), self.sieve, total)  # asked input by input
        return total


def fit_trees(
    matrix: Vector, y: Vector, weight: Vector, *, size: dict[str, Any], seed: int, signs: Sequence[int] = ()
) -> Trees:
    """``signs`` of the columns: 1 where an input may only raise the log-odds, -1 where only lower; none: all free."""
    settings = SETTINGS | {k: v for k, v in size.items() if k != "rounds"} | {"seed": seed}
    settings |= {"monotone_constraints": list(signs)} if any(signs) else {}
    data = lightgbm.Dataset(matrix, label=y, weight=weight, params={"verbosity": -1}, free_raw_data=True)
    return Trees(sieve_of(lightgbm.train(settings, data, num_boost_round=size["rounds"])))
