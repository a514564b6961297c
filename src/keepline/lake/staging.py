"""Rows of ours that came out of a file, kept on disk by section and month until the whole file has been judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from keepline.lake import pieces as cutting
from keepline.lake.convert import OWN_TYPE, ROW, Piece, Section, Theirs
from keepline.lake.pieces import Filters

GROUP_ROWS = 50_000  # rows of a month that are held before they are written
TABLES = 64  # small ones of a month that are held before they are made one, as each takes some kilobytes
ALWAYS = "0001-01"  # the month of a table that has none, so that every snapshot sees it


@dataclass
class Stage:
    """The staged rows of one section."""

    section: Section
    folder: Path
    rows: dict[str, int] = field(default_factory=dict)  # by month
    amounts: dict[str, float] = field(default_factory=dict)  # bills: sum of amounts without sign, fen, by month
    _held: dict[str, list[pa.Table]] = field(default_factory=dict)
    _writers: dict[str, pq.ParquetWriter] = field(default_factory=dict)

    def path(self, month: str) -> Path:
        return self.folder / f"{self.section.number:02d}-{self.section.table.name}-{month}.parquet"

    def add(self, theirs: Theirs, pieces: list[Piece], good: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
        """Keep the rows of a batch whose source row is good."""
        for piece in _settled(self.section, theirs, pieces, good):
            for month, rows in _by_month(piece):
                self._take(month, rows)

    def _take(self, month: str, rows: pa.Table) -> None:
        held = self._held.setdefault(month, [])
        held.append(rows)
        self.rows[month] = self.rows.get(month, 0) + rows.num_rows
        if self.section.table.name == "bills":
            amount = float(pc.sum(pc.abs(rows["amount_fen"]), min_count=0).as_py() or 0)
            self.amounts[month] = self.amounts.get(month, 0.0) + amount
        if len(held) == TABLES:
            held[:] = [pa.concat_tables(held).combine_chunks()]
        if sum(each.num_rows for each in held) >= GROUP_ROWS:
            self._write(month)

    def _write(self, month: str) -> None:
        """What is held of a month as one row group: each has its place in the memory until the file is closed."""
        if month not in self._writers:
            self._writers[month] = pq.ParquetWriter(self.path(month), self.section.schema(), compression="lz4")
        self._writers[month].write_table(pa.concat_tables(self._held.pop(month)))

    def close(self) -> None:
        """All rows are here; where they are very many, they are laid so that a piece of them is found."""
        for month in list(self._held):
            self._write(month)
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()
        for unit in self.units():
            if cutting.pieces_of(sum(self.rows[month] for month in unit)) > cutting.MANY:
                for month in unit:
                    cutting.lay(self.path(month), self.by, to=self.path(month))

    @property
    def by(self) -> str:
        """The column that these rows, and those of the lake beside them, are cut by."""
        return cutting.cut_by(self.section.table)

    def units(self) -> list[tuple[str, ...]]:
        """Months that are merged together: each alone when the key names the month, else all."""
        if "month" in self.section.table.key:
            return [(month,) for month in sorted(self.rows)]
        return [tuple(sorted(self.rows))] if self.rows else []

    def buckets(
        self,
        unit: tuple[str, ...],
        *,
        beside: Mapping[Path, int] | None = None,
        columns: Sequence[str] | None = None,
    ) -> Iterator[tuple[pa.Table, Filters]]:
        """The staged rows of a unit, in pieces that fit in memory, each with the filter that found it.

        ``beside``: files, and their rows, that are read with them by the same filters. One late row may lie in
        a month of very many.
        """
        mine = {self.path(month): self.rows[month] for month in unit}
        left = sum(mine.values())
        for only in cutting.ranges(self.by, mine | dict(beside or {})):
            rows = pa.concat_tables([cutting.read_rows(path, columns, only=only) for path in mine]).combine_chunks()
            left -= rows.num_rows
            yield rows, only
        if left:
            raise AssertionError(f"{left} rows of {self.section.table.name} are in no piece, or in several")


def _settled(
    section: Section, theirs: Theirs, pieces: list[Piece], good: np.ndarray[Any, np.dtype[np.bool_]]
) -> Iterator[pa.Table]:
    """Pieces as tables in the stage's columns; negative bills turned into credits."""
    schema = section.schema()
    made = []
    for piece in pieces:
        chosen = np.flatnonzero(piece.keep & good)
        if len(chosen):
            columns = piece.columns | {ROW: pa.array(theirs.batch.ordinals)}
            table = pa.table([columns[name] for name in schema.names], schema=schema)
            made.append(table if len(chosen) == table.num_rows else table.take(pa.array(chosen)))
    if made:
        whole = pa.concat_tables(made).combine_chunks()
        yield _credited(section, whole, theirs) if section.table.name == "bills" else whole


def _credited(section: Section, bills: pa.Table, theirs: Theirs) -> pa.Table:
    """A negative bill is a credit of its own; several of one source row are one credit."""
    if section.mapping.rules.negative_bill != "credit":
        return bills
    negative = pc.and_(pc.less(bills["amount_fen"], 0), pc.invert(pc.is_in(bills["component"], value_set=OWN_TYPE)))
    turned = pc.sum(negative, min_count=0).as_py() or 0
    if not turned:
        return bills
    theirs.notes["credit"] += turned
    component = pc.if_else(negative, "credit", bills["component"])
    place = bills.schema.get_field_index("component")
    changed = bills.set_column(place, "component", component.combine_chunks())
    credits = changed.filter(pc.equal(changed["component"], "credit"))
    others = changed.filter(pc.not_equal(changed["component"], "credit"))
    names = [name for name in bills.schema.names if name != "amount_fen"]
    summed = credits.group_by(names, use_threads=False).aggregate([("amount_fen", "sum")])
    summed = summed.rename_columns([name.removesuffix("_sum") for name in summed.schema.names])
    return pa.concat_tables([others, summed.select(bills.schema.names).cast(bills.schema)])


def _by_month(rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    if "month" not in rows.schema.names:
        yield ALWAYS, rows
        return
    months = pc.unique(rows["month"]).to_pylist()
    for month in months:
        yield month, rows if len(months) == 1 else rows.filter(pc.equal(rows["month"], month))
