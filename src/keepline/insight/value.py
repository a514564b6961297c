"""What a customer is worth (K3): expected margin while staying, its growth, and those brought along.

    persistence   = margin now x sum over m of S(m) d^m
    growth        = change of margin x sum over m of S(m) d^m
    word of mouth = customers brought a month x share x sum over m of S(m) B(m)

m runs from 1 to the horizon, d discounts a month, S(m) is the probability of staying m months.
The monthly rate of leaving is the one that gives the model's probability during its horizon, and
base + lasting share x (rate - base) afterwards: the part of a risk that passes is taken away.
B(m) is the discounted margin an average customer brought in month m still earns. What is learnt
from past snapshots is said at each field; docs/mechanisms/value.md derives it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import lsq_linear
from scipy.stats import norm

from keepline.insight.cohorts import Cohort, later_rates
from keepline.insight.inputs import Vector
from keepline.insight.topups import COLUMNS as TOPUPS
from keepline.insight.topups import TopUps
from keepline.insight.topups import brought as topups_bring
from keepline.policy.documents import Value

MONTHS_NOW = 3  # margin now is the mean of three months
FIRST_BILL = 0.5  # part of a month that the month of joining bills, where too few joined to tell
FIRST_BILL_LEAST = 0.1
NEWCOMERS_MIN = 30
STAYERS_MIN = 200  # fewer say too little of how margins change
HIDDEN_SPREAD = 0.5  # log-odds: spread of leaving between customers who look alike; cannot be learnt from one outcome
UNKNOWN_SPREAD = 1.0  # the same where only the operator's average rate is known
ASSUMED_ERROR = 0.2  # relative error of margin now, where no past snapshot tells it
ASSUMED_LASTING = 0.7
REFERRAL_SPREAD = 0.5
HISTORY_MONTHS_MIN = 6  # for the longer mean beside the last three months
RATE_MAX = 0.999
NOISE_BANDS = (0.25, 0.5, 0.7, 0.85, 0.95)
ERROR_MAX = 1.0  # nor worse than not at all
MEDIAN_OF_RETURN = 0.455 * (1 / 3 - 1 / 12)  # median of chi-square, times variance of the mean of 3 less that of 12
ERROR_MIN = 0.02  # of the margin: no level is known better
NOW = ("margin_3m_fen", "tenure_months")
CHANGE = (*NOW, "revenue_3m_fen", "revenue_slope_fen", "months_billed", "margin_12m_fen")
BROUGHT = ("referrals_12m", "tenure_months")
READS = tuple(dict.fromkeys((*CHANGE, "margin_fen", *BROUGHT)))
MADE_OF = {  # of READS what each column of SCORES hangs on; worth() is given no other
    "persistence_fen": NOW,
    "growth_fen": CHANGE,
    "word_of_mouth_fen": BROUGHT,
    "value_fen": tuple(dict.fromkeys((*CHANGE, *BROUGHT))),
    "value_low_fen": READS,
    "value_high_fen": READS,
    "expected_months": ("tenure_months",),
}


@dataclass(frozen=True)
class Margins:
    """What value reads of each customer, in fen; unknown is NaN."""

    now: Vector  # mean of three months
    noise: Vector  # last month less the mean of three, squared and scaled to a month's variance
    trend: Vector  # change expected by the middle of the horizon were the trend to go on
    back: Vector  # long mean less now
    scale: Vector  # size that errors are relative to


@dataclass(frozen=True)
class ValueModel:
    """Everything value needs besides the customer's own row and policy."""

    horizon: int  # months the probability of leaving is for
    monthly_rate: float | None = None  # of the base
    lasting: float = ASSUMED_LASTING
    spread: float = UNKNOWN_SPREAD  # log-odds, of the true rate around ours
    floor_fen: float = 0.0  # added to a margin to make the size errors are relative to
    drift: float = 0.0  # relative change of all
    growth: tuple[float, float] = (0.0, 0.0)  # shares of trend and of return to the long mean that come true
    noise_bands: tuple[float, ...] = ()  # borders of the customer's own relative noise
    error: tuple[float, ...] = (ASSUMED_ERROR**2,)  # relative variance of our error of the margin level, by band
    learnt: bool = False
    mean_margin_fen: float | None = None
    first_bill: float = FIRST_BILL  # part of a month that the month of joining bills
    referral: tuple[float, float] | None = None  # gamma shape, and rate in months
    first_month: int | None = None  # of the bills learnt from, months since year 0
    cohort: Cohort | None = None  # how the rate goes on with the months here; None: one rate for all
    topups: TopUps | None = None  # what prepaid customers bring; None: valued as everybody
    no_topups: dict[str, str] | None = None  # why not, in words, where it was asked for

    def history(self, month: int) -> int:
        """Months of bills known at a snapshot, as far as margin now asks."""
        return MONTHS_NOW if self.first_month is None else max(1, min(MONTHS_NOW, month - self.first_month + 1))


