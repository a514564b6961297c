"""Small groups who use the service unlike others of their kind: found in one half of the base, proved in the other.

Every value of every trait, and every pair of values of two traits, is a group. What is looked at of a group is the
mean of each behaviour, in standard deviations from what customers of the same kind and plan do. A group that stands
out in the first half is tested in the second, where nothing was chosen; the level is shared by all that were chosen
(Bonferroni). What is told is what the second half shows, so that choosing exaggerates nothing (Cox 1975, Biometrika
62:441-444; subgroup discovery: Herrera et al. 2011, Knowl. Inf. Syst. 29:495-525).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy import stats

Vector = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SIZE_MIN = 100  # customers looked at in a group; fewer say too little and may be told apart
SHARE_MAX = 0.05  # of the base: a larger group is no niche
APART_MIN = 0.4  # standard deviations, in the first half
PROVED_MIN = 0.2  # the near end of the interval in the second half
MORE_THAN_ONE = 0.3  # a pair counts where it stands out so much further than either of its two values
SURE, LEVEL = 3.0, 0.05
ALIKE_MAX = 0.6  # of two groups that share more of their customers the stronger is told
TOLD_MAX = 20


@dataclass(frozen=True)
class Trait:
    """What customers are: a code each, −1 where it is not known."""

    name: str
    values: tuple[str, ...]
    codes: Ints


@dataclass(frozen=True)
class Apart:
    """How far a group's mean of one behaviour lies from its kind's, in standard deviations, with a 90 % interval."""

    behaviour: int
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Group:
    """Customers who share these values, and how they differ, the strongest first."""

    traits: tuple[tuple[str, str], ...]
    members: Flags
    apart: tuple[Apart, ...]


@dataclass(frozen=True)
class Searched:
    """What was found, and of how many."""

    groups: tuple[Group, ...]
    looked_at: int
    chosen: int


@dataclass(frozen=True)
class _Cells:
    """Sums of behaviours over all groups of one trait or pair, in both halves: [half, group, behaviour]."""

    traits: tuple[Trait, ...]
    customers: Ints  # group
    count: Vector
    mean: Vector
    error: Vector


def search(behaviours: Vector, traits: Sequence[Trait], first_half: Flags) -> Searched:
    """``behaviours``: customers × behaviours, standardised within their kind, NaN where unknown."""
    halves = first_half.astype(np.int64)
    singles = {trait.name: _cells((trait,), behaviours, halves) for trait in traits}
    looked_at, chosen = 0, []
    for cells in _all(traits, singles, behaviours, halves):
        usable = _usable(cells, len(halves))
        looked_at += int(usable.sum())
        standing = usable[:, None] & _stands_out(cells)
        if len(cells.traits) > 1:
            standing &= _beyond_each(cells, [singles[trait.name] for trait in cells.traits])
        chosen += [(cells, int(group), int(what)) for group, what in np.argwhere(standing)]
    proved = [one for one in chosen if _proved(*one, level=LEVEL / len(chosen))]
    return Searched(_told(proved), looked_at, len(chosen))


def _all(traits: Sequence[Trait], singles: dict[str, _Cells], behaviours: Vector, halves: Ints) -> Iterator[_Cells]:
    yield from singles.values()
    for pair in combinations(traits, 2):
        yield _cells(pair, behaviours, halves)


def _cells(traits: tuple[Trait, ...], behaviours: Vector, halves: Ints) -> _Cells:
    codes = _codes(traits)
    groups = int(np.prod([len(trait.values) for trait in traits]))
    inside = codes >= 0
    place, shape = codes[inside] * 2 + halves[inside], (groups, 2, behaviours.shape[1])
    count, total, squares = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for what in range(behaviours.shape[1]):
        values = behaviours[inside, what]
        known = ~np.isnan(values)
        held, at = np.where(known, values, 0.0), place
        for sums, weights in ((count, known.astype(float)), (total, held), (squares, held * held)):
            sums[:, :, what] = np.bincount(at, weights=weights, minlength=groups * 2).reshape(groups, 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / count
        error = np.sqrt(np.maximum(squares / count - mean * mean, 1e-9) / count)
    customers = np.bincount(codes[inside], minlength=groups)
    return _Cells(traits, customers, count.transpose(1, 0, 2), mean.transpose(1, 0, 2), error.transpose(1, 0, 2))


def _codes(traits: tuple[Trait, ...]) -> Ints:
    """One code a customer over all traits; −1 where any is not known."""
    found = traits[0].codes.astype(np.int64)
    for trait in traits[1:]:
        both = (found >= 0) & (trait.codes >= 0)
        found = np.where(both, found * len(trait.values) + trait.codes, -1)
    return found


def _usable(cells: _Cells, customers: int) -> Flags:
    return np.asarray((cells.customers >= SIZE_MIN) & (cells.customers <= SHARE_MAX * customers))


def _stands_out(cells: _Cells) -> Flags:
    count, mean, error = cells.count[1], cells.mean[1], cells.error[1]
    enough = (count >= SIZE_MIN / 4) & (cells.count[0] >= SIZE_MIN / 4)
    with np.errstate(invalid="ignore"):
        return np.asarray(enough & (np.abs(mean) >= APART_MIN) & (np.abs(mean) >= SURE * error))


def _beyond_each(cells: _Cells, singles: Sequence[_Cells]) -> Flags:
    """Further out than either value alone, in the same direction."""
    widths = [len(trait.values) for trait in cells.traits]
    first, second = np.divmod(np.arange(len(cells.customers)), widths[1])
    beyond = np.ones_like(cells.mean[1], dtype=bool)
    for single, places in zip(singles, (first, second), strict=True):
        alone = np.nan_to_num(single.mean[1][places]) * np.sign(cells.mean[1])
        with np.errstate(invalid="ignore"):
            beyond &= np.abs(cells.mean[1]) >= np.maximum(alone, 0) + MORE_THAN_ONE
    return beyond


def _proved(cells: _Cells, group: int, what: int, *, level: float) -> bool:
    """In the half that had no part in choosing."""
    side = np.sign(cells.mean[1][group, what])
    mean, error = side * cells.mean[0][group, what], cells.error[0][group, what]
    reach = float(stats.norm.isf(level))
    return bool(mean - reach * error > 0 and mean - float(stats.norm.isf(0.05)) * error >= PROVED_MIN)


def _told(proved: Sequence[tuple[_Cells, int, int]]) -> tuple[Group, ...]:
    """One group each with all that was proved of it; of two that are nearly the same the stronger."""
    by_group: dict[tuple[tuple[str, str], ...], tuple[_Cells, int, list[int]]] = {}
    for cells, group, what in proved:
        by_group.setdefault(_named(cells, group), (cells, group, []))[2].append(what)
    groups = [_group(named, *found) for named, found in by_group.items()]
    groups.sort(key=lambda one: (-abs(one.apart[0].difference) * np.sqrt(one.members.sum()), one.traits))
    kept: list[Group] = []
    for one in groups:
        if all(_overlap(one.members, other.members) <= ALIKE_MAX for other in kept):
            kept.append(one)
    return tuple(kept[:TOLD_MAX])


def _named(cells: _Cells, group: int) -> tuple[tuple[str, str], ...]:
    places = (group,) if len(cells.traits) == 1 else divmod(group, len(cells.traits[1].values))
    return tuple((trait.name, trait.values[place]) for trait, place in zip(cells.traits, places, strict=True))


def _group(named: tuple[tuple[str, str], ...], cells: _Cells, group: int, whats: list[int]) -> Group:
    apart = [_apart(cells, group, what) for what in whats]
    apart.sort(key=lambda one: -abs(one.difference))
    return Group(named, _codes(cells.traits) == group, tuple(apart))


def _apart(cells: _Cells, group: int, what: int) -> Apart:
    mean, reach = float(cells.mean[0][group, what]), float(stats.norm.isf(0.05) * cells.error[0][group, what])
    return Apart(what, mean, mean - reach, mean + reach)


def _overlap(one: Flags, other: Flags) -> float:
    return float((one & other).sum() / max(1, min(one.sum(), other.sum())))
