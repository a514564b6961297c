"""A regularised additive logistic model: a smooth curve for each number, a step for each code.

    log-odds = b + sum over inputs of f(input)

f is a cubic B-spline on quantile knots (scikit-learn's SplineTransformer), all coefficients
shrunk by one ridge penalty L2. Its size is the effective degrees of freedom
trace((X'WX + L2 I)^-1 X'WX), W = p(1-p) (Hastie, Tibshirani, Friedman 2009, sections 4.4 and 5.4).
The penalty is raised, then curves become straight lines, then the weaker inputs go, until there
are at least five events for each degree; it is raised further while Akaike's criterion falls.
Every f is centred: 0 at the mean of the training base.

Where policy says that an input may only raise or only lower the risk, its curve is a sum of steps of one sign: of
the B-splines from the j-th on, each with a coefficient of 0 or more (Ramsay 1988, Statistical Science 3:425-441).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BSpline
from scipy.special import expit, logit
from sklearn.preprocessing import SplineTransformer

from keepline.errors import TooFewError
from keepline.insight.curves import Curves, Term, as_arrays, spell_out
from keepline.insight.inputs import Vector

Signs = Sequence[int]  # of each column: 1 may only raise, -1 only lower, 0 both
Mask = npt.NDArray[np.bool_]

EVENTS_MIN = 30
EVENTS_EACH_DEGREE = 5.0
PENALTY = 1 / 0.3  # measured best untuned on three public churn sets
PENALTY_MAX = 100 * PENALTY  # where five events a degree need more, a simpler model says more
PENALTY_END = 1e6
PENALTY_STEP = 6.0
KNOTS = 6
TAIL = 0.002  # beyond these quantiles a curve is level: a handful of customers must not bend it
NEWTON_STEPS, NEWTON_ENOUGH = 40, 1e-8  # decrement a row
SPREAD_MIN = 0.1
STEP, ROWS_MANY, ROWS_EACH_COLUMN = 4, 10_000, 60  # where every fourth row tells nearly all, and saves most of the time
UNKNOWN_SHARE_MIN = 0.002  # rarer unknowns need no coefficient of their own
DESIGNS = (("splines", "lines"), ("few_lines",))  # the better of the first two, else the last


@dataclass(frozen=True)
class Additive:
    intercept: float
    terms: tuple[Term, ...]
    degrees: float  # effective degrees of freedom
    penalty: float
    design: str  # splines, lines or few_lines
    events: int
    criterion: float  # Akaike's

    @cached_property
    def _curves(self) -> Curves:
        return as_arrays(self.terms)

    def parts(self, matrix: Vector) -> Vector:
        """What each term adds to the log-odds of each row, terms × rows."""
        made = np.empty((len(self.terms), len(matrix)))
        spell_out(np.asfortranarray(matrix), self._curves, made)  # input by input, so their values lie side by side
        return made

    def logit(self, matrix: Vector) -> Vector:
        """Log-odds, added term by term, so that they do not depend on the cut into batches."""
        return self.added(self.parts(matrix))

    def added(self, parts: Vector) -> Vector:
        """The log-odds of rows whose parts are known already."""
        total = np.full(parts.shape[1], self.intercept)
        for part in parts:
            total += part
        return total


@dataclass(frozen=True)
class _Block:
    """Design columns of one matrix column: basis first, then perhaps the mark of an unknown."""

    column: int
    low: float
    high: float
    spline: Any
    columns: Vector
    marked: bool
    sign: int = 0  # 1: may only rise, -1: only fall, 0: free

    @property
    def shares(self) -> bool:
        return self.spline is not None or (self.low, self.high) == (0.0, 1.0)


def fit_additive(matrix: Vector, y: Vector, weight: Vector, *, signs: Signs = ()) -> Additive:
    """Fit by penalised maximum likelihood; ``signs`` of the columns bind their curves, none leave all free.

    Raises TooFewError when not even the simplest design has five events for each effective degree
    of freedom. ``weight`` stands for rows left out by lot; events are counted unweighted.
    """
    events = rarer(y)
    for designs in DESIGNS:
        made = [
            _fit(_blocks(_kept(matrix, y, design=d), matrix, d, signs), y, weight, events=events, design=d)
            for d in designs
        ]
        fitted = [model for model in made if model is not None]
        if fitted:
            return min(fitted, key=lambda model: model.criterion)
    raise too_few_for_degrees(events)


def rarer(y: Vector) -> int:
    """Events, or non-events where those are fewer."""
    return int(min(y.sum(), (1 - y).sum()))


def check_events(y: Vector) -> None:
    """Refuse to train under 30 events."""
    events = rarer(y)
    if events >= EVENTS_MIN:
        return
    raise TooFewError(
        f"{events} events, a model needs at least {EVENTS_MIN}; load more past months or lengthen the horizon",
        f"仅有 {events} 个事件，建模至少需要 {EVENTS_MIN} 个；请装载更多历史账期或延长预测期",
        code="too_few_events",
    )


def too_few_for_degrees(events: int) -> TooFewError:
    return TooFewError(
        f"{events} events are fewer than {EVENTS_EACH_DEGREE:g} for each effective degree of freedom of the "
        "simplest model; load more past months",
        f"{events} 个事件不足以支持最简模型（每个有效自由度至少 {EVENTS_EACH_DEGREE:g} 个）；请装载更多历史账期",
        code="too_few_events",
    )


def _kept(matrix: Vector, y: Vector, *, design: str) -> list[int]:
    """Columns of the design; for few_lines the strongest by their own correlation with leaving."""
    everything = list(range(matrix.shape[1]))
    if design != "few_lines":
        return everything
    strength = [_correlation(matrix[:, i], y) for i in everything]
    count = max(1, int(rarer(y) // (2 * EVENTS_EACH_DEGREE)))
    return sorted(sorted(everything, key=lambda i: (-strength[i], i))[:count])


def _correlation(values: Vector, y: Vector) -> float:
    known = ~np.isnan(values)
    spread = values[known].std() * y[known].std() if known.any() else 0.0
    if not spread > 0:
        return 0.0
    return abs(float(np.mean((values[known] - values[known].mean()) * (y[known] - y[known].mean())) / spread))


def _blocks(kept: list[int], matrix: Vector, design: str, signs: Signs) -> list[_Block]:
    made = (_block(i, matrix[:, i], design, signs[i] if signs else 0) for i in kept)
    return [block for block in made if block is not None]


def _block(column: int, values: Vector, design: str, sign: int) -> _Block | None:
    known = ~np.isnan(values)
    if not known.any():
        return None
    seen = values[known]
    knots = _knots(seen)
    low, high = float(knots[0]), float(knots[-1])
    inside = np.clip(np.where(known, values, low), low, high)[:, None]
    spline = None
    if design == "splines" and len(knots) > 2:
        spline = SplineTransformer(knots=knots[:, None], degree=3, extrapolation="constant").fit(inside)
        inside = spline.transform(inside)
        inside = inside if not sign else inside[:, :0:-1].cumsum(axis=1)[:, ::-1]
    inside = inside * sign if sign else inside
    inside = np.where(known[:, None], inside, inside[known].mean(axis=0))
    marked = UNKNOWN_SHARE_MIN < 1 - known.mean() < 1 - UNKNOWN_SHARE_MIN
    if marked:
        inside = np.column_stack([inside, (~known).astype(float)])
    return _Block(column, low, high, spline, inside, marked, sign)


def _knots(seen: Vector) -> Vector:
    """Quantile knots; where one value (often 0) is most of them, quantiles of the rest beside it."""
    grid = np.r_[TAIL, np.linspace(0, 1, KNOTS)[1:-1], 1 - TAIL]
    knots = np.unique(np.quantile(seen, grid))
    if len(knots) == KNOTS:
        return knots
    levels, counts = np.unique(seen, return_counts=True)
    if len(levels) <= KNOTS:
        return levels
    mode = levels[counts.argmax()]
    rest = np.quantile(seen[seen != mode], grid)
    return np.unique(np.append(rest, mode))


def fit_alike(matrix: Vector, y: Vector, weight: Vector, *, like: Additive, signs: Signs = ()) -> Additive:
    """Fit with the design and penalty of another model: for judging it on customers left out."""
    kept = sorted({term.column for term in like.terms})
    prepared = _prepare(_blocks(kept, matrix, like.design, signs), y, weight)
    return _at_penalty(prepared, like.penalty, design=like.design, start=None)[0]


@dataclass(frozen=True)
class _Prepared:
    """The standardised design of some rows."""

    blocks: list[_Block]
    x: Vector
    y: Vector
    weight: Vector
    mean: Vector
    scale: Vector


def _prepare(blocks: list[_Block], y: Vector, weight: Vector) -> _Prepared:
    raw = np.column_stack([block.columns for block in blocks])
    mean, spread = raw.mean(axis=0), raw.std(axis=0)
    scale = np.where(spread > 1e-9, np.maximum(spread, _least_spread(blocks)), np.inf)  # constant: stays at 0
    x = np.subtract(raw, mean, out=raw)
    x /= scale
    return _Prepared(blocks, x, y, weight, mean, scale)


def _fit(blocks: list[_Block], y: Vector, weight: Vector, *, events: int, design: str) -> Additive | None:
    """The best penalty of a design by Akaike's criterion, among those with events enough; None where there is none."""
    if not blocks:
        return None
    prepared, budget = _prepare(blocks, y, weight), events / EVENTS_EACH_DEGREE
    share = float(np.average(y, weights=weight))
    penalty = max(PENALTY, _penalty_for(_curvature(prepared.x, weight * share * (1 - share)), budget))
    best: Additive | None = None
    at = None
    while penalty <= (PENALTY_MAX if best is None else PENALTY_END):
        made, at = _at_penalty(prepared, penalty, design=design, start=at)
        if best is not None and made.criterion >= best.criterion:
            break
        if made.degrees <= budget:
            best = made
        penalty *= 1.5 if best is None else PENALTY_STEP
    return best