def learn_first_bill(column: dict[str, Vector], history: Vector) -> float:
    """The part of a month that the bill of the month of joining comes to: median of those who joined the month before.

    Some operators bill that month by its days, others whole.
    """
    first, whole = column["margin_3m_fen"] - column["margin_fen"], column["margin_fen"]
    newly = (column["tenure_months"] == 1) & (history > 1) & (whole > 0)
    if newly.sum() < NEWCOMERS_MIN:
        return FIRST_BILL
    return max(FIRST_BILL_LEAST, round(float(np.median(first[newly] / whole[newly])), 4))


def _months_billed(tenure: Vector, history: Vector | float, first_bill: float) -> Vector:
    """How many months' margin the last three months hold: tenure counts those after the month of joining, which was
    billed in part; and a lake may have begun since."""
    here, seen = np.nan_to_num(tenure, nan=MONTHS_NOW), np.clip(history, 1, MONTHS_NOW)
    return np.asarray(np.where(here < seen, here + first_bill, seen))


def margins(
    column: dict[str, Vector],
    *,
    horizon: int,
    floor_fen: float,
    history: Vector | float = MONTHS_NOW,
    first_bill: float = FIRST_BILL,
) -> Margins:
    """``history``: months of bills known at the snapshot."""
    now = column["margin_3m_fen"] / _months_billed(column["tenure_months"], history, first_bill)
    scale = np.abs(now) + floor_fen
    share = np.where(column["revenue_3m_fen"] > 0, column["margin_3m_fen"], np.nan) / np.where(
        column["revenue_3m_fen"] > 0, column["revenue_3m_fen"], 1.0
    )
    reach = (horizon + 1) / 2 + (MONTHS_NOW - 1) / 2  # middle of the three months to middle of the horizon
    trend = np.nan_to_num(column["revenue_slope_fen"] * share) * reach
    billed = np.nan_to_num(column["months_billed"])
    long = column["margin_12m_fen"] / np.maximum(billed, 1)
    back = np.where(billed >= HISTORY_MONTHS_MIN, np.nan_to_num(long - now), 0.0)
    noise = np.nan_to_num(1.5 * (column["margin_fen"] - now) ** 2)
    return Margins(now, noise, np.clip(trend, -scale, scale), np.clip(back, -scale, scale), scale)


def change(model: ValueModel, m: Margins) -> Vector:
    """Expected change of the monthly margin of one who stays."""
    trend, back = model.growth
    return np.asarray(model.drift * m.now + trend * m.trend + back * m.back)


def _own_noise(m: Margins) -> Vector:
    return np.asarray(np.minimum(m.noise / np.where(m.scale > 0, m.scale, 1.0) ** 2, 1.0))


def relative_variance(model: ValueModel, m: Margins) -> Vector:
    """Variance of our error of the margin level, relative to the size squared, by the customer's own noise."""
    return np.asarray(np.array(model.error)[np.searchsorted(model.noise_bands, _own_noise(m), side="left")])


def learn_change(model: ValueModel, m: Margins, after_fen: Vector, *, policy: Value) -> ValueModel:
    """Learn from stayers how margins change, and how far off we are; unchanged under 200 stayers.

    ``after_fen`` is the margin of the whole horizon.
    """
    usable = ~np.isnan(m.now + after_fen) & (m.scale > 0)
    if usable.sum() < STAYERS_MIN or not np.any(after_fen[usable]):
        return model
    m = Margins(*(getattr(m, name)[usable] for name in ("now", "noise", "trend", "back", "scale")))
    seen = after_fen[usable] / model.horizon - m.now
    drift, growth = _shares(m, seen)
    grown = ValueModel(**vars(model) | {"drift": drift, "growth": growth})
    miss = np.abs(seen - change(grown, m)) / m.scale
    bands, error = _errors(m, miss, model=model, policy=policy)
    return ValueModel(**vars(grown) | {"noise_bands": bands, "error": error, "learnt": True})


