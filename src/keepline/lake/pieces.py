"""What may be too much for the memory is worked on in pieces: ranges of one column of the key, cut to hold few rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from keepline.engine import ID_SPACE
from keepline.tables import Table, Type

Filters = list[tuple[str, str, int | str]] | None  # as pyarrow.parquet reads them; None: everything
BUCKET_ROWS = 2_000_000  # rows worked on at once, staged and those that the lake has beside them
GROUPS = 64  # row groups of a block of so many rows that is laid in order
MANY = 4  # pieces from which on finding each among all rows would cost more than laying these in order
SAMPLED = 50_000  # texts that the marks between pieces are chosen among
READ_ROWS = 65_536


def cut_by(table: Table) -> str:
    """The column of its key that a table is cut by: a pseudonym where there is one, since these lie evenly."""
    return next((name for name in table.key if table.column(name).type is Type.BIGINT), table.key[0])


def ranges(column: str, rows: Mapping[Path, int]) -> list[Filters]:
    """Cuts the rows of some files, so many in each, by one of their columns; few are left whole."""
    count = -(-sum(rows.values()) // BUCKET_ROWS)
    if count <= 1:
        return [None]
    if pa.types.is_integer(pq.read_schema(next(iter(rows))).field(column).type):
        return [
            [(column, ">=", low), (column, "<", high)]
            for low, high in pairwise(ID_SPACE * i // count for i in range(count + 1))
        ]
    return [
        [(column, sign, mark) for sign, mark in ((">=", low), ("<", high)) if mark is not None] or None
        for low, high in pairwise([None, *_marks(column, rows, count), None])
    ]


def _marks(column: str, rows: Mapping[Path, int], count: int) -> list[str]:
    """Texts between which about as many rows lie, by a sample of every so many."""
    step = max(1, sum(rows.values()) // SAMPLED)
    found: list[str] = []
    for path in rows:
        for batch in pq.ParquetFile(path).iter_batches(READ_ROWS, columns=[column]):
            found += batch.column(0).take(pa.array(range(0, batch.num_rows, step))).to_pylist()
    found.sort()  # by code point, so by the bytes of UTF-8, as Arrow compares
    return sorted({found[len(found) * i // count] for i in range(1, count)})


def lay(path: Path, column: str) -> None:
    """Each block of a file in the order of a column, in small row groups: a piece is then found by reading few of them.

    Rows that are equal in it keep the order of the file.
    """
    found, laid = pq.ParquetFile(path), path.with_suffix(".laid")
    with pq.ParquetWriter(laid, found.schema_arrow, compression="lz4") as writer:
        for block in in_blocks(found.iter_batches(READ_ROWS), BUCKET_ROWS):
            writer.write_table(block.sort_by(column), row_group_size=max(1, BUCKET_ROWS // GROUPS))
    laid.replace(path)


def in_blocks(parts: Iterator[pa.Table] | Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """The same rows in blocks of just so many, the last of what is left."""
    held: list[pa.Table] = []
    for part in parts:
        table = part if isinstance(part, pa.Table) else pa.Table.from_batches([part])
        held.append(table)
        while sum(each.num_rows for each in held) >= rows:
            whole = pa.concat_tables(held)
            yield whole.slice(0, rows).combine_chunks()
            held = [whole.slice(rows)] if whole.num_rows > rows else []
    if held:
        yield pa.concat_tables(held).combine_chunks()


def read_those(path: Path, columns: Sequence[str], rows: pa.Table, only: Filters) -> pa.Table:
    """Of a file of very many, what has the first column of one of ``rows``, all of which lie in the range ``only``."""
    key = columns[0]
    within = pc.field(key).isin(pc.unique(rows[key]))
    if only is not None:
        within = pq.filters_to_expression(only) & within
    return pq.read_table(path, columns=list(columns), filters=within)
