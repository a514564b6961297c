"""Looking at a pilot more than once without fooling oneself: intervals that hold at every look, and planned looks.

Two ways, for two situations. **Planned looks** (O'Brien and Fleming's boundaries by the spending of
Lan and DeMets 1983) for a pilot whose end is known: hardly dearer than one look at the end.
**Always-valid intervals** (a normal mixture: Robbins 1970; asymptotic confidence sequences:
Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, Annals of Statistics 52:2613–2640) for what
is watched for ever, such as the standing control group: wider, but right at every moment.

*Information* is one over the squared error of an estimate. Both ways ask that what comes between two
looks is new: other customers, or lots drawn anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, pi, sqrt
from typing import Any

import numpy as np
from scipy import optimize
from scipy.special import ndtr, ndtri

from keepline.measurement.statistics import LEVEL

Numbers = np.ndarray[Any, np.dtype[np.float64]]
GRID_STEP = 0.05  # of the recursion over looks, in standard errors
BOUND_MAX = 8.0  # errors from zero; a look that may spend nothing is never decisive


def always_valid_factor(information: float, *, planned: float, level: float = LEVEL) -> float:
    """How many errors an interval reaches to each side so that all of them together hold with ``level``.

        √((1 + 1/(I ρ²)) · log((I ρ² + 1) / α²)),    α = 1 − level

    ρ² is chosen so that the interval is tightest about the ``planned`` information.
    """
    if information <= 0:
        return float("inf")
    scaled = information * mixture(planned, level=level)
    return sqrt((1 + 1 / scaled) * log((scaled + 1) / (1 - level) ** 2))


def mixture(planned: float, *, level: float = LEVEL) -> float:
    """ρ² = (−2 log α + log(−2 log α + 1)) / I, with the information at which the interval shall be tightest."""
    alpha = 1 - level
    return (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / planned


def spent(share: float, *, alpha: float) -> float:
    """Of the two-sided ``alpha``, what may be used up at this share of the information (O'Brien–Fleming like).

    4 − 4 Φ(z_{α/4} / √t) for two sides of α/2 each (Lan and DeMets 1983, Biometrika 70:659–663).
    """
    if share <= 0:
        return 0.0
    return float(4 * ndtr(ndtri(alpha / 4) / sqrt(min(share, 1.0))))


def boundaries(
    shares: Sequence[float], *, level: float = LEVEL, information: Sequence[float] | None = None
) -> tuple[float, ...]:
    """How many errors from zero decide at each look, both sides together wrong with 1 − ``level`` at most.

    ``shares`` of what was planned, rising, the last usually 1, say how much may be spent by then;
    ``information`` is what there really was at each look, in any unit, where that differs. Found look by
    look: the density of the sum of evidence among those not yet decided is carried along a grid
    (Armitage, McPherson and Rowe 1969, JRSS A 132:235–244).
    """
    known = tuple(shares if information is None else information)
    if any(b <= a for a, b in pairwise((0.0, *known))) or any(b < a for a, b in pairwise((0.0, *shares))):
        raise ValueError("shares and information must rise from above zero")
    alpha, scale = 1 - level, known[-1]
    found: list[float] = []
    density, before, used = _Density.start(), 0.0, 0.0
    for share, now in zip(shares, (each / scale for each in known), strict=True):
        may = max(spent(share, alpha=alpha) - used, 0.0)
        bound = density.bound(now - before, now, may)
        density = density.carried(now - before, bound * sqrt(now))
        used += may
        found.append(bound)
        before = now
    return tuple(found)


@dataclass(frozen=True)
class _Density:
    """The density of Brownian evidence among the undecided, on a grid; before the first look all is at zero."""

    at: Numbers
    weight: Numbers

    @classmethod
    def start(cls) -> _Density:
        return cls(np.zeros(1), np.ones(1))

    def beyond(self, step: float, reach: float) -> float:
        """The chance that the evidence lies beyond ±reach after one more step of information."""
        sigma = sqrt(step)
        outside = ndtr((self.at - reach) / sigma) + ndtr((-reach - self.at) / sigma)
        return float((outside * self.weight).sum())

    def bound(self, step: float, share: float, may: float) -> float:
        """Errors from zero beyond which just ``may`` of the chance lies."""
        if may <= self.beyond(step, BOUND_MAX * sqrt(share)):
            return BOUND_MAX
        return float(optimize.brentq(lambda z: self.beyond(step, z * sqrt(share)) - may, 0.0, BOUND_MAX, xtol=1e-10))

    def carried(self, step: float, reach: float) -> _Density:
        """The undecided within ±reach after the step; Simpson's weights on an odd grid."""
        sigma = sqrt(step)
        half = max(2, round(reach / (GRID_STEP * sigma)))
        at = np.linspace(-reach, reach, 2 * half + 1)
        simpson = np.ones(2 * half + 1)
        simpson[1:-1:2], simpson[2:-1:2] = 4.0, 2.0
        simpson *= (at[1] - at[0]) / 3
        kernel = np.exp(-((at[:, None] - self.at[None, :]) ** 2) / (2 * step)) / sqrt(2 * pi * step)
        return _Density(at, simpson * (kernel @ self.weight))


def power(shares: Sequence[float], bounds: Sequence[float], drift: float) -> tuple[float, float]:
    """The chance that a true effect is seen by the last look, and the mean share of the information used.

    ``drift`` is the effect in errors of the last look: effect × √(planned information).
    """
    density, before, seen, used = _Density.start(), 0.0, 0.0, 0.0
    for share, bound in zip(shares, bounds, strict=True):
        moved = _Density(density.at, density.weight)
        step, reach, shift = share - before, bound * sqrt(share), drift * (share - before)
        sigma = sqrt(step)
        up = float((ndtr((moved.at + shift - reach) / sigma) * moved.weight).sum())
        down = float((ndtr((-reach - moved.at - shift) / sigma) * moved.weight).sum())
        used += (up + down) * share
        seen += up
        density = _shifted(moved, step, reach, shift)
        before = share
    return seen, used + float(density.weight.sum()) * before


def _shifted(density: _Density, step: float, reach: float, shift: float) -> _Density:
    moved = _Density(density.at + shift, density.weight)
    return moved.carried(step, reach)


def inflation(shares: Sequence[float], *, level: float = LEVEL, wanted: float) -> float:
    """By how much the largest sample grows over one look's so that the power stays; a few percent."""
    bounds = boundaries(shares, level=level)
    once = float(ndtri((1 + level) / 2) + ndtri(wanted))
    drift = optimize.brentq(lambda d: power(shares, bounds, d)[0] - wanted, once * 0.8, once * 2)
    return float((drift / once) ** 2)


def repeated_interval(estimate: float, error: float, bound: float) -> tuple[float, float]:
    """An interval that holds at all planned looks together (Jennison and Turnbull 1989)."""
    return estimate - bound * error, estimate + bound * error
