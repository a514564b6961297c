"""A month's allocation as the pipeline runs it, straight from parts of CANDIDATES to the rows of both arms.

usage: allocation_parts_jobs.py make FOLDER CUSTOMERS | allocation_parts_jobs.py ours FOLDER
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from measuring import ROOT, job

OFFERS, MANAGERS, EACH = 5, 1_000, 500_000  # the last: customers of a range, as keepline init sets it
MANAGED = 0.02  # share of customers with an account manager
SHARE = 40  # customers for each contact a channel can make
STARTER = ROOT / "src" / "keepline" / "policy" / "starter"
MONTH = "2026-10"


def make(folder: Path, customers: int) -> None:
    """Customers with five offers each, gains with a long tail, costs in steps; the last offer takes hours."""
    from keepline.engine import ranges

    offers = [offer.id for offer in policy_for(customers).offers.offer]
    with job() as said:
        for only in ranges(customers, EACH):
            _part(folder, only, np.random.default_rng(only.number), offers, min(customers, EACH))
        (folder / "customers.json").write_text(json.dumps(customers))
    said()


def _part(folder: Path, only: Any, dice: Any, offers: list[str], customers: int) -> None:
    """Laid out as the pipeline's parts are, less the columns that the allocation does not read."""
    from keepline.written import GROUP_ROWS

    ids = np.unique(dice.integers(only.low, only.high, customers))
    size, place = len(ids), np.tile(np.arange(OFFERS), len(ids))
    risk = dice.beta(2, 12, size)
    worth = np.repeat(dice.lognormal(7, 0.7, size) * risk, OFFERS)
    cost = 100 * (1 + place) * dice.integers(3, 19, len(place))
    who = np.repeat(np.where(dice.random(size) < MANAGED, dice.integers(0, MANAGERS, size), -1), OFFERS)
    manager = pa.DictionaryArray.from_arrays(pa.array(who, mask=who < 0), pa.array([f"m-{n}" for n in range(MANAGERS)]))
    candidates = {
        "customer_id": np.repeat(ids, OFFERS),
        "offer_id": pa.DictionaryArray.from_arrays(pa.array(place), pa.array(offers)).cast(pa.string()),
        "manager_id": manager.cast(pa.string()),
        "gain_fen": (worth * (2 + place) * np.maximum(dice.normal(1, 1, len(place)), 0.05)).astype(np.int64) + 1,
        "cost_fen": cost,
        "minutes": np.where(place == OFFERS - 1, 60, 0),
    }
    scores = {"customer_id": ids, "leave_probability": risk}
    for table, columns in (("candidates", candidates), ("scores", scores)):
        (folder / table).mkdir(parents=True, exist_ok=True)
        whole = [name for name, column in columns.items() if isinstance(column, np.ndarray) and column.dtype == int]
        pq.write_table(
            pa.table(columns),
            folder / table / only.part,
            compression="snappy",
            row_group_size=GROUP_ROWS,
            use_dictionary=[name for name in ("offer_id", "manager_id") if name in columns] or False,
            column_encoding=dict.fromkeys(whole, "DELTA_BINARY_PACKED"),
        )


def policy_for(customers: int) -> Any:
    """The starter policy with five of its offers, a visit the last, and means for a part of the customers."""
    from dataclasses import replace

    from keepline.periods import Month
    from keepline.policy.documents import read_policy

    policy = read_policy(STARTER, Month.parse(MONTH))
    visits = [offer for offer in policy.offers.offer if offer.manager_minutes]
    plain = [offer for offer in policy.offers.offer if not offer.manager_minutes]
    told = [*plain, *plain][: OFFERS - 1]
    offers = [o.model_copy(update={"id": f"offer-{n}"}) for n, o in enumerate([*told, visits[0]])]
    contacts = dict.fromkeys(sorted({o.channel for o in offers}), customers // SHARE)
    limits = policy.limits.model_copy(
        update={
            "money_fen": 250 * customers,
            "channel_contacts": contacts,
            "manager_minutes_each": minutes_of(customers),
        }
    )
    return replace(policy, offers=policy.offers.model_copy(update={"offer": tuple(offers)}), limits=limits)


def minutes_of(customers: int) -> int:
    """Of each manager: enough for one customer in ten."""
    return max(60, int(customers * MANAGED / MANAGERS * 60 / 10))


def ours(folder: Path) -> None:
    """From the parts to the rows of both arms, range by range, and the plans it is compared with."""
    from keepline.decisions.arms import assign
    from keepline.decisions.managers import Manager
    from keepline.decisions.ranked import ranked_gain
    from keepline.decisions.shortlist import shortlist
    from keepline.decisions.summary import Totals

    customers = json.loads((folder / "customers.json").read_text())
    policy, minutes = policy_for(customers), minutes_of(customers)
    known = {f"m-{n}": Manager(None, minutes, None) for n in range(MANAGERS)}
    candidates, scores = (sorted((folder / table).glob("*.parquet")) for table in ("candidates", "scores"))
    work = folder / "work"
    with job() as said:
        short = shortlist(candidates, policy, known, scores=scores, folder=work)
        arms = assign(short)
        totals = Totals.none(short.open_to.kinds)
        for rows in arms:
            totals.add(rows)
        ranked = ranked_gain(short.open_to)
    plan, means = arms.plan, short.open_to.means
    over = int(plan.used.money > means.money) + int((plan.used.channels > means.channels).sum())
    disk = sum(path.stat().st_size for path in work.rglob("*") if path.is_file())
    shutil.rmtree(work)
    said(
        gap=plan.gap_share,
        gain=plan.gain_fen,
        ranked=ranked,
        treated=int(totals.customers[1].sum()),
        exceptions=len(plan.exceptions.customer),
        binding=int(plan.prices.money > 0) + int((plan.prices.channels > 0).sum() + (plan.prices.minutes > 0).sum()),
        violations=over + int((plan.used.minutes > means.minutes).sum()),
        disk_mb=disk / 1e6,
    )


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        ours(Path(sys.argv[2]))
