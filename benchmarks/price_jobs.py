"""The jobs of price_bench.py, ours and the peer's, each run in a child process.

usage: price_jobs.py WHAT FOLDER SETS
"""

from __future__ import annotations

import sys
import time
import warnings
from typing import Any

import numpy as np
from measuring import job

MEAN, SPREAD = -1.6, 0.5
Data = tuple[Any, Any, Any, Any]


def made(seed: int, *, groups: int = 300, each: int = 30) -> Data:
    """Group, log price, log use and the true elasticities."""
    dice = np.random.default_rng(seed)
    truth, level = dice.normal(MEAN, SPREAD, groups), dice.normal(3, 0.6, groups)
    group = np.repeat(np.arange(groups), each)
    x = dice.normal(0, 0.12, groups * each)
    return group, x, level[group] + truth[group] * x + dice.normal(0, 0.5, groups * each), truth


def shrunk(sets: int, **size: int) -> None:
    """Ours: lines by group, drawn together."""
    from keepline.insight.elasticity import lines
    from keepline.insight.shrinkage import shrink

    worlds = [made(seed, **size) for seed in range(sets)]
    groups = len(worlds[0][3])
    own = [lines(group, x, y, groups) for group, x, y, _ in worlds[:1]]  # what is loaded at first use is loaded
    shrink(own[0].values, own[0].variances)
    begun = time.process_time()
    with job() as said:
        own = [lines(group, x, y, groups) for group, x, y, _ in worlds]
        told = [shrink(each.values, each.variances) for each in own]
    spent = time.process_time() - begun
    truths = [world[3] for world in worlds]
    pooled = [np.full(groups, each.mean) for each in told]
    inside = [np.abs(each.values - truth) < 1.6449 * each.errors for each, truth in zip(told, truths, strict=True)]
    said(
        rmse=error([each.values for each in told], truths),
        rmse_own=error([each.values for each in own], truths),
        rmse_pooled=error(pooled, truths),
        wrong_sign=float(np.mean([each.values > 0 for each in told])),
        covered=float(np.mean(inside)),
        milliseconds_a_set=1000 * spent / sets,
    )


def large(sets: int) -> None:
    shrunk(sets, groups=20_000, each=60)


def error(told: list[Any], truth: list[Any]) -> float:
    return float(np.sqrt(np.mean((np.array(told) - np.array(truth)) ** 2)))


def mixed(sets: int) -> None:
    """statsmodels: a mixed model with a random level and slope."""
    import pandas as pd
    import statsmodels.formula.api as smf

    warnings.filterwarnings("ignore")
    worlds = [made(seed) for seed in range(sets)]
    told = []
    begun = time.process_time()
    with job() as said:
        for group, x, y, _ in worlds:
            fitted = smf.mixedlm("y ~ x", pd.DataFrame({"y": y, "x": x, "g": group}), groups="g", re_formula="~x").fit()
            told.append([fitted.params["x"] + fitted.random_effects[g]["x"] for g in range(300)])
    said(
        rmse=error([np.array(each) for each in told], [world[3] for world in worlds]),
        wrong_sign=float(np.mean(np.array(told) > 0)),
        milliseconds_a_set=1000 * (time.process_time() - begun) / sets,
    )


def bought(sets: int) -> None:
    """Ours on purchases: bias of the mean elasticity with prices by lot, aimed, and adjusted by the score."""
    from keepline.insight.elasticity import slopes
    from keepline.insight.shrinkage import shrink

    found: dict[str, list[float]] = {"lot": [], "aimed": [], "adjusted": []}
    with job() as said:
        for seed in range(sets):
            for name in found:
                cells, groups, truth = purchases(seed, how=name)
                own = slopes(cells, groups)
                known = np.isfinite(own.values)
                told = shrink(own.values[known], own.variances[known])
                found[name].append(float(np.mean(told.values - truth[known])))
    said(**{name: float(np.mean(each)) for name, each in found.items()})


def purchases(seed: int, *, how: str, groups: int = 12, each: int = 3000) -> Any:
    """Packs bought at one of five prices; aimed: who is likely to leave buys less and is quoted less."""
    from keepline.insight.elasticity import Cells

    dice = np.random.default_rng(seed)
    truth = dice.normal(MEAN, SPREAD, groups)
    group = np.repeat(np.arange(groups), each)
    prices = np.log([0.6, 0.8, 1.0, 1.2, 1.4])
    score = dice.normal(0, 1, len(group))
    lucky = dice.integers(0, 5, len(group))
    aimed = np.clip(np.round(2 - 0.9 * score + dice.normal(0, 0.8, len(group))), 0, 4).astype(int)
    x = prices[lucky if how == "lot" else aimed]
    q = dice.poisson(np.exp(-0.6 - 0.5 * score + truth[group] * x)).astype(float)
    band = np.digitize(score, np.quantile(score, np.arange(0.05, 1, 0.05))) if how == "adjusted" else 0 * group
    stratum = group * 20 + band
    place = stratum * 5 + np.searchsorted(prices, x)
    kept, at = np.unique(place, return_inverse=True)
    sums = [np.bincount(at, values) for values in (np.ones_like(q), q, q * q)]
    of = np.repeat(np.arange(groups), 20)
    return Cells(of, kept // 5, prices[kept % 5], *sums), groups, truth


if __name__ == "__main__":
    {"shrunk": shrunk, "mixed": mixed, "large": large, "bought": bought}[sys.argv[1]](int(sys.argv[3]))
