"""The effect of an offer on each customer, in a few terms, from a pilot drawn by lot.

1. Each customer gets a doubly robust guess of their own effect (Robins, Rotnitzky and Zhao
   1994): what a model of each arm, fitted on other customers, expects, put right by what was
   seen over the share treated. Its mean is the mean effect, unbiased because lots were drawn.
2. Several learners tell from these guesses who responds more (learners.py); how well they rank
   customers of other folds decides which of them speak (choosing.py).
3. What is used is as long as it is sure. A plain effect is ``slope × size``, where size is what the
   effect should grow with: the share who take the offer, for leaving times the risk. It and what
   the chosen learners add to it are each shortened by the positive part of ``1 − (error / estimate)²``
   (James and Stein 1961; Baranchik 1964); the second only where it is surely above zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import stats

from keepline.measurement import learners
from keepline.measurement.choosing import Choice, choose, unseen
from keepline.measurement.learners import Effect, Flags, Ints, Line, Numbers, Seen
from keepline.measurement.statistics import LEVEL

FOLDS = 5
REACH = 6.0  # standardised terms are held within −REACH … REACH, when fitted and when used
NORMAL_REACH = 3.2897  # from the 5th to the 95th percentile of a standard normal
NORMAL_REACH_99 = 5.1517  # from the 0.5th to the 99.5th
KNOWN_MIN = 0.2  # a term known of fewer is not used
FLAT = 1e-12
SURE = 1.6449  # errors from zero: one-sided 5 %, the end of a 90 % interval
RISK = "leave_probability"


@dataclass(frozen=True)
class Terms:
    """Standardised terms: one column a name, nulls at the centre."""

    names: tuple[str, ...]
    centre: Numbers
    scale: Numbers
    values: Numbers


@dataclass(frozen=True)
class Uplift:
    """The effect found: its mean with interval; what is used of it; how it was chosen; and how sure it is.

    ``errors`` and ``mean_errors`` say how many errors the plain effect and the mean lie from zero,
    ``differ_p`` how likely customers seem to differ as much when they do not; 0 and 1 where there
    is nothing to judge. ``reach`` is half of the interval of the plain effect for one unit of size.
    """

    mean: float
    low: float
    high: float
    effect: Effect
    choice: Choice
    kept: float
    errors: float
    mean_errors: float
    differ_p: float
    reach: float


@dataclass(frozen=True)
class Taken:
    """Who takes the offer: the mean with interval, the line over the treated, and each one's share by other folds."""

    mean: float
    low: float
    high: float
    line: Line
    shares: Numbers


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


def within_reach(column: Numbers) -> Numbers:
    """The column held within REACH scales of its median: a few accounts of another size hide no effect."""
    centre, scale = float(np.median(column)), _robust_scale(column)
    held: Numbers = np.clip(column, centre - REACH * scale, centre + REACH * scale) if scale > FLAT else column
    return held


def _robust_scale(column: Numbers) -> float:
    """From the middle nine tenths, or, where those are alike, from all but a hundredth; 0 where these are too."""
    for tail, width in ((5.0, NORMAL_REACH), (0.5, NORMAL_REACH_99)):
        low, high = np.percentile(column, [tail, 100 - tail])
        if high > low:
            return float((high - low) / width)
    return 0.0


def _scale(known: Numbers) -> float:
    low, high = np.percentile(known, [5, 95])
    return float((high - low) / NORMAL_REACH) if high > low else float(known.std())


def ridge(values: Numbers, target: Numbers) -> Line:
    """A ridge line, every row as good as the other."""
    return learners.line_of(values, target)


def folds(customers: Ints) -> Ints:
    """A fold for each row; all rows of a customer, who may have been drawn more than once, share one.

    Customers go in turn by pseudonym, which is by lot.
    """
    found: Ints = np.unique(customers, return_inverse=True)[1] % FOLDS
    return found


def guesses(values: Numbers, target: Numbers, treated: Flags, share: Numbers, fold: Ints) -> Numbers:
    """Each row's doubly robust guess of its effect; ``share`` is the chance with which it was treated."""
    found = np.empty(len(target))
    for number in range(FOLDS):
        inside, outside = fold == number, fold != number
        with_offer = ridge(values[outside & treated], target[outside & treated]).at(values[inside])
        without = ridge(values[outside & ~treated], target[outside & ~treated]).at(values[inside])
        y, t, e = target[inside], treated[inside], share[inside]
        found[inside] = with_offer - without + np.where(t, (y - with_offer) / e, -(y - without) / (1 - e))
    return found


