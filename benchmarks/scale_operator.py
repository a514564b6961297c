"""A nation's operator, drawn straight into a site's lake: as many customers as asked, a block at a time.

usage: scale_operator.py SITE CUSTOMERS [MONTHS] [--whole] [--means]
       --whole: customers and lines come whole every month, as most operators deliver them, not their changes alone
       --means: money and contacts grow with the base, and effects of offers are assumed, so that a plan treats many;
                without it the means are the starter policy's, of a small operator, and pilots change nothing

Simulated: nothing here is about anybody. It is meant for cost alone: the rows, columns and skew of an operator's
tables, a risk of leaving that can be learnt, and pilots to learn from, at a tenth of the simulator's time. Who a
customer is does not depend on how many there are. The calling graph is left out: it is refused above 25 million ties.
"""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from keepline.canonical import file_hash
from keepline.lake.pieces import in_blocks
from keepline.lake.shelf import GROUP_ROWS, LAID
from keepline.lake.store import Lake, LakeFile, switch
from keepline.newsite import make_site
from keepline.periods import Month
from keepline.tables import TABLES, Table
from keepline.written import layout

LAST = Month.parse("2026-10")
BLOCK = 250_000
DISTRICTS, MANAGERS = 200, 1000
PILOTS = {"pilot-renew-contract": "renew-contract", "pilot-data-gift": "data-gift"}
PILOTS |= {"pilot-bundle-broadband": "bundle-broadband", "pilot-care-call": "care-call"}
PILOT_CUSTOMERS = 5_000  # of each, by lot, whatever the size
ASSUMED = '{ source = "assumed", leave_reduction_share = 0.2, margin_month_fen = 200, accept_share = 0.3 }'
Columns = dict[str, Any]


@dataclass(frozen=True)
class Block:
    """Some customers next to each other, with what stays the same about them."""

    ids: Any
    first: int
    total: int
    months: int
    organisation: Any
    prepaid: Any
    price: Any  # fen a month
    joined: Any  # months before the first month
    contract_end: Any  # months after the first month; negative: none
    trouble: Any  # the hidden risk
    gone: Any  # month number they leave in; MONTHS or more: they do not


def block(first: int, *, total: int, months: int) -> Block:
    count = min(BLOCK, total - first)
    lot = np.random.default_rng([7, first])
    space = (1 << 62) // total
    ids = np.arange(first, first + count, dtype=np.int64) * space + lot.integers(1, space, count)
    organisation = lot.random(count) < 0.04
    prepaid = (lot.random(count) < 0.6) & ~organisation
    price = np.round(np.minimum(50_000, 1900 * (1 - lot.random(count)) ** -0.6), -2).astype(np.int64)
    contract = np.where(prepaid, -1, lot.integers(-12, 24, count))
    trouble = lot.gamma(0.5, 1.0, count)
    monthly = 1 / (1 + np.exp(-(-5.4 + 1.2 * trouble + 0.5 * prepaid - 0.6 * (contract > 6))))
    gone = lot.geometric(np.clip(monthly, 1e-6, 1)).astype(np.int64)
    return Block(
        ids=ids,
        first=first,
        total=total,
        months=months,
        organisation=organisation,
        prepaid=prepaid,
        price=price * np.where(organisation, 6, 1),
        joined=lot.integers(0, 150, count),
        contract_end=contract,
        trouble=trouble,
        gone=np.where(gone > months, 10_000, gone),
    )


