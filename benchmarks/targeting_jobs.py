"""The jobs of targeting_bench.py: one world, one size of pilot, some repetitions, in a child process.

usage: targeting_jobs.py WORLD PILOT FIRST LAST
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import targeting_worlds as worlds
from measuring import job
from scipy.special import expit

from keepline.insight.trees import SMALL, fit_trees
from keepline.measurement import uplift

Numbers = Any
LEAVES_ROOM = 0.01  # variance of leaving is not taken for smaller
PEERS = {
    "n_estimators": 120, "learning_rate": 0.03, "num_leaves": 6, "min_child_samples": 200, "colsample_bytree": 0.7,
    "subsample": 0.8, "subsample_freq": 1, "reg_lambda": 10.0, "n_jobs": 1, "verbose": -1, "random_state": 1,
}  # fmt: skip


def repeated(world: str, pilot: int, seeds: range) -> dict[str, list[float]]:
    """The share of the best possible margin by rule, a figure a repetition."""
    found: dict[str, list[float]] = {}
    for seed in seeds:
        random = np.random.default_rng(seed)
        tried, people = worlds.pilot(pilot, world, random), worlds.customers(worlds.SCORED, world, random)
        for rule, told in rules(tried, people).items():
            found.setdefault(rule, []).append(worlds.share_of_best(told, people))
    return found


def rules(tried: worlds.Pilot, people: worlds.Customers) -> dict[str, Numbers]:
    fold = uplift.folds(np.arange(len(tried.left)))
    risk = np.empty(len(tried.left))
    for number in np.unique(fold):
        inside = fold == number
        risk[inside] = leaving(tried, ~inside & ~tried.treated, tried.customers.x[inside])
    risk_now = leaving(tried, ~tried.treated, people.x)
    change, peer = ours(tried, people, risk, risk_now, fold), x_learner(tried, people)
    return {
        "churn risk": risk_now,
        "risk × value": risk_now * people.value,
        "uplift": -change,
        "profit uplift, X-learner of trees": profit(people, risk_now, peer),
        "keepline": profit(people, risk_now, change),
    }


def leaving(tried: worlds.Pilot, rows: Numbers, x: Numbers) -> Numbers:
    """The probability of leaving when left alone, by the product's small trees."""
    fitted = fit_trees(tried.customers.x[rows], tried.left[rows], np.ones(int(rows.sum())), size=SMALL, seed=1)
    return expit(fitted.logit(x))


def ours(tried: worlds.Pilot, people: worlds.Customers, risk: Numbers, risk_now: Numbers, fold: Numbers) -> Numbers:
    """The product's own change of leaving for customers who were in no pilot."""
    columns = [np.r_[risk, risk_now], *np.vstack([tried.customers.x, people.x]).T]
    names = [uplift.RISK, *(f"x{i}" for i in range(len(columns) - 1))]
    whole, count = uplift.standardise(dict(zip(names, columns, strict=True))), len(risk)
    terms = uplift.Terms(whole.names, whole.centre, whole.scale, whole.values[:count])
    before = uplift.Terms(whole.names[1:], whole.centre[1:], whole.scale[1:], whole.values[:count, 1:])
    found = uplift.estimate(
        terms, before=before, target=tried.left, treated=tried.treated, share=np.full(count, tried.treated.mean()),
        size=risk, weight=1 / np.maximum(risk * (1 - risk), LEAVES_ROOM), fold=fold,
    )  # fmt: skip
    return found.effect.at(whole.values[count:], risk_now)


def profit(people: worlds.Customers, risk: Numbers, change: Numbers) -> Numbers:
    """Value × effect less cost, the effect held between all the risk there is and all that is not."""
    held = np.clip(change, -risk, 1 - risk)
    return -people.value * held - worlds.CONTACT - worlds.BENEFIT * worlds.TAKERS * (1 - risk - held)


def x_learner(tried: worlds.Pilot, people: worlds.Customers) -> Numbers:
    """Künzel, Sekhon, Bickel and Yu 2019 with regularised boosted trees, as a careful person would set it up."""
    import lightgbm

    x, y, t = tried.customers.x, tried.left, tried.treated
    arms = {arm: lightgbm.LGBMClassifier(**PEERS).fit(x[t == arm], y[t == arm]) for arm in (False, True)}
    with_offer = y[t] - arms[False].predict_proba(x[t])[:, 1]
    without = arms[True].predict_proba(x[~t])[:, 1] - y[~t]
    one = lightgbm.LGBMRegressor(**PEERS).fit(x[t], with_offer).predict(people.x)
    other = lightgbm.LGBMRegressor(**PEERS).fit(x[~t], without).predict(people.x)
    return t.mean() * other + (1 - t.mean()) * one


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    with job() as said:
        shares = repeated(sys.argv[1], int(sys.argv[2]), range(int(sys.argv[3]), int(sys.argv[4])))
    said(shares=shares)