def _at_penalty(prepared: _Prepared, penalty: float, *, design: str, start: Vector | None) -> tuple[Additive, Vector]:
    x, y, weight = prepared.x, prepared.y, prepared.weight
    at = maximum(x, y, weight, penalty=penalty, start=start, bound=_bound(prepared.blocks))
    p = expit(at[0] + x @ at[1:])
    degrees = _degrees(_curvature(x, weight * p * (1 - p)), penalty)
    terms = _terms(prepared.blocks, at[1:] / prepared.scale, prepared.mean)
    criterion = 2 * (_deviance(y, p, weight) + degrees)
    return Additive(float(at[0]), terms, degrees, penalty, design, rarer(y), criterion), at


def _bound(blocks: list[_Block]) -> Mask:
    """Which coefficients may not be negative: those of a curve that may only rise or fall, not of an unknown."""
    parts = [np.full(block.columns.shape[1], bool(block.sign)) for block in blocks]
    for block, part in zip(blocks, parts, strict=True):
        part[len(part) - block.marked :] = False
    return np.concatenate(parts)


def _deviance(y: Vector, p: Vector, weight: Vector) -> float:
    """Minus the log-likelihood."""
    inside = np.clip(p, 1e-12, 1 - 1e-12)
    return float(-(weight * (y * np.log(inside) + (1 - y) * np.log1p(-inside))).sum())


