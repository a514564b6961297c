"""How parts are written, rows computed here, not by the engine, as one whole part; and how long files are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from keepline.tables import LATEST, Table, Type

GROUP_ROWS = 5_120  # of a row group at most: what looking up one customer has to read; an eighth of a batch

RANGE_ROWS = 8 * GROUP_ROWS  # where nobody looks up one customer: a seventh cheaper to write than in small groups
BY_RANGE = ("carried", *(table.name for table in LATEST.values()))


def layout(table: Table) -> dict[str, Any]:
    """How columns lie in a part: texts as codes of a dictionary, whole numbers by their differences, others as they
    are, which is smaller and cheaper to write than dictionaries of numbers.

    Only of what the rows are in order of does a least and a greatest tell where to look. Packed lightly, as
    five stages read each part: a twentieth larger than by zstd, a third cheaper to write and half as dear to read.
    """
    texts = [column.name for column in table.columns if column.type is Type.TEXT]
    whole = [column.name for column in table.columns if column.type is Type.BIGINT]
    differences = {"column_encoding": dict.fromkeys(whole, "DELTA_BINARY_PACKED")} if whole else {}
    told = {"write_statistics": list(table.key[:1])}
    return {"compression": "snappy", "use_dictionary": texts or False, **differences, **told}


def group_rows(table: Table) -> int:
    """How many rows a row group of the table holds at most."""
    return RANGE_ROWS if table.name in BY_RANGE else GROUP_ROWS


def write_rows(rows: Sequence[dict[str, Any]], table: Table, to: Path) -> int:
    """Write ``rows`` in the order of the table's key; return how many."""
    ordered = sorted(rows, key=lambda row: tuple(row[name] for name in table.key))
    return write_table(pa.Table.from_pylist(ordered, schema=table.arrow), table, to)


def write_table(rows: pa.Table, table: Table, to: Path) -> int:
    """Write rows that are in the order of the table's key, beside the place and then renamed; return how many."""
    to.parent.mkdir(parents=True, exist_ok=True)
    partial = to.with_name(f".{to.name}.partial")
    pq.write_table(rows.cast(table.arrow), partial, row_group_size=group_rows(table), **layout(table))
    partial.replace(to)
    return len(rows)


def read_batches(file: pq.ParquetFile, rows: int, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """A file's rows, at most so many at a time, row group after row group.

    One reader over all row groups would keep some of each it has passed: 16 bytes a row of five columns.
    """
    for group in range(file.num_row_groups):
        yield from file.iter_batches(rows, row_groups=[group], columns=columns)
