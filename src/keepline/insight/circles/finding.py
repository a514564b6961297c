"""The mathematics of circles: groups by Louvain, influence by PageRank, who leads and who connects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sknetwork.clustering import Louvain

from keepline.insight.circles.graph import Floats, Graph, Ints

Bools = npt.NDArray[np.bool_]
Vector = npt.NDArray[np.float64]

CIRCLE_MOST = 150  # Dunbar 1992: as many as one person keeps up with; see groups()
CIRCLE_LEAST, LED_LEAST = 3, 5  # members of a circle; of one that may have a leader
LEADS_TIMES, LED_EACH = 2.0, 25  # times the callers of the circle's mean member; members a leader
CONNECTS, CONNECTS_LEAST = 0.62, 3  # Guimerà and Amaral 2005; other circles reached
DAMPING, STEPS, ENOUGH = np.float32(0.85), 60, 1e-3
TOLERANCE = 1e-2  # of modularity: a pass over the graph that gains less is the last
DECIMALS = 3
BLOCK_ROWS = 500_000


@dataclass(frozen=True)
class Found:
    """What is known of each row of the graph. ``group`` is -1 for who talks with nobody."""

    group: Ints
    influence: Vector  # 1 is the mean of all who talk with somebody
    callers: Ints  # of the group
    reached: Ints  # other groups
    spread: Vector  # 0: all calls in one group; near 1: evenly over many
    leader: Bools
    gatekeeper: Bools


def find(graph: Graph) -> Found:
    """Groups, influence and parts of everybody in the graph. Equal graphs give equal answers: nothing is drawn."""
    group = groups(graph)
    turned_to, called_by = influence(graph), callers(graph, group)
    reached, spread = reach(graph, group)
    connects = (spread > CONNECTS) & (reached >= CONNECTS_LEAST)
    leads = leaders(group, called_by, turned_to)
    return Found(group, turned_to, called_by, reached, spread, leads, connects)


def groups(graph: Graph) -> Ints:
    """Louvain's method (Blondel et al. 2008) on calls in both directions.

    Plain modularity cannot see groups smaller than about the square root of all ties (Fortunato and Barthélemy 2007):
    in a large base everybody's friends would be merged with strangers. With the resolution n ÷ CIRCLE_MOST the mean
    customer joins a group of s members when more than s ÷ CIRCLE_MOST of their calls go there, however large the base
    is (the constant Potts model of Traag et al. 2011, at mean strength), so no circle outgrows CIRCLE_MOST by much.
    """
    group = np.full(len(graph.ids), -1, dtype=np.int64)
    talks = graph.degree > 0
    if not talks.any():
        return group
    found = Louvain(
        resolution=float(talks.sum()) / CIRCLE_MOST,
        tol_optimization=TOLERANCE,
        shuffle_nodes=False,
        sort_clusters=False,
        return_probs=False,
        return_aggregate=False,
    ).fit_predict(graph.both_ways)
    group[talks] = np.unique(found[talks], return_inverse=True)[1]
    return group


def influence(graph: Graph) -> Vector:
    """PageRank (Brin and Page 1998) on who calls whom: a call vouches for whom it goes to, the more the more the
    caller is called. Told as multiples of the mean; 0 for who talks with nobody.

    Where an operator tells calls from both ends alike, direction is lost and influence is that of ties.
    """
    talks = graph.degree > 0
    size = int(talks.sum())
    if not size:
        return np.zeros(len(graph.ids))
    made = _sums(graph.calls, graph.indptr)
    share = np.divide(1, made, out=np.zeros_like(made), where=made > 0)
    incoming, now = graph.incoming, talks.astype(np.float32)
    silent = talks & (made == 0)
    for _ in range(STEPS):
        idle = np.float32(now[silent].sum(dtype=np.float64) / size)
        then = np.where(talks, (1 - DAMPING) + DAMPING * (incoming @ (now * share) + idle), np.float32(0))
        done = float(np.abs(then - now).max()) < ENOUGH
        now = then
        if done:
            break
    return np.asarray(np.round(now.astype(np.float64), DECIMALS), dtype=np.float64)


def _sums(values: Floats, indptr: Ints) -> Floats:
    """The sum of each row."""
    total = np.zeros(len(indptr) - 1, dtype=np.float32)
    rows = np.flatnonzero(np.diff(indptr))
    if len(rows):
        total[rows] = np.add.reduceat(values, indptr[rows])
    return total


def reach(graph: Graph, group: Ints) -> tuple[Ints, Vector]:
    """How many other groups each reaches, and the participation coefficient of Guimerà and Amaral 2005:
    1 − Σ over groups of (share of one's calls that go there)²."""
    size = len(graph.ids)
    count = int(group.max(initial=-1)) + 1
    reached, spread = np.zeros(size, dtype=np.int64), np.zeros(size)
    if not count:
        return reached, spread
    member = sparse.csr_matrix((np.ones(size, np.float32), np.maximum(group, 0), np.arange(size + 1)), (size, count))
    matrix = graph.both_ways
    for low in range(0, size, BLOCK_ROWS):
        rows = slice(low, min(low + BLOCK_ROWS, size))
        by_group = matrix[rows] @ member
        of = np.repeat(group[rows], np.diff(by_group.indptr))
        ends = by_group.indptr.astype(np.int64)
        total = _sums(by_group.data, ends)
        squares = _sums(by_group.data * by_group.data, ends)
        reached[rows] = _sums((by_group.indices != of).astype(np.float32), ends).astype(np.int64)
        even = np.divide(squares, total * total, out=np.ones_like(total), where=total > 0)
        spread[rows] = np.round(1 - even.astype(np.float64), DECIMALS)
    return reached, spread


def callers(graph: Graph, group: Ints) -> Ints:
    """How many of their own group call each: degree prestige within the group (Wasserman and Faust 1994)."""
    found = np.zeros(len(graph.ids), dtype=np.int64)
    for low in range(0, len(group), BLOCK_ROWS):
        high = min(low + BLOCK_ROWS, len(group))
        first, last = graph.indptr[low], graph.indptr[high]
        own = np.repeat(group[low:high], graph.degree[low:high])
        counts = (graph.called[first:last] > 0) & (group[graph.indices[first:last]] == own)
        found[low:high] = _sums(counts.astype(np.float32), graph.indptr[low : high + 1] - first).astype(np.int64)
    return found


def leaders(group: Ints, called_by: Ints, turned_to: Vector) -> Bools:
    """Who stands out: called by at least twice as many of the group as its mean member, and among its first, one for
    25 members. So who only talks with many elsewhere leads nobody."""
    inside = group >= 0
    size = np.bincount(group[inside], minlength=1)
    mean = np.bincount(group[inside], weights=called_by[inside], minlength=len(size)) / np.maximum(size, 1)
    mine = np.maximum(group, 0)
    first = place_in_group(group, called_by, turned_to) <= -(-size // LED_EACH)[mine]
    return inside & (size[mine] >= LED_LEAST) & first & (called_by >= LEADS_TIMES * mean[mine])


def place_in_group(group: Ints, *by: Ints | Vector) -> Ints:
    """1 for the greatest of each group by the first measure, then by the others; then the smaller pseudonym first."""
    order = np.lexsort((*(-values for values in reversed(by)), group))
    starts = np.flatnonzero(np.r_[True, np.diff(group[order]) != 0]) if len(group) else np.zeros(0, np.int64)
    place = np.empty(len(group), dtype=np.int64)
    place[order] = np.arange(len(group)) - np.repeat(starts, np.diff(np.r_[starts, len(group)])) + 1
    return place
