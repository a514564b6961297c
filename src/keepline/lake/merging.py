"""Every staged section merged onto the shelf; what became of each source row and each row of ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
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
from keepline.lake.pieces import MANY, Filters, cut_by, lay, pieces_of, ranges, read_rows, read_those
from keepline.lake.shelf import Shelf
from keepline.lake.staging import Stage
from keepline.tables import Table

CUSTOMER = "customer_id"
BESIDE = "beside-"  # copies of the lake's rows
PIECE_ROWS = 50_000  # of a row group of what lies by another key for a moment

Fates = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass
class Outcome:
    """Rows of ours by table and fate, and what was noticed while merging."""

    tables: dict[str, Counts] = field(default_factory=dict)
    months: dict[str, dict[str, Counts]] = field(default_factory=dict)  # of these, by month
    notes: Counter[str] = field(default_factory=Counter)


@dataclass
class Merging:
    """The file being merged: what becomes of its rows, and of ours."""

    shelf: Shelf
    fates: Fates  # of source rows: the greatest of what became of their parts; those set aside are told already
    ours: Counter[tuple[str, str, int]] = field(default_factory=Counter)  # rows by table, month and fate
    notes: Counter[str] = field(default_factory=Counter)

    def unit(self, stage: Stage, unit: tuple[str, ...]) -> None:
        """One month, or all months together where the key does not name the month."""
        table = stage.section.table
        months = sorted({*unit, *self._elsewhere(stage, unit)})
        reopen = [month for month in unit if self.shelf.reopens(table, month)]
        beside = self._beside(stage, unit, months)
        merged = self._merged(stage, unit, beside)
        if len(months) == 1 and _lies_as_cut(table):
            _put_in_turn(self.shelf, table, months[0], merged, reopens=bool(reopen))
        else:
            _put_anew(self.shelf, table, merged, reopen=reopen)
        for path in beside:
            if path.parent == self.shelf.folder and path.name.startswith(BESIDE):
                path.unlink()

    def _beside(self, stage: Stage, unit: tuple[str, ...], months: list[str]) -> dict[Path, int]:
        """What the lake has of some months, with its rows: in copies where it lies by another column than it is cut by,
        as each of many pieces would be sought in all of it."""
        table = stage.section.table
        rows = {path: f.rows for f, path in self.shelf.newest(table.name) if f.month in months}
        if _lies_as_cut(table) or pieces_of(sum(rows.values()) + sum(stage.rows[month] for month in unit)) <= MANY:
            return rows
        places = [self.shelf.folder / f"{BESIDE}{i}.parquet" for i in range(len(rows))]
        return {lay(path, stage.by, to=to): rows[path] for path, to in zip(rows, places, strict=True)}

    def _merged(self, stage: Stage, unit: tuple[str, ...], beside: dict[Path, int]) -> Iterator[Merged]:
        table, section = stage.section.table, stage.section
        for rows, only in stage.buckets(unit, beside=beside):
            ordinals = rows[ROW].to_numpy()
            stays = self.fates[ordinals] != SET_ASIDE
            new = rows.filter(pa.array(stays)).combine_chunks()
            done = merge(new, lake_rows(table, beside, only), table, section.supplied, add_up=section.said.add_up)
            each = np.full(len(ordinals), SET_ASIDE, dtype=np.uint8)
            each[stays] = done.fates
            self._count(table, rows, unit, each)
            self.notes["blacklist_wins"] += done.overruled
            if not section.automatic:
                self.notes["repeated_rows"] += int(np.count_nonzero(each == IGNORED))
                np.maximum.at(self.fates, ordinals[stays], done.fates)
            yield done

    def _count(self, table: Table, rows: pa.Table, unit: tuple[str, ...], each: Fates) -> None:
        for month in unit:
            mine = each if len(unit) == 1 else each[pc.equal(rows["month"], month).to_numpy()]
            times = np.bincount(mine, minlength=SET_ASIDE + 1).tolist()
            self.ours.update({(table.name, month, fate): count for fate, count in enumerate(times)})

    def _elsewhere(self, stage: Stage, unit: tuple[str, ...]) -> list[str]:
        """Other months in which the lake has some of these keys, for tables whose key does not name the month."""
        table = stage.section.table
        if "month" not in table.names or "month" in table.key:
            return []
        return [
            f.month for f, path in self.shelf.newest(table.name) if f.month not in unit and self._has(path, stage, unit)
        ]

    def _has(self, path: Path, stage: Stage, unit: tuple[str, ...]) -> bool:
        """Whether a file of the lake has any of the keys that are merged."""
        table = stage.section.table
        columns = [stage.by, *(name for name in table.key if name != stage.by)]
        if not _lies_as_cut(table) and pieces_of(sum(stage.rows[month] for month in unit)) > MANY:
            path = lay(path, stage.by, to=self.shelf.folder / f"{BESIDE}keys.parquet", columns=columns)
        for rows, only in stage.buckets(unit, columns=[*columns, ROW]):
            new = rows.filter(pa.array(self.fates[rows[ROW].to_numpy()] != SET_ASIDE))
            ours, theirs = key_codes([new, read_those(path, columns, new, only)], columns)
            if np.isin(ours, theirs).any():
                return True
        return False

    def outcome(self) -> Outcome:
        """All of it told by table, and by table and month."""
        months: dict[str, dict[str, Counts]] = {}
        for name, month in dict.fromkeys((name, month) for name, month, _ in self.ours):
            months.setdefault(name, {})[month] = self._counts(name, [month])
        tables = {name: self._counts(name, list(known)) for name, known in months.items()}
        return Outcome(tables, {name: dict(sorted(known.items())) for name, known in months.items()}, +self.notes)

    def _counts(self, table: str, months: Iterable[str]) -> Counts:
        found = {name: sum(self.ours[table, month, fate] for month in months) for name, fate in FATES.items()}
        return Counts(read=sum(found.values()), **found)


def lake_rows(table: Table, paths: Iterable[Path], only: Filters) -> pa.Table:
    """A range of what lies in some files of a table; a column that it gained since they were written is null."""
    parts = [table.arrow.empty_table(), *(read_rows(path, only=only) for path in paths)]
    return pa.concat_tables(parts, promote_options="default").select(table.names).combine_chunks()


def _lies_as_cut(table: Table) -> bool:
    """Whether pieces follow each other in the order in which a month lies."""
    return cut_by(table) == CUSTOMER or CUSTOMER not in table.names


def merge_all(stages: list[Stage], shelf: Shelf, fates: Fates) -> Outcome:
    """Merge stage after stage; a source row's fate is the greatest of what became of its parts."""
    merging = Merging(shelf, fates)
    for stage in stages:
        for unit in stage.units():
            merging.unit(stage, unit)
    return merging.outcome()


