"""How good probabilities of leaving are, ours and the peers' alike: order, loss, lift, profit, calibration, savings."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import betainc, betaln
from scipy.stats import rankdata

Numbers = Any
WORTH, INCENTIVE, CONTACT, ACCEPT = 200.0, 10.0, 1.0, (6.0, 14.0)  # the paper's own
BINS = 10


def auc(left: Numbers, p: Numbers) -> float:
    """The chance that one who left was ranked above one who stayed."""
    events = left.sum()
    return float((rankdata(p)[left == 1].sum() - events * (events + 1) / 2) / (events * (len(left) - events)))


def log_loss(left: Numbers, p: Numbers) -> float:
    inside = np.clip(p, 1e-6, 1 - 1e-6)
    return float(-np.mean(np.where(left == 1, np.log(inside), np.log1p(-inside))))


def lift(left: Numbers, p: Numbers) -> float:
    """Rate of leaving among the tenth most at risk over the rate of all."""
    top = np.argsort(-p, kind="stable")[: int(np.ceil(len(left) / 10))]
    return float(left[top].mean() / left.mean())


def expected_error(left: Numbers, p: Numbers) -> float:
    """Expected calibration error: mean distance of prediction and truth over tenths of the customers."""
    parts = np.array_split(np.argsort(p, kind="stable"), BINS)
    return float(sum(abs(p[part].mean() - left[part].mean()) * len(part) for part in parts) / len(p))


def empc(left: Numbers, p: Numbers) -> float:
    """Expected maximum profit of a retention campaign, a customer.

    Verbraken, Verbeke and Baesens 2013 (IEEE Transactions on Knowledge and Data Engineering 25:961-973): the share
    g of leavers who accept is Beta(6, 14); at each g the best cut-off lies on the convex hull of the ROC curve,

        profit = worth (g (1 - d) - f) leavers reached - worth (d + f) stayers reached

    with d and f the incentive and the contact in shares of a customer's worth of 200.
    """
    d, f = INCENTIVE / WORTH, CONTACT / WORTH
    share = left.mean()
    found, wrong = _hull(left, p)
    gained, lost = np.diff(found), np.diff(wrong)
    turns = ((1 - share) * (d + f) * lost + share * f * gained) / np.maximum(share * (1 - d) * gained, 1e-300)
    bounds = np.r_[0.0, np.clip(turns, 0, 1), 1.0]
    a, b = ACCEPT
    mass = np.diff(betainc(a, b, bounds))
    mean = np.exp(betaln(a + 1, b) - betaln(a, b)) * np.diff(betainc(a + 1, b, bounds))
    profit = WORTH * ((1 - d) * share * found * mean - (f * share * found + (d + f) * (1 - share) * wrong) * mass)
    return float(profit.sum())


def _hull(left: Numbers, p: Numbers) -> tuple[Numbers, Numbers]:
    """Shares of leavers and of stayers at or above each cut-off, on the upper convex hull."""
    order = np.argsort(-p, kind="stable")
    ends = np.r_[np.flatnonzero(np.diff(p[order])), len(p) - 1]
    found = np.r_[0.0, np.cumsum(left[order])[ends] / left.sum()]
    wrong = np.r_[0.0, np.cumsum(1 - left[order])[ends] / (1 - left).sum()]
    kept: list[int] = []
    for i in range(len(found)):
        while len(kept) > 1 and _below(found, wrong, kept, i):
            kept.pop()
        kept.append(i)
    return found[kept], wrong[kept]


def _below(found: Numbers, wrong: Numbers, kept: list[int], i: int) -> bool:
    first, middle = kept[-2], kept[-1]
    across = (wrong[middle] - wrong[first]) * (found[i] - found[first])
    return bool(across >= (found[middle] - found[first]) * (wrong[i] - wrong[first]))


def savings(left: Numbers, p: Numbers, costs: Numbers) -> float:
    """Cost saved against the cheaper of contacting nobody and everybody, each contacted where that costs less.

    Correa Bahnsen, Aouada and Ottersten 2015 (Decision Analytics 2:5): contact where
    p (C_FN - C_TP) > (1 - p) (C_FP - C_TN).
    """
    false_alarm, missed, hit, quiet = costs.T
    contact = p * (missed - hit) > (1 - p) * (false_alarm - quiet)
    paid = _cost(left, contact, costs)
    everybody = np.ones(len(left), dtype=bool)
    return 1 - paid / min(_cost(left, everybody, costs), _cost(left, ~everybody, costs))


def _cost(left: Numbers, contact: Numbers, costs: Numbers) -> float:
    false_alarm, missed, hit, quiet = costs.T
    return float(np.where(left == 1, np.where(contact, hit, missed), np.where(contact, false_alarm, quiet)).sum())
