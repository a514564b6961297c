"""A lake of a few rows for tests: say the rows, columns left out are null.

``lake_of(folder, bills=[dict(customer_id=1, month="2026-10", …)], …)`` writes one file a table
and month and switches the lake to them, as intake does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from keepline.canonical import file_hash
from keepline.engine import ID_SPACE
from keepline.lake import store
from keepline.lake.store import Lake, LakeFile
from keepline.periods import Month
from keepline.tables import COMPONENTS, TABLES

Row = Mapping[str, Any]


def write_rows(path: Path, table: str, rows: Sequence[Row]) -> Path:
    """One Parquet file of a declared table, in key order."""
    declared = TABLES[table]
    foreign = {name for row in rows for name in row} - set(declared.names)
    assert not foreign, f"{table} has no columns {sorted(foreign)}"
    ordered = sorted(rows, key=lambda row: tuple(row[name] for name in declared.key))
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: [row.get(name) for row in ordered] for name in declared.names}
    pq.write_table(pa.table(columns, schema=declared.arrow), path)
    return path


def add_rows(lake: Lake, **tables: Sequence[Row]) -> Lake:
    """The lake with more rows, in new files beside the old ones."""
    files = list(lake.files)
    for table, rows in tables.items():
        for month in sorted({str(row["month"]) for row in rows}):
            of_month = [row for row in rows if row["month"] == month]
            place = f"{table}/{month}/{len(files):05d}.parquet"
            path = write_rows(lake.root / place, table, of_month)
            files.append(LakeFile(table, month, place, len(of_month), file_hash(path)))
    return store.switch(lake, files, lake.sources)


def corrected(lake: Lake, table: str, month: Month, **values: object) -> Lake:
    """The lake with other values in one row of a month, which is that customer's whose row comes first."""
    old = next(f for f in lake.files if f.table == table and f.month == str(month))
    rows = pq.read_table(lake.root / old.path).to_pylist()
    rows[0] |= values
    place = f"{table}/{month}/corrected-{len(lake.files)}.parquet"
    path = write_rows(lake.root / place, table, rows)
    new = LakeFile(table, str(month), place, len(rows), file_hash(path))
    return store.switch(lake, [new if f is old else f for f in lake.files], lake.sources)


def lake_of(root: Path, **tables: Sequence[Row]) -> Lake:
    """A new lake holding just these rows."""
    return add_rows(Lake(root, ()), **tables)


def random_lake(root: Path, *, last: Month, months: int, customers: int, seed: int) -> Lake:
    """Rows of every table a feature reads, with gaps and nulls, for comparing engines and ranges."""
    dice = np.random.default_rng(seed)
    ids = sorted({int(i) for i in dice.integers(1, ID_SPACE, customers)})
    tables: dict[str, list[dict[str, Any]]] = {}
    for ago in range(months):
        month = last + -ago
        for who in ids:
            for table, row in _random_rows(dice, who, month, ids):
                tables.setdefault(table, []).append({"customer_id": who, "month": str(month), **row})
        faults = [{"district": name, "month": str(month), "faults": int(dice.integers(0, 9))} for name in "AB"]
        tables.setdefault("network_faults", []).extend(faults)
    plans = [{"plan_id": name, "month": str(last + -months), "price_fen": 100 * ord(name)} for name in "PQ"]
    return lake_of(root, **tables, plans=plans)


def _random_rows(
    dice: np.random.Generator, who: int, month: Month, ids: Sequence[int]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What one customer left behind in one month; each table is missed at times."""

    def some(low: int, high: int) -> int | None:
        return None if dice.random() < 0.1 else int(dice.integers(low, high))

    def day() -> dt.date:
        return month.first_day + dt.timedelta(days=int(dice.integers(0, 40)))

    often = {table: dice.random() < chance for table, chance in OFTEN.items()}
    if often["customers"]:
        kind = "person" if who % 3 else "organisation"
        yield "customers", {"kind": kind, "district": "ABC"[who % 3], "joined_on": day(), "birthday": day()}
    if often["lines"]:
        ends = day() if dice.random() < 0.2 else None
        line = {"line_id": who, "product": "mobile", "plan_id": "PQR"[who % 3], "status": "active"}
        yield (
            "lines",
            line | {"started_on": day(), "ended_on": ends, "contract_end_on": day(), "ported_in": who % 2 == 0},
        )
    for component in COMPONENTS:
        if dice.random() < 0.5:
            yield "bills", {"component": component, "amount_fen": int(dice.integers(-5, 9999))}
    if often["usage"]:
        yield "usage", {name: some(0, 500) for name in TABLES["usage"].names[2:]}
    yield from _random_dealings(dice, often, f"{who}-{month}", day)
    if often["call_edges"]:
        yield "call_edges", {"peer_id": ids[int(dice.integers(len(ids)))], "calls": 1}
    if often["departures"]:
        yield "departures", {"kind": "port_out"}
    if (who + month.index) % 3 == 0:
        yield "attributes", {"name": "tv_hours", "number": float(who % 7 + month.index % 5)}
        yield "attributes", {"name": "shop", "code": "NSEW"[month.index % 4]}
    if (who + month.index) % 5 == 0:
        yield "experiments", {"experiment_id": "AB"[who % 2], "offer_id": "o", "arm": "treated"}


def _random_dealings(
    dice: np.random.Generator, often: Mapping[str, bool], number: str, day: Callable[[], dt.date]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the customer and the operator had to do with each other."""
    if often["payments"]:
        yield "payments", {"arrears_fen": int(dice.integers(0, 3)), "arrears_months": int(dice.integers(0, 3))}
    if often["contacts"]:
        contact = {"direction": "out", "purpose": "marketing", "contacted_on": day()}
        yield "contacts", contact | {"contact_id": number}
    if often["complaints"]:
        yield "complaints", {"complaint_id": number, "opened_on": day(), "closed_on": day()}
    if often["survey_answers"]:
        score = round(float(dice.uniform(-1, 11)), 3)
        yield "survey_answers", {"question": "stay", "score": score, "scale_max": 10.0}


OFTEN = {
    "customers": 0.4,
    "lines": 0.4,
    "usage": 0.8,
    "payments": 0.7,
    "contacts": 0.4,
    "complaints": 0.3,
    "survey_answers": 0.4,
    "call_edges": 0.7,
    "departures": 0.05,
}
