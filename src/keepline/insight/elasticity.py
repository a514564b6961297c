"""Price elasticities by group from what was bought at which price: by cells, with the level of each stratum set free.

The mean of what a customer buys at relative price r is ``level × r^e``: e = −1.2 says that a price 1 % higher sells
1.2 % less. Within a stratum (product, month, and how likely the price was, where it was not by lot) the level
cancels when the stratum's total is taken as given, so that only the sharing of it among prices counts:

    score(e) = Σ q (x − x̄)      x = log r,  x̄ its mean with weights n exp(e x)      curvature Σ Q Var(x)

This is Poisson's conditional likelihood (Hausman, Hall and Griliches 1984); it asks only that the mean is right, not
that counts are Poisson (Gourieroux, Monfort and Trognon 1984), so quantities may be fractions and the error is taken
from the residuals (White 1982), each over what the fitted level leaves of it. Zero purchases count. Where all logs
exist, :func:`lines` does it by least squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Vector = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

STEPS, CLOSE, STEP_MAX, REACH = 50, 1e-9, 1.0, 12.0
BOUGHT_MIN = 30.0  # of a group: less says nothing one could call an elasticity
FLAT = 1e-12


@dataclass(frozen=True)
class Cells:
    """What was quoted and bought, summed: one entry a stratum and price. ``group`` and ``stratum`` count from 0."""

    group: Ints  # of each stratum
    stratum: Ints
    x: Vector  # log of price over list price
    quotes: Vector
    bought: Vector
    squares: Vector  # sum of squared quantities


@dataclass(frozen=True)
class Slopes:
    """The own estimate of each group, with its variance; NaN where the group does not tell one."""

    values: Vector
    variances: Vector
    bought: Vector


def slopes(cells: Cells, groups: int) -> Slopes:
    """Fit every group at once by Newton steps; a group needs two prices in one stratum and some purchases."""
    of = cells.group[cells.stratum]
    bought = _sums(of, cells.bought, groups)
    e = np.zeros(groups)
    for _ in range(STEPS):
        score, information, _ = _scored(cells, e, groups)
        step = np.clip(score / np.maximum(information, FLAT), -STEP_MAX, STEP_MAX)
        e = np.clip(e + step, -REACH, REACH)
        if np.abs(step).max(initial=0.0) < CLOSE:
            break
    _, information, meat = _scored(cells, e, groups)
    known = (information > FLAT) & (bought >= BOUGHT_MIN) & (np.abs(e) < REACH)
    safe = np.where(known, information, 1.0)
    variances = np.maximum(meat / safe**2, 1e-9)
    return Slopes(np.where(known, e, np.nan), np.where(known, variances, np.nan), bought)


def expected(cells: Cells, e: Vector) -> Vector:
    """What one quote of each cell is expected to sell, at the elasticity of its group."""
    weight, inside = _weighed(cells, e)
    total = _sums(cells.stratum, cells.bought, len(cells.group))
    return np.asarray((total / np.maximum(inside, FLAT))[cells.stratum] * weight / np.maximum(cells.quotes, FLAT))


def _weighed(cells: Cells, e: Vector) -> tuple[Vector, Vector]:
    """The weight of each cell in its stratum, and the sums of the strata."""
    weight = cells.quotes * np.exp(e[cells.group[cells.stratum]] * cells.x)
    return weight, _sums(cells.stratum, weight, len(cells.group))


def _scored(cells: Cells, e: Vector, groups: int) -> tuple[Vector, Vector, Vector]:
    """By group: the score, its curvature, and the sum of the squared residuals that make its error.

    A residual is short of its part in the stratum's level, which was fitted to the same quotes: with p that part, and a
    variance in proportion to the mean, E residual² = variance (1 − p); of n quotes at one price (n − 1) / n.
    """
    strata = len(cells.group)
    weight, inside = _weighed(cells, e)
    share = weight / np.maximum(inside, FLAT)[cells.stratum]
    centre = _sums(cells.stratum, share * cells.x, strata)
    away = cells.x - centre[cells.stratum]
    total = _sums(cells.stratum, cells.bought, strata)
    each = share / np.maximum(cells.quotes, FLAT)  # of one quote in its stratum's level; 1 where it is alone
    mean = total[cells.stratum] * each
    residual = (cells.squares - 2 * mean * cells.bought + cells.quotes * mean**2) / np.maximum(1 - each, FLAT)
    of = cells.group[cells.stratum]
    return (
        _sums(of, cells.bought * away, groups),
        _sums(of, total[cells.stratum] * share * away**2, groups),
        _sums(of, residual * away**2, groups),
    )


def _sums(which: Ints, values: Vector | None, count: int) -> Vector:
    """Sums of values by number, or how many there are."""
    return np.asarray(np.bincount(which, values, count), dtype=np.float64)


def lines(group: Ints, x: Vector, y: Vector, groups: int) -> Slopes:
    """The slope of y on x in each group by least squares, with one residual variance for all groups."""
    n = _sums(group, None, groups)
    sums = [_sums(group, each, groups) for each in (x, y)]
    mx, my = (each / np.maximum(n, 1.0) for each in sums)
    dx, dy = x - mx[group], y - my[group]
    sxx, sxy, syy = (_sums(group, each, groups) for each in (dx * dx, dx * dy, dy * dy))
    known = (sxx > FLAT) & (n > 2)
    value = np.where(known, sxy / np.where(known, sxx, 1.0), np.nan)
    rest = np.where(known, syy - np.where(known, value, 0.0) * sxy, 0.0).sum()
    spread = rest / max(float((n - 2)[known].sum()), 1.0)
    return Slopes(value, np.where(known, spread / np.where(known, sxx, 1.0), np.nan), sums[1])
