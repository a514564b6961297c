"""Which learners speak for a pilot: those that rank customers as well as the best, as far as can be told.

How well a ranking tells who responds more is its Qini: the area between the curve of what is gained when the
highest ranked are treated first and the straight line of treating by lot (Radcliffe 2007). With a doubly robust guess
g of the effect on each customer and u, the rank between 0 and 1 within the fold, as told by the other folds,

    Qini = mean of (g − mean g) × (1/2 − u)

Being a mean, it has a standard error, and so has the difference of two learners on the same customers. A learner is
out when it is more than one standard error of the difference below the best; the mean of the others speaks
(after Hansen, Lunde and Nason 2011). A pilot hardly ever tells the best learner from the second: whoever picks
one winner by it loses more than by taking the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from keepline.measurement.learners import LEARNERS, Effect, Ints, Learner, Numbers, Seen, mean_of


@dataclass(frozen=True)
class Judged:
    """A learner, how well it ranked customers it had not seen, and whether it has a say."""

    name: str
    qini: float
    error: float
    chosen: bool


@dataclass(frozen=True)
class Choice:
    """Every learner tried, the simpler first; what those chosen say of each customer unseen, and their mean."""

    tried: tuple[Judged, ...]
    told: Numbers
    effect: Effect


def choose(seen: Seen, fold: Ints, learners: Mapping[str, Learner] = LEARNERS) -> Choice:
    told = {name: unseen(learner, seen, fold) for name, learner in learners.items()}
    gains = {name: gained(seen.own, each, fold) for name, each in told.items()}
    best = max(gains, key=lambda name: float(gains[name].mean()))
    chosen = [name for name in learners if _as_good(gains[name], gains[best])]
    tried = tuple(Judged(name, *_mean(gains[name]), name in chosen) for name in learners)
    effect = mean_of([learners[name](seen) for name in chosen])
    return Choice(tried, np.mean([told[name] for name in chosen], axis=0), effect)


def unseen(learner: Learner, seen: Seen, fold: Ints) -> Numbers:
    """What the learner says of each customer when taught by the other folds."""
    told = np.empty(len(seen.own))
    for number in np.unique(fold):
        inside = fold == number
        told[inside] = learner(seen.of(~inside)).at(seen.values[inside], seen.size[inside])
    return told


def gained(own: Numbers, told: Numbers, fold: Ints) -> Numbers:
    """Each customer's part of the Qini; those told alike share a rank. The same whether more or less is good.

    Ranked within their fold: what two fits say is not compared, since the fold whose customers respond more is told
    less by the others, which would make a learner of nothing look worse than nothing.
    """
    parts = np.empty(len(own))
    for number in np.unique(fold):
        inside = fold == number
        rank = (stats.rankdata(np.round(-told[inside], 12)) - 0.5) / inside.sum()
        parts[inside] = (own[inside] - own[inside].mean()) * (0.5 - rank)
    return parts


def _as_good(one: Numbers, best: Numbers) -> bool:
    lacks, error = _mean(best - one)
    return lacks <= error


def _mean(parts: Numbers) -> tuple[float, float]:
    return float(parts.mean()), float(parts.std(ddof=1)) / len(parts) ** 0.5
