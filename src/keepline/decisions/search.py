"""Where the dual is lowest: on a sample first, then among the few customers whose choice is still open.

The sample's prices come close; within a box around them most customers choose the same, and are
settled (``narrowing``). Should a price be found on an edge of the box, a wider one is tried. Within
the box, Newton steps by the true slope and a curvature seen through a closing window come near, as the dual
of many customers is almost smooth; cutting planes through every point seen (Kelley 1960; trust box as in
Marsten, Hogan and Blankenship 1975) find the lowest of what is piecewise linear after all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from keepline.decisions import curvature
from keepline.decisions.blocks import Blocks
from keepline.decisions.narrowing import Narrowed
from keepline.decisions.prices import Box, Dual, Point, Scale
from keepline.decisions.problem import Bools, Floats, Ints, Prices

SAMPLE = 16_000  # customers who are all looked at
EACH = 8  # of more customers, so many times fewer are looked at first
TOLERANCE, ROUGH = 1e-8, 1e-6  # share of the value at which the search ends, the last and those before
ROUNDS_MAX = 200  # of cutting planes
IDLE_MAX = 10  # of them without gain, where customers are many
STEPS_MAX, HALVES_MAX = 40, 12  # Newton's, and how often one is halved
REACH = 16.0  # half the box: so many times 1 / √ of the sample, as a share of the price
FLOOR = 0.02  # scaled prices below this get the box of this
VISIT_REACH = 5.0  # the same for managers, by the visits each has in the sample
WIDER = 8.0


@dataclass(frozen=True)
class Found:
    """The best prices, the customers whom only they settle, and half the box that settled the others."""

    prices: Prices
    narrowed: Narrowed
    reach: Reach


def lowest(blocks: Blocks, *, tolerance: float = TOLERANCE) -> Found:
    """The prices at which the dual is lowest."""
    scale = Scale.of(blocks)
    reach = Reach.first(blocks, scale)
    if blocks.customers <= SAMPLE:
        return _over_all(blocks, scale, None, reach, tolerance)
    near = lowest(blocks.each(EACH), tolerance=ROUGH).prices
    while not reach.everything:
        found, tight = _within(blocks, scale, near, reach, tolerance)
        if found is not None and not tight.anywhere:
            return found
        reach = reach.wider(tight)
    return _over_all(blocks, scale, near, reach, tolerance)


def _over_all(blocks: Blocks, scale: Scale, near: Prices | None, reach: Reach, tolerance: float) -> Found:
    """Search among all prices, with nobody settled."""
    whole = Narrowed.none(blocks)
    dual = Dual(whole.few, scale=scale, box=Box.whole(blocks.kinds, blocks.means))
    begin = dual.low if near is None else scale.x(near)
    return Found(_search(dual, begin, tolerance=tolerance).prices, whole, reach)


def loosened(blocks: Blocks, found: Found) -> Found:
    """The same prices with more customers open, for when the few could not make room for each other."""
    reach = found.reach.wider()
    if reach.everything or blocks.customers <= SAMPLE:
        return Found(found.prices, Narrowed.none(blocks), reach)
    limits, scale = Box.whole(blocks.kinds, blocks.means), Scale.of(blocks)
    minutes = np.full(len(found.prices.minutes), reach.then)
    box = _around(found.prices, scale, limits, reach.globals_, minutes)
    return Found(found.prices, Narrowed.of(blocks, box), reach)


@dataclass(frozen=True)
class Tight:
    """Which prices were found on an edge of the box."""

    globals_: Bools
    minutes: Bools

    @property
    def anywhere(self) -> bool:
        return bool(self.globals_.any() or self.minutes.any())


@dataclass(frozen=True)
class Reach:
    """Half the box around the sample's prices: shares of each price."""

    globals_: Floats
    minutes: Floats
    then: float  # for minutes, once their prices are known at the sample's other prices

    @classmethod
    def first(cls, blocks: Blocks, scale: Scale) -> Reach:
        share = REACH / np.sqrt(max(1, blocks.customers) / EACH)
        long = blocks.kinds.minutes[blocks.kinds.minutes > 0]
        visits = blocks.means.minutes / EACH / (long.mean() if len(long) else 1.0)
        by_manager = VISIT_REACH / np.sqrt(np.maximum(visits, 1e-9))
        return cls(np.full(len(scale.means), share), by_manager + share, 3 * share)

    @property
    def everything(self) -> bool:
        return bool((self.globals_ >= WIDER).any())

    def wider(self, tight: Tight | None = None) -> Reach:
        """Wider where prices were found on an edge, or everywhere."""
        if tight is None:
            return Reach(self.globals_ * WIDER, self.minutes * WIDER, self.then * WIDER)
        return Reach(
            np.where(tight.globals_, self.globals_ * WIDER, self.globals_),
            np.where(tight.minutes, self.minutes * WIDER, self.minutes),
            self.then * 2,
        )


