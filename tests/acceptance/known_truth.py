"""What a plan truly earns, and the best that could be earned, from the simulator's hidden truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from scipy.optimize import linprog
from scipy.sparse import coo_matrix
from sqlglot import exp

from keepline.decisions.offers import suits
from keepline.engine import DuckDB, Files, Scan
from keepline.periods import Month
from keepline.policy.documents import Policy, read_policy
from keepline.tables import FEATURES, STATES

GATES = STATES[: STATES.index("no_offer_fits")]


def table(folder: Path) -> pd.DataFrame:
    """All parts of a table."""
    return pd.concat([pq.read_table(part).to_pandas() for part in sorted(folder.glob("part-*.parquet"))])


@dataclass(frozen=True)
class Known:
    """One published month beside its truth; everything sorted by customer."""

    folder: Path
    policy: Policy
    scores: pd.DataFrame
    decisions: pd.DataFrame
    truth: pd.DataFrame
    gains: pd.DataFrame  # true gain_fen and cost_fen by customer and offer


def known(site: Path, month: str) -> Known:
    folder = site / "published" / month
    policy = read_policy(folder / "policy", Month.parse(month))
    truth = table(site / "truth" / "customers" / month)
    scores = table(folder / "scores").merge(truth, on="customer_id", suffixes=("", "_true"))
    gains = table(site / "truth" / "gains" / month)
    return Known(folder, policy, scores, table(folder / "decisions"), truth, gains)


def possible(found: Known) -> pd.DataFrame:
    """Customer × offer pairs that policy allows and the lot did not hold out, with their true gain and use."""
    decided = found.decisions
    open_to = decided[~decided.state.isin((*GATES, "held_out"))]
    pairs = found.gains[["customer_id", "offer_id", "gain_fen", "cost_fen"]].merge(
        open_to[["customer_id", "manager_id"]]
    )
    return pairs.merge(_allowed(found)).merge(_use(found.policy), on="offer_id")


def _allowed(found: Known) -> pd.DataFrame:
    """Which offers suit whom, by the policy's own conditions on published features."""
    engine = DuckDB()
    parts = tuple(sorted((found.folder / "features").glob("part-*.parquet")))
    engine.see("features", Scan(FEATURES, (Files(parts),)))
    rows = []
    for offer in found.policy.offers.offer:
        fitting = exp.select("customer_id").from_("features").where(suits(offer, found.policy.contact))
        rows.append(engine.fetch(fitting).to_pandas().assign(offer_id=offer.id))
    engine.close()
    return pd.concat(rows)


def _use(policy: Policy) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "offer_id": offer.id,
                "channel": offer.channel,
                "minutes": offer.manager_minutes,
                "place": place,
            }
            for place, offer in enumerate(policy.offers.offer)
        ]
    )


@dataclass(frozen=True)
class Means:
    """The limits of the month as the plan reported them."""

    money: int
    channels: dict[str, int]
    minutes: dict[str, int]


def means(summary: dict[str, Any]) -> Means:
    said = {limit["limit"]: limit["available"] for limit in summary["limits"]}
    channels = {k.removeprefix("channel:"): v for k, v in said.items() if k.startswith("channel:")}
    minutes = {k.removeprefix("manager:"): v for k, v in said.items() if k.startswith("manager:")}
    return Means(said["money"], channels, minutes)


def best_fen(pairs: pd.DataFrame, limits: Means) -> float:
    """The most that could truly be earned: the linear programme over true gains, an upper bound."""
    pairs = pairs[pairs.gain_fen > 0].reset_index(drop=True)
    rows, right = [], []
    everyone, who = np.unique(pairs.customer_id, return_inverse=True)
    rows.append((who, np.ones(len(pairs))))
    right.append(np.ones(len(everyone)))
    rows.append((np.zeros(len(pairs), int), pairs.cost_fen.to_numpy(float)))
    right.append(np.array([limits.money], float))
    for channel, most in limits.channels.items():
        rows.append((np.zeros(len(pairs), int), (pairs.channel == channel).to_numpy(float)))
        right.append(np.array([most], float))
    for manager, most in limits.minutes.items():
        rows.append((np.zeros(len(pairs), int), np.where(pairs.manager_id == manager, pairs.minutes, 0).astype(float)))
        right.append(np.array([most], float))
    offsets = np.cumsum([0, *(len(r) for r in right)])
    place = np.concatenate([r + o for (r, _), o in zip(rows, offsets, strict=False)])
    use = np.concatenate([u for _, u in rows])
    column = np.tile(np.arange(len(pairs)), len(rows))
    matrix = coo_matrix((use, (place, column)), shape=(int(offsets[-1]), len(pairs)))
    solved = linprog(-pairs.gain_fen.to_numpy(float), A_ub=matrix.tocsr(), b_ub=np.concatenate(right), bounds=(0, 1))
    assert solved.status == 0, solved.message
    return float(-solved.fun)


def plan_fen(found: Known) -> float:
    """What the published plan truly earns, in expectation."""
    treated = found.decisions[found.decisions.state == "treated"]
    return float(treated.merge(found.gains, on=["customer_id", "offer_id"]).gain_fen_y.sum())


def by_risk_fen(found: Known, pairs: pd.DataFrame, limits: Means) -> float:
    """What the usual list earns: most at risk first, each the first offer of the catalogue that still fits."""
    risk = found.scores[["customer_id", "leave_probability"]]
    ordered = pairs.merge(risk).sort_values(
        ["leave_probability", "customer_id", "place"], ascending=[False, True, True]
    )
    money, channels, minutes = limits.money, dict(limits.channels), dict(limits.minutes)
    served: set[int] = set()
    earned = 0
    for row in ordered.itertuples():
        room = row.minutes <= minutes.get(row.manager_id, 1 << 60) or row.minutes == 0
        if row.customer_id in served or row.cost_fen > money or channels.get(row.channel, 1) < 1 or not room:
            continue
        served.add(row.customer_id)
        money -= row.cost_fen
        channels[row.channel] = channels.get(row.channel, 1 << 60) - 1
        minutes[row.manager_id] = minutes.get(row.manager_id, 1 << 60) - row.minutes
        earned += row.gain_fen
    return float(earned)


def calibration_slope(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Slope of the true log-odds on the predicted, by fractional logistic regression; 1 is right."""
    x = np.log(predicted / (1 - predicted))
    a, b = 0.0, 1.0
    for _ in range(50):
        p = 1 / (1 + np.exp(-(a + b * x)))
        weight = p * (1 - p)
        gradient = np.array([(truth - p).sum(), ((truth - p) * x).sum()])
        curve = np.array([[weight.sum(), (weight * x).sum()], [(weight * x).sum(), (weight * x * x).sum()]])
        step = np.linalg.solve(curve, gradient)
        a, b = a + step[0], b + step[1]
        if np.abs(step).max() < 1e-10:
            break
    return float(b)