def customers(b: Block, number: int, lot: np.random.Generator) -> Columns | None:
    """Everybody in the first month; later months tell a few who moved."""
    told = np.ones(len(b.ids), bool) if number == 0 else (lot.random(len(b.ids)) < 0.01) & (b.gone > number)
    n = int(told.sum())
    district = b.ids[told] % DISTRICTS if number == 0 else lot.integers(0, DISTRICTS, n)
    managed = b.organisation[told] | (b.price[told] > 8000)
    opening = np.datetime64(LAST.last_day, "M").astype(int)
    birthday = (lot.integers(-12_000, 14_000, n)).astype("datetime64[D]")
    return {
        "customer_id": b.ids[told],
        "kind": _codes(["person", "organisation"], b.organisation[told].astype(int)),
        "industry": _codes(["retail", "industry", "health", "school"], lot.integers(0, 4, n), ~b.organisation[told]),
        "region": _codes([f"R{i:02d}" for i in range(20)], district // 10),
        "district": _codes([f"D{i:03d}" for i in range(DISTRICTS)], district),
        "manager_id": _codes([f"M{i:04d}" for i in range(MANAGERS)], b.ids[told] % MANAGERS, ~managed),
        "joined_on": _days((opening - 12 - b.joined[told]).astype("datetime64[M]").astype("datetime64[D]")),
        "birthday": _days(birthday),
        "star_rating": _codes(["3", "4", "5", "6"], lot.integers(0, 4, n)),
        "listed_class": pa.nulls(n, pa.string()),
        "consent": pa.array(lot.random(n) < 0.85),
        "blacklisted": pa.array(lot.random(n) < 0.002),
        "preferred_channel": _codes(["sms", "app", "hotline"], lot.integers(0, 3, n), lot.random(n) < 0.8),
        "contact_gap_days": pa.array(np.full(n, 30), pa.int64(), mask=lot.random(n) < 0.95),
    }


def lines(b: Block, number: int, lot: np.random.Generator) -> Columns | None:
    if number:
        return None
    n = len(b.ids)
    starts = (np.datetime64(LAST.last_day, "M").astype(int) - 12 - b.joined).astype("datetime64[M]")
    ends = (np.datetime64(LAST.last_day, "M").astype(int) - 12 + b.contract_end).astype("datetime64[M]")
    return {
        "line_id": b.ids ^ 1,
        "customer_id": b.ids,
        "product": _codes(
            ["mobile", "broadband", "circuit"], np.where(b.organisation, 2, lot.random(n) < 0.2).astype(int)
        ),
        "plan_id": _codes([f"P{i:02d}" for i in range(24)], b.price // 100 % 24),
        "status": _codes(["active"], np.zeros(n, int)),
        "started_on": _days(starts.astype("datetime64[D]")),
        "contract_end_on": _days(ends.astype("datetime64[D]"), b.contract_end < 0),
        "ended_on": pa.nulls(n, pa.date32()),
        "ported_in": pa.array(lot.random(n) < 0.1),
    }


def bills(b: Block, number: int, lot: np.random.Generator) -> Columns:
    """A recurring charge or top-ups, and now and then more: about 1.7 rows a customer."""
    here = b.gone > number
    n = len(b.ids)
    over = here & (lot.random(n) < 0.25)
    extra = here & (lot.random(n) < 0.25)
    off = here & ~b.prepaid & (lot.random(n) < 0.2)
    varied = np.round(b.price * (0.7 + 0.6 * lot.random(n))).astype(np.int64)
    main = here & (~b.prepaid | (lot.random(n) < 0.9))
    # in the order of the codes: discount, overage, recurring, topup, value_added
    rows = np.stack([off, over, main & ~b.prepaid, main & b.prepaid, extra], axis=1)
    amount = np.stack([-b.price // 10, varied // 8, b.price, varied, np.full(n, 500)], axis=1)
    who, what = np.nonzero(rows)
    names = ["discount", "overage", "recurring", "topup", "value_added"]
    return {"customer_id": b.ids[who], "component": _codes(names, what), "amount_fen": amount[who, what]}


def usage(b: Block, number: int, lot: np.random.Generator) -> Columns:
    here = np.flatnonzero(b.gone > number)
    n = len(here)
    near = b.gone[here] - number <= 2
    level = (0.4 + 1.2 * lot.random(n)) * np.where(near, 0.55, 1.0)
    voice = (level * (600 + b.price[here] // 4)).astype(np.int64)
    return {
        "customer_id": b.ids[here],
        "voice_s": voice,
        "voice_in_s": (voice * (0.6 + 0.6 * lot.random(n))).astype(np.int64),
        "offnet_s": (voice * np.clip(0.25 + 0.12 * b.trouble[here] + 0.1 * lot.random(n), 0, 1)).astype(np.int64),
        "roaming_s": np.where(lot.random(n) < 0.03, lot.integers(60, 3600, n), 0),
        "data_kb": (level * b.price[here] * 400).astype(np.int64),
        "sms": lot.poisson(3, n),
        "topups": np.where(b.prepaid[here], lot.poisson(1.2, n), 0),
        "active_days": np.minimum(30, lot.poisson(24 * np.minimum(1.2, level))),
        "dropped_calls": lot.poisson(0.3 + 0.6 * b.trouble[here]),
    }


def payments(b: Block, number: int, lot: np.random.Generator) -> Columns:
    """Of those who pay by bill."""
    here = np.flatnonzero((b.gone > number) & ~b.prepaid)
    n = len(here)
    late = lot.random(n) < 0.05
    return {
        "customer_id": b.ids[here],
        "paid_fen": np.where(late, 0, b.price[here]),
        "arrears_fen": np.where(late, b.price[here], 0),
        "arrears_months": np.where(late, 1, 0),
    }


def contacts(b: Block, number: int, lot: np.random.Generator) -> Columns:
    some = np.flatnonzero((b.gone > number) & (lot.random(len(b.ids)) < 0.06))
    n = len(some)
    return {
        "contact_id": _numbers("K", number, b.first + some),
        "customer_id": b.ids[some],
        "contacted_on": _within(b, number, lot.integers(0, 28, n)),
        "channel": _codes(["sms", "app", "hotline", "manager_call"], lot.integers(0, 4, n)),
        "direction": _codes(["out", "in"], (lot.random(n) < 0.3).astype(int)),
        "purpose": _codes(["marketing", "service"], (lot.random(n) < 0.4).astype(int)),
        "manager_id": pa.nulls(n, pa.string()),
        "withdrawn": pa.nulls(n, pa.bool_()),
    }


def complaints(b: Block, number: int, lot: np.random.Generator) -> Columns:
    some = np.flatnonzero((b.gone > number) & (lot.random(len(b.ids)) < 0.008 * (1 + 2 * b.trouble)))
    n = len(some)
    opened = lot.integers(0, 20, n)
    return {
        "complaint_id": _numbers("C", number, b.first + some),
        "customer_id": b.ids[some],
        "opened_on": _within(b, number, opened),
        "closed_on": _within(b, number, opened + 3, lot.random(n) < 0.2),
        "category": _codes(["billing", "coverage", "speed", "service"], lot.integers(0, 4, n)),
        "severity": lot.integers(1, 6, n),
    }


def departures(b: Block, number: int, lot: np.random.Generator) -> Columns:
    some = np.flatnonzero(b.gone == number)
    n = len(some)
    return {
        "customer_id": b.ids[some],
        "kind": _codes(["left", "port_out"], (lot.random(n) < 0.5).astype(int)),
        "reason": _codes(["price", "network", "rival"], lot.integers(0, 3, n)),
    }


def experiments(b: Block, number: int, lot: np.random.Generator) -> Columns | None:
    """Four pilots, drawn once, six months before the end."""
    if number != 6:
        return None
    some = np.flatnonzero((b.gone > number) & (lot.random(len(b.ids)) < len(PILOTS) * PILOT_CUSTOMERS / b.total))
    which = lot.integers(0, len(PILOTS), len(some))
    return {
        "experiment_id": _codes(list(PILOTS), which),
        "customer_id": b.ids[some],
        "offer_id": _codes(list(PILOTS.values()), which),
        "arm": _codes(["treated", "held_out"], (lot.random(len(some)) < 0.5).astype(int)),
    }


MADE: dict[str, Callable[[Block, int, np.random.Generator], Columns | None]] = {
    each.__name__: each
    for each in (customers, lines, bills, usage, payments, contacts, complaints, departures, experiments)
}


WHOLE = (customers, lines)


def once(number: int) -> dict[str, Columns]:
    """Tables that do not grow with the customers."""
    districts = [f"D{i:03d}" for i in range(DISTRICTS)]
    lot = np.random.default_rng([8, number])
    made: dict[str, Columns] = {
        "network_faults": {
            "district": pa.array(districts),
            "faults": lot.poisson(2, DISTRICTS),
            "fault_minutes": lot.poisson(90, DISTRICTS),
        }
    }
    if number == 0:
        plans = np.arange(24)
        made["plans"] = {
            "plan_id": pa.array([f"P{i:02d}" for i in plans]),
            "name": pa.array([f"plan {i}" for i in plans]),
            "product": _codes(["mobile"], np.zeros(24, int)),
            "price_fen": 1900 + 1000 * plans,
            "voice_s": 6000 + 600 * plans,
            "data_kb": 1_000_000 * (1 + plans),
        }
        made["managers"] = {
            "manager_id": pa.array([f"M{i:04d}" for i in range(MANAGERS)]),
            "district": pa.array([districts[i % DISTRICTS] for i in range(MANAGERS)]),
            "visit_minutes": np.full(MANAGERS, 4800),
            "authority_fen": np.full(MANAGERS, 10_000),
        }
    return made


def make(root: Path, *, total: int, months: int, whole: bool, means: bool) -> None:
    """A site with the starter policy and a lake of so many customers and months; the last is LAST."""
    make_site(root, name="全国运营商（模拟）")
    text = (root / "keepline.toml").read_text(encoding="utf-8")
    (root / "keepline.toml").write_text(text.replace("simulated = false", "simulated = true "), encoding="utf-8")
    if means:
        _give_means(root / "policy", total)
    lake = root / "lake"
    lake.mkdir(exist_ok=True)
    tasks = [(lake, number, name, total, months, whole) for number in range(months) for name in MADE]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        files = [file for file in pool.map(_of_month, *zip(*tasks, strict=True)) if file is not None]
    for number in range(months):
        month = LAST + (number + 1 - months)
        files += [f for name, made in once(number).items() if (f := _write(lake, name, month, [made])) is not None]
    switch(Lake(lake, ()), files, ())


def _give_means(policy: Path, total: int) -> None:
    """A yuan of money a customer, and contacts for a fifth of them; every offer is assumed to earn."""
    limits, offers = policy / "limits.toml", policy / "offers.toml"
    text = limits.read_text(encoding="utf-8")
    for name, many in {
        "money_fen": 100 * total,
        "sms": total // 10,
        "app": total // 10,
        "hotline": total // 50,
    }.items():
        text = re.sub(rf"^{name} = \d+", f"{name} = {many}", text, flags=re.MULTILINE)
    limits.write_text(text, encoding="utf-8")
    text = offers.read_text(encoding="utf-8")
    text = re.sub(r'^effect = \{ source = "experiment".*$', f"effect = {ASSUMED}", text, flags=re.MULTILINE)
    offers.write_text(text, encoding="utf-8")


def _of_month(lake: Path, number: int, name: str, total: int, months: int, whole: bool) -> LakeFile | None:
    month = LAST + (number + 1 - months)
    return _write(lake, name, month, _blocks(MADE[name], number, total, months, whole=whole))


def _blocks(made: Callable[..., Columns | None], number: int, total: int, months: int, *, whole: bool) -> Any:
    everybody = whole and made in WHOLE
    told = 0 if everybody else number
    for first in range(0, total, BLOCK):
        lot = np.random.default_rng([9, told, first, len(made.__name__), ord(made.__name__[0])])
        b = block(first, total=total, months=months)
        if (columns := made(b, told, lot)) is not None:
            here = pa.array(b.gone > number)
            yield {n: pa.array(c).filter(here) for n, c in columns.items()} if everybody else columns


def _write(lake: Path, table: str, month: Month, blocks: Iterable[Columns]) -> LakeFile | None:
    """Laid as intake lays it: row groups of as many rows, however few of them a block has."""
    said, rows = TABLES[table], 0
    groups = in_blocks((_table(said, month, columns) for columns in blocks), GROUP_ROWS)
    if (first := next(groups, None)) is None:
        return None
    to = lake / table / str(month) / "made.parquet"
    to.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(to, said.arrow, **layout(said) | LAID) as writer:
        for group in chain([first], groups):
            writer.write_table(group, row_group_size=GROUP_ROWS)
            rows += group.num_rows
    return LakeFile(table, str(month), f"{table}/{month}/made.parquet", rows, file_hash(to))


def _table(said: Table, month: Month, columns: Columns) -> pa.Table:
    columns["month"] = _codes([str(month)], np.zeros(len(next(iter(columns.values()))), int))
    arrays = [pa.array(columns[c.name]).cast(said.arrow.field(c.name).type) for c in said.columns]
    return pa.Table.from_arrays(arrays, schema=said.arrow)


def _codes(names: list[str], which: Any, unknown: Any = None) -> pa.Array:
    place = pa.array(np.asarray(which, dtype=np.int32), mask=unknown)
    return pa.DictionaryArray.from_arrays(place, pa.array(names)).cast(pa.string())


def _days(days: Any, unknown: Any = None) -> pa.Array:
    return pa.array(days.astype("datetime64[D]").astype(np.int32), pa.int32(), mask=unknown).cast(pa.date32())


def _within(b: Block, number: int, day: Any, unknown: Any = None) -> pa.Array:
    """Days of one month, counted from its first."""
    month = LAST + (number + 1 - b.months)
    return _days(np.datetime64(month.first_day, "D") + day, unknown)


def _numbers(letter: str, number: int, which: Any) -> pa.Array:
    return pa.array([f"{letter}{number:02d}{i:010d}" for i in which.tolist()])


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("site", type=Path)
    asked.add_argument("customers", type=int)
    asked.add_argument("months", type=int, nargs="?", default=12)
    asked.add_argument("--whole", action="store_true")
    asked.add_argument("--means", action="store_true")
    said = asked.parse_args()
    shutil.rmtree(said.site, ignore_errors=True)
    make(said.site, total=said.customers, months=said.months, whole=said.whole, means=said.means)
