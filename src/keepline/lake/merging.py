"""Every staged section merged onto the shelf; what became of each source row and each row of ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from keepline.lake.convert import ROW
from keepline.lake.filereport import Counts
from keepline.lake.merge import FATES, IGNORED, SET_ASIDE, Merged, in_order, key_codes, merge
from keepline.lake.shelf import Shelf, read_those
from keepline.lake.staging import Filters, Stage, cuts
from keepline.tables import Table

CUSTOMER = "customer_id"
PIECE_ROWS = 50_000  # of a row group of what lies by another key for a moment

Fates = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass
class Outcome:
    """Rows of ours by table and fate, and what was noticed while merging."""

    tables: dict[str, Counts] = field(default_factory=dict)
    months: dict[str, dict[str, Counts]] = field(default_factory=dict)  # of these, by month
    notes: Counter[str] = field(default_factory=Counter)


def merge_all(stages: list[Stage], shelf: Shelf, fates: Fates) -> Outcome:
    """Merge stage after stage; a source row's fate is the greatest of what became of its parts."""
    gone, notes = fates == SET_ASIDE, Counter[str]()
    tables: dict[str, Fates] = {}
    months: dict[str, dict[str, Fates]] = {}
    for stage in stages:
        for unit in stage.units():
            found, of_month = _merge_unit(stage, unit, shelf, gone, fates, notes)
            name = stage.section.table.name
            tables[name] = _joined(tables.get(name), found)
            known = months.setdefault(name, {})
            known |= {month: _joined(known.get(month), each) for month, each in of_month.items()}
            if not stage.section.automatic:
                notes["repeated_rows"] += int(np.count_nonzero(found == IGNORED))
    by_month = {name: {m: _counted(f) for m, f in sorted(known.items())} for name, known in months.items()}
    return Outcome({name: _counted(found) for name, found in tables.items()}, by_month, +notes)


def _joined(before: Fates | None, found: Fates) -> Fates:
    return found if before is None else np.concatenate([before, found])


def _counted(found: Fates) -> Counts:
    return Counts(read=len(found), **{name: int(np.count_nonzero(found == code)) for name, code in FATES.items()})


def _merge_unit(
    stage: Stage, unit: tuple[str, ...], shelf: Shelf, gone: Fates, fates: Fates, notes: Counter[str]
) -> tuple[Fates, dict[str, Fates]]:
    """One month, or all months together where the key does not name the month; what became of it, and by month."""
    table, told = stage.section.table, []
    of_month: dict[str, Fates] = {}
    changed = False

    def merged() -> Iterator[Merged]:
        nonlocal changed
        beside = sum(f.rows for f, _ in shelf.newest(table.name) if f.month in unit)
        for rows, only in stage.buckets(unit, beside=beside):
            ordinals = rows[ROW].to_numpy()
            stays = ~gone[ordinals]
            new = rows.filter(pa.array(stays)).combine_chunks()
            done = _merge_rows(stage, new, unit, shelf, only)
            changed = changed or done.changed or any(shelf.reopens(table, month) for month in unit)
            notes["blacklist_wins"] += done.overruled
            each = np.full(len(ordinals), SET_ASIDE, dtype=np.uint8)
            each[stays] = done.fates
            told.append(each)
            for month in unit:
                mine = each if len(unit) == 1 else each[pc.equal(rows["month"], month).to_numpy()]
                of_month[month] = _joined(of_month.get(month), mine)
            if not stage.section.automatic:
                np.maximum.at(fates, ordinals[stays], done.fates)
            yield done

    if "month" in table.names and "month" not in table.key:
        (whole,) = merged()
        if changed:
            _put_months(shelf, table, whole.rows, unit)
    else:
        _put_buckets(shelf, table, unit[0], merged())
    return np.concatenate(told), of_month


def _merge_rows(stage: Stage, new: pa.Table, unit: tuple[str, ...], shelf: Shelf, only: Filters) -> Merged:
    section, table = stage.section, stage.section.table
    months = {*unit, *_elsewhere(shelf, table, new, unit)}
    old = shelf.read(table, months, only=only)
    return merge(new, old, table, section.supplied, add_up=section.said.add_up)


def _elsewhere(shelf: Shelf, table: Table, new: pa.Table, unit: tuple[str, ...]) -> list[str]:
    """Other months in which the lake has some of these keys, for tables whose key does not name the month."""
    if "month" not in table.names or "month" in table.key:
        return []
    found = []
    for f, path in shelf.newest(table.name):
        if f.month not in unit:
            ours, theirs = key_codes([new, read_those(path, list(table.key), new, None)], table.key)
            if np.isin(ours, theirs).any():
                found.append(f.month)
    return found


def _put_months(shelf: Shelf, table: Table, rows: pa.Table, unit: tuple[str, ...]) -> None:
    """Each month's rows into its own file, also where a month lost rows to another."""
    had = {f.month for f, _ in shelf.newest(table.name)}
    involved = set(unit) | set(pc.unique(rows["month"]).to_pylist())
    for month in sorted(involved | (had & set(_lost(shelf, table, rows)))):
        shelf.put(table, month, [rows.filter(pc.equal(rows["month"], month))])


def _lost(shelf: Shelf, table: Table, rows: pa.Table) -> list[str]:
    """Months whose keys all moved elsewhere."""
    return _elsewhere(shelf, table, rows, ())


def _put_buckets(shelf: Shelf, table: Table, month: str, merged: Iterator[Merged]) -> None:
    """A month whose content changed, bucket after bucket; nothing is written when nothing changed."""
    first = next(merged)
    second = next(merged, None)
    if second is None:
        if first.changed or shelf.reopens(table, month):
            shelf.put(table, month, [first.rows])
        return
    kept = [first.changed, second.changed]

    def rows() -> Iterator[pa.Table]:
        yield first.rows
        yield second.rows
        for each in merged:
            kept.append(each.changed)
            yield each.rows

    before = shelf.pending.copy()  # with what an earlier section of the file brought
    shelf.put(table, month, rows() if table.key[0] == CUSTOMER else _by_customer(rows(), table, shelf.folder))
    if not any(kept) and not shelf.reopens(table, month):
        shelf.pending = before


def _by_customer(rows: Iterator[pa.Table], table: Table, folder: Path) -> Iterator[pa.Table]:
    """Rows that come in pieces by another key, in the order of customers, in pieces again."""
    laid, count = folder / f"{table.name}.pieces", 0
    with pq.ParquetWriter(laid, table.arrow, compression="lz4") as writer:
        for part in rows:
            writer.write_table(part.select(table.names), row_group_size=PIECE_ROWS)
            count += part.num_rows
    for low, high in cuts(count):
        piece = pq.read_table(laid, filters=[(CUSTOMER, ">=", low), (CUSTOMER, "<", high)])
        yield in_order(piece, table)
    laid.unlink()
