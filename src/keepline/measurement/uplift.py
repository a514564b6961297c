"""The effect of an offer on each customer, as a line in a few terms, from a pilot drawn by lot.

1. Each customer gets a doubly robust guess of their own effect (Robins, Rotnitzky and Zhao
   1994): what a model of each arm, fitted on other customers, expects, put right by what was
   seen over the share treated. Its mean is the mean effect, unbiased because lots were drawn.
2. A ridge line of these guesses on standardised terms tells who responds more.
3. The line is taken half-way to a plain one: for leaving, effect = slope × risk; for margin,
   the mean. Half-shrinkage beat choosing a winner on the pilot in our measurements.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from scipy import stats

from keepline.measurement.statistics import LEVEL

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

FOLDS = 5
REACH = 6.0  # standardised terms are held within −REACH … REACH, when fitted and when used
NORMAL_REACH = 3.2897  # from the 5th to the 95th percentile of a standard normal
KNOWN_MIN = 0.2  # a term known of fewer is not used
PENALTIES = tuple(10.0**power for power in np.arange(3.0, -3.5, -0.5))  # per customer, strongest first
HETEROGENEITY_P = 0.05
FLAT = 1e-12


@dataclass(frozen=True)
class Terms:
    """Standardised terms: one column a name, nulls at the centre."""

    names: tuple[str, ...]
    centre: Numbers
    scale: Numbers
    values: Numbers


@dataclass(frozen=True)
class Line:
    """``intercept + Σ slope × term``."""

    intercept: float
    slopes: Numbers

    def at(self, values: Numbers) -> Numbers:
        found: Numbers = self.intercept + (values * self.slopes).sum(axis=1)
        return found


@dataclass(frozen=True)
class Uplift:
    """The effect found: its mean with interval, its line, and whether customers differ in it."""

    mean: float
    low: float
    high: float
    line: Line
    varies: bool


def standardise(columns: dict[str, Numbers]) -> Terms:
    """Centre by the median and scale by the middle nine tenths; drop what is unknown or all alike."""
    kept: list[tuple[str, float, float, Numbers]] = []
    for name, column in columns.items():
        known = column[~np.isnan(column)]
        if known.size < max(2.0, KNOWN_MIN * column.size):
            continue
        centre, scale = float(np.median(known)), _scale(known)
        if scale > FLAT:
            centre, scale = round(centre, 9), round(scale, 9)
            kept.append((name, centre, scale, np.clip((column - centre) / scale, -REACH, REACH)))
    values = [np.nan_to_num(column, nan=0.0) for *_, column in kept]
    size = next(iter(columns.values())).size if columns else 0
    return Terms(
        tuple(name for name, *_ in kept),
        np.array([centre for _, centre, _, _ in kept]),
        np.array([scale for _, _, scale, _ in kept]),
        np.column_stack(values) if values else np.zeros((size, 0)),
    )


def _scale(known: Numbers) -> float:
    low, high = np.percentile(known, [5, 95])
    return float((high - low) / NORMAL_REACH) if high > low else float(known.std())


def ridge(values: Numbers, target: Numbers) -> Line:
    """Ridge regression with the penalty that generalised cross-validation prefers (Golub, Heath, Wahba 1979)."""
    middle, mean = values.mean(axis=0), float(target.mean())
    if values.shape[1] == 0:
        return Line(mean, np.zeros(0))
    inner = values - middle
    spread, axes = np.linalg.eigh(inner.T @ inner)
    spread = np.maximum(spread, 0.0)
    seen = axes.T @ (inner.T @ (target - mean))
    shrunk = _shrunk(spread, seen, total=float(((target - mean) ** 2).sum()), rows=len(target))
    slopes = axes @ shrunk
    return Line(mean - float((middle * slopes).sum()), slopes)


def _shrunk(spread: Numbers, seen: Numbers, *, total: float, rows: int) -> Numbers:
    """Coefficients along the principal axes at the best penalty; the strongest wins a tie."""
    best, chosen = np.inf, np.zeros_like(seen)
    for penalty in PENALTIES:
        below = spread + penalty * rows
        found = seen / below
        left = total - 2 * float((found * seen).sum()) + float((found**2 * spread).sum())
        freedom = rows - float((spread / below).sum()) - 1
        score = left / max(freedom, 1.0) ** 2
        if score < best:
            best, chosen = score, found
    return chosen


def folds(treated: Flags) -> np.ndarray[Any, np.dtype[np.int64]]:
    """A fold for each row, in turn within each arm; rows come in order of pseudonym, which is order by lot."""
    number = np.empty(len(treated), dtype=np.int64)
    for arm in (True, False):
        inside = treated == arm
        number[inside] = np.arange(inside.sum()) % FOLDS
    return number


def guesses(values: Numbers, target: Numbers, treated: Flags, share: Numbers) -> Numbers:
    """Each row's doubly robust guess of its effect; ``share`` is the chance with which it was treated."""
    fold, found = folds(treated), np.empty(len(target))
    for number in range(FOLDS):
        inside, outside = fold == number, fold != number
        with_offer = ridge(values[outside & treated], target[outside & treated]).at(values[inside])
        without = ridge(values[outside & ~treated], target[outside & ~treated]).at(values[inside])
        y, t, e = target[inside], treated[inside], share[inside]
        found[inside] = with_offer - without + np.where(t, (y - with_offer) / e, -(y - without) / (1 - e))
    return found


