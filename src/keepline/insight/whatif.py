"""What a change in a segment would be worth (P10): two points fewer leaving, five points more loyal.

Value is linear in a customer's margin and in the customers they bring, given the rate of leaving:

    V = margin level x sum S(m) d^m + brought x sum S(m) B(m)

so customers who leave alike are summed, and a change of their probability of leaving moves both sums.

Points fewer leaving: everybody's log-odds fall by the same step, the one that lowers the segment's mean
probability by so many points, and the rate stays lower by the same factor until value's horizon. Points
more loyal: that share of the segment, spread evenly over those not loyal now, comes to leave as loyal
customers do: their log-odds fall by the gap between the means.

The interval holds what all customers share (the model's own error of log-odds, the level of margins, word
of mouth) and what each has for themselves, which adds in squares and fades in a large segment. It says how
sure the sum is if the change comes about, not whether any offer can bring it about.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from keepline.errors import TooFewError
from keepline.insight.inputs import Vector
from keepline.insight.lifetime.fitting import reach_of
from keepline.insight.value import (
    ERROR_MIN,
    HIDDEN_SPREAD,
    RATE_MAX,
    REFERRAL_SPREAD,
    ValueModel,
    brought_weights,
    discounts,
    later_rate,
    monthly_rate,
    staying,
)
from keepline.policy.documents import Value

GROUP_MIN = 30  # loyal, and not loyal: fewer say nothing of how they differ
STEP_MAX = 12.0  # log-odds


@dataclass(frozen=True)
class Alike:
    """Customers who leave alike, summed; one entry a rate of leaving and loyalty. Amounts in fen.

    level, brought: sums of persistence and growth, and of word of mouth
    level_squares, brought_squares: sums of their squares; variances: sum of the squared standard errors of value
    """

    monthly: Vector
    loyal: Vector  # 1 loyal, 0 not, NaN unknown
    customers: Vector
    level: Vector
    brought: Vector
    level_squares: Vector
    brought_squares: Vector
    variances: Vector

    @property
    def total(self) -> float:
        return float(self.customers.sum())


@dataclass(frozen=True)
class Sum:
    """An amount with its interval, in fen."""

    fen: float
    low: float
    high: float


@dataclass(frozen=True)
class Answer:
    """What the segment is worth, how it leaves before and after, and what the change is worth."""

    value: Sum
    gain: Sum
    before: float  # mean probability of leaving within the model's horizon
    after: float


@dataclass(frozen=True)
class Worth:
    """The segment's sums at given probabilities of leaving, by entry of Alike."""

    months: Vector  # discounted months stayed
    months_brought: Vector  # the same weighed by what the brought still earn


def segment_value(model: ValueModel, policy: Value, alike: Alike) -> Sum:
    """The value of all customers of a segment, with an interval."""
    none = np.zeros(len(alike.monthly))
    sides = [(p, Worth(none, none), np.ones(len(none))) for p in _levels(model, alike)]
    return _difference(model, policy, alike, sides)


def fewer_leaving(model: ValueModel, policy: Value, alike: Alike, *, points: float) -> Answer:
    """What it is worth that ``points`` of a hundred customers fewer leave within the model's horizon."""
    before = _mean(alike, _probability(model, alike))
    if not 0 < before - points / 100 < 1:
        raise TooFewError(
            f"{before:.2%} of the segment leave within {model.horizon} months, so {points:g} points fewer cannot be; "
            "ask for less",
            f"该客户群 {model.horizon} 个月内离网率为 {before:.2%}，无法再降 {points:g} 个百分点；请减小数值",
            code="beyond_all",
        )
    sides = []
    for p in _levels(model, alike):
        step = _step(alike, p, points=min(points, 100 * 0.999 * _mean(alike, p)))
        sides.append((p, _worth(model, policy, p, step=step), np.ones(len(p))))
    gain = _difference(model, policy, alike, sides)
    return Answer(segment_value(model, policy, alike), _turned(gain), before, before - points / 100)


def more_loyal(model: ValueModel, policy: Value, alike: Alike, *, points: float) -> Answer:
    """What it is worth that ``points`` of a hundred customers more are loyal and leave as loyal customers do."""
    loyal, other = alike.loyal == 1, alike.loyal == 0
    many, few = float(alike.customers[loyal].sum()), float(alike.customers[other].sum())
    _check_loyalty(many, few, asked=points / 100 * alike.total)
    share = np.where(other, points / 100 * alike.total / few, 0.0)
    p = _probability(model, alike)
    gap = _mean_odds(alike, p, other) - _mean_odds(alike, p, loyal)
    sides = [(level, _worth(model, policy, level, step=gap), share) for level in _levels(model, alike)]
    gain = _difference(model, policy, alike, sides)
    after = p + share * (expit(logit(p) - gap) - p)
    return Answer(segment_value(model, policy, alike), _turned(gain), _mean(alike, p), _mean(alike, after))


