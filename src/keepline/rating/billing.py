"""The mathematics of a bill: a month's use under a tariff, in whole fen, for a batch of customers.

All amounts are 64-bit whole numbers; bounds of ``policy.tariff`` keep every product within 63 bits, so that a
figure is exact and both engines give the same. A month is billed in this order:

1. use counts in whole steps, begun ones whole; the allowance is taken off
2. the rest is priced by tiers, as a whole number of 1/``per`` fen, and rounded once to fen; then the cap
3. fees of the customer and of each line beyond those included, less bundles, never below zero
4. the sum, at least ``least_fen``, rounded to whole steps of the bill
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from keepline.policy.tariff import MOST_USE, Charge, Rounding, Tariff, Tier
from keepline.tables import RATED

Ints = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
SHOWN = {
    "voice": "voice_fen",
    "voice_onnet": "voice_fen",
    "voice_offnet": "voice_fen",
    "voice_in": "voice_fen",
    "roaming": "roaming_fen",
    "data": "data_fen",
    "sms": "sms_fen",
}


class Month:
    """The columns of a batch as whole numbers; what is unknown reads as zero and is told apart by ``known``."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch
        self.rows = batch.num_rows

    def __getitem__(self, name: str) -> Ints:
        filled = self._batch.column(name).fill_null(0)
        return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=np.int64)

    def known(self, name: str) -> Flags:
        return np.asarray(self._batch.column(name).is_valid().to_numpy(zero_copy_only=False))

    def of(self, name: str) -> pa.Array:
        """A column as it came."""
        return self._batch.column(name)


def bill(tariff: Tariff, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows of RATED for rows of METERED, or of POOLED where the tariff shares an allowance."""
    month = Month(batch)
    state = states(tariff, month)
    made = {name: np.zeros(month.rows, dtype=np.int64) for name in {**SHOWN}.values()}
    made["fee_fen"] = fees(tariff, month)
    for charge in tariff.charge:
        made[SHOWN[charge.use]] = made[SHOWN[charge.use]] + charged(tariff, charge, month)
    total = np.sum(list(made.values()), axis=0)
    made["tariff_fen"] = stepped(np.maximum(total, tariff.least_fen), tariff.bill_step_fen, tariff.bill_rounding)
    made["adjusted_fen"] = made["tariff_fen"] - total
    kept = month["kept_fen"] if tariff.keeps else 0
    made["after_fen"] = month["today_fen"] - month["replaced_fen"] + kept + made["tariff_fen"]
    return _rows(batch, state, made)


def _rows(batch: pa.RecordBatch, state: Any, made: Mapping[str, Ints]) -> pa.RecordBatch:
    """Amounts are null where the month could not be billed."""
    not_rated = state != "rated"
    columns: dict[str, pa.Array] = {
        name: batch.column(name) for name in ("customer_id", "month", "group_id", "today_fen")
    }
    columns |= {name: pa.array(values, mask=not_rated) for name, values in made.items()}
    columns["state"] = pa.array(state, pa.string())
    return pa.record_batch([columns[name] for name in RATED.names], schema=RATED.arrow)


def states(tariff: Tariff, month: Month) -> Any:
    """Whether each month can be billed, or the first reason why not."""
    state = np.full(month.rows, "rated", dtype=object)
    if tariff.keeps:
        state[~month.known("kept_fen")] = "price_unknown"
    for charge in tariff.charge:
        name = f"all_{charge.use}" if charge.shared == "organisation" else charge.use
        state[month[name] > MOST_USE] = "use_too_large"
        state[~month.known(name) | (month[name] < 0)] = "no_use"
    if tariff.needs_lines:
        state[month[tariff.line] == 0] = "no_line"
    return state


def fees(tariff: Tariff, month: Month) -> Ints:
    """Monthly fees less bundles, never below zero."""
    total = np.full(month.rows, tariff.base_fen, dtype=np.int64)
    for fee in tariff.fee:
        total = total + fee.fen * np.maximum(month[fee.product] - fee.included, 0)
    for bundle in tariff.bundle:
        holds = np.all([month[product] > 0 for product in bundle.products], axis=0)
        total = total - bundle.off_fen * holds
    return np.maximum(total, 0)


def charged(tariff: Tariff, charge: Charge, month: Month) -> Ints:
    """What one kind of use costs each customer; where shared, their part of what the organisation is charged."""
    if charge.shared == "customer":
        return amount(charge, use=month[charge.use], customers=1, lines=month[tariff.line])
    use = month[f"all_{charge.use}"]
    whole = amount(charge, use=use, customers=month["members"], lines=month["all_lines"])
    return parted(whole, use=use, upto=month[f"upto_{charge.use}"], own=month[charge.use])


def amount(charge: Charge, *, use: Ints, customers: Ints | int, lines: Ints) -> Ints:
    """The charge in fen for ``use`` of so many customers and lines that share one allowance."""
    counted = -(-use // charge.step) * charge.step
    beyond = np.maximum(counted - charge.included * customers - charge.included_line * lines, 0)
    priced = by_part(charge.tiers, beyond) if charge.tiering == "part" else by_whole(charge.tiers, beyond)
    fen = divided(priced, charge.per, charge.rounding)
    if not charge.capped:
        return fen
    return np.minimum(fen, (charge.cap_fen or 0) * customers + (charge.cap_line_fen or 0) * lines)


def by_part(tiers: tuple[Tier, ...], beyond: Ints) -> Ints:
    """Each part of the use at the price of the tier it lies in."""
    total = np.zeros_like(beyond)
    for tier, following in zip(tiers, (*tiers[1:], None), strict=True):
        inside = np.maximum(beyond - tier.above, 0)
        if following is not None:
            inside = np.minimum(inside, following.above - tier.above)
        total = total + tier.fen * inside
    return total


def by_whole(tiers: tuple[Tier, ...], beyond: Ints) -> Ints:
    """All of the use at the price of the last tier it lies above."""
    place = np.searchsorted(np.array([tier.above for tier in tiers]), beyond, side="left") - 1
    return np.asarray(np.array([tier.fen for tier in tiers])[np.maximum(place, 0)] * beyond)


def divided(numerator: Ints, by: int, rounding: Rounding) -> Ints:
    """Whole fen of a number of 1/``by`` fen, which is not below zero."""
    if rounding == "down":
        return numerator // by
    if rounding == "up":
        return -(-numerator // by)
    return (2 * numerator + by) // (2 * by)


def stepped(fen: Ints, step: int, rounding: Rounding) -> Ints:
    return divided(fen, step, rounding) * step


def parted(whole: Ints, *, use: Ints, upto: Ints, own: Ints) -> Ints:
    """Each account's part of a shared charge by its part of the use, to the fen: the parts add up to the whole.

    ``upto`` is the use of all accounts up to this one, in order of pseudonym; a part is the difference of two
    shares rounded down. Python's whole numbers, since the products pass 63 bits; few rows come here.
    """
    part = np.where(use == own, whole, 0)
    few = np.flatnonzero((use > own) & (whole > 0))
    of, all_use, last = (values[few].astype(object) for values in (whole, use, upto))
    mine = own[few].astype(object)
    part[few] = of * last // all_use - of * (last - mine) // all_use
    return part
