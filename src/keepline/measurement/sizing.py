"""How large a pilot must be before it starts: to see an effect worth finding, or to earn most from what it finds.

Variances are of the outcome after what the time before tells was taken out, so pilots can be smaller
(:func:`keepline.measurement.statistics.adjusted_variance`). Sizes are customers in both arms together.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

from scipy import stats

from keepline.measurement.statistics import LEVEL, POWER, normal_quantile

EACH_MIN = 2


@dataclass(frozen=True)
class Size:
    """Customers of both arms; ``treated`` of them get the offer."""

    customers: int
    treated: int

    @property
    def held_out(self) -> int:
        return self.customers - self.treated


def needed(
    variance: float, effect: float, *, treated_share: float = 0.5, level: float = LEVEL, power: float = POWER
) -> Size | None:
    """The smallest pilot that sees a true ``effect`` with this power, in an interval of this level.

    n = σ² (z₁ + z₂)² / (s (1 − s) δ²), with s the share treated; None when there is no effect to look
    for or nothing varies.
    """
    if effect == 0 or variance <= 0:
        return None
    customers = variance * _reach(level, power) ** 2 / (treated_share * (1 - treated_share) * effect**2)
    return _split(ceil(customers), treated_share)


def smallest_effect(variance: float, size: Size, *, level: float = LEVEL, power: float = POWER) -> float:
    """The smallest true effect a pilot of this size sees with this power: (z₁ + z₂) σ √(1/n₁ + 1/n₀)."""
    return _reach(level, power) * sqrt(variance * (1 / size.treated + 1 / size.held_out))


def most_profitable(variance: float, effects_variance: float, *, population: int) -> Size:
    """The pilot of two equal arms after which rolling the better arm out to the rest earns most.

    Feit and Berman 2019 (Journal of Marketing Research 56:1038–1058), equation 10: with noise s² of
    one customer and a normal prior of variance σ² of each arm's mean,

        n = √(N/4 · (s/σ)² + (3/4 · (s/σ)²)²) − 3/4 · (s/σ)²      customers in each arm.

    It needs far fewer than a test by power, for a wrong choice between arms that hardly differ costs little.
    ``effects_variance`` is the variance of the difference between the arms, 2σ².
    """
    if population < 2 * EACH_MIN:
        return Size(population, population // 2)
    ratio = 2 * variance / effects_variance if effects_variance > 0 else float("inf")
    if ratio == float("inf"):
        return _split(2 * EACH_MIN, 0.5)
    each = sqrt(population / 4 * ratio + (0.75 * ratio) ** 2) - 0.75 * ratio
    return _split(2 * min(max(ceil(each), EACH_MIN), population // 2), 0.5)


def _reach(level: float, power: float) -> float:
    return normal_quantile(level) + float(stats.norm.ppf(power))


def _split(customers: int, treated_share: float) -> Size:
    customers = max(customers, 2 * EACH_MIN)
    treated = min(max(round(customers * treated_share), EACH_MIN), customers - EACH_MIN)
    return Size(customers, treated)
