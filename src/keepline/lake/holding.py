"""Why a whole file waits for a person: totals, amounts, row counts and set-aside rows that are odd together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from keepline.lake.filereport import Counts, Reason, reason
from keepline.lake.mapping import MappingFile
from keepline.lake.merge import SET_ASIDE
from keepline.lake.pieces import READ_ROWS
from keepline.lake.shelf import Shelf
from keepline.lake.staging import Stage
from keepline.lake.totals import Totals
from keepline.written import read_batches

MET, CHANGED = 0.5, 0.05  # shares of a month's rows, from which a file that writes over it is asked about


def problems(
    *,
    stages: Sequence[Stage],
    shelf: Shelf,
    totals: Totals,
    fates: np.ndarray[Any, np.dtype[np.uint8]],
    used: MappingFile,
    calm: bool,
) -> list[Reason]:
    """Every reason to hold the file. ``calm`` files, mended rows, are few and odd by nature."""
    if calm:
        return []
    found = [_share(fates, used), _total(totals)]
    found += [_amount(stage, shelf, used) for stage in stages]
    watched = {stage.section.table.name for stage in stages if stage.section.said.watch_count}
    counts = rows_by_month(stages)
    found += [_count(counts[table], table=table, shelf=shelf, used=used) for table in sorted(watched)]
    return [problem for problem in found if problem is not None]


def overwriting(
    *, stages: Sequence[Stage], shelf: Shelf, months: Mapping[str, Mapping[str, Counts]], used: MappingFile
) -> list[Reason]:
    """A month that the mapping itself writes and an earlier file of it brought: another month's rows under its name?

    Such a file meets most rows of that month and changes many; a correction changes few, or is accepted as one.
    """
    found = []
    for stage in stages:
        table, said = stage.section.table.name, stage.section.said.columns.get("month")
        month = "" if said is None or said.constant is None else str(said.constant)
        counts = months.get(table, {}).get(month)
        if (
            counts is None
            or not stage.section.said.watch_count
            or month not in _earlier_counts(shelf, used.name, table)
        ):
            continue
        held = sum(f.rows for f in shelf.lake.versions() if (f.table, f.month) == (table, month))
        if counts.updated + counts.unchanged > MET * held and counts.updated > CHANGED * held:
            found.append(f"{table} {month}: {counts.updated:,} / {held:,}")
    return [reason("month_again", "; ".join(dict.fromkeys(found)))] if found else []


def _share(fates: np.ndarray[Any, np.dtype[np.uint8]], used: MappingFile) -> Reason | None:
    share = float(np.mean(fates == SET_ASIDE)) if len(fates) else 0.0
    return reason("set_aside_share", f"{share:.1%}") if share > used.mapping.limits.set_aside_share_max else None


def _total(totals: Totals) -> Reason | None:
    misfits = totals.misfits()
    return reason("total_mismatch", "; ".join(misfits)) if misfits else None


def _amount(stage: Stage, shelf: Shelf, used: MappingFile) -> Reason | None:
    """The mean amount of a bill against the nearest month the lake has: yuan taken for fen shows here."""
    most = used.mapping.limits.amount_shift_max
    for month, amount in stage.amounts.items():
        before = _usual_amount(stage, shelf, month)
        mean = amount / stage.rows[month]
        if before and mean and not 1 / most <= mean / before <= most:
            return reason("amount_shift", f"{mean / before:.3g}")
    return None


def _usual_amount(stage: Stage, shelf: Shelf, month: str) -> float:
    """Mean amount without sign, of the same components, in the month before; else the nearest other one."""
    others = [(f, path) for f, path in shelf.newest("bills") if f.month != month and f.rows]
    if not others:
        return 0.0
    earlier = [pair for pair in others if pair[0].month < month]
    _, path = earlier[-1] if earlier else others[0]
    staged = read_batches(pq.ParquetFile(stage.path(month)), READ_ROWS, ["component"])
    components = pa.array({code for batch in staged for code in pc.unique(batch.column(0)).to_pylist()}, pa.string())
    amount = rows = 0
    for batch in read_batches(pq.ParquetFile(path), READ_ROWS, ["component", "amount_fen"]):
        alike = batch.column("amount_fen").filter(pc.is_in(batch.column("component"), value_set=components))
        amount += pc.sum(pc.abs(alike), min_count=0).as_py()
        rows += len(alike) - alike.null_count
    return amount / rows if rows else 0.0


def rows_by_month(stages: Sequence[Stage]) -> dict[str, dict[str, int]]:
    """Rows of ours by table and month, over all sections that feed the table."""
    found: dict[str, dict[str, int]] = {}
    for stage in stages:
        if not stage.section.automatic:
            months = found.setdefault(stage.section.table.name, {})
            for month, rows in stage.rows.items():
                months[month] = months.get(month, 0) + rows
    return found


def _count(now: dict[str, int], *, table: str, shelf: Shelf, used: MappingFile) -> Reason | None:
    """Rows of a month against the month before from the same source; a corrected month is not compared."""
    most, counts = used.mapping.limits.row_count_change_max, _earlier_counts(shelf, used.name, table)
    for month, rows in sorted(now.items()):
        before = [counts[m] for m in sorted(counts) if m < month]
        if month not in counts and before and before[-1] and abs(rows / before[-1] - 1) > most:
            return reason("row_count", f"{rows / before[-1] - 1:+.0%}")
    return None


def _earlier_counts(shelf: Shelf, mapping: str, table: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for source in shelf.lake.sources:
        if source.get("mapping") == mapping:
            for month, rows in source.get("months", {}).get(table, {}).items():
                counts[month] = max(counts.get(month, 0), rows)
    return counts