def _errors(
    m: Margins, miss: Vector, *, model: ValueModel, policy: Value
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Borders of the bands of own noise, and in each the relative variance of our error of an expected level.

    In a band the forecast misses by q at the interval's end, so its variance is v = (q / z)^2. Noise of
    the months to come, s^2 / h, is part of it, but not of the error of an expected level. What is left
    beyond the noise behind us, s^2 / 3, is wandering of the level, which grows with the time ahead. The
    band's s^2 comes from the median square of the return to the long mean, which the lot of the last
    month, by which customers came into the band, does not bend:

        error = (v - s^2 / h) + max(v - s^2 / h - s^2 / 3, 0) x (middle of value's horizon / middle of h - 1)
    """
    noise, back = _own_noise(m), (m.back / m.scale) ** 2
    borders = tuple(float(b) for b in np.unique(np.quantile(noise, NOISE_BANDS)))
    which = np.searchsorted(borders, noise, side="left")
    longer = max(1.0, (policy.horizon_months + 1) / (model.horizon + 1))
    interval = policy.interval
    made = []
    for band in range(len(borders) + 1):
        mine = which == band
        reach = float(np.quantile(miss[mine], interval)) if mine.any() else ASSUMED_ERROR
        own = float(np.median(back[mine])) / MEDIAN_OF_RETURN if mine.any() else 0.0
        seen = (reach / float(norm.ppf((1 + interval) / 2))) ** 2
        now = max(seen - own / model.horizon, seen / 4)
        wander = max(now - own / MONTHS_NOW, 0.0)
        made.append(float(np.clip(now + wander * (longer - 1), ERROR_MIN**2, ERROR_MAX**2)))
    return borders, tuple(made)


def _shares(m: Margins, seen: Vector) -> tuple[float, tuple[float, float]]:
    """Least squares on relative changes, each share held between 0 and 1, the drift within 10 %."""
    y = np.clip(seen / m.scale, -1, 1)
    x = np.column_stack([m.now, m.trend, m.back]) / m.scale[:, None]
    gram, target = x.T @ x, x.T @ y
    ridge = np.sqrt(np.diag([1e-9, 0.01 * len(y) * 0.01, 0.01 * len(y) * 0.01]))
    root = np.linalg.cholesky(gram + ridge**2 + 1e-9 * np.eye(3))
    found = lsq_linear(root.T, np.linalg.solve(root, target), bounds=([-0.1, 0, 0], [0.1, 1, 1])).x
    return float(found[0]), (float(found[1]), float(found[2]))


def learn_referrals(brought: Vector, tenure: Vector) -> tuple[float, float] | None:
    """Gamma prior of customers brought a month, by moments; None where nothing is known of referrals."""
    known = ~np.isnan(brought)
    if not known.any():
        return None
    months = np.clip(np.nan_to_num(tenure[known], nan=12.0), 1, 12)
    rate = float(brought[known].sum() / months.sum())
    if rate <= 0:
        return 0.0, 12.0
    extra = float(np.mean((brought[known] - rate * months) ** 2) - np.mean(rate * months))
    spread = max(extra / float(np.mean(months**2)), 0.01 * rate**2)  # of the rate between customers
    return rate**2 / spread, rate / spread


def referral_rate(prior: tuple[float, float], brought: Vector, tenure: Vector) -> Vector:
    """Customers brought a month: the customer's own, shrunk to the base (gamma-Poisson)."""
    shape, rate = prior
    months = np.clip(np.nan_to_num(tenure, nan=12.0), 1, 12)
    return np.asarray((shape + brought) / (rate + months))


def later_rate(model: ValueModel, monthly: Vector) -> Vector:
    """The monthly rate after the model's horizon: the part of a risk that passes is taken away."""
    base = model.monthly_rate if model.monthly_rate is not None else 0.0
    return np.asarray(np.clip(base + model.lasting * (monthly - base), 0.0, RATE_MAX))


def staying(model: ValueModel, monthly: Vector, weights: Vector, *, later: Vector | None = None) -> Vector:
    """Sum over m of S(m) x weights[m-1]. ``later`` is one rate a customer, or customers x months."""
    later = later_rate(model, monthly) if later is None else later
    alive, total = np.ones(len(monthly)), np.zeros(len(monthly))
    for m, weight in enumerate(weights.tolist(), start=1):
        then = later if later.ndim == 1 else later[:, m - 1]
        alive = alive * (1 - (monthly if m <= model.horizon else then))
        total = total + alive * weight
    return total


def discounts(policy: Value) -> Vector:
    return np.asarray((1 + policy.discount_rate_year) ** (-np.arange(1, policy.horizon_months + 1) / 12))


def brought_weights(model: ValueModel, policy: Value) -> Vector:
    """B(m): discounted margin in fen that one average customer brought in month m earns until the horizon."""
    months = policy.horizon_months
    rate = model.monthly_rate or 0.0
    one = (1 - rate) ** np.arange(1, months + 1) * discounts(policy)
    earned = np.concatenate([[0.0], np.cumsum(one)])
    return np.asarray(discounts(policy) * earned[months - np.arange(1, months + 1)] * (model.mean_margin_fen or 0.0))


@dataclass(frozen=True)
class Worth:
    """Columns of SCORES in fen, not yet rounded; NaN where unknown."""

    value: Vector
    low: Vector
    high: Vector
    persistence: Vector
    growth: Vector
    word_of_mouth: Vector
    expected_months: Vector


def worth(
    model: ValueModel, policy: Value, *, column: dict[str, Vector], monthly: Vector, history: int = MONTHS_NOW
) -> Worth:
    """Value of each customer, given the monthly rate of leaving (NaN: value abstains)."""
    m = margins(column, horizon=model.horizon, floor_fen=model.floor_fen, history=history, first_bill=model.first_bill)
    stays = _Stays(model, policy, column)
    staying_months = stays(monthly, discounts(policy))
    grown = change(model, m)
    persistence, growth = m.now * staying_months, grown * staying_months
    brought = _word_of_mouth(stays, monthly)
    reach = float(norm.ppf((1 + policy.interval) / 2)) * np.sqrt(
        staying_months**2 * relative_variance(model, m) * m.scale**2
        + (m.now + grown) ** 2 * _staying_error(stays, monthly) ** 2
    )
    every = stays(monthly, np.ones(policy.horizon_months))
    return _summed(stays, (persistence, growth, brought), reach=reach, every=every)


def _summed(stays: _Stays, parts: tuple[Vector, Vector, Vector], *, reach: Vector, every: Vector) -> Worth:
    """The parts with their interval; who is prepaid by what top-ups bring, where that is learnt."""
    model, policy = stays.model, stays.policy
    persistence, growth, brought = parts
    z = float(norm.ppf((1 + policy.interval) / 2))
    if model.topups is not None and TOPUPS[0] in stays.column:
        prepaid = topups_bring(model.topups, stays.column, policy=policy, reach_of_error=z)
        mine = prepaid.mine & ~np.isnan(persistence)  # where value abstains, it does so for all
        persistence = np.where(mine, prepaid.value, persistence)
        growth, reach = np.where(mine, 0.0, growth), np.where(mine, prepaid.reach, reach)
        every = np.where(mine, prepaid.months, every)
    value = persistence + growth + np.nan_to_num(brought)
    reach = np.hypot(reach, z * REFERRAL_SPREAD * np.nan_to_num(brought))
    low = np.maximum(value - reach, np.minimum(value, 0.0))
    return Worth(value, low, value + reach, persistence, growth, brought, every)


@dataclass(frozen=True)
class _Stays:
    """Sums over the months stayed of some customers, by the rate for all or by cohorts."""

    model: ValueModel
    policy: Value
    column: dict[str, Vector]

    def __call__(self, monthly: Vector, weights: Vector) -> Vector:
        model, tenure = self.model, self.column["tenure_months"]
        later = later_rate(model, monthly)
        if model.cohort is not None:
            months = self.policy.horizon_months
            curves = later_rates(model.cohort, tenure=tenure, monthly=monthly, lasting=model.lasting, months=months)
            later = np.where(np.isnan(tenure)[:, None], later[:, None], curves.clip(0.0, RATE_MAX))
        return staying(self.model, monthly, weights, later=later)


def _word_of_mouth(stays: _Stays, monthly: Vector) -> Vector:
    model, policy, column = stays.model, stays.policy, stays.column
    if model.referral is None or model.mean_margin_fen is None:
        return np.full(len(monthly), np.nan)
    rate = referral_rate(model.referral, column["referrals_12m"], column["tenure_months"])
    return np.asarray(rate * policy.referral_margin_share * stays(monthly, brought_weights(model, policy)))


def _staying_error(stays: _Stays, monthly: Vector) -> Vector:
    """Half the difference of staying at one spread below and above the rate."""
    factor = float(np.exp(stays.model.spread))
    fewer = stays(np.minimum(monthly * factor, RATE_MAX), discounts(stays.policy))
    more = stays(monthly / factor, discounts(stays.policy))
    return np.asarray((more - fewer) / 2)


def monthly_rate(p: Vector, months: int) -> Vector:
    """The constant monthly rate that gives probability ``p`` within some months: 1 - (1 - p)^(1/h)."""
    return np.asarray(1 - (1 - p) ** (1 / months))


def lasting_share(pairs: list[tuple[Vector, Vector]]) -> float:
    """Of a probability above or below the mean, the share still there at a later snapshot: a slope.

    ``pairs`` are probabilities of the same customers at an earlier and a later snapshot.
    """
    above: Any = [(early - early.mean(), late - late.mean()) for early, late in pairs if len(early) >= STAYERS_MIN]
    spread = sum(float((a**2).sum()) for a, _ in above)
    if not spread > 0:
        return ASSUMED_LASTING
    return float(np.clip(sum(float((a * b).sum()) for a, b in above) / spread, 0.0, 1.0))