def _least_spread(blocks: list[_Block]) -> Vector:
    """Parts of a curve, levels and marks lie in 0 to 1: what few customers have is shrunk more, not blown up."""
    return np.concatenate([np.full(b.columns.shape[1], SPREAD_MIN if b.shares else 0.0) for b in blocks])


def maximum(
    x: Vector, y: Vector, weight: Vector, *, penalty: float, start: Vector | None = None, bound: Mask | None = None
) -> Vector:
    """Penalised maximum likelihood by Newton's method: the intercept, which is not penalised, then the slopes.

    Slopes marked in ``bound`` stay at 0 or above: those that rest on it and would go below are left out of the step,
    and a step that crosses it ends there (Bertsekas 1982, SIAM Journal on Control and Optimization 20:221-246).
    """
    floor = np.r_[-np.inf, np.full(x.shape[1], -np.inf) if bound is None else np.where(bound, 0.0, -np.inf)]
    ridge = np.r_[0.0, np.full(x.shape[1], penalty)]
    at = start if start is not None else np.r_[logit(float(np.average(y, weights=weight))), np.zeros(x.shape[1])]
    loss = _loss(x, y, weight, at=at, ridge=ridge)
    for _ in range(NEWTON_STEPS):
        p = expit(at[0] + x @ at[1:])
        error = weight * (p - y)
        slope = np.r_[error.sum(), error @ x] + ridge * at
        step = _step(_hessian(x, weight * p * (1 - p)) + np.diag(ridge), slope, free=(at > floor) | (slope < 0))
        drop, size = float(slope @ step), 1.0
        while size > 1e-3 and _loss(x, y, weight, at=np.maximum(at - size * step, floor), ridge=ridge) > loss:
            size /= 2
        at = np.maximum(at - size * step, floor)
        loss = _loss(x, y, weight, at=at, ridge=ridge)
        if drop < NEWTON_ENOUGH * len(y):
            break
    return at


