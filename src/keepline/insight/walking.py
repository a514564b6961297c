"""Boosted trees as arrays, and the walk of many customers through them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from keepline.compiled import compiled

ROWS = 256  # walked through one tree before the next: their inputs and the tree both stay in the nearest memory


class Grown(NamedTuple):
    """All trees one after another. A place of 0 or more is a node, a negative one a leaf: ``leaf[-place - 1]``."""

    root: Any  # place where each tree begins
    column: Any  # of each node: which input is asked,
    most: Any  # left where it is at most this,
    unknown_left: Any  # and where it is not known
    left: Any
    right: Any
    leaf: Any


def as_arrays(booster: Any) -> Grown:
    """The trees of a LightGBM booster without categories.

    Where no unknown was seen in training LightGBM takes an unknown for 0, otherwise it goes the way that was learnt
    (``Tree::NumericalDecision`` of its source).
    """
    nodes: list[dict[str, Any]] = []
    leaves: list[float] = []

    def place(node: dict[str, Any]) -> int:
        if "split_feature" not in node:
            leaves.append(node["leaf_value"])
            return -len(leaves)
        here = len(nodes)
        nodes.append(node)
        node["left"], node["right"] = place(node["left_child"]), place(node["right_child"])
        return here

    root = [place(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]]
    known_only = [node["missing_type"] == "None" for node in nodes]
    return Grown(
        root=np.array(root, np.int32),
        column=np.array([node["split_feature"] for node in nodes], np.int32),
        most=np.array([node["threshold"] for node in nodes], np.float64),
        unknown_left=np.array(
            [node["threshold"] >= 0 if k else node["default_left"] for k, node in zip(known_only, nodes, strict=True)],
            np.bool_,
        ),
        left=np.array([node["left"] for node in nodes], np.int32),
        right=np.array([node["right"] for node in nodes], np.int32),
        leaf=np.array(leaves, np.float64),
    )


@compiled
def walk(matrix: Any, grown: Grown, total: Any) -> None:
    """Add to each row's total the leaf it ends in, tree by tree; rows × columns, unknown as NaN."""
    for first in range(0, len(matrix), ROWS):
        last = min(first + ROWS, len(matrix))
        for tree in range(len(grown.root)):
            for row in range(first, last):
                place = grown.root[tree]
                while place >= 0:
                    value = matrix[row, grown.column[place]]
                    if value <= grown.most[place] or (grown.unknown_left[place] and value != value):
                        place = grown.left[place]
                    else:
                        place = grown.right[place]
                total[row] += grown.leaf[-place - 1]
