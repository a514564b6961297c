"""The probability that something happens to a customer: curves and trees, weighed by what they predict unseen.

    log-odds = a + w1 * curves + w2 * small trees + w3 * long trees,  w >= 0

a and w minimise the log loss of predictions for customers the parts did not see (inner folds
by customer), so the stack is also the calibration: a base that is too sure gets w < 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from keepline.insight.additive import Additive, fit_additive, rarer
from keepline.insight.inputs import Numbers, Vector, folds
from keepline.insight.trees import LONG, SMALL, Trees, fit_trees

SMALL_EVENTS_MIN = 300
LONG_EVENTS_MIN = 5_000
INNER_FOLDS = 4
INNER_EVENTS_ENOUGH = 1_000  # three weights are known well enough; the remaining folds may be skipped
FIT_ROWS_MAX = 50_000
STACK_PENALTY = 1e-3
LOGIT_MAX = 11.5
SCORED_FOLDS = 5

Base = Additive | Trees
Fit = Callable[[Vector, Vector, Vector], Base]


@dataclass(frozen=True)
class Stack:
    """A fitted model. ``shift`` is the prior correction of the log-odds where leavers were over-sampled."""

    curves: Additive
    trees: tuple[Trees, ...]
    intercept: float
    weights: tuple[float, ...]
    names: tuple[str, ...]
    shift: float = 0.0

    def logit(self, matrix: Vector) -> Vector:
        total = np.full(len(matrix), self.intercept + self.shift)
        bases: tuple[Base, ...] = (self.curves, *self.trees)
        for base, weight in zip(bases, self.weights, strict=True):
            total = total + weight * _bounded(base.logit(matrix))
        return total


@dataclass(frozen=True)
class Leaving:
    """One stack for all, or one for each fold, so that nobody is scored by a model that saw their outcome."""

    stacks: tuple[Stack, ...]

    def folds(self, ids: Numbers) -> Numbers:
        """Which stack scores each customer."""
        if len(self.stacks) == 1:
            return np.zeros(len(ids), dtype=np.int64)
        return folds(ids, salt="outer", count=len(self.stacks))

    def logit(self, matrix: Vector, ids: Numbers) -> Vector:
        made = np.empty(len(ids))
        which = self.folds(ids)
        for i, stack in enumerate(self.stacks):
            mine = which == i
            if mine.any():
                made[mine] = stack.logit(matrix[mine])
        return made

    def probability(self, matrix: Vector, ids: Numbers) -> Vector:
        return np.asarray(np.round(expit(self.logit(matrix, ids)), 9))

    def corrected(self, shift: float) -> Leaving:
        return Leaving(tuple(replace(stack, shift=shift) for stack in self.stacks))


def _bounded(logit: Vector) -> Vector:
    return np.clip(logit, -LOGIT_MAX, LOGIT_MAX)


def fit_stack(matrix: Vector, y: Vector, ids: Numbers, *, seed: int, sizes: Sequence[str]) -> Stack:
    """Fit the bases and weigh them. ``sizes`` names the trees allowed: small, long.

    Raises TooFewError as :func:`fit_additive` does; the caller has checked the events of the whole.
    """
    trees = _trees_for(y, sizes)
    outside, truth = _unseen(matrix, y, ids, seed=seed, trees=trees)
    intercept, weights = weigh(outside, truth)
    bases = [fit(*_thinned(matrix, y, seed)) for fit in _fits(trees, seed)]
    curves, *grown = bases
    assert isinstance(curves, Additive)
    kept = tuple(base for base in grown if isinstance(base, Trees))
    return Stack(curves, kept, intercept, weights, ("curves", *trees))


def _trees_for(y: Vector, sizes: Sequence[str]) -> tuple[str, ...]:
    events = rarer(y)
    least = {"small": SMALL_EVENTS_MIN, "long": LONG_EVENTS_MIN}
    return tuple(size for size in sizes if events >= least[size])


def _fits(trees: Sequence[str], seed: int) -> list[Fit]:
    settings = {"small": SMALL, "long": LONG}

    def grow(size: str) -> Fit:
        return lambda x, y, w: fit_trees(x, y, w, size=settings[size], seed=seed)

    return [fit_additive, *[grow(size) for size in trees]]


def _unseen(matrix: Vector, y: Vector, ids: Numbers, *, seed: int, trees: Sequence[str]) -> tuple[Vector, Vector]:
    """Log-odds of each base for customers it did not see, fold by fold until there are events enough."""
    fold = folds(ids, salt="inner", count=INNER_FOLDS)
    made, truth, events = [], [], 0.0
    for i in range(INNER_FOLDS):
        test = fold == i
        x, target, weight = _thinned(matrix[~test], y[~test], seed)
        bases = [fit(x, target, weight) for fit in _fits(trees, seed)]
        made.append(np.column_stack([_bounded(base.logit(matrix[test])) for base in bases]))
        truth.append(y[test])
        events += float(y[test].sum())
        if events >= INNER_EVENTS_ENOUGH:
            break
    return np.vstack(made), np.concatenate(truth)


def _thinned(matrix: Vector, y: Vector, seed: int) -> tuple[Vector, Vector, Vector]:
    """At most FIT_ROWS_MAX rows: every event, and those to whom nothing happened by lot, weighted up."""
    events = int(y.sum())
    if len(y) <= FIT_ROWS_MAX:
        return matrix, y, np.ones(len(y))
    lot = np.random.default_rng(seed).random(len(y))
    rate = max(FIT_ROWS_MAX - events, FIT_ROWS_MAX // 2) / (len(y) - events)
    event_rate = min(1.0, FIT_ROWS_MAX / 2 / events) if events > FIT_ROWS_MAX // 2 else 1.0
    keep = lot < np.where(y == 1, event_rate, rate)
    weight = np.where(y == 1, 1 / event_rate, 1 / min(rate, 1.0))
    return matrix[keep], y[keep], weight[keep]


def weigh(outside: Vector, y: Vector) -> tuple[float, tuple[float, ...]]:
    """Intercept and non-negative weights of least log loss, held lightly to the plain average."""
    count = outside.shape[1]
    start = np.r_[0.0, np.full(count, 1 / count)]

    def loss(at: Vector) -> tuple[float, Vector]:
        z = at[0] + (outside * at[1:]).sum(axis=1)
        away = at[1:] - 1 / count
        error = (expit(z) - y) / len(y)
        value = float(np.mean(np.logaddexp(0, z) - y * z) + STACK_PENALTY * (away**2).sum())
        slope = (outside * error[:, None]).sum(axis=0) + 2 * STACK_PENALTY * away
        return value, np.r_[error.sum(), slope]

    bounds = [(None, None)] + [(0.0, None)] * count
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    return float(found[0]), tuple(float(w) for w in found[1:])
