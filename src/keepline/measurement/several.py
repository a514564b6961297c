"""Several offers against one group left alone: intervals that hold together, so that the best is not best by luck.

Differences from one common arm hang together. With errors e² = v_i/n_i + v_0/n_0 they are jointly
normal with correlations λ_i λ_j, λ_i = √(v_0/n_0) / e_i, so that the chance of all lying within ±c is
one integral over what the common arm does (Dunnett 1955, JASA 50:1096–1121; Dunnett and Sobel 1955):

    P(c) = ∫ Π_i [Φ((c − λ_i u) / √(1 − λ_i²)) − Φ((−c − λ_i u) / √(1 − λ_i²))] φ(u) du
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import optimize, stats

from keepline.measurement.statistics import LEVEL, Difference, Sums

NODES = 129
POINTS, WEIGHTS = np.polynomial.hermite_e.hermegauss(NODES)
REACH_MAX = 12.0


@dataclass(frozen=True)
class Against:
    """One arm against the common one: its difference, an interval good for all arms at once, and p put right."""

    difference: Difference
    p: float  # that any arm of all shows as much by chance


def together(arms: Sequence[Sums], left_alone: Sums, *, level: float = LEVEL) -> list[Against] | None:
    """Every arm against those left alone; None where an arm has fewer than two, or nobody differs from anybody."""
    if not arms or min(left_alone.n, *(arm.n for arm in arms)) < 2:
        return None
    common = left_alone.variance / left_alone.n
    errors = [sqrt(arm.variance / arm.n + common) for arm in arms]
    if min(errors) <= 0:
        return None
    weights = [sqrt(common) / error for error in errors]
    reach = reach_for(weights, level=level)
    made = []
    for arm, error in zip(arms, errors, strict=True):
        estimate = arm.mean - left_alone.mean
        found = Difference(arm.mean, left_alone.mean, estimate - reach * error, estimate + reach * error)
        made.append(Against(found, 1 - within(abs(estimate) / error, weights)))
    return made


def within(reach: float, weights: Sequence[float]) -> float:
    """The chance that no arm lies beyond ``reach`` errors when no offer does anything."""
    inside = np.ones(NODES)
    for weight in weights:
        rest = sqrt(max(1 - weight**2, 1e-12))
        inside *= stats.norm.cdf((reach - weight * POINTS) / rest) - stats.norm.cdf((-reach - weight * POINTS) / rest)
    return float(np.clip((inside * WEIGHTS).sum() / WEIGHTS.sum(), 0.0, 1.0))


def reach_for(weights: Sequence[float], *, level: float = LEVEL) -> float:
    """How many errors each interval reaches so that all hold together."""
    return float(optimize.brentq(lambda c: within(c, weights) - level, 0.0, REACH_MAX, xtol=1e-10))
