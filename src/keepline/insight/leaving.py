"""The probability that something happens to a customer: curves and trees, weighed by what they predict unseen.

    log-odds = a + w1 * curves + w2 * small trees + w3 * long trees,  w >= 0

a and w minimise the log loss of predictions for customers the parts did not see (inner folds
by customer), so the stack is also the calibration: a base that is too sure gets w < 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from keepline.insight.additive import Additive, Signs, fit_additive, fit_alike, rarer
from keepline.insight.inputs import Numbers, Vector, folds
from keepline.insight.trees import LONG, SMALL, Trees, fit_trees

SMALL_EVENTS_MIN = 60  # the weights tell whether they are of use; with fewer there is too little to weigh by
LONG_EVENTS_MIN = 5_000
INNER_FOLDS = 4
INNER_EVENTS_EACH = 500  # events unseen for each part to weigh; with so many the remaining folds may be skipped
STAYERS_EACH_EVENT = 8
FIT_ROWS_MIN, FIT_ROWS_MAX = 15_000, 50_000  # of either kind
STACK_PENALTY = 5e-3
LOGIT_MAX = 11.5
SCORED_FOLDS = 5
EVENTS_EACH_DEGREE_PLENTY = 20

Base = Additive | Trees
GROWN = {"small": SMALL, "long": LONG}


@dataclass(frozen=True)
class Stack:
    """A fitted model. ``shift`` is the prior correction of the log-odds where leavers were over-sampled."""

    curves: Additive
    trees: tuple[Trees, ...]
    intercept: float
    weights: tuple[float, ...]
    names: tuple[str, ...]
    shift: float = 0.0

    def logit(self, matrix: Vector, parts: Vector | None = None) -> Vector:
        """``parts``: what the curves say of each row, where that is known already."""
        total = np.full(len(matrix), self.intercept + self.shift)
        bases: tuple[Base, ...] = (self.curves, *self.trees)
        for base, weight in zip(bases, self.weights, strict=True):
            if not weight:
                continue  # trees that told nothing more are not asked
            spelt = parts if base is self.curves else None
            said = base.logit(matrix) if spelt is None else self.curves.added(spelt)
            total = total + weight * _bounded(said)
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

    def each(self, matrix: Vector, ids: Numbers) -> Iterator[tuple[Stack, Any, Vector]]:
        """Each stack that scores any of the customers: which of them, and their rows."""
        if len(self.stacks) == 1:
            yield self.stacks[0], slice(None), matrix  # all of them, and nothing copied
            return
        which = self.folds(ids)
        for i, stack in enumerate(self.stacks):
            mine = which == i
            if mine.any():
                yield stack, mine, matrix[mine]

    def probability(self, matrix: Vector, ids: Numbers) -> Vector:
        made = np.empty(len(ids))
        for stack, mine, rows in self.each(matrix, ids):
            made[mine] = chance(stack.logit(rows))
        return made

    def corrected(self, shift: float) -> Leaving:
        return Leaving(tuple(replace(stack, shift=shift) for stack in self.stacks))


def chance(logit: Vector) -> Vector:
    """Log-odds as a probability, rounded so that machines agree."""
    return np.asarray(np.round(expit(logit), 9))


def _bounded(logit: Vector) -> Vector:
    return np.clip(logit, -LOGIT_MAX, LOGIT_MAX)


def fit_stack(matrix: Vector, y: Vector, ids: Numbers, *, seed: int, sizes: Sequence[str], signs: Signs = ()) -> Stack:
    """Fit the bases and weigh them. ``sizes`` names the trees allowed: small, long; ``signs`` binds all parts alike.

    Raises TooFewError as :func:`fit_additive` does; the caller has checked the events of the whole.
    """
    trees = _trees_for(y, sizes)
    x, target, weight = _thinned(matrix, y, seed)
    curves = fit_additive(x, target, weight, signs=signs)
    grown = tuple(fit_trees(x, target, weight, size=GROWN[size], seed=seed, signs=signs) for size in trees)
    if not trees and curves.events > EVENTS_EACH_DEGREE_PLENTY * curves.degrees:
        return Stack(curves, (), 0.0, (1.0,), ("curves",))  # hardly fitted to chance: calibrated as it is
    intercept, weights = weigh(*_unseen(matrix, y, ids, seed=seed, trees=trees, like=curves, signs=signs))
    return Stack(curves, grown, intercept, weights, ("curves", *trees))


def _trees_for(y: Vector, sizes: Sequence[str]) -> tuple[str, ...]:
    events = rarer(y)
    least = {"small": SMALL_EVENTS_MIN, "long": LONG_EVENTS_MIN}
    return tuple(size for size in sizes if events >= least[size])


def _unseen(
    matrix: Vector, y: Vector, ids: Numbers, *, seed: int, trees: Sequence[str], like: Additive, signs: Signs
) -> tuple[Vector, Vector]:
    """Log-odds of each base for customers it did not see, fold by fold until there are events enough."""
    fold = folds(ids, salt="inner", count=INNER_FOLDS)
    made, truth, events = [], [], 0.0
    for i in range(INNER_FOLDS):
        test = fold == i
        x, target, weight = _thinned(matrix[~test], y[~test], seed)
        bases: list[Base] = [fit_alike(x, target, weight, like=like, signs=signs)]
        bases += [fit_trees(x, target, weight, size=GROWN[size], seed=seed, signs=signs) for size in trees]
        made.append(np.column_stack([_bounded(base.logit(matrix[test])) for base in bases]))
        truth.append(y[test])
        events += float(y[test].sum())
        if events >= INNER_EVENTS_EACH * len(bases):
            break
    return np.vstack(made), np.concatenate(truth)


def _thinned(matrix: Vector, y: Vector, seed: int) -> tuple[Vector, Vector, Vector]:
    """The events and, by lot, eight times as many of those to whom nothing happened, weighted up.

    Eight tell nearly as much as all (the variance grows by an eighth at most) in a fraction of the time.
    """
    events = float(y.sum())
    wanted = float(np.clip(STAYERS_EACH_EVENT * events, FIT_ROWS_MIN, FIT_ROWS_MAX))
    rates = np.minimum(1.0, wanted / np.array([len(y) - events, events]))
    if rates.min() == 1.0:
        return matrix, y, np.ones(len(y))
    mine = rates[y.astype(int)]
    keep = np.random.default_rng(seed).random(len(y)) < mine
    return matrix[keep], y[keep], 1 / mine[keep]


def weigh(outside: Vector, y: Vector) -> tuple[float, tuple[float, ...]]:
    """Intercept and non-negative weights of least log loss, held lightly to the plain average."""
    count = outside.shape[1]
    start = np.r_[0.0, np.full(count, 1 / count)]
    held = STACK_PENALTY * float(y.mean() * (1 - y.mean()))  # rare events move the loss less

    def loss(at: Vector) -> tuple[float, Vector]:
        z = at[0] + (outside * at[1:]).sum(axis=1)
        away = at[1:] - 1 / count
        error = (expit(z) - y) / len(y)
        value = float(np.mean(np.logaddexp(0, z) - y * z) + held * (away**2).sum())
        slope = (outside * error[:, None]).sum(axis=0) + 2 * held * away
        return value, np.r_[error.sum(), slope]

    bounds = [(None, None)] + [(0.0, None)] * count
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    return float(found[0]), tuple(float(w) for w in found[1:])