def estimate(
    terms: Terms, *, before: Terms, target: Numbers, treated: Flags, share: Numbers, risk: Numbers | None
) -> Uplift:
    """The effect on ``target``. ``before`` holds only what was known before the lot, for the models of the arms.

    With ``risk`` (the probability of leaving without the offer) the line is drawn half-way to
    slope × risk, which must be one of the terms; without it, half-way to the mean.
    """
    own = guesses(before.values, target, treated, share)
    mean, error = float(own.mean()), float(own.std(ddof=1)) / sqrt(len(own))
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(own) - 1)) * error
    free = ridge(terms.values, own)
    plain = _by_risk(terms, own, risk) if risk is not None else Line(mean, np.zeros(len(terms.names)))
    line = Line((free.intercept + plain.intercept) / 2, (free.slopes + plain.slopes) / 2)
    return Uplift(mean, mean - half, mean + half, line, varies(terms.values, own, treated))


RISK = "leave_probability"


def _by_risk(terms: Terms, own: Numbers, risk: Numbers) -> Line:
    """``slope × risk`` written in the standardised term."""
    if RISK not in terms.names or not risk.any():
        return Line(float(own.mean()), np.zeros(len(terms.names)))
    place = terms.names.index(RISK)
    slope = float((own * risk).sum() / (risk**2).sum())
    slopes = np.zeros(len(terms.names))
    slopes[place] = slope * terms.scale[place]
    return Line(slope * float(terms.centre[place]), slopes)


def varies(values: Numbers, own: Numbers, treated: Flags) -> bool:
    """Whether lines fitted on other customers tell who responds more (best linear predictor, one-sided).

    Chernozhukov, Demirer, Duflo and Fernández-Val 2018: the guesses are regressed on the
    out-of-fold predictions; their slope is above zero only if customers do differ.
    """
    fold, told, rest = folds(treated), np.empty(len(own)), np.empty(len(own))
    for number in range(FOLDS):
        inside = fold == number
        predicted = ridge(values[~inside], own[~inside]).at(values[inside])
        told[inside] = predicted - predicted.mean()
        rest[inside] = own[inside] - own[inside].mean()
    below = float((told**2).sum())
    if below <= FLAT * len(own) * float(rest.std()) ** 2:
        return False
    slope = float((told * rest).sum()) / below
    error = sqrt(float((told**2 * (rest - slope * told) ** 2).sum())) / below
    return error > 0 and float(stats.norm.sf(slope / error)) < HETEROGENEITY_P
