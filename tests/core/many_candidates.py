"""Candidates of very many customers, made from a seed part by part; run by itself, what planning over them takes.

usage: many_candidates.py FOLDER, which prints the most bytes that were had at once, and what the plan gains
"""

from __future__ import annotations

import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from decisions_cast import GIFT, VISIT, Row, policy_with

from keepline.decisions import blocks, ranked
from keepline.decisions.arms import Arms, assign
from keepline.decisions.managers import Manager
from keepline.decisions.shortlist import shortlist
from keepline.decisions.summary import Totals
from keepline.decisions.weeks import Weeks
from keepline.engine import ranges
from keepline.policy.documents import Policy

OFFERS, MANAGERS = 5, 200
KNOWN = {f"m-{n:03d}": Manager(None, 900, None) for n in range(MANAGERS)}


def policy_for(customers: int, **limits: object) -> Policy:
    """Five offers, by SMS, app and visit, under money and contacts that suffice for a part of the customers."""
    ways = ("sms", "app", "sms", "app")
    plain: list[Row] = [GIFT | {"id": f"gift-{n}", "channel": way} for n, way in enumerate(ways)]
    means = {"money_fen": 120 * customers, "channel_contacts": {"sms": customers // 8, "app": customers // 5}}
    return policy_with([*plain, VISIT], limits=means | {"held_out_share": 0.1} | limits)


def make(folder: Path, customers: int, *, each: int) -> None:
    """Parts of so many customers each, CANDIDATES and SCORES; one customer in fifty has a manager."""
    for only in ranges(customers, each):
        dice = np.random.default_rng(only.number)
        ids = np.unique(dice.integers(only.low, only.high, each))
        size, place = len(ids), np.tile(np.arange(OFFERS), len(ids))
        risk = dice.beta(2, 12, size).round(3)
        worth = np.repeat(dice.lognormal(7, 0.7, size) * risk, OFFERS)
        cost = 100 * (1 + place) * dice.integers(3, 6, len(place))
        names = pa.array([*(f"gift-{n}" for n in range(OFFERS - 1)), "visit"])
        who = np.where(dice.random(size) < 0.02, dice.integers(0, MANAGERS, size), -1)
        manager = pa.array(np.repeat(who, OFFERS), mask=np.repeat(who < 0, OFFERS))
        columns = {
            "customer_id": np.repeat(ids, OFFERS),
            "offer_id": pa.DictionaryArray.from_arrays(pa.array(place), names).cast(pa.string()),
            "manager_id": pa.DictionaryArray.from_arrays(manager, pa.array(sorted(KNOWN))).cast(pa.string()),
            "gain_fen": (worth * (2 + place) * dice.normal(1, 1, len(place)) - cost / 4).astype(np.int64),
            "cost_fen": cost,
            "minutes": np.where(place == OFFERS - 1, 60, 0),
        }
        scores = {"customer_id": ids, "leave_probability": risk}
        for table, made in (("candidates", columns), ("scores", scores)):
            (folder / table).mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.table(made), folder / table / only.part, compression="none")


def planned(folder: Path, policy: Policy, work: Path | None) -> Arms:
    """The plan over the parts, laid down in a folder for work, or held."""
    candidates, scores = (sorted((folder / table).glob("*.parquet")) for table in ("candidates", "scores"))
    short = shortlist(candidates, policy, KNOWN, scores=scores, folder=work)
    return assign(short, Weeks.of(policy.limits, short.channels))


def highest() -> int:
    """The most bytes that arrays, objects and Arrow's pool have had at once, each counted exactly.

    What the system counts as the process's own also holds what allocators and threads keep, and pages of files that it
    may drop: some 20 MB more or less on a busy machine.
    """
    return tracemalloc.get_traced_memory()[1] + int(pa.default_memory_pool().max_memory())


def main(folder: Path) -> None:
    tracemalloc.start()
    blocks.HELD, small = 1 << 13, 1 << 13  # as little as may be held, so that what grows is seen
    customers = pq.ParquetDataset(folder / "scores").read(columns=[]).num_rows
    arms = planned(folder, policy_for(customers), folder / "work")
    totals = Totals.none(arms.short.open_to.kinds)
    for rows in arms:
        totals.add(rows)
    listed = ranked.ranked_gain(arms.short.open_to, ahead=small)
    print(highest(), arms.plan.gain_fen, listed, int(totals.gain_fen[1].sum()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