def estimate(
    terms: Terms,
    *,
    before: Terms,
    target: Numbers,
    treated: Flags,
    share: Numbers,
    size: Numbers,
    weight: Numbers,
    fold: Ints,
) -> Uplift:
    """The effect on ``target``. ``before`` holds only what was known before the lot, for the models of the arms.

    ``size`` is what a plain effect grows with: ones, the risk, or a share told by other folds;
    ``weight`` says how quiet each customer's outcome is by nature (one over its variance, to a factor).
    """
    own = guesses(before.values, target, treated, share, fold)
    mean, half = _mean(own)
    root = np.sqrt(weight)
    slope, error = _through_zero(size * root, own * root)
    seen = Seen(terms.values, size, weight, own)
    choice = choose(seen, fold)
    kept = _kept(choice, seen, fold)
    used = choice.effect.times(kept).steeper(slope * (_sure(slope, error) - kept))
    errors = slope / error if error > 0 else 0.0
    differ = differ_p(terms.values, own, fold)
    mean_errors, reach = _errors_from_zero(own), _reach(len(own)) * error
    return Uplift(mean, mean - half, mean + half, used, choice, kept, errors, mean_errors, differ, reach)


def who_take(terms: Terms, taken: Numbers, treated: Flags, fold: Ints) -> Taken:
    """``taken`` is 1 or 0 where ``treated``; nobody is told a share by a line fitted on themselves."""
    shares = np.empty(len(taken))
    for number in range(FOLDS):
        inside, others = fold == number, (fold != number) & treated
        shares[inside] = ridge(terms.values[others], taken[others]).at(terms.values[inside])
    mean, half = _mean(taken[treated])
    line = ridge(terms.values[treated], taken[treated])
    return Taken(mean, max(mean - half, 0.0), min(mean + half, 1.0), line, np.clip(shares, 0.0, 1.0))


def _mean(values: Numbers) -> tuple[float, float]:
    """The mean and half the width of its interval."""
    error = float(values.std(ddof=1)) / sqrt(len(values))
    return float(values.mean()), _reach(len(values)) * error


def _reach(customers: int) -> float:
    """How many errors reach to each side of an interval."""
    return float(stats.t.ppf((1 + LEVEL) / 2, customers - 1))


def _errors_from_zero(values: Numbers) -> float:
    spread = float(values.std(ddof=1))
    return float(values.mean()) / spread * sqrt(len(values)) if spread > 0 else 0.0


def _kept(choice: Choice, seen: Seen, fold: Ints) -> float:
    """How much to keep of what the chosen learners add to the plain effect, judged on customers of other folds.

    The slope of the guesses on what is added also says by how much they exaggerate. Nothing
    is kept of what is not surely more: a pilot sees who differs far less well than that there is an effect.
    """
    base = unseen(learners.plain, seen, fold)
    left, root = seen.own - base, np.sqrt(seen.weight)
    more, error = _through_zero(root * (choice.told - base), root * left, scale=float((root * left).std()))
    return min(more, 1.0) * _sure(more, error) if more > SURE * error else 0.0


def _through_zero(told: Numbers, seen: Numbers, *, scale: float = 1.0) -> tuple[float, float]:
    """Slope of a line through zero, and its error, which allows for uneven spread (White 1980).

    ``told`` that is nothing beside ``scale``, in its own unit, has no slope.
    """
    below = float((told**2).sum())
    if below <= FLAT * len(told) * scale**2:
        return 0.0, 0.0
    slope = float((told * seen).sum()) / below
    return slope, sqrt(float((told**2 * (seen - slope * told) ** 2).sum())) / below


def _sure(estimate: float, error: float) -> float:
    """The share of an estimate to keep: nothing when it is no larger than its error."""
    return max(0.0, 1 - (error / estimate) ** 2) if estimate else 0.0


def differ_p(values: Numbers, own: Numbers, fold: Ints) -> float:
    """How likely lines fitted on other customers tell who responds more by chance (best linear predictor, one-sided).

    Chernozhukov, Demirer, Duflo and Fernández-Val 2018: the guesses are regressed on the
    out-of-fold predictions; their slope is above zero only if customers do differ.
    """
    told, rest = np.empty(len(own)), np.empty(len(own))
    for number in range(FOLDS):
        inside = fold == number
        predicted = ridge(values[~inside], own[~inside]).at(values[inside])
        told[inside] = predicted - predicted.mean()
        rest[inside] = own[inside] - own[inside].mean()
    slope, error = _through_zero(told, rest, scale=float(rest.std()))
    return float(stats.norm.sf(slope / error)) if error > 0 else 1.0
