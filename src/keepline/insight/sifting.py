"""Boosted trees as masks of leaves: every question of every tree asked in the order of inputs, for many rows at once.

A tree of at most 32 leaves is a word of 32 bits for each row, all set. A question answered "right" clears the leaves on
its left; the lowest bit still set is the leaf the row ends in. Questions on one input lie in the order of their
thresholds, so that those a row answers "right" are the first ones, whichever tree they are of, and no branch is
guessed (QuickScorer: Lucchese et al., SIGIR 2015, 73-82). The leaves are added in the order of the trees, so the
sum is to the last bit that of a walk.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from keepline.compiled import compiled

ROWS = 64  # sifted at once: the words of all trees stay in near memory, and a question costs a few instructions
LEAVES = 32
ALL = 0xFFFFFFFF
SPREAD = 0x077CB531  # De Bruijn's: a single bit times this has another top five bits for each place of the bit
TOP = 27


class Sieve(NamedTuple):
    """All trees' questions, gathered by input and the way an unknown goes; bounds have one entry more."""

    trees: int
    column: Any  # of each group: the input it asks,
    unknown_left: Any  # and which way an unknown goes
    thresholds: Any  # bounds of each group's thresholds in ``most``
    most: Any  # distinct thresholds, ascending in each group: left where the input is at most this
    questions: Any  # bounds of each group's questions in the next three
    tree: Any
    place: Any  # of the question's threshold in its group
    keeps: Any  # mask of the leaves that are left by an answer "right"
    leaf: Any  # trees × 32: a leaf's value, at the top bits of its own bit times SPREAD


class _Question(NamedTuple):
    column: int
    unknown_left: bool
    most: float
    tree: int
    keeps: int


def sieve_of(booster: Any) -> Sieve:
    """The trees of a LightGBM booster without categories, of at most 32 leaves each.

    Where no unknown was seen in training LightGBM takes an unknown for 0, otherwise it goes the way that was learnt
    (``Tree::NumericalDecision`` of its source).
    """
    grown = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    questions: list[_Question] = []
    leaf = np.zeros((len(grown), LEAVES))
    for number, root in enumerate(grown):
        leaves: list[float] = []
        _ask(root, number, leaves, questions)
        if len(leaves) > LEAVES:
            raise ValueError(f"tree {number} has {len(leaves)} leaves; a word holds {LEAVES}")
        leaf[number, [(((1 << i) * SPREAD) & ALL) >> TOP for i in range(len(leaves))]] = leaves
    return _gathered(sorted(questions), leaf)


def _ask(node: dict[str, Any], tree: int, leaves: list[float], questions: list[_Question]) -> int:
    """Note a node's questions and leaves, left before right; the bits of its leaves."""
    if "split_feature" not in node:
        leaves.append(node["leaf_value"])
        return 1 << (len(leaves) - 1)
    left, right = (_ask(node[side], tree, leaves, questions) for side in ("left_child", "right_child"))
    known_only, most = node["missing_type"] == "None", float(node["threshold"])
    goes_left = most >= 0 if known_only else bool(node["default_left"])
    questions.append(_Question(node["split_feature"], goes_left, most, tree, ALL & ~left))
    return left | right


def _gathered(questions: list[_Question], leaf: Any) -> Sieve:
    """Questions in the order of groups and thresholds, with the bounds of both."""
    asks = np.array([(q.column, q.unknown_left) for q in questions], np.int64).reshape(-1, 2)
    most = np.array([q.most for q in questions], np.float64)
    group_starts = np.flatnonzero(np.r_[True, (asks[1:] != asks[:-1]).any(axis=1)][: len(asks)])
    other = np.r_[True, most[1:] != most[:-1]][: len(most)]
    other[group_starts] = True
    distinct = np.flatnonzero(other)
    thresholds = np.r_[np.searchsorted(distinct, group_starts), len(distinct)]
    group = np.repeat(np.arange(len(group_starts)), np.diff(np.r_[group_starts, len(questions)]))
    return Sieve(
        trees=len(leaf),
        column=asks[group_starts, 0].astype(np.int32),
        unknown_left=asks[group_starts, 1].astype(np.bool_),
        thresholds=thresholds.astype(np.int32),
        most=most[distinct],
        questions=np.r_[group_starts, len(questions)].astype(np.int32),
        tree=np.array([q.tree for q in questions], np.int32),
        place=(np.cumsum(other) - 1 - thresholds[group]).astype(np.int32),
        keeps=np.array([q.keeps for q in questions], np.uint32),
        leaf=leaf.ravel(),
    )


@compiled
def sift(matrix: Any, sieve: Sieve, total: Any) -> None:
    """Add to each row's total the leaf it ends in, tree by tree; rows × columns, unknown as NaN."""
    bits = np.empty((sieve.trees, ROWS), np.uint32)
    rank = np.zeros(ROWS, np.int32)  # how many thresholds of the group the row is above
    for first in range(0, len(matrix), ROWS):
        here = min(ROWS, len(matrix) - first)
        bits[:] = np.uint32(ALL)
        for group in range(len(sieve.column)):
            begin, end = sieve.thresholds[group], sieve.thresholds[group + 1]
            highest = 0
            for row in range(here):
                value = matrix[first + row, sieve.column[group]]
                if value != value:
                    above = 0 if sieve.unknown_left[group] else end - begin
                else:
                    low, size = begin, end - begin
                    while size > 1:
                        half = size >> 1
                        low = low + half if sieve.most[low + half - 1] < value else low
                        size -= half
                    above = low - begin + (1 if sieve.most[low] < value else 0)
                rank[row] = above
                highest = max(highest, above)
            for question in range(sieve.questions[group], sieve.questions[group + 1]):
                place, keeps = sieve.place[question], sieve.keeps[question]
                if place >= highest:
                    break
                word = bits[sieve.tree[question]]
                for row in range(ROWS):
                    word[row] &= keeps | np.uint32(-np.int32(rank[row] <= place))
        for tree in range(sieve.trees):
            for row in range(here):
                lowest = np.uint32(bits[tree, row] & np.uint32(np.uint32(0) - bits[tree, row]))
                total[first + row] += sieve.leaf[tree * LEAVES + np.int64(np.uint32(lowest * np.uint32(SPREAD)) >> TOP)]