def _check_loyalty(many: float, few: float, *, asked: float) -> None:
    if min(many, few) < GROUP_MIN:
        raise TooFewError(
            f"{many:.0f} customers of the segment are known to be loyal and {few:.0f} not; {GROUP_MIN} of each are "
            "needed to tell how they differ: take a larger segment",
            f"该客户群中已知忠诚的有 {many:.0f} 位、不忠诚的有 {few:.0f} 位；"
            f"各需至少 {GROUP_MIN} 位才能比较，请扩大客户群",
            code="too_few_loyal",
        )
    if not -many <= asked <= few:
        raise TooFewError(
            f"{asked:.0f} customers would have to become loyal and {few:.0f} are not loyal now; ask for less",
            f"需要 {asked:.0f} 位客户变为忠诚，而目前不忠诚的只有 {few:.0f} 位；请减小数值",
            code="beyond_all",
        )


def _probability(model: ValueModel, alike: Alike) -> Vector:
    made = 1 - (1 - alike.monthly) ** model.horizon
    return np.asarray(np.clip(made, 1e-9, 1 - 1e-9))


def _mean(alike: Alike, p: Vector) -> float:
    return float(np.average(p, weights=alike.customers))


def _mean_odds(alike: Alike, p: Vector, whose: Vector) -> float:
    return float(np.average(logit(p[whose]), weights=alike.customers[whose]))


def _levels(model: ValueModel, alike: Alike) -> tuple[Vector, Vector, Vector, Vector, Vector]:
    """Probabilities as told; all higher and lower by the model's own error; by what hides between customers."""
    odds = logit(_probability(model, alike))
    own = float(np.sqrt(max(model.spread**2 - HIDDEN_SPREAD**2, 0.0)))
    hidden = min(HIDDEN_SPREAD, model.spread)
    return tuple(np.asarray(expit(odds + shift)) for shift in (0.0, own, -own, hidden, -hidden))  # type: ignore[return-value]


def _step(alike: Alike, p: Vector, *, points: float) -> float:
    """The step of log-odds that lowers the mean probability by some points."""
    odds, target = logit(p), _mean(alike, p) - points / 100

    def short(step: float) -> float:
        return _mean(alike, expit(odds - step)) - target

    return float(brentq(short, -STEP_MAX, STEP_MAX + 2 * abs(float(odds.min())), xtol=1e-10))


def _worth(model: ValueModel, policy: Value, p: Vector, *, step: float = 0.0) -> Worth:
    """Sums at these probabilities, or at log-odds lower by a step; later rates change by the same factor."""
    told = monthly_rate(p, model.horizon)
    monthly = monthly_rate(expit(logit(p) - step), model.horizon)
    later = np.minimum(later_rate(model, told) * monthly / told, RATE_MAX)
    weights = discounts(policy), brought_weights(model, policy)
    return Worth(*(staying(model, monthly, each, later=later) for each in weights))


Side = tuple[Vector, Worth, Vector]  # probabilities before, worth after, share of the customers it happens to


def _difference(model: ValueModel, policy: Value, alike: Alike, sides: list[Side]) -> Sum:
    """Worth at the probabilities less worth after, with its interval; the sides are those of _levels."""
    now = _worth(model, policy, _probability(model, alike))
    level = alike.level / now.months
    brought = alike.brought / np.where(now.months_brought > 0, now.months_brought, 1.0)
    parts = []
    for p, after, share in sides:
        before = _worth(model, policy, p)
        longer, more = share * (before.months - after.months), share * (before.months_brought - after.months_brought)
        parts.append((level * longer, brought * more, longer / now.months))
    amount = float((parts[0][0] + parts[0][1]).sum())
    both = [float((margin + word).sum()) for margin, word, _ in parts]
    own = (both[1] - both[2]) / 2
    margins = ERROR_MIN * float(parts[0][0].sum())
    words = REFERRAL_SPREAD * float(parts[0][1].sum())
    alone = _alone(model, policy, alike, scale=parts[0][2], hidden=(parts[3][2] - parts[4][2]) / 2)
    reach = reach_of(policy.interval) * float(np.sqrt(own**2 + margins**2 + words**2 + alone))
    return Sum(amount, amount - reach, amount + reach)


def _alone(model: ValueModel, policy: Value, alike: Alike, *, scale: Vector, hidden: Vector) -> float:
    """Variance that each customer has for themselves: of the margin now, and of the rate that hides.

    ``scale``: the amount over the value now; ``hidden``: its half-difference one hidden spread up and down.
    """
    p = _probability(model, alike)
    up, down = (_worth(model, policy, expit(logit(p) + shift)).months for shift in (model.spread, -model.spread))
    now = _worth(model, policy, p).months
    of_rate = ((down - up) / 2 / now) ** 2 * alike.level_squares
    of_words = REFERRAL_SPREAD**2 * alike.brought_squares
    of_margin = np.maximum(alike.variances - of_rate - of_words, 0.0)
    return float((scale**2 * of_margin + hidden**2 * alike.level_squares).sum())


def _turned(lost: Sum) -> Sum:
    """Worth before less worth after, told as worth gained."""
    return Sum(-lost.fen, -lost.high, -lost.low)
