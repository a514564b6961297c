"""Writes the files an operator would deliver for a month, table by table, block by block."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from keepline.periods import Month
from keepline.simulate.records import Rows
from keepline.tables import LAKE, TABLES, Personal, Table


def delivered(table: Table) -> pa.Schema:
    """The table as the operator writes it: their own numbers, as text, where we keep pseudonyms."""
    own = {c.name for c in table.columns if c.personal is Personal.PSEUDONYM}
    return pa.schema([pa.field(f.name, pa.string() if f.name in own else f.type) for f in table.arrow])


class Folder:
    """A folder of Parquet files that appears whole, under its name, when the writing ends well."""

    def __init__(self, to: Path) -> None:
        self._to, self._partial = to, to.with_name(f".{to.name}.partial")
        self._writers: dict[str, pq.ParquetWriter] = {}

    def __enter__(self) -> Folder:
        shutil.rmtree(self._partial, ignore_errors=True)
        self._partial.mkdir(parents=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for writer in self._writers.values():
            writer.close()
        if kind is not None:
            return
        if self._to.exists():
            shutil.rmtree(self._to)
        self._partial.rename(self._to)

    def add(self, name: str, table: pa.Table) -> None:
        """Append rows to one file; a file without rows is not made."""
        if table.num_rows == 0:
            return
        if name not in self._writers:
            self._writers[name] = pq.ParquetWriter(self._partial / f"{name}.parquet", table.schema, compression="zstd")
        self._writers[name].write_table(table)


class Delivery:
    """The files of one billing month."""

    def __init__(self, folder: Folder, month: Month) -> None:
        self._folder, self._month = folder, str(month)

    def add(self, name: str, *parts: Rows) -> None:
        self.add_all(name, parts)

    def add_all(self, name: str, parts: Iterable[Rows]) -> None:
        """Rows of one table; columns not given are unknown, the month is that of the delivery."""
        for rows in parts:
            self._folder.add(name, _typed(rows, delivered(TABLES[name]), self._month))


def _typed(rows: Rows, schema: pa.Schema, month: str) -> pa.Table:
    count = len(next(iter(rows.values())))
    columns = []
    for field in schema:
        if field.name in rows:
            columns.append(_column(rows[field.name], field.type))
        elif field.name == "month":
            columns.append(pa.array(np.full(count, month), type=field.type))
        else:
            columns.append(pa.nulls(count, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _column(values: object, kind: pa.DataType) -> pa.Array:
    array = values if isinstance(values, pa.Array) else pa.array(values)
    return array if array.type == kind else array.cast(kind)


def in_order(folder: Path) -> list[Path]:
    """The files of a month, in the order of ``tables.py``."""
    return [path for table in LAKE if (path := folder / f"{table.name}.parquet").exists()]


def truth_table(columns: Rows, month: Month) -> pa.Table:
    """Truth as a table, with its month; the names are those of the columns given."""
    rows = {"month": np.full(len(columns["customer_id"]), str(month)), **columns}
    return pa.table(
        {name: values if isinstance(values, pa.Array) else pa.array(values) for name, values in rows.items()}
    )


def write_whole(table: pa.Table, to: Path) -> None:
    """Write a file so that it is there whole or not at all."""
    to.parent.mkdir(parents=True, exist_ok=True)
    partial = to.with_name(f".{to.name}.partial")
    pq.write_table(table, partial, compression="zstd")
    partial.replace(to)
