"""Judging a model on customers and months it did not see, and how the split was made.

- ``time_ordered``: trained on snapshots whose outcome window had ended by the latest labelled
  snapshot, judged on that one.
- ``time_ordered_other_customers``: the windows overlap, so a customer's own outcome could be
  remembered; trained on earlier snapshots of two thirds of the customers, judged on the latest
  snapshot of the remaining third, three times.
- ``cross_fitted``: one labelled snapshot; five folds by customer, each judged by a model of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from keepline.errors import TooFewError
from keepline.insight.additive import Signs
from keepline.insight.calibration import judged
from keepline.insight.inputs import Numbers, Vector, folds
from keepline.insight.leaving import SCORED_FOLDS, Stack, fit_stack

TIME_FOLDS = 3
METHODS = {
    "time_ordered": (
        "用更早的快照训练，在最近一个已知结果的快照上检验；训练的结果窗口在检验快照之前结束",
        "trained on earlier snapshots whose outcome windows ended before the latest labelled one, judged on that one",
    ),
    "time_ordered_other_customers": (
        "用更早快照中三分之二的客户训练，在最近快照的另外三分之一客户上检验，轮换三次",
        "trained on earlier snapshots of two thirds of the customers, judged on the latest snapshot of the other "
        "third, in turn",
    ),
    "cross_fitted": (
        "按客户分五份交叉拟合：每位客户由未见过其结果的模型评分",
        "cross-fitted in five folds by customer: everyone is judged by a model that did not see their outcome",
    ),
    "none": ("事件太少，无法检验", "too few events to judge"),
}

Mask = Any  # numpy array of booleans


@dataclass(frozen=True)
class Rows:
    """What is learnt from: one row a customer and labelled snapshot (months counted from year 0)."""

    matrix: Vector
    y: Vector
    ids: Numbers
    months: Numbers
    signs: Signs = ()  # of the columns, where policy says which way they may work

    def take(self, mask: Mask) -> Rows:
        return Rows(self.matrix[mask], self.y[mask], self.ids[mask], self.months[mask], self.signs)

    def fitted(self, *, seed: int, sizes: tuple[str, ...]) -> Stack:
        return fit_stack(self.matrix, self.y, self.ids, seed=seed, sizes=sizes, signs=self.signs)


@dataclass(frozen=True)
class Validation:
    method: str
    figures: dict[str, Any] | None  # of calibration.judged; None when nothing could be judged
    stacks: tuple[Stack, ...]  # one for each split

    @property
    def card(self) -> dict[str, Any]:
        zh, en = METHODS[self.method]
        return {"method": self.method, "zh": zh, "en": en} | (self.figures or {})


def splits(rows: Rows, *, horizon: int) -> tuple[str, list[tuple[Mask, Mask]]]:
    """The method, and which rows train and which judge."""
    latest = rows.months.max()
    judge, ended = rows.months == latest, rows.months + horizon <= latest
    if ended.any():
        return "time_ordered", [(ended, judge)]
    if (~judge).any():
        fold = folds(rows.ids, salt="time", count=TIME_FOLDS)
        pairs = [(~judge & (fold != i), judge & (fold == i)) for i in range(TIME_FOLDS)]
        return "time_ordered_other_customers", pairs
    fold = folds(rows.ids, salt="outer", count=SCORED_FOLDS)
    return "cross_fitted", [(fold != i, fold == i) for i in range(SCORED_FOLDS)]


def validate(rows: Rows, *, horizon: int, seed: int, sizes: tuple[str, ...]) -> Validation:
    """Judge the recipe by time where earlier snapshots carry enough events, otherwise by cross-fitting."""
    method, pairs = splits(rows, horizon=horizon)
    if method != "cross_fitted":
        try:
            return _judge(rows, method=method, pairs=pairs, seed=seed, sizes=sizes)
        except TooFewError:
            return cross_fit(rows, seed=seed, sizes=sizes)
    return _judge(rows, method=method, pairs=pairs, seed=seed, sizes=sizes)


def cross_fit(rows: Rows, *, seed: int, sizes: tuple[str, ...]) -> Validation:
    fold = folds(rows.ids, salt="outer", count=SCORED_FOLDS)
    pairs = [(fold != i, fold == i) for i in range(SCORED_FOLDS)]
    return _judge(rows, method="cross_fitted", pairs=pairs, seed=seed, sizes=sizes)


def _judge(rows: Rows, *, method: str, pairs: list[tuple[Mask, Mask]], seed: int, sizes: tuple[str, ...]) -> Validation:
    stacks, p, y = [], [], []
    for train, judge in pairs:
        seen, unseen = rows.take(train), rows.take(judge)
        stack = seen.fitted(seed=seed, sizes=sizes)
        stacks.append(stack)
        p.append(expit(stack.logit(unseen.matrix)))
        y.append(unseen.y)
    truth = np.concatenate(y)
    known = 2 <= truth.sum() <= len(truth) - 2
    return Validation(method, judged(truth, np.concatenate(p)) if known else None, tuple(stacks))