def _within(blocks: Blocks, scale: Scale, near: Prices, reach: Reach, tolerance: float) -> tuple[Found | None, Tight]:
    """Search near the sample's prices: the managers' first, then all within a closer box."""
    limits = Box.whole(blocks.kinds, blocks.means)
    box = _around(near, scale, limits, reach.globals_, reach.minutes)
    few = Narrowed.of(blocks, box)
    if len(near.minutes):
        dual = Dual(few.few, scale=scale, box=box, settled_fen=few.settled_fen)
        known = dual.at(scale.x(near)).prices
        tight = _tight(known, box, limits)
        if tight.minutes.any():
            return None, tight
        box = _around(known, scale, limits, reach.globals_, np.full(len(near.minutes), reach.then))
        few = few.closer(box)
    dual = Dual(few.few, scale=scale, box=box, settled_fen=few.settled_fen)
    unit = np.maximum(scale.x(near), FLOOR) * reach.globals_
    found = _search(dual, scale.x(near), tolerance=tolerance, unit=unit)
    return Found(found.prices, few, reach), _tight(found.prices, box, limits)


def _around(near: Prices, scale: Scale, limits: Box, reach: Floats, minutes: Floats) -> Box:
    """The box of so large shares around prices; small prices get that of a typical one."""
    units = np.array([near.money, *near.channels], dtype=float)
    half = reach * np.maximum(units, scale.units(np.full(len(units), FLOOR)))
    typical = near.minutes[near.minutes > 0].mean() if (near.minutes > 0).any() else 0.0
    each = minutes * np.maximum(near.minutes, typical / 4)
    free = (minutes >= 1) | (each == 0)
    lows, highs = np.maximum(units - half, 0), units + half
    low = Prices(
        int(lows[0]), lows[1:].astype(np.int64), np.where(free, 0, near.minutes - each).clip(0).astype(np.int64)
    )
    most = np.where(free, limits.high.minutes, np.minimum(near.minutes + each, limits.high.minutes))
    channels = np.minimum(highs[1:], limits.high.channels).astype(np.int64)
    high = Prices(int(min(highs[0], limits.high.money)), channels, most.astype(np.int64))
    return Box(low, high)


def _tight(found: Prices, box: Box, limits: Box) -> Tight:
    """Which prices lie on an edge that is not the end of all prices."""

    def edges(at: Ints, low: Ints, high: Ints, most: Ints) -> Bools:
        return np.asarray(((at <= low) & (low > 0)) | ((at >= high) & (high < most)))

    sides = [np.array([p.money, *p.channels]) for p in (found, box.low, box.high, limits.high)]
    return Tight(edges(*sides), edges(*(p.minutes for p in (found, box.low, box.high, limits.high))))


def _search(dual: Dual, begin: Floats, *, tolerance: float, unit: Floats | None = None) -> Point:
    """The lowest point within the dual's box. ``unit`` is how far it may be from the beginning."""
    seen = _newton(dual, np.clip(begin, dual.low, dual.high), tolerance=tolerance, unit=unit)
    best = min(seen, key=lambda point: point.value)
    width = np.maximum(best.x, FLOOR) if unit is None else unit
    idle = ROUNDS_MAX if unit is None and tolerance < ROUGH else IDLE_MAX
    return _cut(dual, seen, best, tolerance=tolerance, width=width, idle_max=idle)


