"""The rule that a pilot is decided by, written down before it starts: roll out, stop, or keep looking.

A pilot has so many planned looks; each look brings customers by new lots. At a look the estimate of
all lots so far stands in an interval that holds at all looks together. It decides alone:

    roll out       the interval lies above what is worth having
    stop           it lies below, or the last look has passed
    keep looking   otherwise

Where the lots were hardly kept to there is no verdict but that. Several offers tried against the same
customers left alone share the level between them, as Dunnett's intervals do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from math import sqrt

from scipy.special import ndtr

from keepline.measurement.looking import boundaries, repeated_interval
from keepline.measurement.several import reach_for
from keepline.measurement.statistics import LEVEL

IN_DOUBT = 0.001  # chance of lots as uneven as these, below which nothing is concluded
EACH_MIN = 100  # customers in each arm; fewer say too little of how customers vary


@dataclass(frozen=True)
class Rule:
    """What was decided before the pilot started. ``worth`` is in the unit of the estimate."""

    looks: int
    customers: int  # of all looks together, both arms
    treated_share: float = 0.5
    worth: float = 0.0
    arms: int = 1  # offers tried against the same customers left alone
    level: float = LEVEL


@dataclass(frozen=True)
class Wave:
    """What one set of lots brought: customers of each arm, the estimate and its error."""

    treated: int
    held_out: int
    estimate: float
    error: float

    @property
    def information(self) -> float:
        return 1 / self.error**2

    @property
    def planned_units(self) -> float:
        """Of the plan's customers × s (1 − s), what these arms are worth."""
        return 1 / (1 / self.treated + 1 / self.held_out)


@dataclass(frozen=True)
class Look:
    """Where a pilot stands: the estimate of all waves so far with its interval, and the verdict."""

    number: int
    of: int
    treated: int
    held_out: int
    estimate: float | None
    low: float | None
    high: float | None
    share: float  # of the planned information
    verdict: str


def looks_at(waves: Sequence[Wave], rule: Rule, *, lots_chance: float | None = None) -> list[Look]:
    """The verdict at each wave in turn. What was decided stays decided, whatever comes after."""
    waves = waves[: rule.looks]
    known = list(accumulate(wave.information for wave in waves))
    shares = shares_of(waves, rule)
    bounds = boundaries(shares, level=_level(rule.arms, rule.level), information=known) if waves else ()
    made: list[Look] = []
    for number in range(1, len(waves) + 1):
        doubt = number == len(waves) and lots_chance is not None and lots_chance < IN_DOUBT
        look = _look(waves[:number], rule, share=shares[number - 1], bound=bounds[number - 1], in_doubt=doubt)
        before = made[-1].verdict if made else ""
        stays = before in ("roll_out", "stop") and look.verdict != "lots_in_doubt"
        made.append(replace(look, verdict=before) if stays else look)
    return made


def _look(waves: Sequence[Wave], rule: Rule, *, share: float, bound: float, in_doubt: bool) -> Look:
    treated, held_out = sum(w.treated for w in waves), sum(w.held_out for w in waves)
    look = Look(len(waves), rule.looks, treated, held_out, None, None, None, share, "lots_in_doubt")
    if in_doubt:
        return look
    if min(treated, held_out) < EACH_MIN:
        return replace(look, verdict="too_few")
    known = sum(w.information for w in waves)
    estimate = sum(w.estimate * w.information for w in waves) / known
    low, high = repeated_interval(estimate, 1 / sqrt(known), bound)
    verdict = _verdict(low, high, rule, len(waves))
    return replace(look, estimate=estimate, low=low, high=high, verdict=verdict)


def shares_of(waves: Sequence[Wave], rule: Rule) -> list[float]:
    """How much of the plan each look has: by customers, never all of it before the last look, all of it then."""
    planned = rule.customers * rule.treated_share * (1 - rule.treated_share)
    found, total = [], 0.0
    for number, wave in enumerate(waves, start=1):
        total += wave.planned_units
        share = min(total / planned, 1.0)
        found.append(1.0 if number == rule.looks else min(share, 1 - (rule.looks - number) * 1e-6))
    return found


@cache
def _level(arms: int, level: float) -> float:
    """The level of one arm's interval so that those of all arms hold together; arms as large as the one left alone."""
    return level if arms == 1 else float(2 * ndtr(reach_for([0.5**0.5] * arms, level=level)) - 1)


def _verdict(low: float, high: float, rule: Rule, number: int) -> str:
    if low > rule.worth:
        return "roll_out"
    return "stop" if high < rule.worth or number >= rule.looks else "keep_looking"
