"""All the simulator knows of a block of customers between two months, as columns; most of it hidden.

It is kept under SITE/truth/ and read by the simulator alone.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Array = npt.NDArray[Any]

NEVER = -1  # no month, no code


@dataclass
class Customers:
    """One row a customer who ever was. Months are indices of ``periods.Month``; money is fen."""

    number: Array  # the operator's own
    pseudonym: Array
    # who they are
    organisation: Array
    industry: Array
    district: Array
    manager: Array
    joined: Array  # day
    birthday: Array  # day
    star: Array
    listed: Array
    consent: Array
    blacklisted: Array
    channel: Array
    gap_days: Array
    ported_in: Array
    place: Array  # where they mostly are: the planted niches
    # hidden: why they stay, what moves them
    attachment: Array  # standard units
    inertia: Array  # standard units
    price_response: Array  # 1 is usual
    care_for_quality: Array  # 1 is usual
    growth: Array  # log use a month
    complaining: Array  # 1 is usual
    paying_late: Array  # 1 is usual
    responsive: Array  # standard units: how open to any offer
    # what they hold
    plan: Array
    mobiles: Array
    broadband: Array  # plan, or NEVER
    tv: Array
    fixed: Array
    circuits: Array
    circuit_plan: Array
    prepaid: Array
    value_added_fen: Array
    roaming_fen: Array  # usual monthly roaming
    contract_end: Array  # month
    discount_fen: Array
    discount_end: Array  # month
    # how they use it
    data_level: Array  # log KB a line
    voice_level: Array  # log seconds a line
    swing: Array  # passing deviation of use, log
    offnet: Array  # usual share of calls to other operators
    # what troubles them, fading month by month
    mood_price: Array
    mood_network: Array
    mood_service: Array
    mood_rival: Array
    arrears_months: Array
    arrears_fen: Array
    # what offers did
    shift: Array  # change of the log odds of leaving
    shift_until: Array  # month
    extra_fen: Array  # recurring charge won by an offer
    extra_until: Array  # month
    pilot: Array  # 2 x offer number + treated, or NEVER
    pilot_month: Array  # in which the lots were drawn, or NEVER
    contacted: Array  # month of the last marketing contact
    # what is needed to know who may have which offer
    revenue_fen: Array
    revenue_1_fen: Array  # the month before
    revenue_2_fen: Array
    data_kb: Array
    left: Array  # month, or NEVER

    def __len__(self) -> int:
        return len(self.number)

    @property
    def active(self) -> Array:
        return np.asarray(self.left == NEVER)

    @property
    def mood(self) -> Array:
        """All troubles together, at most 4."""
        return np.asarray(np.minimum(self.mood_price + self.mood_network + self.mood_service + self.mood_rival, 4.0))

    @property
    def products(self) -> Array:
        """Kinds of service held."""
        kinds = (self.broadband >= 0, self.tv, self.fixed > 0, self.circuits > 0)
        return np.asarray(1 + np.sum([kind.astype("int64") for kind in kinds], axis=0))

    @property
    def lines(self) -> Array:
        return self.mobiles + (self.broadband >= 0) + self.tv + self.fixed + self.circuits

    def take(self, which: Array) -> Customers:
        return Customers(**{f.name: getattr(self, f.name)[which] for f in fields(self)})

    def with_more(self, others: Customers) -> Customers:
        return Customers(
            **{f.name: np.concatenate([getattr(self, f.name), getattr(others, f.name)]) for f in fields(self)}
        )


def save(customers: Customers, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    columns = {f.name: getattr(customers, f.name) for f in fields(customers)}
    partial = to.with_name(f".{to.name}.partial")
    pq.write_table(pa.table(columns), partial, compression="zstd")
    partial.replace(to)


def restore(path: Path) -> Customers:
    table = pq.read_table(path)
    return Customers(**{name: table.column(name).to_numpy().copy() for name in table.column_names})