def _newton(dual: Dual, begin: Floats, *, tolerance: float, unit: Floats | None) -> list[Point]:
    """Steps by the true slope and the curvature within a window that closes; all points looked at."""
    typical = dual.typical_fen
    least = typical * float(np.clip(10 * len(begin) / max(1, dual.asked), 1e-4, 0.05))
    window = typical * (0.3 if unit is None else 0.05)
    best = dual.at(begin)
    seen = [best]
    for _ in range(STEPS_MAX):
        window = max(window / 2, least)
        step = _newton_step(dual, best, dual.curvature(best, window), unit)
        if -best.slope @ step / 2 <= tolerance * best.value:
            break
        for _half in range(HALVES_MAX):
            found = dual.at(best.x + step)
            seen.append(found)
            if found.value < best.value:
                break
            step = step / 2
        else:
            break
        gained, best = best.value - found.value, found
        if gained <= tolerance * best.value:
            break
    return seen


def _newton_step(dual: Dual, at: Point, curved: Floats, unit: Floats | None) -> Floats:
    """Where the curved model is lowest within the box, none further than twice the price or so."""
    diagonal = np.diag(curved)
    ridge = 1e-3 * diagonal + 1e-9 * max(1e-9, float(diagonal.max()))
    far = np.maximum(at.x, FLOOR) if unit is None else unit
    lows, highs = np.maximum(dual.low - at.x, -far), np.minimum(dual.high - at.x, far)
    return np.asarray(curvature.lowest(curved + np.diag(ridge), at.slope, lows, highs))


def _cut(dual: Dual, cuts: list[Point], best: Point, *, tolerance: float, width: Floats, idle_max: int) -> Point:
    """Cutting planes within a box: step where they promise most, widen when they told true, else narrow.

    What a box of radius r promises at its edge bounds what lies beyond by 1 / r times as much.
    """
    radius, idle = 0.1, 0
    for _ in range(ROUNDS_MAX):
        x, promised = _lowest_by_cuts(cuts, best, dual, radius * width)
        edge = bool((np.abs(x - best.x) > radius * width * (1 - 1e-9)).any())
        if promised <= tolerance * best.value * (min(radius, 1.0) if edge else 1.0):
            break
        found = dual.at(x)
        cuts.append(found)
        gained = best.value - found.value
        idle = 0 if gained > tolerance * best.value else idle + 1
        if idle > idle_max:
            break
        if gained < promised / 10:
            radius /= 2
        elif edge:
            radius *= 2
        best = found if gained > 0 else best
    return best


def _lowest_by_cuts(cuts: list[Point], best: Point, dual: Dual, reach: Floats) -> tuple[Floats, float]:
    """Where the cuts' upper envelope is lowest within reach, and how far below the best point that is.

    Measured from the best point in units of the reach, so that the solver's tolerance shrinks
    with the box; where the envelope is level, the smaller prices win.
    """
    size = float(reach.max())
    slopes = np.array([cut.slope for cut in cuts])
    heights = np.array([cut.value - best.value + cut.slope @ (best.x - cut.x) for cut in cuts]) / size
    scaled = slopes * (reach / size)
    free = len(reach)
    rows = LinearConstraint(np.column_stack([scaled, -np.ones(len(cuts))]), ub=-heights)
    lows = np.clip((dual.low - best.x) / reach, -1, 0)
    highs = np.clip((dual.high - best.x) / reach, 0, 1)
    bounds = Bounds(np.append(lows, -np.inf), np.append(highs, np.inf))
    solved = milp(np.append(np.full(free, 1e-9), 1.0), constraints=rows, bounds=bounds)
    if solved.x is None:
        return best.x, 0.0
    step = np.asarray(solved.x[:-1])
    return best.x + reach * step, -size * float((scaled @ step + heights).max())
