"""The jobs of trees_bench.py, each in a child process.

usage: trees_jobs.py WHO TREES LEAVES
"""

from __future__ import annotations

import hashlib
import sys
from typing import Any

import lightgbm
import numpy as np
from measuring import job

from keepline.insight.sifting import sieve_of
from keepline.insight.trees import SETTINGS, Trees

ROWS, BATCH, INPUTS, LEARNT = 200_000, 10_000, 30, 40_000


def drawn() -> tuple[Any, Any]:
    dice = np.random.default_rng(1)
    x = dice.normal(size=(ROWS, INPUTS))
    x[dice.random(x.shape) < 0.1] = np.nan
    known = np.nan_to_num(x)
    return x, (dice.random(ROWS) < 1 / (1 + np.exp(2 - known[:, 0] - known[:, 1] * known[:, 2]))) * 1.0


def main(who: str, trees: int, leaves: int) -> None:
    x, y = drawn()
    data = lightgbm.Dataset(x[:LEARNT], label=y[:LEARNT])
    booster = lightgbm.train(SETTINGS | {"num_leaves": leaves}, data, num_boost_round=trees)
    sifted = Trees(sieve_of(booster))
    sifted.logit(x[:1])  # compiled before it counts
    predict = {"sifted": sifted.logit, "own": lambda rows: booster.predict(rows, raw_score=True, num_threads=1)}[who]
    with job() as said:
        made = [predict(x[first : first + BATCH]) for first in range(0, ROWS, BATCH)]
    whole = np.concatenate(made)
    said(rows=ROWS, sum_of_log_odds=float(whole.sum()), hashed=hashlib.sha256(whole.tobytes()).hexdigest())
    said(rows_a_second=round(ROWS / said.told["seconds"]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
