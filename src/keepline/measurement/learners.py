"""Ways to learn from a pilot who responds more, each giving an effect that the table of pilots can hold.

    effect = slope × size  +  line(terms)  +  size × share(terms)

``size`` is what a plain effect grows with, such as the risk. Every learner sees the doubly robust guesses of the
effect on each customer (see uplift.py) and is a ridge regression whose penalty generalised cross-validation
chooses (Golub, Heath and Wahba 1979). They differ in what they take for granted:

=========  ==============================================================================================
``plain``  the effect is the same share of the size for everyone
``line``   the effect is a line in the terms (doubly robust ridge; Kennedy 2023)
``share``  the share of the size that is taken away is a line in the terms; noise is the size's own, so that
           each customer weighs one over the variance of their outcome (R-learner; Nie and Wager 2021)
``both``   the two at once, so that an offer may also wake customers of hardly any risk
=========  ==============================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

PENALTIES = tuple(10.0**power for power in np.arange(3.0, -4.0, -0.5))  # times the mean curvature, strongest first
FLAT = 1e-12


@dataclass(frozen=True)
class Line:
    """``intercept + Σ slope × term``."""

    intercept: float
    slopes: Numbers

    def at(self, values: Numbers) -> Numbers:
        found: Numbers = self.intercept + (values * self.slopes).sum(axis=1)
        return found

    def times(self, factor: float) -> Line:
        return Line(factor * self.intercept, factor * self.slopes)


@dataclass(frozen=True)
class Effect:
    """``slope × size + line + size × share``; the share's intercept is the slope."""

    line: Line
    share: Line

    def at(self, values: Numbers, size: Numbers) -> Numbers:
        found: Numbers = self.line.at(values) + size * self.share.at(values)
        return found

    def times(self, factor: float) -> Effect:
        return Effect(self.line.times(factor), self.share.times(factor))

    def steeper(self, slope: float) -> Effect:
        """The same with so much more for each unit of size."""
        return Effect(self.line, Line(self.share.intercept + slope, self.share.slopes))


@dataclass(frozen=True)
class Seen:
    """What a learner is given: terms, size, weight and guess of each customer."""

    values: Numbers
    size: Numbers
    weight: Numbers
    own: Numbers

    def of(self, chosen: Flags) -> Seen:
        return Seen(self.values[chosen], self.size[chosen], self.weight[chosen], self.own[chosen])

    @property
    def nothing(self) -> Line:
        return Line(0.0, np.zeros(self.values.shape[1]))


Learner = Callable[[Seen], Effect]


def mean_of(effects: Sequence[Effect]) -> Effect:
    def mean(lines: list[Line]) -> Line:
        return Line(
            float(np.mean([each.intercept for each in lines])), np.mean([each.slopes for each in lines], axis=0)
        )

    return Effect(mean([each.line for each in effects]), mean([each.share for each in effects]))


def plain(seen: Seen) -> Effect:
    below = float((seen.weight * seen.size**2).sum())
    slope = float((seen.weight * seen.size * seen.own).sum()) / below if below > FLAT else 0.0
    return Effect(seen.nothing, Line(slope, seen.nothing.slopes))


def line(seen: Seen) -> Effect:
    return Effect(line_of(seen.values, seen.own), seen.nothing)


def line_of(values: Numbers, target: Numbers) -> Line:
    """A ridge line, every row as good as the other."""
    ones = np.ones(len(target))
    found = ridge(ones[:, None], values, target, ones)
    return Line(float(found[0]), found[1:])


def share(seen: Seen) -> Effect:
    size = seen.size[:, None]
    found = ridge(size, size * seen.values, seen.own, seen.weight)
    return Effect(seen.nothing, Line(float(found[0]), found[1:]))


def both(seen: Seen) -> Effect:
    """Lines as large as the mean size, so that one penalty suits both."""
    size, middle = seen.size[:, None], float(seen.size.mean())
    ones = np.full((len(seen.own), 1), middle)
    held = np.hstack([size * seen.values, ones, middle * seen.values])
    found, terms = ridge(size, held, seen.own, seen.weight), seen.values.shape[1]
    of_line = middle * found[terms + 1 :]
    return Effect(Line(float(of_line[0]), of_line[1:]), Line(float(found[0]), found[1 : terms + 1]))


LEARNERS: dict[str, Learner] = {"plain": plain, "share": share, "line": line, "both": both}  # the simpler first


def ridge(free: Numbers, held: Numbers, target: Numbers, weight: Numbers) -> Numbers:
    """Coefficients of ``free`` columns, which are not shrunk, then of ``held`` ones, which are (weighted)."""
    root = np.sqrt(weight)[:, None]
    base, design, seen = free * root, held * root, target * root[:, 0]
    inner = np.linalg.pinv(base.T @ base)
    onto = inner @ (base.T @ design)
    first = inner @ (base.T @ seen)
    design, left = design - base @ onto, seen - base @ first
    spread, axes = np.linalg.eigh(design.T @ design)
    spread = np.maximum(spread, 0.0)
    slopes = axes @ _shrunk(spread, axes.T @ (design.T @ left), total=float((left**2).sum()), rows=len(left))
    return np.asarray(np.r_[first - onto @ slopes, slopes])


def _shrunk(spread: Numbers, seen: Numbers, *, total: float, rows: int) -> Numbers:
    """Coefficients along the principal axes at the best penalty; the strongest wins a tie."""
    best, chosen = np.inf, np.zeros_like(seen)
    curvature = float(spread.mean()) if len(spread) else 0.0
    for penalty in PENALTIES if curvature > FLAT else ():
        below = spread + penalty * curvature
        found = seen / below
        left = total - 2 * float((found * seen).sum()) + float((found**2 * spread).sum())
        freedom = rows - float((spread / below).sum()) - 1
        score = left / max(freedom, 1.0) ** 2
        if score < best:
            best, chosen = score, found
    return chosen
