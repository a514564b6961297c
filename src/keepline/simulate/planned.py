"""Reads a published plan: who was treated with what; those held out, and everyone else, hear nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from keepline.errors import SiteError
from keepline.periods import Month
from keepline.policy.documents import Offer
from keepline.simulate.response import Treated
from keepline.simulate.state import Array, Customers


@dataclass(frozen=True)
class Plan:
    """The treated customers of one plan, sorted by pseudonym."""

    customer_id: Array
    offer_id: Array
    channel: Array
    month: Month

    def of(self, c: Customers, offers: Sequence[Offer]) -> Treated:
        """Those of the plan who are in this block and still here; an offer no longer in the catalogue is refused."""
        order = np.argsort(c.pseudonym, kind="stable")
        place = np.searchsorted(c.pseudonym[order], self.customer_id)
        row = order[np.minimum(place, len(order) - 1)]
        here = (c.pseudonym[row] == self.customer_id) & c.active[row]
        number = {offer.id: i for i, offer in enumerate(offers)}
        unknown = sorted(set(self.offer_id.tolist()) - set(number))
        if unknown:
            raise SiteError(
                f"the plan of {self.month} has offers that policy does not know: {', '.join(unknown)}",
                f"{self.month} 的方案中有政策未定义的优惠：{'、'.join(unknown)}",
                code="unknown_offer",
            )
        chosen = np.array([number[offer] for offer in self.offer_id[here]], dtype="int64")
        return Treated(row[here], chosen, self.channel[here].astype("<U16"), self.month)


def read_plan(decisions: Sequence[Path] | None, assignments: Sequence[Path] | None, month: Month) -> Plan:
    """The treated rows of the decisions of ``month``; no parts are an empty plan.

    Raises SiteError when the decisions are of another month, or treat someone the lot held out.
    """
    rows = _rows(decisions, ["customer_id", "month", "state", "offer_id", "channel"])
    rows = rows.filter(pc.equal(rows["state"], "treated"))
    _check_month(rows, month)
    _check_lots(rows, _rows(assignments, ["customer_id", "arm"]), month)
    rows = rows.sort_by("customer_id")
    ids, offers, channels = (rows[name].to_numpy() for name in ("customer_id", "offer_id", "channel"))
    return Plan(ids.astype("int64"), offers, channels, month)


def _rows(parts: Sequence[Path] | None, columns: list[str]) -> pa.Table:
    if not parts:
        return pa.table({name: pa.array([], pa.int64() if name == "customer_id" else pa.string()) for name in columns})
    return pa.concat_tables([pq.read_table(part, columns=columns) for part in sorted(parts)])


def _check_month(rows: pa.Table, month: Month) -> None:
    others = sorted(set(pc.unique(rows["month"]).to_pylist()) - {str(month)})
    if others:
        raise SiteError(
            f"the month after {month} follows the plan of {month}; the decisions given are of {', '.join(others)}",
            f"{month} 的次月应执行 {month} 的方案；给出的决策属于 {'、'.join(others)}",
            code="wrong_plan",
        )


def _check_lots(rows: pa.Table, assigned: pa.Table, month: Month) -> None:
    held_out = assigned.filter(pc.equal(assigned["arm"], "held_out"))["customer_id"]
    both = pc.sum(pc.is_in(rows["customer_id"], value_set=held_out)).as_py() or 0
    if both:
        raise SiteError(
            f"the plan of {month} treats {both} customers whom the lot held out",
            f"{month} 的方案对 {both} 个对照客户实施了优惠",
            code="held_out_treated",
        )


def together(plan: Treated, pilot: Treated) -> Treated:
    """A plan and a pilot of the same month; a customer of both follows the pilot."""
    only = ~np.isin(plan.row, pilot.row)
    return Treated(
        np.concatenate([pilot.row, plan.row[only]]),
        np.concatenate([pilot.offer, plan.offer[only]]),
        np.concatenate([pilot.channel, plan.channel[only]]),
        pilot.plan_month,
    )