def _step(curvature: Vector, slope: Vector, *, free: Mask) -> Vector:
    if free.all():
        return np.asarray(np.linalg.solve(curvature, slope))
    step = np.zeros(len(slope))
    step[free] = np.linalg.solve(curvature[np.ix_(free, free)], slope[free])
    return step


def _loss(x: Vector, y: Vector, weight: Vector, *, at: Vector, ridge: Vector) -> float:
    z = at[0] + x @ at[1:]
    return float(weight @ (np.logaddexp(0, z) - y * z) + (ridge * at**2).sum() / 2)


def _hessian(x: Vector, w: Vector) -> Vector:
    """X'WX with a column of ones before X."""
    made = np.empty((x.shape[1] + 1, x.shape[1] + 1))
    made[0, 0] = w.sum()
    made[0, 1:] = made[1:, 0] = w @ x
    made[1:, 1:] = _gram(x, w)
    return made


def _gram(x: Vector, w: Vector) -> Vector:
    """X'WX in single precision: twice as fast, and it only steers the steps."""
    half = (x * np.sqrt(w)[:, None]).astype(np.float32)
    return np.asarray((half.T @ half).astype(np.float64))


def _curvature(x: Vector, w: Vector) -> Vector:
    """Eigenvalues of X'WX; where rows are many, of every fourth of them, times four."""
    step = STEP if len(w) > max(ROWS_MANY, ROWS_EACH_COLUMN * x.shape[1]) else 1
    return np.asarray(np.maximum(np.linalg.eigvalsh(_gram(x[::step], w[::step])) * step, 0.0))


def _degrees(curvature: Vector, penalty: float) -> float:
    return float((curvature / (curvature + penalty)).sum())


def _penalty_for(curvature: Vector, budget: float) -> float:
    """The least penalty, to one part in a hundred, that keeps the degrees within the budget."""
    low, high = 1e-6, 1e9
    while high / low > 1.01:
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if _degrees(curvature, middle) > budget else (low, middle)
    return high


def _terms(blocks: list[_Block], coefficients: Vector, mean: Vector) -> tuple[Term, ...]:
    made, at = [], 0
    for block in blocks:
        width = block.columns.shape[1]
        made.append(_term(block, coefficients[at : at + width], mean[at : at + width]))
        at += width
    return tuple(made)


def _term(block: _Block, own: Vector, mean: Vector) -> Term:
    """Fold the standardisation of the design into one curve and one constant."""
    basis = own[:-1] if block.marked else own
    mark = float(own[-1]) if block.marked else 0.0
    marked_share = float(mean[-1]) if block.marked else 0.0
    centre = float((basis * mean[: len(basis)]).sum())
    offset = mark * marked_share  # the mark's own centring, shared by all
    if block.spline is None:
        slope = float(basis[0]) * (block.sign or 1)
        return Term(block.column, block.low, block.high, None, slope, centre + offset, mark - offset)
    knots = block.spline.bsplines_[0].t
    curve = BSpline(knots, block.sign * np.cumsum(np.r_[0.0, basis]) if block.sign else basis, 3)
    return Term(block.column, block.low, block.high, curve, 0.0, centre + offset, mark - offset)