def _put_in_turn(shelf: Shelf, table: Table, month: str, merged: Iterator[Merged], *, reopens: bool) -> None:
    """A month whose pieces come in its order; nothing is written when nothing of a single one changed."""
    first = next(merged)
    second = next(merged, None)
    if second is None:
        if first.changed or reopens:
            shelf.put(table, month, [first.rows])
        return
    kept, begun = [first.changed, second.changed], [second.rows, first.rows]
    del first, second  # they are let go once they are written

    def rows() -> Iterator[pa.Table]:
        while begun:
            yield begun.pop()
        for each in merged:
            kept.append(each.changed)
            yield each.rows

    before = shelf.pending.copy()  # with what an earlier section of the file brought
    shelf.put(table, month, rows())
    if not any(kept) and not reopens:
        shelf.pending = before


def _put_anew(shelf: Shelf, table: Table, merged: Iterator[Merged], *, reopen: Iterable[str]) -> None:
    """Months whose rows come in pieces by another key than they lie by, or move between months: those that changed."""
    laid, touched = Laid(table, shelf.folder), set(reopen)
    for each in merged:
        laid.add(each.rows)
        touched |= each.months
    laid.close()
    for month in sorted(touched):
        shelf.put(table, month, laid.of(month))
    laid.clear()


@dataclass
class Laid:
    """Rows of several months that come by any key, laid beside to be read by customer."""

    table: Table
    folder: Path
    rows: Counter[str] = field(default_factory=Counter)
    _writers: dict[str, pq.ParquetWriter] = field(default_factory=dict)

    def path(self, month: str) -> Path:
        return self.folder / f"{self.table.name}-{month}.pieces"

    def add(self, rows: pa.Table) -> None:
        """A piece, each of whose months is in the order of customers."""
        for month in pc.unique(rows["month"]).to_pylist():
            mine = rows.filter(pc.equal(rows["month"], month))
            if month not in self._writers:
                self._writers[month] = pq.ParquetWriter(self.path(month), self.table.arrow, compression="lz4")
            self._writers[month].write_table(mine.select(self.table.names), row_group_size=PIECE_ROWS)
            self.rows[month] += mine.num_rows

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()

    def of(self, month: str) -> Iterator[pa.Table]:
        """A month's rows in its order, in pieces."""
        if month in self._writers:
            path, left = self.path(month), self.rows[month]
            if pieces_of(left) > MANY:
                lay(path, CUSTOMER, to=path)
            for only in ranges(CUSTOMER, {path: left}):
                rows = in_order(read_rows(path, only=only), self.table)
                left -= rows.num_rows
                yield rows
            if left:
                raise AssertionError(f"{left} rows of {self.table.name} {month} are in no piece, or in several")

    def clear(self) -> None:
        for month in self._writers:
            self.path(month).unlink()
