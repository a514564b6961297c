"""What may be too much for the memory is worked on in pieces: ranges of one column of the key, cut to hold few rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from keepline.engine import ID_SPACE
from keepline.tables import Table, Type
from keepline.written import read_batches

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
    count = pieces_of(sum(rows.values()))
    if count <= 1:
        return [None]
    whole = pa.types.is_integer(pq.read_schema(next(iter(rows))).field(column).type)
    marks = [ID_SPACE * i // count for i in range(1, count)] if whole else _marks(column, rows, count)
    return [
        [(column, sign, mark) for sign, mark in ((">=", low), ("<", high)) if mark is not None] or None
        for low, high in pairwise([None, *marks, None])
    ]


def pieces_of(rows: int) -> int:
    """Into how many pieces so many rows are cut."""
    return -(-rows // BUCKET_ROWS)


def _marks(column: str, rows: Mapping[Path, int], count: int) -> list[str]:
    """Texts between which about as many rows lie, by a sample of every so many."""
    step = max(1, sum(rows.values()) // SAMPLED)
    found: list[str] = []
    for path in rows:
        for batch in read_batches(pq.ParquetFile(path), READ_ROWS, [column]):
            found += batch.column(0).take(pa.array(range(0, batch.num_rows, step))).to_pylist()
    found.sort()  # by code point, so by the bytes of UTF-8, as Arrow compares
    return sorted({found[len(found) * i // count] for i in range(1, count)})


def lay(path: Path, column: str, *, to: Path, columns: Sequence[str] | None = None) -> Path:
    """A file, or some of its columns, with each block in the order of one column, in small row groups: a piece is then
    found by reading few of them. Rows that are equal in it keep the order of the file.
    """
    found, laid = pq.ParquetFile(path), to.with_suffix(".laid")
    batches = read_batches(found, READ_ROWS, columns)
    schema = found.schema_arrow if columns is None else pa.schema([found.schema_arrow.field(name) for name in columns])
    with pq.ParquetWriter(laid, schema, compression="lz4") as writer:
        for block in in_blocks(batches, BUCKET_ROWS):
            writer.write_table(block.select(schema.names).sort_by(column), row_group_size=max(1, BUCKET_ROWS // GROUPS))
    return laid.replace(to)


def in_blocks(parts: Iterator[pa.Table] | Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """The same rows in blocks of just so many, the last of what is left."""
    held: list[pa.Table] = []
    for part in parts:
        if part.num_rows:
            held.append(part if isinstance(part, pa.Table) else pa.Table.from_batches([part]))
        while sum(each.num_rows for each in held) >= rows:
            whole = pa.concat_tables(held)
            yield whole.slice(0, rows).combine_chunks()
            held = [whole.slice(rows)] if whole.num_rows > rows else []
    if held:
        yield pa.concat_tables(held).combine_chunks()


def read_rows(path: Path, columns: Sequence[str] | None = None, *, only: Any = None) -> pa.Table:
    """The rows of a file that a filter lets pass.

    Arrow would fetch the bytes of every row group that the filter may concern, and hold them all until it has read.
    """
    chosen = columns if columns is None else list(columns)
    return pq.read_table(path, columns=chosen, filters=only, pre_buffer=False)


def read_those(path: Path, columns: Sequence[str], rows: pa.Table, only: Filters) -> pa.Table:
    """Of a file of very many, what has the first column of one of ``rows``, all of which lie in the range ``only``."""
    within = pc.field(columns[0]).isin(pc.unique(rows[columns[0]]))
    return read_rows(path, columns, only=within if only is None else pq.filters_to_expression(only) & within)
